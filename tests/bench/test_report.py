"""Reports: stored, read again, and written into a page and a README."""

import pytest

from rnnfast.bench import Case, Shape
from rnnfast.bench.plots import plot_all
from rnnfast.bench.report import BEGIN, END, main, replace_between_markers
from rnnfast.bench.results import Entry, Memory, Report, Row, Subnormals, Tile, from_json, to_json
from rnnfast.bench.table import markdown, markdown_of_cases, terminal
from rnnfast.bench.timing import Spread

EVEN = Spread(1.0, 1.0, 1.0)


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
                meeting=EVEN,
            ),
            Row(
                inference,
                {"rnnfast": fast, "torch": slow},
                {},
                fma_rate=1000.0,
                limit=0.8e-3,
                meeting=EVEN,
            ),
        ],
        tiles=[Tile("avx512", 6, 4, 115.3, Spread(0.97, 0.976, 0.98))],
        memory=[Memory(training, {"rnnfast": 3 * 2**20, "torch": 2**23})],
        subnormals=[Subnormals(Case("step", "gru", Shape(1, 1, 64, 64)), EVEN)],
    )


def test_json_brings_everything_back(report):
    assert from_json(to_json(report)) == report


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


def test_markdown_rows_have_one_cell_a_column(report):
    lines = [line for line in markdown_of_cases(report).splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(report.rows)
    assert len({line.count("|") for line in lines}) == 1


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
    main(["--results", str(results), "--readme", str(readme)])
    shown = readme.read_text(encoding="utf-8")
    assert shown.count(markdown_of_cases(report).strip()) == 1
    assert "(results/figures-ratios.svg)" in shown
    for name in ("figures", "full"):
        page = (results / f"{name}.md").read_text(encoding="utf-8")
        assert page.startswith(markdown(report))
        for picture in ("ratios", "roofline"):
            assert f"({name}-{picture}.svg)" in page
            assert "</svg>" in (results / f"{name}-{picture}.svg").read_text(encoding="utf-8")


def test_pictures_of_one_report_are_the_same_bytes(report, tmp_path):
    first, second = (plot_all(report, tmp_path / folder, "same") for folder in "ab")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert "training lstm 100/32/128" not in first[0].read_text(encoding="utf-8")  # without a peer
    assert "inference lstm 100/32/128" in first[0].read_text(encoding="utf-8")


def test_results_without_the_figures_of_the_readme_are_refused(report, tmp_path, capsys):
    (tmp_path / "full.json").write_text(to_json(report), encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["--results", str(tmp_path)])
    assert "lacks figures.json" in capsys.readouterr().err


def test_a_folder_without_results_says_how_to_make_some(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["--results", str(tmp_path)])
    assert "python -m rnnfast.bench --json" in capsys.readouterr().err
