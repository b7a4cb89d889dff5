"""What the fuzzer finds, even if it ends the process, is told so that it can be found again."""

import pytest

from fuzz import run

PROFILE = """
import hypothesis
hypothesis.settings.register_profile("fuzz", database=None, deadline=None, print_blob=True)
"""
TEST = """
import os, signal
from hypothesis import given
from hypothesis import strategies as st

@given(number=st.integers(0, 10**6))
def test_numbers(number):
    if number >= 1000:
        {what}
"""


@pytest.fixture
def fuzz(tmp_path, capsys):
    def fuzz(what, *more):
        (tmp_path / "conftest.py").write_text(PROFILE)
        test = tmp_path / "test_numbers.py"
        test.write_text(TEST.format(what=what))
        code = 0
        try:
            run.main(["0", *more, "--tests", str(test)])
        except SystemExit as ended:
            code = ended.code
        return code, capsys.readouterr().out

    return fuzz


def test_a_failure_is_told(fuzz):
    code, told = fuzz("raise AssertionError")
    assert "again: make fuzz FUZZ_ARGS='--seed " in code
    assert "number=1000," in told
    assert "@reproduce_failure(" in told


def test_a_crash_is_told(fuzz):
    code, told = fuzz("os.kill(os.getpid(), signal.SIGSEGV)", "--seed", "7")
    assert code == "found with seed 7; again: make fuzz FUZZ_ARGS='--seed 7'"
    assert "ended by signal 11" in told
    example = told[run.tried_last(told) :]
    assert int(example.split("number=")[1].split(",")[0]) >= 1000


def test_nothing_is_told_of_nothing(fuzz):
    code, told = fuzz("pass")
    assert code == 0
    assert told.endswith("nothing found with 1 seeds\n")
