"""The shape of a model's input, known before any data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from rnnfast.layers.layer import Layer, Shape
from rnnfast.utils.naming import auto_name, check_name
from rnnfast.utils.options import refuse


class Input:
    """First element of a `Sequential`: the shape of one input, so that layers build as added.

    Parameters
    ----------
    shape : sequence of int or None
        Shape of one sample, without the batch axis; None for a length that may vary, such as
        the number of time steps.
    dtype : dtype, optional
        Of the data; by default what the first layer takes.
    name : str, optional
        By default input, input_1, ...
    **options
        Keras arguments that are not offered yet, at Keras's defaults.

    Raises
    ------
    NotImplementedError
        For one of those at another value.
    TypeError
        For an argument that Keras does not have either.
    ValueError
        For a shape that is none.
    """

    not_yet: ClassVar[Mapping[str, object]] = {
        "batch_size": None,
        "batch_shape": None,
        "sparse": None,
        "ragged": None,
        "tensor": None,
        "optional": False,
    }

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        *,
        dtype: DTypeLike | None = None,
        name: str | None = None,
        **options: object,
    ) -> None:
        if options.get("batch_shape") is not None:
            raise NotImplementedError(
                f"Input does not support batch_shape={options['batch_shape']!r} yet; "
                f"pass shape, the same without the batch axis"
            )
        refuse("Input", options, self.not_yet)
        self.batch_shape: Shape = (None, *_check_lengths(shape))
        self.dtype: np.dtype[Any] | None = None if dtype is None else np.dtype(dtype)
        self.name = auto_name(self) if name is None else check_name(name)

    def check_dtype(self, first: Layer) -> None:
        """Check the declared dtype.

        Parameters
        ----------
        first : Layer
            The layer that follows.

        Raises
        ------
        ValueError
            When it takes another one. All integers are alike.
        """
        if self.dtype is None:
            return
        wanted = first.input_dtype
        both_integers = self.dtype.kind in "iu" and wanted.kind in "iu"
        if self.dtype != wanted and not both_integers:
            raise ValueError(
                f"layer {first.name!r} takes {wanted}, got Input with dtype='{self.dtype}'"
            )

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Check data against the declared shape.

        Parameters
        ----------
        shape : tuple of int
            Of the data, with the batch axis.

        Raises
        ------
        ValueError
            When it is another.
        """
        if len(shape) != len(self.batch_shape) or any(
            wanted not in (None, got) for wanted, got in zip(self.batch_shape, shape, strict=True)
        ):
            raise ValueError(
                f"x must have the shape of the model's Input, {self.batch_shape}, got {shape}"
            )


def _check_lengths(shape: object) -> Shape:
    if isinstance(shape, Sequence) and all(
        length is None or _is_length(length) for length in shape
    ):
        return tuple(shape)
    raise ValueError(f"shape must be a tuple of lengths and None, got {shape!r}")


def _is_length(length: object) -> bool:
    return isinstance(length, int) and not isinstance(length, bool) and length >= 0
