"""The page and the program for ONNX Runtime run as they are printed."""

import re
from pathlib import Path

import numpy as np
import onnx
import pytest

from cmake_builds import ROOT
from rnnfast.bench.behaviour import int8
from rnnfast.bench.hosts import onnxruntime as figures
from rnnfast.examples import onnx_session
from rnnfast.interop.onnx import kernel_calls, load

PROGRAMS = re.findall(
    r"^```python\n(.*?)^```$", (ROOT / "docs" / "onnx.md").read_text(encoding="utf-8"), re.M | re.S
)


def test_programs_of_the_page(tmp_path, monkeypatch):
    """One after another, as a reader would go on in the same session."""
    monkeypatch.chdir(tmp_path)
    onnx_session.save_model(Path("model.onnx"), "lstm", 4, 6, 1)
    model = onnx.load("model.onnx")
    model.graph.node[0].name = "encoder"
    onnx.save(model, "model.onnx")
    names = {"x": np.ones((5, 1, 4), np.float32)}
    before = kernel_calls()
    for program in PROGRAMS:
        exec(compile(program, "docs/onnx.md", "exec"), names)
    assert len(PROGRAMS) == 4
    assert kernel_calls() == before + 1
    np.testing.assert_allclose(names["state"][0], names["y"][-1], atol=1e-6)


@pytest.mark.parametrize("cell", onnx_session.CELLS)
def test_a_model_with_and_without(cell, capsys):
    onnx_session.main(
        [f"--cell={cell}", "--inputs=3", "--units=8", "--layers=2", "--steps=6", "--batch-size=2"]
    )
    shown = capsys.readouterr().out
    assert f"layer0: {cell.upper()}\nlayer1: {cell.upper()}\n" in shown
    difference, streamed = re.findall(r"([\d.]+e[+-]\d+)$", shown, re.M)
    assert float(difference) < 1e-5
    assert float(streamed) < 1e-5
    assert re.search(r"[\d.]+ times as fast", shown)


def test_layers_of_the_program_are_loaded(tmp_path):
    path = tmp_path / "model.onnx"
    onnx_session.save_model(path, "gru", 3, 5, 2)
    assert {name: one.op_type for name, one in load(path).items()} == {
        "layer0": "GRU",
        "layer1": "GRU",
    }


def test_a_number_that_is_none(capsys):
    with pytest.raises(SystemExit):
        onnx_session.main(["--units=0"])
    assert "must be an integer of at least 1, got '0'" in capsys.readouterr().err


@pytest.mark.parametrize("op_type", ["LSTM", "GRU", "RNN"])
def test_figures_beside_the_host(op_type, monkeypatch):
    """They are of results that agree; how fast is not asked here."""
    monkeypatch.setattr(figures, "_CASES", (figures.Case(op_type, 4, 2, 8, 2, 0.0),))
    monkeypatch.setattr(int8, "SEQUENCES", ())
    before = kernel_calls()
    (ratio,) = figures.beside_onnxruntime(rounds=2, threads=1)
    assert kernel_calls() > before
    assert ratio.about == f"ONNX Runtime's time / ours, {op_type} T4 B2 H8 D2, 1 threads"


def test_figures_of_a_quantized_node(monkeypatch):
    monkeypatch.setattr(figures, "_CASES", ())
    monkeypatch.setattr(int8, "SEQUENCES", (int8.Sequence(4, 32, 2),))
    before = kernel_calls()
    (ratio,) = figures.beside_onnxruntime(rounds=2, threads=1)
    assert kernel_calls() > before
    of = "LSTM T4 B1 H32, both directions, in int8"
    assert ratio.about == f"ONNX Runtime's time / ours, {of}, 1 threads"
