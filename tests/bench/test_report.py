"""Reports: stored, read again, and written into a page and a README."""

import dataclasses
import re

import pytest

from cmake_builds import ROOT
from rnnfast.bench import Case, Shape
from rnnfast.bench.plots import plot_all
from rnnfast.bench.report import BEGIN, END, main, replace_between_markers
from rnnfast.bench.results import Entry, Memory, Report, Row, Subnormals, Tile, from_json, to_json
from rnnfast.bench.stored import SCHEMA
from rnnfast.bench.table import headline, markdown, terminal
from rnnfast.bench.timing import Spread

EVEN = Spread(1.0, 1.0, 1.0)
MEETING = Spread(58e-9, 60e-9, 90e-9)


@pytest.fixture
def report() -> Report:
    fast = Entry(Spread(0.9e-3, 1e-3, 1.1e-3), EVEN)
    slow = Entry(Spread(2e-3, 2e-3, 2e-3), Spread(1.98, 2.0, 2.02))
    shape = Shape(100, 32, 128, 128)
    training, inference = (Case(mode, "lstm", shape) for mode in ("training", "inference"))
    return Report(
        command="python -m rnnfast.bench",
        machine={"processor": "Abacus", "cores": "2", "system": "Linux"},
        threads=2,
        target="avx512",
        versions={"rnnfast": "0.1.0", "torch": "2.13.0"},
        absent={"jax": "jax is not installed"},
        rounds=10,
        rows=[
            Row(
                training,
                {"rnnfast": fast},
                {"torch": "torch is tired"},
                fma_rate=3000.0,
                limit=0.5e-3,
                meeting=MEETING,
                taken=0.02,
            ),
            Row(
                inference,
                {"rnnfast": fast, "torch": slow},
                {},
                fma_rate=1000.0,
                limit=0.8e-3,
                meeting=MEETING,
                taken=0.02,
            ),
        ],
        tiles=[Tile("avx512", 6, 4, 115.3, Spread(0.97, 0.976, 0.98))],
        memory=[Memory(training, {"rnnfast": 3 * 2**20, "torch": 2**23})],
        subnormals=[Subnormals(Case("step", "gru", Shape(1, 1, 64, 64)), EVEN)],
    )


def test_json_brings_everything_back(report):
    assert from_json(to_json(report)) == report


def test_json_begins_with_the_version_of_its_schema(report):
    assert to_json(report).startswith(f'{{\n "schema": {SCHEMA},\n "command"')


@pytest.mark.parametrize("text", ["[]", "{}", '{"schema": 1, "rows": []}', '{"schema": 99}'])
def test_another_schema_is_refused(text):
    with pytest.raises(ValueError, match=r"results of schema \d+, where \d+ is wanted"):
        from_json(text)


@pytest.mark.parametrize("damage", ['"threads": "two"', '"mode": "guessing"', '"seconds": [1.0]'])
def test_damaged_results_are_refused(report, damage):
    key = damage.partition(":")[0]
    text = re.sub(rf"{key}: (\[[^]]*\]|[^,\n]*)", damage, to_json(report), count=1)
    with pytest.raises(ValueError):
        from_json(text)


def test_what_is_committed_can_be_read():
    stored = sorted((ROOT / "bench" / "results").glob("*.json"))
    if not stored:  # an sdist has none
        return
    for path in stored:
        assert from_json(path.read_text(encoding="utf-8")).rows


def test_json_holds_rates_for_those_who_read_it_elsewhere(report):
    assert f'"gflops": {report.rows[0].gflops}' in to_json(report)


@pytest.mark.parametrize("layout", [terminal, markdown])
def test_a_page_tells_everything(report, layout):
    page = layout(report)
    for fact in ("Abacus", "avx512", "2 threads", "torch 2.13.0", "python -m rnnfast.bench"):
        assert fact in page
    for reason in ("jax is absent: jax is not installed", "torch is tired"):
        assert reason in page
    for cell in ("100/32/128", "1 ms ± 10%", "2.00 ± 1%", "0.976", "6x4", "1/1/64", "8.0"):
        assert cell in page


@pytest.mark.parametrize("busy", [False, True])
def test_markdown_rows_have_one_cell_a_column(report, busy):
    if busy:
        report.rows[1] = dataclasses.replace(report.rows[1], taken=1.3)
    _, table = markdown(report).split("## Cases\n\n")
    lines = [line for line in table.partition("\n\n")[0].splitlines()]
    assert len(lines) == 2 + len(report.rows)
    assert len({line.count("|") for line in lines}) == 1


@pytest.mark.parametrize("layout", [terminal, markdown])
def test_limit_and_meeting_are_explained(report, layout):
    page = " ".join(layout(report).split())
    assert "Of limit: the least time in which this machine could do the case" in page
    assert "Meeting: what it takes the threads" in page


@pytest.mark.parametrize("layout", [terminal, markdown])
def test_a_busy_case_is_marked_and_told_first(report, layout):
    assert "BUSY" not in layout(report)
    report.rows[1] = dataclasses.replace(report.rows[1], taken=1.3)
    page = layout(report)
    assert page.startswith("BUSY: the machine had something else to do in 1 of 2 cases")
    (row,) = (line for line in page.splitlines() if "inference" in line and "± 10%" in line)
    assert row.lstrip("| ").startswith("BUSY")
    assert "BUSY: inference lstm 100/32/128: others took 1.3 cores." in page


def test_pictures_say_what_where_and_busy(report, tmp_path):
    def texts():
        return [path.read_text(encoding="utf-8") for path in plot_all(report, tmp_path, "one")]

    for text in texts():
        assert "Abacus, 2 cores, Linux" in text
        assert "rnnfast" in text and "BUSY" not in text
    report.rows[1] = dataclasses.replace(report.rows[1], taken=1.3)
    for text in texts():
        assert "BUSY: the machine had something else to do in 1 of 2 cases" in text
    assert "BUSY lstm 100/32/128" in texts()[0]


def test_pictures_draw_the_spread(report, tmp_path):
    narrow = [path.read_bytes() for path in plot_all(report, tmp_path, "one")]
    inference = report.rows[1]
    wide = {
        "rnnfast": Entry(Spread(0.85e-3, 1e-3, 1.15e-3), EVEN),
        "torch": Entry(Spread(2e-3, 2e-3, 2e-3), Spread(1.8, 2.0, 2.2)),
    }
    report.rows[1] = dataclasses.replace(inference, entries=wide)
    assert all(
        path.read_bytes() != before
        for path, before in zip(plot_all(report, tmp_path, "one"), narrow, strict=True)
    )


def test_ticks_are_plain_numbers(report, tmp_path):
    for path in plot_all(report, tmp_path, "one"):
        assert "mathdefault" not in path.read_text(encoding="utf-8")  # as in 10^2


def test_the_headline_is_three_cases_beside_those_that_rank(report):
    (row,) = (row for row in report.rows if row.case.mode == "inference")
    shown = Case("step", "lstm", Shape.of("1/1/64"))
    rough = Entry(EVEN, Spread(9.0, 9.0, 9.0), ranks=False)
    entries = {**row.entries, "rough": rough}
    report.rows.append(dataclasses.replace(row, case=shown, entries=entries))
    assert headline(report).splitlines() == [
        "|  | rnnfast | torch |",
        "| --- | --- | --- |",
        "| one step of an LSTM of 64 units | 1 ms | 2.00 |",
    ]


def test_the_block_is_replaced_and_nothing_else():
    text = f"above\n{BEGIN}\nold\n{END}\nbelow\n"
    once = replace_between_markers(text, "new\n")
    assert once == f"above\n{BEGIN}\nnew\n{END}\nbelow\n"
    assert replace_between_markers(once, "new\n") == once


@pytest.mark.parametrize("text", ["", BEGIN, END, f"{END} {BEGIN}"])
def test_a_text_without_markers_is_refused(text):
    with pytest.raises(ValueError, match="must hold <!-- benchmark:begin -->"):
        replace_between_markers(text, "new")


def test_the_command_writes_pages_pictures_and_readme(report, tmp_path):
    results = tmp_path / "results"
    results.mkdir()
    for name in ("figures", "full"):
        (results / f"{name}.json").write_text(to_json(report), encoding="utf-8")
    readme = tmp_path / "README.md"
    readme.write_text(f"# Title\n{BEGIN}\n{END}\n", encoding="utf-8")
    shown_there = Case("inference", "lstm", Shape.of("100/1/512"))
    report.rows[1] = dataclasses.replace(report.rows[1], case=shown_there)
    (results / "figures.json").write_text(to_json(report), encoding="utf-8")
    main(["--results", str(results), "--readme", str(readme)])
    shown = readme.read_text(encoding="utf-8")
    assert shown == f"# Title\n{BEGIN}\n{headline(report).strip()}\n{END}\n"
    for name in ("figures", "full"):
        page = (results / f"{name}.md").read_text(encoding="utf-8")
        assert page.startswith(markdown(from_json((results / f"{name}.json").read_text())))
        for picture in ("ratios", "roofline"):
            assert f"({name}-{picture}.svg)" in page
            assert "</svg>" in (results / f"{name}-{picture}.svg").read_text(encoding="utf-8")


def test_pictures_of_one_report_are_the_same_bytes(report, tmp_path):
    first, second = (plot_all(report, tmp_path / folder, "same") for folder in "ab")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert first[0].read_text(encoding="utf-8").count("lstm 100/32/128") == 1  # none without a peer


def test_results_without_the_figures_of_the_readme_are_refused(report, tmp_path, capsys):
    (tmp_path / "full.json").write_text(to_json(report), encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["--results", str(tmp_path)])
    assert "lacks figures.json" in capsys.readouterr().err


def test_a_folder_without_results_says_how_to_make_some(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["--results", str(tmp_path)])
    assert "python -m rnnfast.bench --json" in capsys.readouterr().err
