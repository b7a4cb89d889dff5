"""What each option costs beside the plain cell, and torch's packed sequences beside ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast.testing.cells import is_weight
from rnnfast.testing.options import of_packed_call, of_prepack, without_gradients

from ..agreement import require_agreement
from ..cases import Case, Inputs, Mode, Shape
from ..peers import Job, Ours, Unable
from ..peers.torch_packed import TorchPacked
from .ratios import BoundedRatio, medians

__all__ = [
    "VARIANTS",
    "Variant",
    "beside_the_plain_cell",
    "beside_torchs_packed_sequences",
    "cells_beside_their_kin",
    "prepare",
]

_BEYOND_L2 = 512  # units from which R of an LSTM is
_NOTHING = 1.02  # the same call, timed twice, differs by as much
_OF_TORCH = Shape(200, 32, 128, 128)


@dataclass(frozen=True)
class Variant:
    """An option, and how long it may take.

    Parameters
    ----------
    name : str
        Name of the option.
    draw : callable
        ``draw(rng, shape)`` returns its value.
    bound : callable
        ``bound(value, shape)`` is the time over that of the plain cell of the same shape, at most.
    modes : tuple of str
        What is timed.
    seed : int, optional
        Of what the option draws at random.
    """

    name: str
    draw: Callable[[np.random.Generator, Shape], Any]
    bound: Callable[[Any, Shape], float]
    modes: tuple[Mode, ...] = ("training", "inference")
    seed: int | None = None

    def options(self, rng: np.random.Generator, shape: Shape) -> dict[str, Any]:
        """Return the options of a call."""
        seed = {} if self.seed is None else {"seed": self.seed}
        return {self.name: self.draw(rng, shape), **seed}

    def __str__(self) -> str:
        """Return the name."""
        return self.name


def _uniform_lengths(rng: np.random.Generator, shape: Shape) -> NDArray[np.int64]:
    lengths = rng.integers(shape.T // 10, shape.T + 1, shape.B)
    lengths[0] = shape.T
    return lengths


def _share(lengths: NDArray[np.int64], shape: Shape) -> float:
    return float((1.3 if shape.H >= _BEYOND_L2 else 1.15) * lengths.sum() / (shape.T * shape.B))


def _random(name: str, rate: float) -> Variant:
    return Variant(name, lambda rng, s: rate, lambda value, s: 1.15, ("training",), seed=1)


VARIANTS: tuple[Variant, ...] = (
    Variant("lengths", _uniform_lengths, _share),
    Variant("resets", lambda rng, s: rng.random((s.T, s.B)) < 0.02, lambda value, s: 1.05),
    Variant("truncate", lambda rng, s: s.T // 4, lambda value, s: _NOTHING, ("training",)),
    _random("input_dropout", 0.3),
    _random("recurrent_dropout", 0.3),
    _random("weight_dropout", 0.3),
    _random("zoneout", 0.1),
    Variant("zoneout", lambda rng, s: 0.1, lambda value, s: 1.15, ("inference",)),
    Variant("clip", lambda rng, s: 3.0, lambda value, s: 1.1),
    Variant("checkpoint", lambda rng, s: True, lambda value, s: 1.4, ("training",)),
)


def prepare(case: Case, inputs: Inputs, options: Mapping[str, Any]) -> Job:
    """Take a case's way through the functional API, with options.

    Parameters
    ----------
    case : Case
        What will be timed; not a step.
    inputs : mapping of str to ndarray
        What `Case.inputs` gives.
    options : mapping of str to object
        Of the call.

    Returns
    -------
    Job
    """
    cell = case.cell
    arguments = {name: inputs[name] for name in cell.arguments if name in inputs}
    if case.mode == "training":

        def train() -> tuple[Any, Any]:
            out, pullback = cell.vjp(arguments, **options)
            return out, pullback(dy=inputs["dy"])

        def results(returned: tuple[Any, Any]) -> dict[str, Any]:
            out, gradients = returned
            named = {f"d{name}": g for name, g in gradients._asdict().items() if g is not None}
            return {**out._asdict(), **named}

        return Job(train, results)
    packed = cell.prepack(arguments, **of_prepack(options))
    operands = {name: a for name, a in arguments.items() if not is_weight(name)}
    chosen = of_packed_call(options)
    return Job(lambda: packed(**operands, **chosen), lambda out: out._asdict())


# Of each cell: the one it is held against, with the same phases but for the GRU's, and the bound on
# its time a flop over that one's.
_CELLS = {
    "lstm_coupled": ("lstm", 1.1),
    "lstm_no_forget": ("lstm", 1.1),
    "lstm_projected": ("lstm", 1.15),
    "mgu": ("gru_reset_before", 1.1),
    "gru_reset_before": ("gru", 1.35),
    "lstm_norm": ("lstm", 1.6),
    "gru_norm": ("gru", 1.6),
    "lstm_activations": ("lstm", 1.5),
    "gru_activations": ("gru", 1.5),
    "lstm_peephole": ("lstm", 1.1),
}


def cells_beside_their_kin(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare the time a flop of each variant of a cell with that of the plain one.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    rounds : int
        Turns of each.

    Returns
    -------
    list of BoundedRatio
    """
    found = []
    modes: tuple[Mode, ...] = ("training", "inference")
    for mode in modes:
        for text in ("200/32/128", "50/64/512"):
            names = {"lstm", "gru", *_CELLS}
            cases = {name: Case(mode, name, Shape.of(text)) for name in sorted(names)}
            jobs = {}
            for name, case in cases.items():
                inputs = case.inputs()
                jobs[name] = ours.prepare(case, inputs)
                _require_right(case, inputs, jobs[name], {})
            times = medians({name: job.call for name, job in jobs.items()}, rounds)
            rates = {name: times[name] / cases[name].flops for name in names}
            found += [
                BoundedRatio(
                    f"time a flop / that of {kin}, {cases[name]}",
                    rates[name] / rates[kin],
                    "at most",
                    bound,
                )
                for name, (kin, bound) in _CELLS.items()
            ]
    return found


def beside_the_plain_cell(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare each option with the same call without it.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    rounds : int
        Turns of each.

    Returns
    -------
    list of BoundedRatio
    """
    found = []
    for mode in ("training", "inference"):
        for cell in ("lstm", "gru", "rnn_tanh"):
            for text in ("200/32/128", "50/64/512"):
                case = Case(mode, cell, Shape.of(text))
                found += _of_case(case, rounds)
    return found


def _of_case(case: Case, rounds: int) -> list[BoundedRatio]:
    rng = np.random.default_rng(1)
    inputs = case.inputs()
    variants = [variant for variant in VARIANTS if case.mode in variant.modes]
    options = {variant.name: variant.options(rng, case.shape) for variant in variants}
    jobs = {name: prepare(case, inputs, chosen) for name, chosen in options.items()}
    for name, job in jobs.items():
        _require_right(case, inputs, job, options[name])
    plain = prepare(case, inputs, {})
    times = medians({"plain": plain.call, **{name: job.call for name, job in jobs.items()}}, rounds)
    return [
        BoundedRatio(
            f"time with {variant} / plain, {case}",
            times[variant.name] / times["plain"],
            "at most",
            variant.bound(options[variant.name][variant.name], case.shape),
        )
        for variant in variants
    ]


def _require_right(case: Case, inputs: Inputs, job: Job, options: Mapping[str, Any]) -> None:
    """Hold the results of the forward pass against the equations in plain NumPy."""
    cell = case.cell
    arguments = {name: inputs[name] for name in cell.arguments if name in inputs}
    wanted = cell.reference(arguments, **without_gradients(options))
    named = dict(zip(cell.outputs, wanted, strict=True))
    require_agreement("reference", inputs, job.results(job.call()), named)


def beside_torchs_packed_sequences(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare with torch's `PackedSequence`, lengths uniform in 20 .. 200.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    rounds : int
        Turns of each.

    Returns
    -------
    list of BoundedRatio
        None if torch is not installed.
    """
    rng = np.random.default_rng(1)
    shape = _OF_TORCH
    lengths = _uniform_lengths(rng, shape)
    try:
        theirs = TorchPacked(ours.threads, lengths)
    except Unable:
        return []
    found = []
    bounds = {("training", "lstm"): 8.0, ("training", "gru"): 4.0}
    for mode in ("training", "inference"):
        for cell in ("lstm", "gru"):
            case = Case(mode, cell, shape)
            inputs = case.inputs()
            own, peer = prepare(case, inputs, {"lengths": lengths}), theirs.prepare(case, inputs)
            require_agreement(
                theirs.name, inputs, own.results(own.call()), peer.results(peer.call())
            )
            times = medians({"own": own.call, "peer": peer.call}, rounds)
            about = f"torch's packed sequences / ours, {case}"
            bound = bounds.get((mode, cell), 2.5)
            found.append(BoundedRatio(about, times["peer"] / times["own"], "at least", bound))
    return found
