"""The arguments of a pullback: what arrives from above, and where its results are added."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from .arrays import Array, DType, real_like, require_shape, rows_like, unit_last_stride


def upstream(
    dy: npt.ArrayLike | None,
    dh_n: npt.ArrayLike | None,
    dc_n: npt.ArrayLike | None,
    y_shape: tuple[int, int, int],
    dtype: DType,
) -> tuple[Array | None, Array | None, Array | None]:
    """Return dL/dy (T, B, H), dL/dh_n and dL/dc_n (B, H) as the kernels take them; None is zero."""
    of_output = None if dy is None else _of_output(dy, y_shape, dtype)
    of_h = None if dh_n is None else rows_like("dh_n", dh_n, y_shape[1:], "x", dtype)
    of_c = None if dc_n is None else rows_like("dc_n", dc_n, y_shape[1:], "x", dtype)
    return of_output, of_h, of_c


def require_buffers(
    out: object,
    form: type[tuple[Array | None, ...]],
    shapes: Mapping[str, tuple[int, ...]],
    dtype: DType,
) -> None:
    """Raise unless every buffer in `out` can have its gradient, one of `shapes`, added to it."""
    if not isinstance(out, form):
        raise TypeError(f"out must be {form.__name__}, got {type(out).__name__}")
    for name, buffer in out._asdict().items():  # type: ignore[attr-defined]  # a NamedTuple
        if buffer is not None:
            _require_buffer(f"out.{name}", buffer, shapes.get(name), dtype)


def _of_output(dy: npt.ArrayLike, shape: tuple[int, int, int], dtype: DType) -> Array:
    array = real_like("dy", dy, "x", dtype)
    require_shape("dy", array, "(T, B, H)", shape)
    return unit_last_stride(array)


def _require_buffer(name: str, buffer: object, shape: tuple[int, ...] | None, dtype: DType) -> None:
    if shape is None:
        raise ValueError(
            f"{name} must be None, that gradient is not computed: its argument was absent or is "
            "not in wrt"
        )
    if not isinstance(buffer, np.ndarray) or buffer.dtype not in (dtype, dtype.newbyteorder()):
        kind = buffer.dtype if isinstance(buffer, np.ndarray) else type(buffer).__name__
        raise TypeError(f"{name} must be an array of {dtype} like x, got {kind}")
    if buffer.shape != shape:
        raise ValueError(f"{name} must be {shape}, got {buffer.shape}")
    if not buffer.flags.writeable:
        raise ValueError(f"{name} must be writeable, got a read-only array; pass a copy of it")
