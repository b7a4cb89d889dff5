"""Training with operands of products rounded to bfloat16, and everything else as it is: the oracle.

    y = R(a) R(W)^T + b            forward
    da = R(dy) R(W)                backward, whatever y goes on to
    dW = sum of R(dy)^T R(a)       db = sum of R(dy)

R rounds to the nearest number of 8 significant bits, to the even one of two, and what is below the
normal numbers to zero. Between products stand functions of one unit by itself; their derivatives
are taken by complex steps, so that no derivative is written down here. Gradients that round on
their way belong to no function: they cannot be had by differentiating the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Trained", "to_bfloat16", "train"]

Array = NDArray[Any]

STEP = 2.0**-200  # of the complex steps: its square vanishes


def to_bfloat16(a: Array) -> Array:
    """Round to bfloat16, by way of float32, which the kernels compute in.

    Parameters
    ----------
    a : ndarray
        Real numbers.

    Returns
    -------
    ndarray
        Of the same shape and type. NaN stays NaN.
    """
    with np.errstate(over="ignore"):
        narrow = np.asarray(a, np.float32)
    bits = narrow.view(np.uint32)
    odd = (bits >> np.uint32(16)) & np.uint32(1)
    rounded = ((bits + np.uint32(0x7FFF) + odd) & np.uint32(0xFFFF0000)).view(np.float32)
    tiny = np.abs(narrow) < np.finfo(np.float32).tiny
    kept = np.where(tiny, np.float32(0), np.where(np.isnan(narrow), narrow, rounded))
    return kept.astype(a.dtype)


class Trained(NamedTuple):
    """What both passes give.

    Attributes
    ----------
    outputs : tuple of ndarray
        y, h_n and, of an LSTM, c_n.
    gradients : dict of str to ndarray
        By all arguments, under their names.
    margin : int
        How close a computed operand came to the middle between two numbers of bfloat16, in units
        in the last place of float32. Where it is small, rounding errors of float32 decide to which
        of the two it goes.
    """

    outputs: tuple[Array, ...]
    gradients: dict[str, Array]
    margin: int


@dataclass
class Node:
    """An array, and the gradient of the loss by it; `given` is one that was not computed."""

    value: Array
    given: bool = False
    gradient: Array = field(init=False)

    def __post_init__(self) -> None:
        """Begin with no gradient."""
        self.gradient = np.zeros_like(self.value)


Weights: TypeAlias = Mapping[str, Node]
Step: TypeAlias = Callable[["Tape", Weights, Node, tuple[Node, ...]], tuple[Node, ...]]


class Tape:
    """What was computed, to be gone through backwards."""

    def __init__(self) -> None:
        self._back: list[Callable[[], None]] = []
        self.margin = 2**15

    def product(
        self, a: Node, w: Node, b: Node | None, parts: int, rows: slice = slice(None)
    ) -> list[Node]:
        """Return the parts, (B, H) each, of ``R(a) R(W)^T + b`` for some rows of W and b."""
        if not a.given:
            self._look_at(a.value)
        seen, weights = to_bfloat16(a.value), to_bfloat16(w.value[rows])
        y = seen @ weights.T + (0.0 if b is None else b.value[rows])
        results = [Node(part) for part in np.split(y, parts, axis=1)]

        def back() -> None:
            delta = np.concatenate([part.gradient for part in results], axis=1)
            self._look_at(delta)
            delta = to_bfloat16(delta)
            a.gradient += delta @ weights
            w.gradient[rows] += delta.T @ seen
            if b is not None:
                b.gradient[rows] += delta.sum(0)

        self._back.append(back)
        return results

    def apply(self, function: Callable[..., Any], *arguments: Node) -> tuple[Node, ...]:
        """Return the results of a function that computes each number from those at its place."""
        values = [one.value for one in arguments]
        results = tuple(Node(value) for value in function(*values))

        def back() -> None:
            for i, argument in enumerate(arguments):
                moved = [value + 1j * STEP if i == j else value for j, value in enumerate(values)]
                for result, value in zip(results, function(*moved), strict=True):
                    argument.gradient += result.gradient * np.imag(value) / STEP

        self._back.append(back)
        return results

    def go_back(self) -> None:
        """Take gradients from the last result to the first argument."""
        for back in reversed(self._back):
            back()

    def _look_at(self, operand: Array) -> None:
        dropped = np.asarray(operand, np.float32).view(np.uint32)[operand != 0] & np.uint32(0xFFFF)
        margins = np.abs(dropped.astype(np.int64) - 2**15)
        self.margin = min(self.margin, int(margins.min(initial=self.margin)))


def train(
    cell: str, arguments: Mapping[str, Array], cotangents: Mapping[str, Array], **options: Any
) -> Trained:
    """Go forward and back, in float64.

    Parameters
    ----------
    cell : str
        "rnn", "lstm" or "gru".
    arguments : mapping of str to ndarray
        What that function of `rnnfast` takes: x, w_ih, w_hh, and of b_ih, b_hh, h0, c0, w_hr those
        that are there.
    cotangents : mapping of str to ndarray
        dy, dh_n, dc_n; absent ones are zero.
    **options
        ``nonlinearity``, ``reset_after``, ``reverse``.

    Returns
    -------
    Trained
    """
    tape, nodes = Tape(), _nodes(arguments)
    ys, last = _run(tape, cell, nodes, **options)
    for t, y in enumerate(ys):
        y.gradient += cotangents["dy"][t] if "dy" in cotangents else 0.0
    for name, state in zip(("dh_n", "dc_n"), last, strict=False):
        state.gradient += cotangents.get(name, 0.0)
    tape.go_back()
    found = {name: node.gradient for name, node in nodes.items() if name != "x"}
    return Trained(
        (np.stack([y.value for y in ys]), *(state.value for state in last)),
        {"x": np.stack([x.gradient for x in nodes["x"]]), **found},
        tape.margin,
    )


def _nodes(arguments: Mapping[str, Array]) -> Any:
    wide = {name: np.asarray(a, np.float64) for name, a in arguments.items()}
    nodes: dict[str, Any] = {name: Node(a, given=True) for name, a in wide.items() if name != "x"}
    return {"x": [Node(x_t, given=True) for x_t in wide["x"]], **nodes}


def _run(
    tape: Tape, cell: str, nodes: Any, *, reverse: bool = False, **options: Any
) -> tuple[list[Node], tuple[Node, ...]]:
    steps = nodes["x"]
    batch, units = len(steps[0].value), nodes["w_hh"].value.shape[1]
    widths = (units, nodes["w_hr"].value.shape[1] if "w_hr" in nodes else units)
    names = ("h0", "c0") if cell == "lstm" else ("h0",)
    state = tuple(
        nodes.get(name, Node(np.zeros((batch, width))))
        for name, width in zip(names, widths, strict=False)
    )
    ys = []
    for x_t in reversed(steps) if reverse else steps:
        state = _STEPS[cell](tape, nodes, x_t, state, **options)
        ys.append(state[0])
    return ys[::-1] if reverse else ys, state


def _sigmoid(a: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-a)))


def _relu(a: Array) -> Array:
    return np.where(np.real(a) > 0, a, 0)


def _products(tape: Tape, nodes: Any, x_t: Node, h: Node, gates: int) -> list[Node]:
    of_x = tape.product(x_t, nodes["w_ih"], nodes.get("b_ih"), gates)
    return of_x + tape.product(h, nodes["w_hh"], nodes.get("b_hh"), gates)


def _rnn(
    tape: Tape, nodes: Any, x_t: Node, state: tuple[Node, ...], nonlinearity: str = "tanh"
) -> tuple[Node, ...]:
    functions: dict[str, Any] = {"tanh": np.tanh, "relu": _relu, "sigmoid": _sigmoid}
    function = functions[nonlinearity]
    products = _products(tape, nodes, x_t, state[0], 1)
    return tape.apply(lambda x, h: (function(x + h),), *products)


def _lstm(tape: Tape, nodes: Any, x_t: Node, state: tuple[Node, ...]) -> tuple[Node, ...]:
    def new_state(xi, xf, xg, xo, hi, hf, hg, ho, c):  # type: ignore[no-untyped-def]
        c = _sigmoid(xf + hf) * c + _sigmoid(xi + hi) * np.tanh(xg + hg)
        return _sigmoid(xo + ho) * np.tanh(c), c

    h, c = tape.apply(new_state, *_products(tape, nodes, x_t, state[0], 4), state[1])
    if "w_hr" in nodes:
        (h,) = tape.product(h, nodes["w_hr"], None, 1)
    return h, c


def _gru(
    tape: Tape, nodes: Any, x_t: Node, state: tuple[Node, ...], reset_after: bool = True
) -> tuple[Node, ...]:
    (h,) = state
    if reset_after:

        def new_state(xr, xz, xn, hr, hz, hn, h):  # type: ignore[no-untyped-def]
            z = _sigmoid(xz + hz)
            n = np.tanh(xn + _sigmoid(xr + hr) * hn)
            return ((1 - z) * n + z * h,)

        return tape.apply(new_state, *_products(tape, nodes, x_t, h, 3), h)
    b_hh, units = nodes.get("b_hh"), h.value.shape[1]
    xr, xz, xn = tape.product(x_t, nodes["w_ih"], nodes.get("b_ih"), 3)
    hr, hz = tape.product(h, nodes["w_hh"], b_hh, 2, slice(2 * units))
    (reset,) = tape.apply(lambda x, r, h: (_sigmoid(x + r) * h,), xr, hr, h)
    (hn,) = tape.product(reset, nodes["w_hh"], b_hh, 1, slice(2 * units, None))

    def mixed(xz, hz, xn, hn, h):  # type: ignore[no-untyped-def]
        z = _sigmoid(xz + hz)
        return ((1 - z) * np.tanh(xn + hn) + z * h,)

    return tape.apply(mixed, xz, hz, xn, hn, h)


_STEPS: Mapping[str, Any] = {"rnn": _rnn, "lstm": _lstm, "gru": _gru}
