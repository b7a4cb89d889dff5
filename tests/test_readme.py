"""The programs in the README run as they are printed."""

import re

import pytest

from cmake_builds import ROOT

PROGRAMS = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)


@pytest.mark.parametrize("program", PROGRAMS, ids=range(len(PROGRAMS)))
def test_program(program):
    exec(compile(program, "README.md", "exec"), {})


def test_all_ways_in_are_there():
    assert len(PROGRAMS) == 3
