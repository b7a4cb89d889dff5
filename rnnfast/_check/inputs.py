"""The arguments of a forward pass, checked against each other.

Sizes: T steps, B rows, I inputs, H hidden units, G gates. `x` (T, B, I), `w_ih` (G*H, I),
`w_hh` (G*H, H), biases (G*H,), `peephole` (3*H,), states (B, H). `x` sets T, B, I and the dtype;
the columns of `w_hh` set H. A projection `w_hr` (R, H) sets R and H: `w_hh` is (G*H, R) then, and
h (B, R).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy.typing as npt

from .. import _devices
from .arrays import (
    Array,
    Booleans,
    DType,
    Integers,
    booleans,
    contiguous,
    integers,
    misshapen,
    real,
    real_like,
    require_shape,
    unit_last_stride,
)
from .cells import Cell


class RawWeights(NamedTuple):
    """What becomes `LayerWeights`, field by field: an array, or a sequence of them, or None."""

    w_ih: Any
    w_hh: Any
    b_ih: Any = None
    b_hh: Any = None
    w_hr: Any = None
    peephole: Any = None
    layer_norm: Any = None


class LayerWeights(NamedTuple):
    """The parameters of one cell, as the kernels take them and in their order."""

    w_ih: Array
    w_hh: Array
    b_ih: Array | None
    b_hh: Array | None
    w_hr: Array | None = None
    peephole: Array | None = None
    layer_norm: Array | None = None

    @property
    def input_size(self) -> int:
        """I."""
        return int(self.w_ih.shape[1])

    @property
    def hidden_size(self) -> int:
        """H."""
        return int((self.w_hh if self.w_hr is None else self.w_hr).shape[1])

    @property
    def output_size(self) -> int:
        """The width of h: R where it is projected, else H."""
        return int(self.w_hh.shape[1])

    @property
    def output_symbol(self) -> str:
        """How the width of h is written."""
        return "H" if self.w_hr is None else "R"

    @property
    def dtype(self) -> DType:
        """The one dtype of all arrays."""
        return self.w_ih.dtype

    def owned(self) -> LayerWeights:
        """Return read-only copies."""
        copies = tuple(None if array is None else array.copy() for array in self)
        for copy in copies:
            if copy is not None:
                copy.flags.writeable = False
        return LayerWeights(*copies)  # type: ignore[arg-type]  # None only where it was


OPTIONAL = frozenset({"b_ih", "b_hh", *LayerWeights._field_defaults})
"""The fields that may be None."""


class Inputs(NamedTuple):
    """Everything that the forward pass of one layer reads, in one direction."""

    x: Array
    weights: LayerWeights
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


def sequence(x: npt.ArrayLike, batch_first: bool = False) -> Array:
    """Return `x` (T, B, I) of a functional call, (B, T, I) with `batch_first`."""
    return _sequence(real("x", x), batch_first)


def layer_weights(
    cell: Cell,
    raw: RawWeights,
    *,
    input_size: int,
    columns: str,
    model_name: str,
    dtype: DType,
    place: str,
) -> LayerWeights:
    """Return the weights of one layer.

    `input_size` are the columns that `w_ih` must have, written `columns`; `dtype` is that of the
    argument `model_name`; `place` follows the names of the arguments, "" or as "[2]".
    """
    recurrent, projection = _recurrent(cell, raw, model_name, dtype, place)
    name = f"w_ih{place}"
    kernel = real_like(name, raw.w_ih, model_name, dtype)
    shape = (recurrent.shape[0], input_size)
    _require_rows(cell, name, kernel, columns, shape)
    return _weights(cell, raw, kernel, recurrent, projection, model_name, place)


def sequence_for(weights: LayerWeights, x: npt.ArrayLike, batch_first: bool = False) -> Array:
    """Return `x` of a call of packed `weights`, as `sequence`."""
    array = real_like("x", x, "the packed weights", weights.dtype)
    sequence = _sequence(array, batch_first)
    if sequence.shape[2] != weights.input_size:
        shape = (*array.shape[:2], weights.input_size)
        require_shape("x", array, in_order("T, B, I", batch_first), shape)
    return sequence


def in_order(axes: str, batch_first: bool) -> str:
    """Return how a shape is written whose first axes are T and B."""
    return f"({axes.replace('T, B', 'B, T')})" if batch_first else f"({axes})"


def weights(cell: Cell, raw: RawWeights, place: str) -> LayerWeights:
    """Return weights that come without a sequence, so that `w_ih` sets I and the dtype."""
    name = f"w_ih{place}"
    kernel = real(name, raw.w_ih)
    recurrent, projection = _recurrent(cell, raw, name, kernel.dtype, place)
    rows = recurrent.shape[0]
    if kernel.ndim != 2 or kernel.shape[0] != rows or kernel.shape[1] == 0:
        fix = _whose_rows(cell, kernel, rows)
        if kernel.shape[1:] == (rows,):
            fix = f"; it looks transposed, pass {name}.T"
        raise ValueError(f"{name} must be ({cell.rows}, I) = ({rows}, I), got {kernel.shape}{fix}")
    return _weights(cell, raw, kernel, recurrent, projection, name, place)


def step_inputs(
    cell: Cell, weights: LayerWeights, x_t: npt.ArrayLike, state: object, layers: int | None
) -> tuple[Array, Array | tuple[Array, ...] | None]:
    """Return `x_t` (B, I) and a state, None, `h` or `(h, c)`, of one step.

    `h` is (B, R) and `c` (B, H), or (L, B, R) and (L, B, H) for a number of `layers`, of which
    `weights` are the first.
    """
    row = real_like("x_t", x_t, "the packed weights", weights.dtype)
    if row.ndim != 2:
        fix = "; for one sequence add the batch axis: x_t[None]" if row.ndim == 1 else ""
        raise ValueError(f"x_t must be 2-D (B, I), got {row.shape}{fix}")
    batch = row.shape[0]
    require_shape("x_t", row, "(B, I)", (batch, weights.input_size))
    leading = {"B": batch} if layers is None else {"L": layers, "B": batch}
    return contiguous(row), _step_state(cell, state, leading, weights)


def stream_state(
    cell: Cell, weights: LayerWeights, state: object, layers: int | None
) -> tuple[Array, ...]:
    """Return the state of one stream, (h,) or (h, c), of (R,) and (H,).

    They are (L, R) and (L, H) for a number of `layers`, of which `weights` are the first.
    """
    found = _step_state(cell, state, {} if layers is None else {"L": layers}, weights)
    if found is None:
        wanted = "the pair (h, c)" if cell.has_c else "an array"
        raise TypeError(f"state must be {wanted}, got None")
    return found if isinstance(found, tuple) else (found,)


def state_of_call(cell: Cell, state: Any, h0: object, c0: object) -> tuple[Any, Any]:
    """Return h0 and c0 of a state in the form that a step takes."""
    for name, value in (("h0", h0), ("c0", c0)):
        if value is not None:
            raise ValueError(f"state and {name} say the same, pass one of them")
    return _pair(state) if cell.has_c else (state, None)


def _pair(state: Any) -> tuple[Any, Any]:
    """Return h and c."""
    if not isinstance(state, (tuple, list)) or len(state) != 2:
        raise TypeError(f"state must be None or the pair (h, c), got {_described(state)}")
    h, c = state
    return h, c


def _step_state(
    cell: Cell, state: Any, leading: Mapping[str, int], weights: LayerWeights
) -> Array | tuple[Array, ...] | None:
    """Return a state, whose `leading` axes have these names and sizes."""

    def one(name: str, value: Any, symbol: str, width: int) -> Array:
        array = real_like(name, value, "the packed weights", weights.dtype)
        symbols = f"({', '.join([*leading, symbol])})" if leading else f"({symbol},)"
        require_shape(name, array, symbols, (*leading.values(), width))
        return contiguous(array)

    if state is None:
        return None
    of_h = weights.output_symbol, weights.output_size
    if not cell.has_c:
        return one("state", state, *of_h)
    h, c = _pair(state)
    return one("state h", h, *of_h), one("state c", c, "H", weights.hidden_size)


def _described(value: object) -> str:
    kind = type(value).__name__
    return f"{kind} of {len(value)}" if isinstance(value, (tuple, list)) else kind


def _sequence(x: Array, batch_first: bool) -> Array:
    symbols = in_order("T, B, I", batch_first)
    if x.ndim == 2:
        raise ValueError(
            f"x must be 3-D {symbols}, got {x.shape}; for one sequence add the batch axis: "
            f"x[{'None' if batch_first else ':, None'}]"
        )
    if x.ndim != 3 or x.shape[2] == 0:
        raise ValueError(f"x must be 3-D {symbols} with I at least 1, got {x.shape}")
    x = unit_last_stride(x)
    return x.swapaxes(0, 1) if batch_first else x


def _recurrent(
    cell: Cell, raw: RawWeights, model_name: str, dtype: DType, place: str
) -> tuple[Array, Array | None]:
    """Return the recurrent weights and, where there is one, the projection."""
    recurrent = real_like(f"w_hh{place}", raw.w_hh, model_name, dtype)
    if raw.w_hr is None:
        return contiguous(_square(cell, recurrent, place)), None
    name = f"w_hr{place}"
    projection = real_like(name, raw.w_hr, model_name, dtype)
    if projection.ndim != 2 or projection.size == 0:
        raise ValueError(f"{name} must be (R, H) with both at least 1, got {projection.shape}")
    output_size, hidden_size = projection.shape
    if recurrent.shape == (cell.gates * output_size, hidden_size):  # of the transposed
        output_size, hidden_size = hidden_size, output_size
    require_shape(name, projection, "(R, H)", (output_size, hidden_size))
    _require_rows(cell, f"w_hh{place}", recurrent, "R", (cell.gates * hidden_size, output_size))
    return contiguous(recurrent), contiguous(projection)


def _square(cell: Cell, w_hh: Array, place: str) -> Array:
    name = f"w_hh{place}"
    if w_hh.ndim != 2 or w_hh.size == 0:
        raise ValueError(f"{name} must be ({cell.rows}, H) with H at least 1, got {w_hh.shape}")
    rows, columns = w_hh.shape
    transposed = columns == cell.gates * rows
    hidden_size = rows if transposed else columns
    _require_rows(cell, name, w_hh, "H", (cell.gates * hidden_size, hidden_size))
    return w_hh


def _require_rows(
    cell: Cell, name: str, weight: Array, columns: str, shape: tuple[int, int]
) -> None:
    """Raise unless a matrix has a row for each gate and unit, and its columns."""
    if weight.shape == shape:
        return
    whose = _whose_rows(cell, weight, shape[0]) if weight.shape[1:] == shape[1:] else ""
    error = misshapen(name, weight, f"({cell.rows}, {columns})", shape, whose)
    if weight.shape == shape[::-1] and cell.gates > 1:
        error = ValueError(
            f"{error}; were it a layer's, or Keras's, its gates stood in another order as well: "
            "layer.prepack() sees to both"
        )
    raise error


def _whose_rows(cell: Cell, weight: Array, rows: int) -> str:
    """Return whose a matrix is that should have so many rows, as a fix; "" for nobody's."""
    if weight.ndim != 2:
        return ""
    gates, left = divmod(weight.shape[0], rows // cell.gates)
    return "" if left else cell.whose_rows(gates)


def _weights(
    cell: Cell,
    raw: RawWeights,
    kernel: Array,
    recurrent: Array,
    projection: Array | None,
    model_name: str,
    place: str,
) -> LayerWeights:
    """Return the weights, of which the matrices have been checked."""
    rows = recurrent.shape[0]
    hidden_size = rows // cell.gates

    def vector(argument: str, value: Any, symbols: str, size: int) -> Array | None:
        if value is None:
            return None
        name = f"{argument}{place}"
        array = real_like(name, value, model_name, kernel.dtype)
        require_shape(name, array, symbols, (size,))
        return contiguous(array)

    if cell.norm_rows and raw.layer_norm is None:
        raise TypeError(
            f"layer_norm{place} must be an array like those of the other layers, got None"
        )
    of_gates = f"({cell.rows},)"
    of_units, of_norms = f"({cell.unit_weights}*H,)", f"({cell.norm_rows}*H,)"
    return LayerWeights(
        contiguous(kernel),
        recurrent,
        vector("b_ih", raw.b_ih, of_gates, rows),
        vector("b_hh", raw.b_hh, of_gates, rows),
        projection,
        vector("peephole", raw.peephole, of_units, cell.unit_weights * hidden_size),
        vector("layer_norm", raw.layer_norm, of_norms, cell.norm_rows * hidden_size),
    )


def require_states(cell: Cell, c0: object) -> None:
    """Raise if a cell state is given to a cell that has none."""
    if c0 is not None and not cell.has_c:
        raise TypeError("c0 must be None, this cell has no cell state; only an LSTM has")


def of_time(
    x: Array, lengths: npt.ArrayLike | None, resets: npt.ArrayLike | None, batch_first: bool
) -> tuple[Integers | None, Booleans | None]:
    """Return `lengths` (B,) and `resets` (T, B) as the kernels take them.

    `resets` come as x does, (B, T) with `batch_first`.
    """
    steps, batch, _ = x.shape
    spans = None if lengths is None else integers("lengths", lengths, "(B,)", (batch,), steps)
    if resets is None:
        return spans, None
    if batch_first:
        found = booleans("resets", resets, "(B, T)", (batch, steps)).swapaxes(0, 1)
    else:
        found = booleans("resets", resets, "(T, B)", (steps, batch))
    elsewhere = _devices.mismatch("resets", found, "x", x.dtype)
    if elsewhere is not None:
        raise elsewhere
    return spans, found
