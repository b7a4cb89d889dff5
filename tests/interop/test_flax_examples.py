"""The program for Flax, and those on its page: that they run, and say the same of both."""

import re

import pytest

from cmake_builds import ROOT
from jax_layers import by_our_kernels
from rnnfast.examples import flax_swap, text

SMALL = ["--units=12", "--embedding=4", "--seq-len=10", "--batch-size=3"]


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "story.txt"
    path.write_text(text.python_documentation()[:4000], encoding="utf-8")
    return path


def test_a_swapped_model_learns_the_same(story, capsys):
    with by_our_kernels():
        flax_swap.main(
            [*SMALL, f"--text={story}", "--cell=gru", "--steps=12", "--learning-rate=0.02"]
        )
    shown = capsys.readouterr().out
    assert "swapped:\nrecurrent.0: GRUCell\nrecurrent.1: GRUCell\n" in shown
    lines = re.findall(r"^ +(\d+) +([\d.]+) +([\d.]+)$", shown, re.MULTILINE)
    assert [int(step) for step, *_ in lines] == [1, 3, 5, 7, 9, 11, 12]
    assert float(lines[-1][1]) < float(lines[0][1])
    difference = re.search(r"largest relative difference of the losses: (\S+)", shown)
    assert float(difference[1]) < 1e-4
    assert re.search(r"Flax [\d.]+ ms, rnnfast [\d.]+ ms, ratio [\d.]+", shown)


def test_what_is_wrong_is_said(story, capsys):
    with pytest.raises(SystemExit):
        flax_swap.main([f"--text={story}", "--seq-len=1000"])
    assert "the text is too short" in capsys.readouterr().err
    with pytest.raises(SystemExit, match=r"flax_swap: the loss became .* with flax; try"):
        flax_swap.main([*SMALL, f"--text={story}", "--steps=9", "--learning-rate=1e37"])


def test_programs_of_the_page():
    """One after another, as a reader would go on in the same session."""
    page = (ROOT / "docs" / "flax.md").read_text(encoding="utf-8")
    names = {}
    with by_our_kernels():
        for program in re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S):
            exec(compile(program, "docs/flax.md", "exec"), names)
    assert names["report"].swapped
