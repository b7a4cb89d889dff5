"""The page for scikit-learn and its program: that they run, and choose as they say."""

import re
import sys

import numpy as np
import pytest

import rnnfast
from cmake_builds import ROOT
from rnnfast.examples import grid_search


@pytest.fixture(autouse=True)
def one_thread():
    with rnnfast.num_threads(1):
        yield


def test_programs_of_the_page():
    text = (ROOT / "docs" / "sklearn.md").read_text(encoding="utf-8")
    names = {}
    for program in re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S):
        exec(compile(program, "docs/sklearn.md", "exec"), names)
    assert names["model"].score(names["ragged"], names["sums"]) > 0.9


@pytest.mark.slow
def test_the_larger_network_is_chosen_and_beats_guessing(tmp_path, capsys):
    picture = tmp_path / "sizes.png"
    small = ["--units", "16", "2", "--samples=400", "--folds=2", "--epochs=12"]
    grid_search.main([*small, f"--plot={picture}"])
    shown = capsys.readouterr().out
    accuracy = {
        name: float(value) for name, value in re.findall(r"^(.*?\w) +(0\.\d+) +0\.\d+", shown, re.M)
    }
    assert accuracy["the same digit"] < 0.2 < accuracy["2 units"] < accuracy["16 units"]
    assert accuracy["16 units"] > 0.6
    assert accuracy["logistic regression"] > 0.8
    held_out = re.search(r"chosen: 16 units, (0\.\d+) of what was held out", shown)
    assert float(held_out[1]) > 0.6
    assert picture.stat().st_size > 10_000


@pytest.mark.parametrize(("second", "chosen"), [(0.93, 32), (0.949, 8), (0.97, 8)])
def test_the_smallest_within_a_standard_error_of_the_best_is_chosen(second, chosen):
    spread = np.array([-0.01, 0.01, 0.0, 0.0])  # its standard error is 0.0041
    scores = np.add.outer([0.5, second, 0.95], spread)
    found = grid_search.Found([2, 8, 32], scores, {}, np.zeros(3))
    assert found.errors == pytest.approx([0.00408] * 3, rel=1e-2)
    assert found.chosen == chosen


def test_without_scikit_learn_it_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(SystemExit, match="pip install scikit-learn"):
        grid_search.main([])


def test_wrong_options_are_told(capsys):
    with pytest.raises(SystemExit):
        grid_search.main(["--folds=1"])
    assert "--folds: must be an integer of at least 2" in capsys.readouterr().err
