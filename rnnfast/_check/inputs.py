"""The arguments of a forward pass, checked against each other.

Sizes: T steps, B rows, I inputs, H hidden units, G gates. `x` (T, B, I), `w_ih` (G*H, I),
`w_hh` (G*H, H), biases (G*H,), `peephole` (3*H,), states (B, H). `x` sets T, B, I and the dtype;
the columns of `w_hh` set H.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy.typing as npt

from .arrays import (
    Array,
    Booleans,
    DType,
    Integers,
    booleans,
    contiguous,
    integers,
    real,
    real_like,
    require_shape,
    rows_like,
    unit_last_stride,
)
from .cells import Cell


class Weights(NamedTuple):
    """The parameters of one cell, as the kernels take them and in their order."""

    w_ih: Array
    w_hh: Array
    b_ih: Array | None
    b_hh: Array | None
    peephole: Array | None = None

    @property
    def input_size(self) -> int:
        """I."""
        return int(self.w_ih.shape[1])

    @property
    def hidden_size(self) -> int:
        """H."""
        return int(self.w_hh.shape[1])

    @property
    def dtype(self) -> DType:
        """The one dtype of all arrays."""
        return self.w_ih.dtype

    def owned(self) -> Weights:
        """Return read-only copies."""
        copies = tuple(None if array is None else array.copy() for array in self)
        for copy in copies:
            if copy is not None:
                copy.flags.writeable = False
        return Weights(*copies)  # type: ignore[arg-type]  # None only where it was


class Inputs(NamedTuple):
    """Everything that the forward pass of one layer reads, in one direction."""

    x: Array
    weights: Weights
    h0: Array | None
    c0: Array | None
    lengths: Integers | None
    resets: Booleans | None

    @property
    def steps(self) -> int:
        """The steps that the longest sequence takes."""
        if self.lengths is None:
            return int(self.x.shape[0])
        return int(self.lengths.max(initial=0))


def sequence(x: npt.ArrayLike) -> Array:
    """Return `x` (T, B, I) of a functional call."""
    return _sequence(real("x", x))


def layer_weights(
    cell: Cell,
    given: tuple[Any, ...],
    *,
    input_size: int,
    columns: str,
    model_name: str,
    dtype: DType,
    place: str,
) -> Weights:
    """Return the weights of one layer.

    `given` are the fields of `Weights`, `input_size` the columns that `w_ih` must have, written
    `columns`; `dtype` is that of the argument `model_name`; `place` follows the names of the
    arguments, "" or as "[2]".
    """
    w_ih, w_hh, *others = given
    recurrent = _recurrent(cell, real_like(f"w_hh{place}", w_hh, model_name, dtype), place)
    kernel = real_like(f"w_ih{place}", w_ih, model_name, dtype)
    shape = (cell.gates * recurrent.shape[1], input_size)
    require_shape(f"w_ih{place}", kernel, f"({cell.rows}, {columns})", shape)
    return _weights(cell, kernel, recurrent, *others, model_name=model_name, place=place)


def inputs_for(
    cell: Cell,
    weights: Weights,
    x: npt.ArrayLike,
    h0: npt.ArrayLike | None,
    c0: npt.ArrayLike | None,
    lengths: npt.ArrayLike | None,
    resets: npt.ArrayLike | None,
) -> Inputs:
    """Return the arguments of a call of packed `weights` as the kernels take them."""
    return _with_states(cell, sequence_for(weights, x), weights, h0, c0, lengths, resets)


def sequence_for(weights: Weights, x: npt.ArrayLike) -> Array:
    """Return `x` (T, B, I) of a call of packed `weights`."""
    sequence = _sequence(real_like("x", x, "the packed weights", weights.dtype))
    steps, batch, _ = sequence.shape
    require_shape("x", sequence, "(T, B, I)", (steps, batch, weights.input_size))
    return sequence


def weights(cell: Cell, given: tuple[Any, ...], place: str) -> Weights:
    """Return weights that come without a sequence, so that `w_ih` sets I and the dtype."""
    w_ih, w_hh, *others = given
    name = f"w_ih{place}"
    kernel = real(name, w_ih)
    recurrent = _recurrent(cell, real_like(f"w_hh{place}", w_hh, name, kernel.dtype), place)
    rows = cell.gates * recurrent.shape[1]
    if kernel.ndim != 2 or kernel.shape[0] != rows or kernel.shape[1] == 0:
        fix = f"; it looks transposed, pass {name}.T" if kernel.shape[1:] == (rows,) else ""
        raise ValueError(f"{name} must be ({cell.rows}, I) = ({rows}, I), got {kernel.shape}{fix}")
    return _weights(cell, kernel, recurrent, *others, model_name=name, place=place)


def step_inputs(
    cell: Cell, weights: Weights, x_t: npt.ArrayLike, state: object, layers: int | None
) -> tuple[Array, Array | tuple[Array, ...] | None]:
    """Return `x_t` (B, I) and a state, None, `h` or `(h, c)`, of one step.

    Each is (B, H), or (L, B, H) for a number of `layers`, of which `weights` are the first.
    """
    row = real_like("x_t", x_t, "the packed weights", weights.dtype)
    if row.ndim != 2:
        fix = "; for one sequence add the batch axis: x_t[None]" if row.ndim == 1 else ""
        raise ValueError(f"x_t must be 2-D (B, I), got {row.shape}{fix}")
    batch = row.shape[0]
    require_shape("x_t", row, "(B, I)", (batch, weights.input_size))
    rows = (batch, weights.hidden_size)
    shape = rows if layers is None else (layers, *rows)
    return contiguous(row), _step_state(cell, state, shape, weights.dtype)


def _step_state(
    cell: Cell, state: Any, shape: tuple[int, ...], dtype: DType
) -> Array | tuple[Array, ...] | None:
    def one(name: str, value: Any) -> Array:
        array = real_like(name, value, "the packed weights", dtype)
        require_shape(name, array, "(B, H)" if len(shape) == 2 else "(L, B, H)", shape)
        return contiguous(array)

    if state is None:
        return None
    if not cell.has_c:
        return one("state", state)
    if not isinstance(state, (tuple, list)) or len(state) != 2:
        raise TypeError(f"state must be None or the pair (h, c), got {_described(state)}")
    return tuple(
        one(f"state {name}", value) for name, value in zip(cell.states, state, strict=True)
    )


def _described(value: object) -> str:
    kind = type(value).__name__
    return f"{kind} of {len(value)}" if isinstance(value, (tuple, list)) else kind


def _sequence(x: Array) -> Array:
    if x.ndim == 2:
        raise ValueError(
            f"x must be 3-D (T, B, I), got {x.shape}; "
            "for one sequence add the batch axis: x[:, None]"
        )
    if x.ndim != 3 or x.shape[2] == 0:
        raise ValueError(f"x must be 3-D (T, B, I) with I at least 1, got {x.shape}")
    return unit_last_stride(x)


def _recurrent(cell: Cell, w_hh: Array, place: str = "") -> Array:
    name = f"w_hh{place}"
    if w_hh.ndim != 2 or w_hh.size == 0:
        raise ValueError(f"{name} must be ({cell.rows}, H) with H at least 1, got {w_hh.shape}")
    rows, columns = w_hh.shape
    transposed = columns == cell.gates * rows
    hidden_size = rows if transposed else columns
    require_shape(name, w_hh, f"({cell.rows}, H)", (cell.gates * hidden_size, hidden_size))
    return w_hh


def _weights(
    cell: Cell,
    w_ih: Array,
    w_hh: Array,
    b_ih: npt.ArrayLike | None,
    b_hh: npt.ArrayLike | None,
    peephole: npt.ArrayLike | None = None,
    *,
    model_name: str,
    place: str,
) -> Weights:
    def vector(
        name: str, value: npt.ArrayLike | None, symbols: str, shape: tuple[int, ...]
    ) -> Array | None:
        if value is None:
            return None
        array = real_like(f"{name}{place}", value, model_name, w_ih.dtype)
        require_shape(f"{name}{place}", array, symbols, shape)
        return contiguous(array)

    of_bias = f"({cell.rows},)", (w_hh.shape[0],)
    of_peephole = "(3*H,)", (3 * w_hh.shape[1],)
    return Weights(
        contiguous(w_ih),
        contiguous(w_hh),
        vector("b_ih", b_ih, *of_bias),
        vector("b_hh", b_hh, *of_bias),
        vector("peephole", peephole, *of_peephole),
    )


def _with_states(
    cell: Cell,
    x: Array,
    weights: Weights,
    h0: npt.ArrayLike | None,
    c0: npt.ArrayLike | None,
    lengths: npt.ArrayLike | None,
    resets: npt.ArrayLike | None,
) -> Inputs:
    require_states(cell, c0)
    shape = (x.shape[1], weights.hidden_size)
    h = None if h0 is None else rows_like("h0", h0, shape, "x", x.dtype)
    c = None if c0 is None else rows_like("c0", c0, shape, "x", x.dtype)
    return Inputs(x, weights, h, c, *of_time(x, lengths, resets))


def require_states(cell: Cell, c0: object) -> None:
    """Raise if a cell state is given to a cell that has none."""
    if c0 is not None and not cell.has_c:
        raise TypeError("c0 must be None, this cell has no cell state; only an LSTM has")


def of_time(
    x: Array, lengths: npt.ArrayLike | None, resets: npt.ArrayLike | None
) -> tuple[Integers | None, Booleans | None]:
    """Return `lengths` (B,) and `resets` (T, B) as the kernels take them."""
    steps, batch, _ = x.shape
    return (
        None if lengths is None else integers("lengths", lengths, "(B,)", (batch,), steps),
        None if resets is None else booleans("resets", resets, "(T, B)", (steps, batch)),
    )
