"""The shape of a model's input, known before any data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from rnnfast.layers.layer import Shape
from rnnfast.layers.missing_axis import meant_by
from rnnfast.layers.symbol import Called, Symbol
from rnnfast.utils.naming import auto_name, check_name
from rnnfast.utils.options import refuse


class Input(Symbol):
    """What a model is given: `keras.Input`.

    The first element of a `Sequential`, so that layers build as they are added, or what the first
    layers of a `Model` are called on.

    Parameters
    ----------
    shape : sequence of int or None
        Shape of one sample, without the batch axis; None for a length that may vary, such as
        the number of time steps.
    batch_size : int, optional
        Samples of a batch; by default any number.
    dtype : dtype, optional
        Of the data; by default what the first layer takes.
    batch_shape : sequence of int or None, optional
        `shape` with the batch axis, in place of `shape` and `batch_size`.
    name : str, optional
        By default input, input_1, ...
    **options
        Keras arguments that are not offered, at Keras's defaults.

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
        "sparse": None,
        "ragged": None,
        "tensor": None,
        "optional": False,
    }

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: DTypeLike | None = None,
        *,
        batch_shape: Sequence[int | None] | None = None,
        name: str | None = None,
        **options: object,
    ) -> None:
        refuse("Input", options, self.not_yet)
        if batch_shape is not None and (shape is not None or batch_size is not None):
            raise ValueError("Input takes shape (and batch_size) or batch_shape, not both")
        if batch_shape is not None:
            whole = _check_lengths("batch_shape", batch_shape)
            if not whole:
                raise ValueError("batch_shape must begin with the batch axis, got ()")
        else:
            whole = _check_lengths("shape", (batch_size,)) + _check_lengths("shape", shape)
        super().__init__(whole, None if dtype is None else np.dtype(dtype))
        self.name = auto_name(self) if name is None else check_name(name)

    @property
    def batch_shape(self) -> Shape:
        """The shape with the batch axis."""
        return self.shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal input."""
        dtype = None if self.dtype is None else self.dtype.name
        return {"batch_shape": list(self.shape), "dtype": dtype, "name": self.name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Input:
        """Make an input from what `get_config` returned."""
        return cls(**config)

    def check_dtype(self, layer: Called) -> None:
        """Check the declared dtype.

        Parameters
        ----------
        layer : Layer
            A layer that is called on the input.

        Raises
        ------
        ValueError
            When it takes another one. All integers are alike.
        """
        if self.dtype is None:
            return
        wanted = layer.input_dtype
        both_integers = self.dtype.kind in "iu" and wanted.kind in "iu"
        if self.dtype != wanted and not both_integers:
            raise ValueError(
                f"layer {layer.name!r} takes {wanted}, got Input with dtype='{self.dtype}'"
            )

    def check_shape(self, shape: Shape, argument: str = "x") -> None:
        """Check data against the declared shape.

        Parameters
        ----------
        shape : tuple
            Of the data, with the batch axis; None for lengths that vary.
        argument : str, default "x"
            What the data are called.

        Raises
        ------
        ValueError
            When it is another. The number of samples may be any.
        """
        if len(shape) != len(self.batch_shape) or any(
            wanted not in (None, got) and got is not None
            for wanted, got in zip(self.batch_shape[1:], shape[1:], strict=True)
        ):
            raise ValueError(
                f"{argument} must have the shape of the model's Input, {self.batch_shape}, got "
                f"{shape}{meant_by(shape, self.batch_shape)}"
            )

    def __repr__(self) -> str:
        """Name itself, shape and dtype."""
        return f"<Input name={self.name}, shape={self.shape}, dtype={self.dtype}>"


def _check_lengths(name: str, shape: object) -> Shape:
    if isinstance(shape, Sequence) and all(
        length is None or _is_length(length) for length in shape
    ):
        return tuple(shape)
    raise ValueError(f"{name} must be a tuple of lengths and None, got {shape!r}")


def _is_length(length: object) -> bool:
    return isinstance(length, int) and not isinstance(length, bool) and length >= 0
