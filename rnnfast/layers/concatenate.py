"""Arrays one after another along an axis.

y = [x_1, ..., x_n]                         dx_k = the part of dy where x_k stands
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from rnnfast.layers.layer import Array, Mask, Shape
from rnnfast.layers.merge import Merge

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnfast.layers.options import LayerOptions


class Concatenate(Merge):
    """Join arrays along an axis: `keras.layers.Concatenate`.

    Parameters
    ----------
    axis : int, default -1
        The axis; the others have one length each. Not 0, along which samples stand.
    name, dtype, **options
        As for every layer.

    Raises
    ------
    TypeError
        When `axis` is no integer.
    ValueError
        When it is 0.

    Notes
    -----
    Takes a list of arrays. Joined along their last axis, a step of the result is there where it
    is in one of them; arrays without a mask are there everywhere.
    """

    def __init__(
        self,
        axis: int = -1,
        *,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(name=name, dtype=dtype, **options)
        if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)):
            raise TypeError(f"axis must be an integer, got {axis!r} of type {type(axis).__name__}")
        if axis == 0:
            raise ValueError("axis must not be 0, along which the samples of a batch stand")
        self.axis = int(axis)
        self.stepwise = self.axis == -1  # else steps may be what is joined

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Give the shape with the lengths along the axis added up; ValueError if others differ."""
        ranks = {len(shape) for shape in input_shape}
        rank = min(ranks)
        axis = self.axis + rank if self.axis < 0 else self.axis
        if len(ranks) > 1 or not 0 < axis < rank:
            raise ValueError(
                f"layer {self.name!r} joins arrays of equally many axes along axis {self.axis}, "
                f"got shapes {input_shape}"
            )
        shape: list[int | None] = []
        for k, lengths in enumerate(zip(*input_shape, strict=True)):
            known = [length for length in lengths if length is not None]
            if k == axis:
                shape.append(sum(known) if len(known) == len(lengths) else None)
            elif len(set(known)) > 1:
                raise ValueError(
                    f"layer {self.name!r} joins arrays that differ along axis {self.axis} alone, "
                    f"got shapes {input_shape}"
                )
            else:
                shape.append(known[0] if known else None)
        return tuple(shape)

    def compute_mask(self, x: Any, mask: Any = None) -> Mask | None:
        """Give the mask of the result; see the notes of the class."""
        if mask is None or all(one is None for one in mask):
            return None
        whole = [
            np.broadcast_to(True if m is None else _with_axes(m, one.ndim), one.shape)
            for one, m in zip(x, mask, strict=True)
        ]
        return np.asarray(np.concatenate(whole, axis=self.axis).any(axis=-1))

    def call(self, x: Any) -> Array:
        """Join a list of arrays; see `Layer.call`."""
        return np.concatenate(x, axis=self.axis)

    def vjp(self, x: Any, *, wrt_input: bool) -> tuple[Array, Callable[[Array], Any]]:
        """Join; each array has the gradient of its part; see `Merge.vjp`."""
        ends = np.cumsum([one.shape[self.axis] for one in x])[:-1]

        def pullback(dy: Array) -> tuple[list[Array], list[Array]]:
            return list(np.split(dy, ends, axis=self.axis)), []

        return self.call(x), pullback


def _with_axes(mask: Mask, axes: int) -> Mask:
    return mask.reshape(mask.shape + (1,) * (axes - mask.ndim))
