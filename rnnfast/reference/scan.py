"""A layer is a scan of a cell over time.

    state_t = d_t state_{t-1} + (1 - d_t) step(x_t, state_{t-1}, m h_{t-1}),   t = 0 .. T-1
    y_t = state_t[0] = h_t

or ``t = T-1 .. 0`` in reverse, where ``y[t]`` still belongs to ``x[t]``. A sequence of length n
takes the steps 0 .. n-1 of them, alone. m and d, as `noise` draws them, are 1 and 0 unless given.
x (T, B, I), y (T, B, H), every state (B, H).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
        Weights that meet these states, for the number of units.
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
    step: Callable[[Array, State, Array], State],
    x: Array,
    state: State,
    *,
    reverse: bool = False,
    lengths: Sequence[int] | None = None,
    resets: NDArray[np.bool_] | None = None,
    truncate: int | None = None,
    mask: Array | None = None,
    kept: tuple[Array, ...] | None = None,
) -> tuple[Array, State]:
    """Run a cell over time.

    Parameters
    ----------
    step : callable
        ``step(x_t, state, h)`` returns the next state, whose first member is the output; ``h`` is
        what the recurrent weights meet.
    x : ndarray, (T, B, I)
        Input.
    state : tuple of ndarray, (B, H) each
        State before the first step.
    reverse : bool
        Take the steps from last to first.
    lengths : sequence of int, (B,), optional
        Steps of each sequence; all of them when absent.
    resets : ndarray of bool, (T, B), optional
        Where the state before a step is zero; nowhere when absent.
    truncate : int, optional
        Every so many steps the state counts as a constant: its imaginary part, which carries the
        derivative of a complex step, is dropped.
    mask : ndarray, (B, H), optional
        Factors m.
    kept : tuple of ndarray, (T, B, H) each, optional
        d of each state.

    Returns
    -------
    y : ndarray, (T, B, H)
        Outputs, ``y[t]`` beside ``x[t]``; zero past the end of a sequence.
    state : tuple of ndarray, (B, H) each
        State after the last step taken.
    """
    steps, batch = x.shape[:2]
    y = np.zeros((steps, *state[0].shape), state[0].dtype)
    n = np.full(batch, steps) if lengths is None else np.asarray(lengths)
    last = tuple(s.copy() for s in state)
    for t in reversed(range(steps)) if reverse else range(steps):
        rows = np.flatnonzero(t < n)
        state = tuple(s[rows] for s in last)
        if resets is not None:
            state = tuple(np.where(resets[t, rows, None], 0, s) for s in state)
        if truncate is not None:
            taken = n[rows] - 1 - t if reverse else np.full(len(rows), t)
            cut = (taken > 0) & (taken % truncate == 0)
            state = tuple(np.where(cut[:, None], s.real, s) for s in state)
        before, h = state, state[0] if mask is None else mask[rows] * state[0]
        state = step(x[t, rows], state, h)
        if kept is not None:
            pairs = zip(kept, before, state)  # noqa: B905 - of c there is none in some cells
            state = tuple(d[t, rows] * old + (1 - d[t, rows]) * new for d, old, new in pairs)
        y[t, rows] = state[0]
        for whole, part in zip(last, state, strict=True):
            whole[rows] = part
    return y, last
