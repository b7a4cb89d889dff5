"""A layer is a scan of a cell over time.

    state_t = step(x_t, state_{t-1}),   y_t = state_t[0],   t = 0 .. T-1

or ``t = T-1 .. 0`` in reverse, where ``y[t]`` still belongs to ``x[t]``.
x (T, B, I), y (T, B, H), every state (B, H).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "State", "affine", "scan", "start"]

Array = NDArray[Any]
State: TypeAlias = tuple[Array, ...]


def affine(x: Array, w: Array, b: Array | None) -> Array:
    """Rows of `x` (B, K) through weights `w` (N, K) and bias `b` (N,): ``x w^T + b``, (B, N)."""
    product: Array = x @ w.T
    return product if b is None else product + b


def start(x: Array, w_hh: Array, initial: tuple[Array | None, ...], *others: Array | None) -> State:
    """State before the first step, in the common type of all arguments.

    Parameters
    ----------
    x : ndarray, (T, B, I)
        Input, for the number of rows.
    w_hh : ndarray, (G*H, H)
        Recurrent weights, for the number of units.
    initial : tuple of (ndarray or None), (B, H) each
        The states given; None stands for zeros.
    *others : ndarray or None
        The remaining arguments, which take part in the type alone.

    Returns
    -------
    tuple of ndarray, (B, H) each
        Fresh arrays.
    """
    present = [a for a in (x, w_hh, *initial, *others) if a is not None]
    dtype = np.result_type(*present)
    shape = (x.shape[1], w_hh.shape[1])
    return tuple(np.zeros(shape, dtype) if s is None else s.astype(dtype) for s in initial)


def scan(
    step: Callable[[Array, State], State], x: Array, state: State, reverse: bool
) -> tuple[Array, State]:
    """Run a cell over time.

    Parameters
    ----------
    step : callable
        ``step(x_t, state)`` returns the next state, whose first member is the output.
    x : ndarray, (T, B, I)
        Input.
    state : tuple of ndarray, (B, H) each
        State before the first step.
    reverse : bool
        Take the steps from last to first.

    Returns
    -------
    y : ndarray, (T, B, H)
        Outputs, ``y[t]`` beside ``x[t]``.
    state : tuple of ndarray, (B, H) each
        State after the last step taken.
    """
    y = np.empty((x.shape[0], *state[0].shape), state[0].dtype)
    times = range(x.shape[0])
    for t in reversed(times) if reverse else times:
        state = step(x[t], state)
        y[t] = state[0]
    return y, state
