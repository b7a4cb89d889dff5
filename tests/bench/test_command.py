"""python -m rnnfast.bench, on one small case without peers."""

import sys

import pytest

from rnnfast.bench import __main__ as command
from rnnfast.bench.__main__ import main
from rnnfast.bench.results import from_json

SMALL = ["--quick", "--threads", "1", "--peers"]


@pytest.mark.timing
def test_prints_and_stores(tmp_path, capsys):
    stored = tmp_path / "folder" / "small.json"
    case = ["--modes", "inference", "--cells", "lstm", "--shapes", "3/2/5-7"]
    main([*case, "--json", str(stored), "--plots", str(tmp_path), *SMALL])
    report = from_json(stored.read_text(encoding="utf-8"))
    assert [str(row.case) for row in report.rows] == ["inference lstm 3/2/5-7"]
    assert report.command.startswith("python -m rnnfast.bench --modes inference")
    printed = capsys.readouterr()
    assert "3/2/5-7" in printed.out
    assert "inference lstm 3/2/5-7" in printed.err
    assert report.rows[0].taken is None or report.rows[0].taken >= 0
    assert (tmp_path / "benchmark-roofline.svg").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--shapes", "3x2x5"], "a shape must be T/B/H"),
        (["--modes", "inference", "--cells", "gru_reset_before"], "no case has all"),
        (["--modes", "step", "--cells", "gru", "--threads", "10000"], "10000 threads are wanted"),
    ],
)
def test_errors_are_one_line(arguments, message):
    with pytest.raises(SystemExit, match=f"rnnfast.bench: .*{message}"):
        main([*SMALL, *arguments])


def test_a_peer_that_is_unknown_is_named():
    with pytest.raises(SystemExit):
        main(["--peers", "abacus"])


@pytest.mark.timing
def test_a_busy_machine_is_told_before_the_first_case(monkeypatch, capsys):
    monkeypatch.setattr(command, "take_a_look", lambda threads: "others took 1.3 cores")
    main(["--modes", "inference", "--cells", "lstm", "--shapes", "3/2/5-7", *SMALL])
    assert "BUSY: others took 1.3 cores; wait until" in capsys.readouterr().err


def test_storing_without_msgspec_is_refused_before_anything_is_timed(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "msgspec", None)
    monkeypatch.setattr(command, "measure", None)
    with pytest.raises(SystemExit, match=r"msgspec, which is missing: pip install 'rnnfast\[bench"):
        main(["--json", str(tmp_path / "a.json"), *SMALL])
