"""Whole programs: what is told of their times, and the loop's own time, measured small."""

import pytest

from rnnfast.bench.timing import Spread
from rnnfast.bench.training import own_time
from rnnfast.bench.training.__main__ import main
from rnnfast.bench.training.epochs import KERAS, PADDED, Times, _compare
from rnnfast.bench.training.own_time import OwnTime
from rnnfast.bench.training.processes import Apart
from rnnfast.bench.training.table import to_markdown


def exactly(value):
    return Spread(value, value, value)


def test_a_ratio_below_what_is_wanted_stands_out():
    times = Times(
        "classifier",
        {"rnnfast": exactly(1.0), KERAS: exactly(2.0), PADDED: exactly(1.5)},
        {KERAS: exactly(2.0), PADDED: exactly(1.5)},
        {KERAS: exactly(3.0), PADDED: exactly(1.25)},
        {KERAS: 3e-5},
        ["others took 1.5 cores"],
    )
    keras, padded = to_markdown([times], None).splitlines()[2:]
    assert keras == (
        "| classifier | keras | 2.00 | 1.00 | 2.00 (2.00 to 2.00) | **at least 2.5** | 3.00 "
        "| 3e-05 | others took 1.5 cores |"
    )
    assert "| 1.50 (1.50 to 1.50) |  | 1.25 |  |" in padded


def test_what_the_kernels_leave_is_told():
    table = to_markdown([], OwnTime(10e-3, 11e-3, 8e-3, 0.1e-3, 0.2e-3, 0.3e-3, None))
    assert "| bookkeeping | 1.40 |" in table
    assert "wanted under 10% | **20.0%** |" in table


def test_losses_that_differ_are_refused():
    assert _compare("classifier", KERAS, [2.0, 1.0], [2.0, 1.00005]) == pytest.approx(5e-5)
    with pytest.raises(ValueError, match="keras and rnnfast disagree on the losses of classifier"):
        _compare("classifier", KERAS, [2.0, 1.0], [2.0, 1.0002])


@pytest.mark.timing
def test_the_loop_is_timed(monkeypatch):
    monkeypatch.setattr(own_time, "_T", 3)
    monkeypatch.setattr(own_time, "_H", 4)
    monkeypatch.setattr(own_time, "_STEPS", 2)
    found = own_time.measure_own_time(1, 1)
    # So small a network's kernels take a small part.
    assert 0 < found.kernels < found.step
    assert min(found.batch, found.dense, found.optimizer) > 0


@pytest.mark.timing
def test_the_command_stores_its_tables(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(own_time, "_T", 3)
    monkeypatch.setattr(own_time, "_H", 4)
    stored = tmp_path / "training.md"
    given = ["--only", "own_time", "--rounds", "1", "--threads", "1", "--markdown", str(stored)]
    main(given)
    text = stored.read_text(encoding="utf-8")
    assert text.startswith(f"# Whole programs\n\n`python -m rnnfast.bench.training {given[0]}")
    assert "| Dense and loss |" in capsys.readouterr().out


def test_a_process_answers_and_raises():
    with Apart(list, [3, 1]) as numbers:
        numbers.ask("sort")
        assert numbers.ask("index", 3) == 1
        with pytest.raises(ValueError, match="5 is not in list"):
            numbers.ask("index", 5)
    with pytest.raises(TypeError):
        Apart(int, "one", "two", "three")
