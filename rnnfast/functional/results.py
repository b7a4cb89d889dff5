"""What a pass returns: traces, and what the fields of outputs and gradients are."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeAlias

from .._check import Array

if TYPE_CHECKING:
    from typing_extensions import NamedTuple, TypeVar
    from typing_extensions import NamedTuple as GenericNamedTuple

    WeightT = TypeVar("WeightT", default=Any)
else:
    from typing import NamedTuple, TypeVar

    WeightT = TypeVar("WeightT")
    if sys.version_info >= (3, 11):
        GenericNamedTuple = NamedTuple
    else:  # there it refuses other bases, Generic among them, which is for checkers alone

        class _Generic:
            def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
                return NamedTuple.__mro_entries__((NamedTuple,))

        GenericNamedTuple = _Generic()

__all__ = ["GenericNamedTuple", "Grad", "LSTMTrace", "Trace", "WeightT", "described"]

Grad: TypeAlias = Array | Any
"""A gradient. It is None where it is absent or not wanted, which a checker cannot tell and whoever
calls can: Any is for that, as in the stubs of the standard library. Gradients of weights are
`WeightT | Any`: an array or, of a stack, a sequence of them, in the form in which they came."""

_Class = TypeVar("_Class", bound=type)


class Trace(NamedTuple):
    """What happens inside a cell without a cell state.

    Attributes
    ----------
    y : ndarray, shape (T, B, H)
        The hidden state after each step.
    h_n : ndarray, shape (B, H)
        The hidden state after the last step taken.
    gates : ndarray, shape (T, B, G, H)
        The gates of each step, activated, in the order of the weights' rows; zero past the end of
        a sequence.
    """

    y: Array
    h_n: Array
    gates: Array


class LSTMTrace(NamedTuple):
    """What happens inside an LSTM.

    Attributes
    ----------
    y : ndarray, shape (T, B, H)
        The hidden state after each step.
    h_n, c_n : ndarray, shape (B, H)
        Hidden and cell state after the last step taken.
    gates : ndarray, shape (T, B, G, H)
        The gates of each step, activated, in the order of the weights' rows; zero past the end of
        a sequence.
    c : ndarray, shape (T, B, H)
        The cell state after each step; zero past the end of a sequence.
    """

    y: Array
    h_n: Array
    c_n: Array
    gates: Array
    c: Array


_FIELDS = {
    "y": "ndarray, shape (T, B, H) or (T, B, D*H)\n"
    "    The hidden state after each step; `y[t]` belongs to `x[t]`.",
    "h_n": "ndarray, shape (B, H) or (L*D, B, H)\n    The hidden state after the last step taken.",
    "c_n": "ndarray, shape (B, H) or (L*D, B, H)\n    The cell state after the last step taken.",
    "x": "ndarray, shape (T, B, I), or None",
    "w_ih": "ndarray, shape (G*H, I), or None",
    "w_hh": "ndarray, shape (G*H, H), or None",
    "b_ih": "ndarray, shape (G*H,), or None",
    "b_hh": "ndarray, shape (G*H,), or None",
    "h0": "ndarray, shape (B, H), or None",
    "c0": "ndarray, shape (B, H), or None",
    "w_hr": "ndarray, shape (R, H), or None",
    "peephole": "ndarray, shape (3*H,), or None",
    "layer_norm": "ndarray, shape (10*H,) or, of a GRU, (6*H,), or None",
}

_OF_GRADIENTS = """
Shapes are those of the arguments; of stacked layers, weights have a list or tuple, as they were
given. A field is None where the argument was absent or its gradient not wanted. Gradients of
initial states are there also when these were left at zero. With a projection `w_hh` is (G*H, R) and
`h0` (B, R). With `per_sample` those of weights have an axis B before their own.
"""


def described(cls: _Class) -> _Class:
    """Describe the fields of outputs or gradients in their docstring."""
    if cls.__doc__:
        fields: tuple[str, ...] = cls._fields  # type: ignore[attr-defined]  # a NamedTuple
        shared = _OF_GRADIENTS if "x" in fields else ""
        attributes = "\n".join(f"{field} : {_FIELDS[field]}" for field in fields)
        cls.__doc__ = f"{cls.__doc__}\n{shared}\nAttributes\n----------\n{attributes}\n"
    return cls
