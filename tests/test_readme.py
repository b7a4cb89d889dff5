"""The programs in README and docs run as they are printed; links lead somewhere from anywhere."""

import re
from pathlib import PurePosixPath

import pytest

from cmake_builds import ROOT
from rnnfast.bench.report import replace_between_markers
from rnnfast.bench.results import from_json
from rnnfast.bench.table import headline

README = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```$", README, re.M | re.S)
SOURCE = re.search(r'^urls.Source = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.M)[1]
TARGETS = [*re.findall(r"\]\(([^)]+)\)", README), *re.findall(r"^\[[^]]+\]: (\S+)$", README, re.M)]


@pytest.mark.parametrize("program", PROGRAMS, ids=range(len(PROGRAMS)))
def test_program(program):
    exec(compile(program, "README.md", "exec"), {})


@pytest.mark.parametrize("page", ["keras", "tutorial", "custom_loop", "serving"])
def test_programs_of_a_page(page, tmp_path, monkeypatch):
    """One after another, as a reader would go on in the same session."""
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    names = {}
    for program in re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S):
        exec(compile(program, f"docs/{page}.md", "exec"), names)
    assert names


# Gradients are arrays, of stacks sequences: an error that is not there is one as well.
OF_STACKS = """
import numpy as np
import rnnfast

w = np.ones((4, 4))
(y, _), pullback = rnnfast.rnn_vjp(np.ones((5, 2, 4)), w, w, state=np.ones((2, 4)))
size: int = pullback(y, out=rnnfast.RNNGrads(w_hh=np.zeros_like(w))).w_hh.size
(y, _), of_stack = rnnfast.rnn_vjp(np.ones((5, 2, 4)), [w, w], (w, w))
sums = [gradient.sum() for gradient in of_stack(y).w_hh]
of_stack(y).w_hh.size  # type: ignore[union-attr]
state = rnnfast.gru(np.ones((5, 2, 4)), w, w).state.size
"""


@pytest.mark.slow
def test_programs_pass_a_strict_type_checker(tmp_path):
    """As a user would run it, on programs that are not ours."""
    mypy = pytest.importorskip("mypy.api", reason="mypy is missing, make lint installs it")
    programs = [*PROGRAMS, OF_STACKS]
    paths = [tmp_path / f"program_{number}.py" for number in range(len(programs))]
    for path, program in zip(paths, programs, strict=True):
        path.write_text(program, encoding="utf-8")
    options = ["--strict", "--config-file=", f"--cache-dir={ROOT / '.mypy_cache'}"]
    found, errors, status = mypy.run([*options, *map(str, paths)])
    assert (errors, status) == ("", 0), found


def test_all_ways_in_are_there():
    assert len(PROGRAMS) == 3


@pytest.mark.parametrize("target", TARGETS)
def test_links_hold_on_the_page_of_an_index(target):
    if target.startswith("#"):
        headings = re.findall(r"^#+ (.+)$", README, re.M)
        assert target[1:] in [heading.lower().replace(" ", "-") for heading in headings]
        return
    path = re.fullmatch(rf"{re.escape(SOURCE)}/(?:blob|raw)/main/(.+)", target)
    assert path, f"{target} is no link into {SOURCE}"
    left_out = re.search(r"^sdist.exclude = (.+)$", (ROOT / "pyproject.toml").read_text(), re.M)[1]
    in_an_sdist = not (ROOT / ".github").exists()
    if not (in_an_sdist and any(f'"{folder}"' in left_out for folder in parents(path[1]))):
        assert (ROOT / path[1]).exists()


def parents(path):
    return [folder.as_posix() for folder in PurePosixPath(path).parents]


def test_every_name_of_a_link_is_defined_and_used():
    defined = set(re.findall(r"^\[([^]]+)\]: ", README, re.M))
    text = re.sub(r"^```.*?^```$|`[^`]*`", "", README, flags=re.M | re.S)
    used = set(re.findall(r"\]\[([^]]+)\]", text))
    alone = set(re.findall(r"\[([^]]+)\](?![(:\[])", text)) - used
    assert used | alone == defined


def test_the_headline_is_that_of_the_stored_results():
    """`python -m rnnfast.bench.report` writes it."""
    stored = ROOT / "bench" / "results" / "figures.json"
    if stored.exists():  # an sdist has none
        block = headline(from_json(stored.read_text(encoding="utf-8")))
        assert replace_between_markers(README, block) == README
