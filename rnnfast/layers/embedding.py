"""Rows of a table, picked by index.

y[..., :] = E[x[...]]           x (...) integers below V   E (V, D)   y (..., D)

dE[v] = sum of dy over the places where x = v
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from rnnfast import initializers, regularizers
from rnnfast._check.options import flag
from rnnfast.layers.layer import Array, Layer, Mask, Pullback, Shape
from rnnfast.layers.value import both
from rnnfast.utils.hyperparameters import require_positive

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnfast.layers.options import EmbeddingOptions


class Embedding(Layer):
    """Turn indices into vectors: `keras.layers.Embedding`. It must be the first layer.

    Parameters
    ----------
    input_dim : int
        Size of the vocabulary, V: indices run from 0 to V - 1.
    output_dim : int
        Length of the vectors, D.
    embeddings_initializer : str or Initializer, default "uniform"
        Of the table (V, D).
    embeddings_regularizer : str or Regularizer, optional
        What the table adds to the loss, see `rnnfast.regularizers`; nothing by default.
    mask_zero : bool, default False
        Whether index 0 is padding: the steps where it stands are masked.
    input_length : int, optional
        Number of indices of a sample, where the model's input has a fixed one: `input_shape` says
        the same as (input_length,).
    name, dtype, **options
        As for every layer.

    Raises
    ------
    ValueError
        When an argument is none of these, or an index lies outside the vocabulary.
    TypeError
        When `mask_zero` is not True or False.
    NotImplementedError
        For a Keras argument that is not offered yet.

    Notes
    -----
    Weights: embeddings (V, D). Input (batch, time) of integers, output (batch, time, D).
    """

    stepwise = True
    not_yet: ClassVar[Mapping[str, object]] = {
        **Layer.not_yet,
        "embeddings_constraint": None,
        "weights": None,
        "lora_rank": None,
        "lora_alpha": None,
        "quantization_config": None,
    }

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: object = "uniform",
        embeddings_regularizer: object = None,
        *,
        mask_zero: bool = False,
        input_length: int | None = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **options: Unpack[EmbeddingOptions],
    ) -> None:
        super().__init__(name=name, dtype=dtype, **options)
        self.input_length = None
        if input_length is not None:
            self.input_length = require_positive("input_length", input_length)
            self.batch_input_shape = self.batch_input_shape or (None, self.input_length)
        self.input_dim = require_positive("input_dim", input_dim)
        self.output_dim = require_positive("output_dim", output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.mask_zero = flag("mask_zero", mask_zero)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Give (batch, time, output_dim) from (batch, time); see `Layer.compute_output_shape`."""
        return (*input_shape, self.output_dim)

    def _create_weights(self, input_shape: Shape) -> None:
        shape = (self.input_dim, self.output_dim)
        self.add_weight(
            "embeddings", shape, self.embeddings_initializer, self.embeddings_regularizer
        )

    @property
    def input_dtype(self) -> np.dtype[Any]:
        """Index integers."""
        return np.dtype(np.intp)

    def convert_input(self, x: Array) -> Array:
        """Turn numbers into indices.

        Parameters
        ----------
        x : ndarray
            Numbers of any dtype.

        Returns
        -------
        ndarray of intp
            The indices.

        Raises
        ------
        ValueError
            When one is a fraction or lies outside the vocabulary.
        """
        if x.size and not (x.min() >= 0 and x.max() < self.input_dim):
            raise ValueError(
                f"layer {self.name!r} takes indices from 0 to input_dim - 1 = "
                f"{self.input_dim - 1}, got {x.min()} to {x.max()}"
            )
        indices = x.astype(self.input_dtype, copy=False)
        if x.dtype.kind == "f" and (indices != x).any():
            raise ValueError(f"layer {self.name!r} takes indices, got fractions")
        return indices

    def compute_mask(self, x: Array, mask: Mask | None = None) -> Mask | None:
        """Give the mask of the result.

        Parameters
        ----------
        x : ndarray of intp
            Shape (batch, time).
        mask : ndarray of bool, optional
            Of `x`.

        Returns
        -------
        ndarray of bool, shape (batch, time), or None
            That of `x`; with `mask_zero` False also where the index is 0.
        """
        return both(x != 0, mask) if self.mask_zero else mask

    def call(self, x: Array) -> Array:
        """Pick a row (output_dim,) for each index of x (batch, time); see `Layer.call`."""
        embeddings = self._parameters["embeddings"]
        return embeddings.take(x, axis=0)  # whole rows: a third of the time of embeddings[x]

    def vjp(self, x: Array, *, wrt_input: bool) -> tuple[Array, Pullback]:
        """Pick the rows; indices have no gradient; see `Layer.vjp`."""
        x = x.view()  # whatever dtype the caller may give his own before the pullback
        trained = self.trainable

        def pullback(dy: Array) -> tuple[Array | None, list[Array]]:
            return None, [_sum_by_index(x, dy, self.input_dim)] if trained else []

        return self.call(x), pullback


def _sum_by_index(indices: Array, values: Array, size: int) -> Array:
    # Sorting brings equal indices together, whose sums reduceat then takes in one sweep: six
    # times faster than np.add.at for a character vocabulary, and in an order that is fixed.
    flat = indices.ravel()
    width = values.shape[-1]
    sums = np.zeros((size, width), values.dtype)
    if flat.size == 0:
        return sums
    order = np.argsort(flat, kind="stable")
    in_order = flat[order]
    starts = np.flatnonzero(np.diff(in_order, prepend=-1))
    sums[in_order[starts]] = np.add.reduceat(values.reshape(-1, width)[order], starts, axis=0)
    return sums
