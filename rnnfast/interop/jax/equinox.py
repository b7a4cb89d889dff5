"""Cells of Equinox over whole sequences, on the kernels of rnnfast.

    scan(cell, xs, state)           state, ys: as `jax.lax.scan` of `cell(x, state)`

    LSTMCell    torch's weights: i f g o, one bias
    GRUCell     torch's weights: r z n, reset after; beside the bias one of n, where it meets h

Cells are Equinox's, with their weights. What the kernels cannot run is scanned as it is, and said
once.

Written for Equinox 0.13. See also: docs/flax.md.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from ..._check.cells import choose
from ._host import LeftToHostError, say_run_by
from ._layer import Array, Layer

__all__ = ["scan"]


def scan(
    cell: eqx.nn.LSTMCell | eqx.nn.GRUCell,
    xs: Array,
    state: Any = None,
    *,
    reverse: bool = False,
) -> tuple[Any, Array]:
    """Run a cell over a sequence, or over a batch of sequences at once.

    A batch is much faster here than `jax.vmap` of single sequences.

    Parameters
    ----------
    cell : eqx.nn.LSTMCell or eqx.nn.GRUCell
        What takes a step.
    xs : array, shape (T, I) or (T, B, I)
        The inputs, time first.
    state : array or (array, array), shape (H,) or (B, H), optional
        As the cell takes it, h or (h, c); zeros by default.
    reverse : bool, default False
        Go from the last step to the first. Outputs stay where their inputs are.

    Returns
    -------
    state : array or (array, array), shape (H,) or (B, H)
        After the last step.
    ys : array, shape (T, H) or (T, B, H)
        h after each step.

    Raises
    ------
    TypeError
        If the cell is neither.
    ValueError
        If the inputs have another number of axes.

    Examples
    --------
    >>> cell = eqx.nn.GRUCell(3, 4, key=jax.random.key(0))
    >>> h, ys = scan(cell, jnp.ones((10, 32, 3)))
    >>> ys.shape
    (10, 32, 4)
    """
    if not isinstance(cell, (eqx.nn.LSTMCell, eqx.nn.GRUCell)):
        raise TypeError(
            f"cell must be an eqx.nn.LSTMCell or eqx.nn.GRUCell, got {type(cell).__qualname__}"
        )
    xs = jnp.asarray(xs)
    if xs.ndim not in (2, 3):
        raise ValueError(f"xs must be (T, I) or (T, B, I), got the shape {xs.shape}")
    if state is None:
        dtype = jnp.result_type(xs, cell.weight_ih)
        zeros = jnp.zeros((*xs.shape[1:-1], cell.hidden_size), dtype)
        state = (zeros, zeros) if isinstance(cell, eqx.nn.LSTMCell) else zeros
    try:
        return _run(cell, xs, state, reverse)
    except LeftToHostError as left:
        say_run_by("jax.lax.scan", left)
    step = cell if xs.ndim == 2 else jax.vmap(cell)

    def body(state: Any, x: Array) -> tuple[Any, Array]:
        state = step(x, state)
        return state, state[0] if isinstance(state, tuple) else state

    state, ys = jax.lax.scan(body, state, xs, reverse=reverse)
    return state, ys


def _run(cell: Any, xs: Array, state: Any, reverse: bool) -> tuple[Any, Array]:
    """Return the results of `scan`, or raise `LeftToHostError`."""
    states = [jnp.asarray(part) for part in jax.tree.leaves(state)]
    if any(part.shape[:-1] != xs.shape[1:-1] for part in states):
        raise LeftToHostError
    layer, x = _layer(cell).computing_in(None, xs, states)
    flat = [part.reshape(-1, part.shape[-1]) for part in states]
    y, after = layer.run(x.reshape(len(x), -1, x.shape[-1]), flat, reverse=reverse)
    after = tuple(part.reshape(*xs.shape[1:-1], -1) for part in after)
    return after if layer.cell.has_c else after[0], y.reshape(*xs.shape[:-1], -1)


def _layer(cell: Any) -> Layer:
    if type(cell) is eqx.nn.LSTMCell:
        return Layer(choose("lstm"), cell.weight_ih, cell.weight_hh, cell.bias, None)
    if type(cell) is not eqx.nn.GRUCell:
        raise LeftToHostError(f"{type(cell).__qualname__} may have a call of its own")
    b_hh = None
    if cell.bias_n is not None:
        b_hh = jnp.pad(cell.bias_n, (2 * cell.hidden_size, 0))
    return Layer(choose("gru"), cell.weight_ih, cell.weight_hh, cell.bias, b_hh)
