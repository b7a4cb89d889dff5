"""The programs in the pages of docs/ run as they are printed."""

import re

import pytest

from cmake_builds import ROOT

PROGRAMS = [
    pytest.param(program, id=f"{page.stem}-{number}")
    for page in sorted((ROOT / "docs").glob("custom_loop.md"))
    for number, program in enumerate(
        re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)
    )
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_program(program):
    exec(compile(program, "docs", "exec"), {})


def test_there_are_programs():
    assert len(PROGRAMS) == 2
