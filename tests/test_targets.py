"""Every instruction set of this machine: chosen, forced, refused, right, and of the same bits."""

import subprocess
import sys
from itertools import chain

import pytest

import cmake_builds
import rnnfast

CONFIG = rnnfast.show_config(mode="dicts")
TARGETS, ACTIVE = CONFIG["targets"], CONFIG["target"]
ALL_TARGETS = ("baseline", "avx2", "avx512", "avx512_bf16", "amx", "neon")
SHARES = 4  # of the tests, so that all cores get some
NUMERIC_TESTS = ("tests/test_gradients.py", "tests/functional")
# These differ in the tables of shorter types alone.
OF_AVX512 = {"avx512", "avx512_bf16", "amx"}
TESTS_OF_SHORTER_TYPES = tuple(
    f"tests/functional/test_{name}.py" for name in ("precision", "bfloat16_training", "int8")
)

TRAIN_AND_DIGEST = """
import numpy as np
import rnnfast
from rnnfast.testing.bits import digest
from rnnfast.testing.cells import CELLS
from rnnfast.testing.precision import SHORTER
from rnnfast.testing.random import DTYPES, Problem

assert rnnfast.show_config(mode="dicts")["target"] == {target!r}
for cell in CELLS:
    for dtype in DTYPES:
        problem = Problem(cell, dtype, T=9, B=13, I=17, H=45)
        rng = np.random.default_rng(0)
        out, pullback = cell.vjp(problem.arguments(rng))
        print(cell, dtype.__name__, digest([*out, *pullback(**problem.cotangents(rng))]))
    for precision in SHORTER:
        problem = Problem(cell, np.float32, T=9, B=13, I=17, H=45)
        arguments = problem.arguments(np.random.default_rng(0))
        packed = cell.prepack(arguments, precision=precision)
        print(cell, precision, digest(packed(arguments["x"])))
    problem = Problem(cell, np.float32, T=9, B=13, I=17, H=45)
    rng = np.random.default_rng(0)
    out, pullback = cell.vjp(problem.arguments(rng), precision="bfloat16")
    print(cell, "bfloat16", digest([*out, *pullback(**problem.cotangents(rng))]))
"""


def python_on(target: str, program: str) -> str:
    return cmake_builds.run(sys.executable, "-c", program, RNNFAST_TARGET=target)


def test_best_target_is_chosen():
    program = "import rnnfast; print(rnnfast.show_config(mode='dicts')['target'])"
    chosen = cmake_builds.run(sys.executable, "-c", program, RNNFAST_TARGET=None).strip()
    assert chosen == max(TARGETS, key=ALL_TARGETS.index)


@pytest.mark.parametrize("target", [*sorted({*ALL_TARGETS} - {*TARGETS}), "sse9"])
def test_impossible_target_is_an_import_error(target):
    program = f"import os; os.environ['RNNFAST_TARGET'] = {target!r}; import rnnfast"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode
    last_line = done.stderr.strip().splitlines()[-1]
    assert last_line.startswith("ImportError")
    assert "RNNFAST_TARGET" in last_line
    assert target in last_line


def test_all_with_fma_give_the_same_bits():
    """But for bfloat16 on a matrix unit, which sums a pair's products in two chains."""
    digests = {
        target: python_on(target, TRAIN_AND_DIGEST.format(target=target)).splitlines()
        for target in TARGETS
        if target != "baseline"  # multiplies and adds in two roundings
    }
    amx = digests.pop("amx", None)
    assert len({*map(tuple, digests.values())}) <= 1
    if amx and digests:
        for mine, of_others in zip(amx, next(iter(digests.values())), strict=True):
            assert (mine == of_others) == (" bfloat16 " not in mine), mine


def test_every_test_is_in_one_share():
    def collected(*options):
        command = (sys.executable, "-m", "pytest", "--collect-only", "-q", *options)
        output = cmake_builds.run(*command, "tests/functional/test_cudnn_checksums.py")
        return [line for line in output.splitlines() if "::" in line]

    shares = [collected(f"--share={share}/2") for share in range(2)]
    assert sorted(chain.from_iterable(shares)) == sorted(collected())
    assert all(shares)


@pytest.mark.slow
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("target", sorted({*TARGETS} - {ACTIVE}))
def test_numbers_are_right(target, share):
    """The numeric tests once more; tests/conftest.py sees to it that the target is active."""
    tests = TESTS_OF_SHORTER_TYPES if {target, ACTIVE} <= OF_AVX512 else NUMERIC_TESTS
    chosen = ("--quick", f"--share={share}/{SHARES}", "-m", "not timing", *tests)
    cmake_builds.run(sys.executable, "-m", "pytest", "-q", *chosen, RNNFAST_TARGET=target)
