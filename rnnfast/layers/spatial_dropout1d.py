"""Dropout of whole features (Tompson et al., 2015): a feature is dropped at all steps or at none.

y[b, t, i] = x[b, t, i] * m[b, i],   m = 0 with probability rate, else 1 / (1 - rate)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from numpy.typing import DTypeLike

from rnnfast.layers.dropout import Dropout
from rnnfast.layers.layer import Layer, Shape

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnfast.layers.options import SampleOptions


class SpatialDropout1D(Dropout):
    """Set whole features to zero while training: `keras.layers.SpatialDropout1D`.

    Parameters
    ----------
    rate : float
        Fraction of the features to drop, from 0 to 1.
    seed : int, optional
        Of the masks; by default from `rnnfast.utils.set_random_seed`'s sequence.
    name, dtype, **options
        As for every layer.

    Raises
    ------
    ValueError
        When `rate` or `seed` lies outside its range.
    TypeError
        When `rate` is not a number, or `seed` not an integer.
    NotImplementedError
        For a Keras argument that is not offered yet.

    Notes
    -----
    Input (batch, time, I), output the same.
    """

    not_yet: ClassVar[Mapping[str, object]] = Layer.not_yet

    def __init__(
        self,
        rate: float,
        *,
        seed: int | None = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **options: Unpack[SampleOptions],
    ) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype, **options)

    def _check_input_shape(self, input_shape: Shape) -> None:
        """Raise ValueError unless the input is (batch, time, I)."""
        if len(input_shape) != 3:
            raise ValueError(
                f"the input of layer {self.name!r} must be (batch, time, features), "
                f"got shape {input_shape}"
            )

    def _mask_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        batch, _, features = shape
        return (batch, 1, features)
