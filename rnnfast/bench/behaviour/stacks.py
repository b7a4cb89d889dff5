"""Four layers in one call beside four calls of one layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnfast.testing.cells import Cell

from ..agreement import Disagreement
from ..cases import Case, Inputs, Shape
from ..peers import Ours
from ..timing import Call
from .ratios import BoundedRatio, medians

__all__ = ["beside_single_layers"]

_LAYERS = 4
_BOUNDS = {64: 0.75, 256: 1.0}  # by H


def beside_single_layers(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare a stack with its layers one by one, as functions and packed.

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
    for name in ("lstm", "gru", "rnn_tanh"):
        for units, bound in _BOUNDS.items():
            found += _of_case(Case("inference", name, Shape(100, 1, units, units)), bound, rounds)
    return found


def _of_case(case: Case, bound: float, rounds: int) -> list[BoundedRatio]:
    draws = [case.inputs(seed) for seed in range(_LAYERS)]
    x = draws[0]["x"]
    layers = [{name: a for name, a in draw.items() if name != "x"} for draw in draws]
    stack: dict[str, Any] = {name: [layer[name] for layer in layers] for name in layers[0]}
    packed = case.cell.prepack(stack)
    each = [case.cell.prepack(layer) for layer in layers]
    calls = {
        "stack": lambda: case.cell.forward({"x": x, **stack}),
        "layers": lambda: _chained(case.cell, x, layers),
        "packed stack": lambda: packed(x),
        "packed layers": lambda: _chained_packed(x, each),
    }
    _require_the_same(case, calls)
    times = medians(calls, rounds)
    about = f"time of {_LAYERS} layers in a call / in calls of one"
    return [
        BoundedRatio(f"{about}, {case}", times["stack"] / times["layers"], "at most", bound),
        BoundedRatio(
            f"{about}, packed, {case}",
            times["packed stack"] / times["packed layers"],
            "at most",
            bound,
        ),
    ]


def _chained(cell: Cell, x: Any, layers: list[Inputs]) -> Any:
    for layer in layers:
        out = cell.forward({"x": x, **layer})
        x = out[0]
    return out


def _chained_packed(x: Any, layers: list[Any]) -> Any:
    for layer in layers:
        out = layer(x)
        x = out[0]
    return out


def _require_the_same(case: Case, calls: dict[str, Call]) -> None:
    """Hold the last layer's y of all calls against each other, bit for bit."""
    want, *others = [call()[0] for call in calls.values()]
    if not all(np.array_equal(y, want) for y in others):
        raise Disagreement(f"{case}: layers in one call and one by one give different results")
