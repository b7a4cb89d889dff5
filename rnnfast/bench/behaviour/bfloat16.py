"""Training in bfloat16: beside torch's, beside float32, and what it costs a character model."""

from __future__ import annotations

from functools import partial
from math import exp
from typing import Any

from ... import losses, optimizers, utils
from ..agreement import require_agreement
from ..cases import Case, Shape
from ..peers import Ours, Unable
from ..peers.ours import training
from ..peers.peer import import_host
from ..peers.torch_bfloat16 import TorchBfloat16
from ..timing import Call
from .modules import both
from .ratios import BoundedRatio, medians

__all__ = ["character_model", "training_in_bfloat16"]

_CASES = (
    ("lstm", Shape(50, 64, 512, 512), 1.1),
    ("lstm", Shape(100, 32, 128, 128), 1.1),
    ("gru", Shape(50, 64, 512, 512), 1.3),
    ("gru", Shape(100, 32, 128, 128), 1.3),
    ("rnn_tanh", Shape(50, 64, 512, 512), 1.3),
)
_PERPLEXITY = 0.5  # per cent
_CHARACTERS, _UNITS, _SEQ_LEN, _BATCH_SIZE, _EPOCHS = 400_000, 256, 64, 32, 3


def training_in_bfloat16(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare training with that of torch in bfloat16, and with ours in float32.

    Parameters
    ----------
    ours : Ours
        rnnfast; torch uses as many threads.
    rounds : int
        Turns of each.

    Returns
    -------
    list of BoundedRatio
        Without torch, what concerns ours alone.
    """
    try:
        theirs: TorchBfloat16 | None = TorchBfloat16(ours.threads)
    except Unable:
        theirs = None
    found = []
    for name, shape, bound in _CASES:
        case = Case("training", name, shape)
        inputs = case.inputs()
        jobs = {
            "float32": training(case.cell, inputs),
            "bfloat16": training(case.cell, inputs, precision="bfloat16"),
        }
        if theirs is not None:
            jobs["torch"] = theirs.prepare(case, inputs)
        exact = jobs["float32"].results(jobs["float32"].call())
        for contestant, job in jobs.items():
            require_agreement(contestant, inputs, exact, job.results(job.call()), 2.0**-7)
        calls: dict[str, Call] = {contestant: job.call for contestant, job in jobs.items()}
        modules = _modules(case) if theirs is not None else {}
        times = medians({**calls, **modules}, rounds)
        ratio = times["float32"] / times["bfloat16"]
        found.append(BoundedRatio(f"time in float32 / bfloat16, {case}", ratio, "at least", 1.5))
        if theirs is not None:
            ratio = times["torch"] / times["bfloat16"]
            found.append(
                BoundedRatio(f"torch's time / ours, bfloat16, {case}", ratio, "at least", bound)
            )
            ratio = times["their module"] / times["own module"]
            about = f"torch's time / ours, a module in bfloat16, {case}"
            found.append(BoundedRatio(about, ratio, "at least", 1.0))
    return found


def character_model(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Train a character model in float32 and in bfloat16, and compare what it has learned.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    rounds : int
        Not used: it is the same each time.

    Returns
    -------
    list of BoundedRatio
    """
    from ...examples import char_lm, text

    corpus = char_lm.prepare(text.python_documentation()[:_CHARACTERS], _SEQ_LEN)
    x, y = text.windows(corpus.training, _SEQ_LEN)
    x_val, y_val = text.equal_windows(corpus.validation, 512)
    perplexities = {}
    for precision in (None, "bfloat16"):
        utils.set_random_seed(0)
        model = char_lm.build(
            "lstm", len(corpus.alphabet), 64, _UNITS, depth=1, dropout=0.0, precision=precision
        )
        model.compile(
            optimizers.Adam(2e-3, global_clipnorm=1.0),
            losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        model.fit(x, y, batch_size=_BATCH_SIZE, epochs=_EPOCHS, verbose=0)
        loss: Any = model.evaluate(x_val, y_val, verbose=0)
        perplexities[precision] = exp(loss)
    above = 100 * (perplexities["bfloat16"] / perplexities[None] - 1)
    about = "per cent of perplexity that a character model trained in bfloat16 has above float32's"
    return [BoundedRatio(about, above, "at most", _PERPLEXITY)]


def _modules(case: Case) -> dict[str, Call]:
    """Return a step of training of torch's module in bfloat16, and of the same one swapped."""
    torch = import_host("torch")
    kind = {"lstm": "LSTM", "gru": "GRU", "rnn_tanh": "RNN"}[case.cell_name]
    s = case.shape
    x = torch.randn(s.T, s.B, s.I, dtype=torch.bfloat16).requires_grad_()
    above = torch.randn(s.T, s.B, s.H, dtype=torch.bfloat16)

    def step(module: Any) -> None:
        module.zero_grad()
        module(x)[0].backward(above)

    pair = both(torch, getattr(torch.nn, kind)(s.I, s.H, dtype=torch.bfloat16))
    names = ("their module", "own module")
    return {name: partial(step, module) for name, module in zip(names, pair, strict=True)}
