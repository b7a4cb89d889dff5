"""The page for JAX and its program: that they run as they are printed."""

import re

import pytest

pytest.importorskip("jax")

from cmake_builds import ROOT
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
