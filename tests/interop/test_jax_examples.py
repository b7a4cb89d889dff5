"""The page for JAX and its program: that they run as they are printed."""

import os
import re

import pytest

pytest.importorskip("jax")

from cmake_builds import ROOT
from rnnfast.bench.agreement import require_agreement
from rnnfast.bench.cases import Case, Shape
from rnnfast.bench.hosts.jax import Jax, JaxOnKernels
from rnnfast.examples import jax_classifier  # needs jax
from rnnfast.interop import jax as ours

SMALL = ["--seq-len=24", "--sequences=200", "--test-sequences=100", "--units=16", "--batch-size=20"]


def test_the_classifier_learns(capsys):
    jax_classifier.main([*SMALL, "--epochs=12", "--noise=0", "--learning-rate=0.02"])
    shown = capsys.readouterr().out
    losses = [float(loss) for loss in re.findall(r"epoch \d+: loss ([\d.]+)", shown)]
    assert len(losses) == 12
    assert losses[-1] < 0.8 * losses[0]
    share, passes = re.search(r"accuracy ([\d.]+)%.*kernels: (\d+)", shown).groups()
    assert float(share) > 40  # chance is 25
    assert int(passes) >= 2 * 2 * 120  # both ways, forward and backward


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn_tanh"])
def test_both_sides_of_the_bench_compute_the_same(cell):
    case = Case("training", cell, Shape.of("6/3/5"))
    inputs = case.inputs()
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    own, theirs = (peer(threads).prepare(case, inputs) for peer in (JaxOnKernels, Jax))
    before = ours.kernel_calls()
    found = own.results(own.call())
    assert ours.kernel_calls() == before + 2
    require_agreement("jax", inputs, found, theirs.results(theirs.call()))


def test_wrong_options_are_said(capsys):
    with pytest.raises(SystemExit):
        jax_classifier.main(["--units=0"])
    assert "--units: must be an integer of at least 1, got '0'" in capsys.readouterr().err


def test_programs_of_the_page(monkeypatch):
    text = (ROOT / "docs" / "jax.md").read_text(encoding="utf-8")
    before = ours.kernel_calls()
    monkeypatch.setattr(ours, "kernel_calls", lambda: _since(before))
    names = {}
    for program in re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S):
        exec(compile(program, "docs/jax.md", "exec"), names)
    assert names


def _since(before):
    from rnnfast.interop.jax import _kernels

    return _kernels.kernel_calls() - before
