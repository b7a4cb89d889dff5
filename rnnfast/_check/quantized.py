"""Weights that are whole numbers with scales, as quantization tools store them.

    w[row, column] = scale[row] (values[row, column] - zero_point[row])

values (G*H, K) of int8 or uint8; scale and zero_point one for all rows, or (G*H,). The kernels take
differences from -128 to 127, so of uint8 those whose zero point is 128.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .arrays import Array
from .inputs import LayerWeights


class QuantizedWeight:
    """A matrix of weights that has been quantized: whole numbers, with a scale for each row.

    `prepack` packs the numbers as they are, for products of bytes. As an array, which everything
    else takes it for, it is ``scale * (values - zero_point)`` in float32.

    Parameters
    ----------
    values : array_like of int8 or uint8, shape (G*H, K)
        The numbers. They are copied.
    scale : array_like, float or (G*H,)
        What a difference of 1 stands for, in each row or in all; more than 0.
    zero_point : array_like of int, int or (G*H,), default 0
        The number that stands for zero, likewise. Differences from it must lie within -128 and 127.

    Attributes
    ----------
    values : ndarray of int8, shape (G*H, K)
        The differences, read-only.
    scale : ndarray of float32, shape (G*H,)
        The scale of each row, read-only.

    Raises
    ------
    ValueError
        If a shape does not fit, a scale is not more than 0, or a difference takes more than 8 bits.
    TypeError
        If `values` or `zero_point` are not whole numbers.

    Examples
    --------
    >>> import numpy as np
    >>> weight = QuantizedWeight(np.array([[1, -2], [3, 4]], np.int8), [0.5, 0.25])
    >>> np.asarray(weight)
    array([[ 0.5 , -1.  ],
           [ 0.75,  1.  ]], dtype=float32)
    """

    __slots__ = ("scale", "values")

    values: npt.NDArray[np.int8]
    scale: npt.NDArray[np.float32]

    def __init__(
        self, values: npt.ArrayLike, scale: npt.ArrayLike, zero_point: npt.ArrayLike = 0
    ) -> None:
        given = np.asarray(values)
        if given.dtype not in (np.int8, np.uint8):
            raise TypeError(f"values must be int8 or uint8, got {given.dtype}")
        if given.ndim != 2:
            raise ValueError(f"values must be 2-D (G*H, K), got {given.shape}")
        rows = given.shape[0]
        zeros = _of_rows("zero_point", np.asarray(zero_point), rows)
        if zeros.dtype.kind not in "iu":
            raise TypeError(f"zero_point must be whole numbers, got {zeros.dtype}")
        differences = given.astype(np.int64) - zeros[:, None]
        if differences.size and not -128 <= differences.min() <= differences.max() <= 127:
            raise ValueError(
                "values - zero_point must lie within -128 and 127, got "
                f"{differences.min()} to {differences.max()}; quantize the weights symmetrically, "
                "with zero_point 0"
            )
        scales = _of_rows("scale", np.asarray(scale, np.float32), rows)
        if not (np.isfinite(scales) & (scales > 0)).all():
            wrong = scales[~(np.isfinite(scales) & (scales > 0))][0]
            raise ValueError(f"scale must be more than 0 and finite, got {wrong}")
        self._set(differences.astype(np.int8), scales.copy())

    def _set(self, values: npt.NDArray[np.int8], scale: npt.NDArray[np.float32]) -> None:
        values.flags.writeable = scale.flags.writeable = False
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "scale", scale)

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse: it never changes."""
        raise AttributeError(f"a QuantizedWeight never changes, so {name} cannot be set")

    @property
    def shape(self) -> tuple[int, ...]:
        """(G*H, K)."""
        return self.values.shape

    @property
    def ndim(self) -> int:
        """2."""
        return 2

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        """Return the numbers that it stands for, float32 unless another type is asked for."""
        if copy is False:
            raise ValueError("a QuantizedWeight becomes an array by a copy only")
        numbers = self.values * self.scale[:, None]
        return numbers if dtype is None else numbers.astype(dtype)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the call that makes an equal one."""
        return QuantizedWeight, (self.values, self.scale)

    def __repr__(self) -> str:
        """Show the shape and what the scales are."""
        least, most = (self.scale.min(), self.scale.max()) if self.scale.size else (0, 0)
        return f"<QuantizedWeight {self.shape}: scales {least:.3g} to {most:.3g}>"


class Scales(NamedTuple):
    """Of the rows of the matrices of a layer that have come quantized; None of those that have not.

    The core takes the matrices in float32, and finds the whole numbers again by these.
    """

    w_ih: npt.NDArray[np.float32] | None
    w_hh: npt.NDArray[np.float32] | None

    @property
    def complete(self) -> bool:
        """Whether both have."""
        return self.w_ih is not None and self.w_hh is not None

    def restored(self, weights: LayerWeights) -> LayerWeights:
        """Return weights with matrices as they were given."""
        given: dict[str, Any] = {}
        for name, scale in self._asdict().items():
            if scale is not None:
                values = np.rint(getattr(weights, name) / scale[:, None]).astype(np.int8)
                given[name] = QuantizedWeight(values, scale)
        return weights._replace(**given)


def precision_of(precision: str | None, of_all: Sequence[Scales], is_sparse: bool) -> str | None:
    """Return the precision asked for, by default int8 of weights that are all quantized.

    Sparse ones stay in their own type.
    """
    by_default = precision is None and not is_sparse
    return "int8" if by_default and all(one.complete for one in of_all) else precision


def scales(w_ih: Sequence[object], w_hh: Sequence[object]) -> list[Scales]:
    """Return those of each layer and direction."""
    return [Scales(_scale_of(one), _scale_of(other)) for one, other in zip(w_ih, w_hh, strict=True)]


def _scale_of(weight: object) -> npt.NDArray[np.float32] | None:
    return weight.scale if isinstance(weight, QuantizedWeight) else None


def _of_rows(name: str, array: npt.NDArray[Any], rows: int) -> npt.NDArray[Any]:
    """Return one number for each row."""
    if array.ndim == 0 or array.shape == (1,):
        return np.broadcast_to(array.reshape(()), (rows,))
    if array.shape != (rows,):
        raise ValueError(f"{name} must be one number or (G*H,) = ({rows},), got {array.shape}")
    return array
