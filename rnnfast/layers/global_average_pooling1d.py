"""The mean over all steps that are there.

y[b, :] = sum over t of m[b, t] x[b, t, :] / n[b]        n[b] = sum over t of m[b, t]

dx[b, t, :] = m[b, t] dy[b, :] / n[b]                    m is the mask, 1 without one
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from rnnfast._check.options import flag
from rnnfast.layers.layer import Array, Layer, Mask, Pullback, Shape
from rnnfast.utils.options import require_channels_last

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnfast.layers.options import SampleOptions


class GlobalAveragePooling1D(Layer):
    """Average over steps, those of the mask if there is one: `keras.layers.GlobalAveragePooling1D`.

    Parameters
    ----------
    data_format : {None, "channels_last"}
        The one there is.
    keepdims : bool, default False
        Whether the axis of steps stays, with the length 1.
    name, dtype, **options
        As for every layer.

    Raises
    ------
    TypeError
        When `keepdims` is not True or False.
    NotImplementedError
        For another `data_format`, or a Keras argument that is not offered yet.

    Notes
    -----
    Input (batch, time, I), output (batch, I) or (batch, 1, I). A sequence all of whose steps are
    masked has the mean zero, where Keras has NaN.
    """

    supports_masking: ClassVar[bool] = True

    def __init__(
        self,
        data_format: str | None = None,
        keepdims: bool = False,
        *,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **options: Unpack[SampleOptions],
    ) -> None:
        super().__init__(name=name, dtype=dtype, **options)
        self.data_format = require_channels_last("GlobalAveragePooling1D", data_format)
        self.keepdims = flag("keepdims", keepdims)

    def _check_input_shape(self, input_shape: Shape) -> None:
        """Raise ValueError unless the input is (batch, time, I), with one step at least."""
        if len(input_shape) != 3 or input_shape[1] == 0:
            raise ValueError(
                f"the input of layer {self.name!r} must be (batch, time, features) with one step "
                f"at least, got shape {input_shape}; a recurrent layer before this one needs "
                f"return_sequences=True"
            )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Give (batch, I), or (batch, 1, I); see `Layer.compute_output_shape`."""
        batch, _, features = input_shape
        return (batch, 1, features) if self.keepdims else (batch, features)

    def _create_weights(self, input_shape: Shape) -> None:
        """Create none."""

    def compute_mask(self, x: Array, mask: Mask | None = None) -> Mask | None:
        """Give None: there are no steps any more; see `Layer.compute_mask`."""
        return None

    def call(self, x: Array) -> Array:
        """Average x (batch, time, I) over time; see `Layer.call`."""
        y: Array = x.mean(axis=1, keepdims=self.keepdims)
        return y

    def call_masked(self, x: Array, mask: Mask) -> Array:
        """Average over the steps that are not masked; see `Layer.call_masked`."""
        # Not a product with the mask: what stands at masked steps may be NaN.
        there = np.where(mask[..., None], x, np.zeros((), x.dtype))
        y: Array = there.sum(axis=1, keepdims=True) / _counts(mask, x.dtype)
        return y if self.keepdims else y[:, 0]

    def vjp(self, x: Array, *, wrt_input: bool) -> tuple[Array, Pullback]:
        """Compute as `call`, with the pullback; see `Layer.vjp`."""
        return self.call(x), self._pullback(x, np.ones(x.shape[:2], np.bool_))

    def vjp_masked(self, x: Array, mask: Mask, *, wrt_input: bool) -> tuple[Array, Pullback]:
        """Compute as `call_masked`, with the pullback; see `Layer.vjp_masked`."""
        return self.call_masked(x, mask), self._pullback(x, mask.copy())

    def _pullback(self, x: Array, mask: Mask) -> Pullback:
        shares = mask[..., None] / _counts(mask, x.dtype)

        def pullback(dy: Array) -> tuple[Array | None, list[Array]]:
            dx: Array = (dy if self.keepdims else dy[:, None]) * shares
            return dx, []

        return pullback


def _counts(mask: Mask, dtype: np.dtype[Any]) -> Array:
    """Count the steps that are there (batch, 1, 1), 1 for none."""
    counts: Array = np.maximum(mask.sum(axis=1), 1).astype(dtype)
    return counts[:, None, None]
