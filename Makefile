# Everything a person runs on a clone. Tools and packages go to .venv; a file in it for each set of
# extras remembers what is installed, so that a second `make` starts at once.
#
#   make test PYTHON=python3.12      another Python (3.10 or later), for a .venv yet to be made
#   make test DEVELOPMENT=ON         compiler warnings are errors
#   make test PYTEST_ARGS="-k lstm"  further arguments for pytest; likewise DEMO_ARGS, BENCH_ARGS,
#                                    FUZZ_ARGS
#   make fuzz FUZZ_SECONDS=600       for ten minutes

PYTHON ?= python3
DEVELOPMENT ?= OFF
FUZZ_SECONDS ?= 60

export CMAKE_BUILD_PARALLEL_LEVEL ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
export PIP_DISABLE_PIP_VERSION_CHECK = 1

NATIVE_SOURCES := $(shell find csrc tests/native tests/cuda tests/package bench/device rnnfast/examples/cpp rnnfast/include \
	-name '*.?pp' -o -name '*.[ch]' -o -name '*.cu' -o -name '*.cuh')
PYTHON_SOURCES := rnnfast tests packaging $(wildcard bench)

# What a command needs: .venv/.<command> is newer than what it was installed from.
ENVIRONMENTS := .venv/.demo .venv/.test .venv/.hosts .venv/.bench .venv/.lint .venv/.wheel .venv-sanitize/.test \
	.venv-sanitize-threads/.test
.venv/.demo: EXTRAS = train,plot
.venv/.test: EXTRAS = train,plot,test
.venv/.hosts: EXTRAS = train,test,hosts
.venv/.bench: EXTRAS = train,plot,bench
.venv/.lint: EXTRAS = lint
.venv/.wheel: EXTRAS = wheel
.venv-sanitize/.test: EXTRAS = train,plot,test,host-torch
.venv-sanitize-threads/.test: EXTRAS = test

BUILD = build/dev
.venv-sanitize/.test: BUILD = build/sanitize
# One instruction set: memory and threads are used alike on all, and compiling it takes a third of the
# time.
.venv-sanitize/.test: SANITIZE = --config-settings=cmake.define.RNNFAST_SANITIZE=address \
	--config-settings=cmake.define.RNNFAST_INSTRUCTION_SETS=baseline
.venv-sanitize-threads/.test: BUILD = build/sanitize-threads
.venv-sanitize-threads/.test: SANITIZE = --config-settings=cmake.define.RNNFAST_SANITIZE=thread \
	--config-settings=cmake.define.RNNFAST_INSTRUCTION_SETS=baseline \
	--config-settings=cmake.define.RNNFAST_NATIVE_TESTS=ON \
	--config-settings=cmake.define.CMAKE_CXX_COMPILER=$(CLANG)

# A process a core, which takes from another when it has no test left; then what must be alone.
# PYTEST_ARGS may leave no test for one of the two runs.
PROCESSES = -n $(CMAKE_BUILD_PARALLEL_LEVEL)
TOGETHER = $(PROCESSES) --dist worksteal
OR_NONE = || [ $$? -eq 5 ]
HOSTS = tests/hosts tests/interop
WITHOUT_HOSTS = $(HOSTS:%=--ignore=%)
# Programs whose data and baselines other packages have: `make test` skips those.
WITH_PACKAGES = tests/examples/test_tutorial_programs.py

# AddressSanitizer must be loaded before anything else, and find the C++ library's throw.
SANITIZERS = $(shell $(CXX) -print-file-name=libasan.so):$(shell $(CXX) -print-file-name=libstdc++.so)

# ThreadSanitizer wants its own part of the address space, which
# systems that place programs at random may have given away; not every container allows setarch.
CLANG ?= clang++
# Clang 14's crashes when a program that was not linked with it loads it first; GCC's does not, and
# has the same functions.
THREAD_SANITIZER = $(shell $(CXX) -print-file-name=libtsan.so)
IN_ITS_PLACE = $(shell setarch -R true 2>/dev/null && echo setarch -R)

.DEFAULT_GOAL := help
.PHONY: help demo wheel test test-full test-hosts sanitize sanitize-threads fuzz mutate lint format bench bench-full clean
.SECONDARY:

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.demo ## train a character model on English text and let it write (two minutes)
	.venv/bin/python -m rnnfast.examples.char_lm $(DEMO_ARGS)

# Compiled once, in the build folder of the installation in place; what makes it fit for other machines
# is written where cibuildwheel looks for it.
REPAIR = $(shell sed -n 's/^repair-wheel-command = "\(.*\)"$$/\1/p' pyproject.toml)
wheel: .venv/.wheel ## a wheel for this Python and every Linux as new as this one, in dist/
	rm -rf build/wheel
	.venv/bin/pip wheel --quiet --no-deps --no-build-isolation --config-settings=build-dir=$(BUILD) \
		--config-settings=cmake.define.RNNFAST_DEVELOPMENT=$(DEVELOPMENT) --wheel-dir build/wheel .
	PATH=.venv/bin:$$PATH $(subst {dest_dir},dist,$(subst {wheel},build/wheel/*.whl,$(REPAIR)))

test: .venv/.test ## all tests that need no other framework
test-full: .venv/.test ## the same, and every pair of options by itself
test-full: FULL = --full
test test-full:
	.venv/bin/python -m pytest $(TOGETHER) -m "not compiles and not timing" \
		$(WITHOUT_HOSTS) $(FULL) $(PYTEST_ARGS) $(OR_NONE)
	RNNFAST_BUILD_DIR=build/dev .venv/bin/python -m pytest -m "compiles or timing" \
		$(WITHOUT_HOSTS) $(PYTEST_ARGS) $(OR_NONE)

# A file's tests stay in one process: what hosts warn of, and what they set, is told file by file. Then
# what must be alone, as above.
test-hosts: .venv/.hosts ## the tests with torch, Keras, JAX, onnxruntime, OpenVINO
	RNNFAST_BUILD_DIR=build/dev .venv/bin/python -m pytest $(PROCESSES) --dist loadfile -m "not timing" \
		$(HOSTS) $(WITH_PACKAGES) $(PYTEST_ARGS) $(OR_NONE)
	RNNFAST_BUILD_DIR=build/dev .venv/bin/python -m pytest -m timing \
		$(HOSTS) $(WITH_PACKAGES) $(PYTEST_ARGS) $(OR_NONE)

# What may harm memory: calls of every kind in every form, and none of them a thousand times.
HARMFUL = $(foreach what,checkpoints lengths nan_and_edges noise prepack stacks strides trace, \
	tests/functional/test_$(what).py) \
	$(foreach what,plan plan_of_layers,tests/functional/test_team.py::test_any_team_under_any_$(what)) \
	tests/fuzz tests/native tests/training \
	$(foreach what,pool session,tests/serving/test_$(what).py) \
	$(foreach what,exchange layers weights,tests/interop/test_torch_$(what).py)

# Python leaks at exit by design, and a refused allocation must stay a MemoryError. What looks at
# the clock, or at how a process ends, has nothing to say here.
sanitize: .venv-sanitize/.test ## the tests under AddressSanitizer and UBSan (GCC)
	RNNFAST_BUILD_DIR=build/sanitize LD_PRELOAD=$(SANITIZERS) \
		ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 \
		UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
		.venv-sanitize/bin/python -m pytest $(TOGETHER) --quick --capture=sys \
		-m "not timing" $(HARMFUL) --ignore=tests/fuzz/test_run.py $(PYTEST_ARGS)

# A race ends either run, whatever the tests say.
sanitize-threads: export TSAN_OPTIONS = halt_on_error=1:exitcode=66:suppressions=$(CURDIR)/tests/thread_sanitizer.supp
sanitize-threads: .venv-sanitize-threads/.test ## calls at once under ThreadSanitizer (Clang)
	$(IN_ITS_PLACE) build/sanitize-threads/rnnfast_native_tests
	$(IN_ITS_PLACE) env LD_PRELOAD=$(THREAD_SANITIZER) .venv-sanitize-threads/bin/python \
		-m pytest --capture=sys tests/functional/test_callers.py $(PYTEST_ARGS)

fuzz: .venv/.test ## random calls, files and states, others each time, for FUZZ_SECONDS (60)
	.venv/bin/python tests/fuzz/run.py $(FUZZ_SECONDS) $(FUZZ_ARGS)

mutate: .venv/.test ## break every line of the cells' backward: the tests must notice (two minutes)
	.venv/bin/python tests/mutation.py

lint: .venv/.lint ## ruff, mypy --strict, clang-format, what cibuildwheel would build
	.venv/bin/ruff check $(PYTHON_SOURCES)
	.venv/bin/ruff format --check $(PYTHON_SOURCES)
	.venv/bin/mypy
	.venv/bin/clang-format --dry-run --Werror $(NATIVE_SOURCES)
	test ! -x .venv/bin/cibuildwheel || .venv/bin/cibuildwheel --platform linux --print-build-identifiers

format: .venv/.lint ## let ruff and clang-format rewrite the sources
	.venv/bin/ruff check --fix $(PYTHON_SOURCES)
	.venv/bin/ruff format $(PYTHON_SOURCES)
	.venv/bin/clang-format -i $(NATIVE_SOURCES)

bench: .venv/.bench ## time the kernels beside their peers
	.venv/bin/python -m rnnfast.bench $(BENCH_ARGS)

bench-full: .venv/.bench ## the same for every case that ranks (an hour or more)
	.venv/bin/python -m rnnfast.bench --full $(BENCH_ARGS)

clean: ## remove what was built and installed here
	rm -rf build dist .venv .venv-sanitize .venv-sanitize-threads .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Installed in place, so that an edited .py counts at once; the build folder is kept, so that an
# edited .cpp recompiles alone.
$(filter .venv/%,$(ENVIRONMENTS)): .venv/.created
$(filter .venv-sanitize/%,$(ENVIRONMENTS)): .venv-sanitize/.created
$(filter .venv-sanitize-threads/%,$(ENVIRONMENTS)): .venv-sanitize-threads/.created
$(ENVIRONMENTS): pyproject.toml CMakeLists.txt $(NATIVE_SOURCES)
	$(@D)/bin/pip install --quiet --no-build-isolation --config-settings=build-dir=$(BUILD) \
		--config-settings=cmake.define.RNNFAST_DEVELOPMENT=$(DEVELOPMENT) $(SANITIZE) \
		--editable ".[$(EXTRAS)]"
	@touch $@

# setuptools and wheel are for what comes as sources alone: a requirement of g2p-en.
%/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "rnnfast needs Python 3.10 or later: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(@D)
	sed -n 's/^requires = \[\(.*\)\]$$/\1/p' pyproject.toml | tr , ' ' | \
		xargs $(@D)/bin/pip install --quiet cmake ninja setuptools wheel
	@touch $@
