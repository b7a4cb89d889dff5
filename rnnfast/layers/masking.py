"""Leave out the steps that hold one value alone.

mask[b, t] = any(x[b, t, :] != mask_value)         y = x where mask, else 0
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from rnnfast._check.numbers import require_held
from rnnfast.layers.layer import Array, Layer, Mask, Pullback, Shape
from rnnfast.layers.value import both
from rnnfast.utils.hyperparameters import finite

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnfast.layers.options import SampleOptions


class Masking(Layer):
    """Mask the steps whose features are all one value: `keras.layers.Masking`.

    The layers that follow leave those steps out, each until one gives a single step; a loss and
    metrics leave out what is masked at the end of the model.

    Parameters
    ----------
    mask_value : float, default 0.0
        The value.
    name, dtype, **options
        As for every layer.

    Raises
    ------
    TypeError
        When `mask_value` is not a number.
    ValueError
        When it is not finite, or the dtype cannot hold it.
    NotImplementedError
        For a Keras argument that is not offered yet.

    Notes
    -----
    Masks travel inside a `Sequential`. Called by itself, the layer sets masked steps to zero, and
    `compute_mask(x)` gives the mask.
    """

    supports_masking: ClassVar[bool] = True
    stepwise = True

    def __init__(
        self,
        mask_value: float = 0.0,
        *,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **options: Unpack[SampleOptions],
    ) -> None:
        super().__init__(name=name, dtype=dtype, **options)
        self.mask_value = finite("mask_value", mask_value)
        require_held("mask_value", self.mask_value, self.dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Give the shape of the input; see `Layer.compute_output_shape`."""
        return input_shape

    def _check_input_shape(self, input_shape: Shape) -> None:
        """Raise ValueError unless the input is (batch, ..., I)."""
        if len(input_shape) < 2:
            raise ValueError(
                f"the input of layer {self.name!r} must be (batch, ..., features), "
                f"got shape {input_shape}"
            )

    def _create_weights(self, input_shape: Shape) -> None:
        """Create none."""

    def compute_mask(self, x: Array, mask: Mask | None = None) -> Mask:
        """Give the mask of the result.

        Parameters
        ----------
        x : ndarray
            Shape (batch, ..., I).
        mask : ndarray of bool, optional
            Of `x`.

        Returns
        -------
        ndarray of bool, shape (batch, ...)
            False where all features are `mask_value`, and where the mask of `x` is.
        """
        there: Mask = np.any(x != self.mask_value, axis=-1)
        return both(there, mask)

    def call(self, x: Array) -> Array:
        """Set masked steps of x (batch, ..., I) to zero; see `Layer.call`."""
        return _where(self.compute_mask(x), x)

    def vjp(self, x: Array, *, wrt_input: bool) -> tuple[Array, Pullback]:
        """Set masked steps to zero; their gradient is zero; see `Layer.vjp`."""
        mask = self.compute_mask(x)

        def pullback(dy: Array) -> tuple[Array | None, list[Array]]:
            return _where(mask, dy), []

        return _where(mask, x), pullback


def _where(mask: Mask, x: Array) -> Array:
    return np.where(mask[..., None], x, np.zeros((), x.dtype))
