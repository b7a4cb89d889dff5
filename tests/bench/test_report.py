"""Reports: stored, read again, and written into a page and a README."""

import pytest

from rnnfast.bench import Case, Shape
from rnnfast.bench.report import BEGIN, END, main, replace_between_markers
from rnnfast.bench.results import Entry, Report, Row, Subnormals, Tile, from_json, to_json
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
            ),
            Row(inference, {"rnnfast": fast, "torch": slow}, {}, fma_rate=1000.0, limit=0.8e-3),
        ],
        tiles=[Tile("avx512", 6, 4, 115.3, Spread(0.97, 0.976, 0.98))],
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
    for cell in ("100/32/128", "1 ms ± 10%", "2.00 ± 1%", "0.976", "6x4", "1/1/64"):
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


def test_the_command_writes_pages_and_readme(report, tmp_path):
    (tmp_path / "one.json").write_text(to_json(report), encoding="utf-8")
    readme = tmp_path / "README.md"
    readme.write_text(f"# Title\n{BEGIN}\n{END}\n", encoding="utf-8")
    main(["--results", str(tmp_path), "--readme", str(readme)])
    assert (tmp_path / "one.md").read_text(encoding="utf-8") == markdown(report)
    assert markdown_of_cases(report).strip() in readme.read_text(encoding="utf-8")


def test_a_folder_without_results_says_how_to_make_some(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["--results", str(tmp_path)])
    assert "python -m rnnfast.bench --json" in capsys.readouterr().err
