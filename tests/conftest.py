"""Rules of the whole suite: the skips that are allowed, quick runs, what tests share."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Before anything imports NumPy: the oracle's small products wait for each other's BLAS threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Of processes that share cores none may spin in wait for its threads.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import hypothesis
import pytest

import cmake_builds

# What a machine may lack. Any other skip is a failure: a test that did not run must not look like
# one that passed.
ALLOWED_SKIPS = (
    "this system does not tell a process its peak memory",
    r"no cross compiler \(aarch64-linux-gnu-g\+\+\)",
    r"no emulator \(qemu-\w+\)",
    r"no CUDA compiler \(nvcc\)",
    "no CUDA device",
    "no Clang with RealtimeSanitizer",
    r"no binutils \(\w+\)",
    r"not an x86-64 machine",
    r"no affinity on this system",
    r"not Linux",
    r"no fork on this system",
    r"no C compiler",
    r"no C\+\+ compiler",
    r"not glibc",
    r"not a git checkout",
    r"mypy is missing, make lint installs it",
    r"NumPy has no BLAS that threadpoolctl knows",
    r"no package \w+ of the extra (examples|hosts)",
)

# The same examples on every run: a failure is there again when one looks for it.
hypothesis.settings.register_profile("default", derandomize=True, deadline=None)
hypothesis.settings.register_profile("quick", derandomize=True, deadline=None, max_examples=10)
# Others on every run, from the seed that `make fuzz` gives.
hypothesis.settings.register_profile(
    "fuzz", database=None, deadline=None, max_examples=800, print_blob=True
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--quick", action="store_true", help="leave out slow tests, try fewer random examples"
    )
    parser.addoption("--full", action="store_true", help="try every pair of options by itself too")
    parser.addoption("--share", metavar="K/N", help="run every N-th test, from the K-th on, from 0")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--hypothesis-profile") is None:
        hypothesis.settings.load_profile("quick" if config.getoption("--quick") else "default")


def pytest_report_header() -> str:
    """The target that all tests run on. One that was asked for and is not active ends the run."""
    import rnnfast

    active = rnnfast.show_config(mode="dicts")["target"]
    wanted = os.environ.get("RNNFAST_TARGET", active)
    if active != wanted:
        pytest.exit(f"RNNFAST_TARGET is {wanted}, but the active target is {active}", returncode=1)
    return f"rnnfast {rnnfast.__version__}, target {active}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = {"slow"} if config.getoption("--quick") else set()
    left_out |= set() if config.getoption("--full") else {"full"}
    chosen: dict[bool, list[pytest.Item]] = {True: [], False: []}
    for item in items:
        chosen[left_out.isdisjoint(mark.name for mark in item.iter_markers())].append(item)
    config.hook.pytest_deselected(items=chosen[False])
    items[:] = chosen[True]
    if share := config.getoption("--share"):
        first, step = map(int, share.split("/"))
        items[:] = items[first::step]


def _fail_unlisted_skip(report):
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if not any(re.fullmatch(allowed, reason) for allowed in ALLOWED_SKIPS):
            report.outcome = "failed"
            report.longrepr = f"skipped, for a reason not among ALLOWED_SKIPS: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    return _fail_unlisted_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return _fail_unlisted_skip((yield))


@contextmanager
def _as_many_threads_afterwards() -> Iterator[None]:
    """Take back the process's numbers of threads, ours and torch's, if somebody chose others."""
    import rnnfast

    chosen = rnnfast._core.chosen_threads()
    torch = sys.modules.get("torch")
    of_torch = torch.get_num_threads() if torch else 0
    yield
    rnnfast._core.choose_threads(chosen)
    if torch:
        torch.set_num_threads(of_torch)
        rnnfast._core.follow_host(of_torch)


@pytest.fixture(scope="module", autouse=True)
def threads_of_a_file():
    """Also of what is set up once for a file, before its first test."""
    with _as_many_threads_afterwards():
        yield


@pytest.fixture(autouse=True)
def threads_of_a_test():
    with _as_many_threads_afterwards():
        yield


@pytest.fixture(scope="session")
def active_target() -> str:
    """Name of the instruction set that the kernels of this process use."""
    import rnnfast

    return rnnfast.show_config(mode="dicts")["target"]


@pytest.fixture(scope="session")
def native_build() -> cmake_builds.Build:
    """The core and the native tests, compiled for this machine."""
    return cmake_builds.native_build()


@pytest.fixture(scope="session")
def cross_build() -> cmake_builds.Build:
    """The core and the native tests, compiled for 64-bit ARM."""
    return cmake_builds.cross_build()
