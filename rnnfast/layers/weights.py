"""The weights of a layer: kept as its computation wants them, seen from outside as Keras has them.

    parameters             all of them, arrays that the optimizer changes in place
    trainable_parameters   those that training changes: all, or none of a frozen layer
    get_weights            copies of all, in Keras's layout

A layer made of layers has theirs, the same arrays under names of its own; what is asked of its
training, it asks of them. The penalty of a weight is added to the loss, and its gradient to the
weight's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnfast._check.options import flag
from rnnfast.layers import weight_limit
from rnnfast.regularizers import Regularizer
from rnnfast.utils.known_attributes import KnownAttributes
from rnnfast.utils.numbers import as_numbers_of_any_rank

Array = NDArray[Any]


class Weights(dict[str, Array]):
    """Arrays by name; one that is not there yet is told to need `build`."""

    def __init__(self, layer_name: str) -> None:
        super().__init__()
        self.layer_name = layer_name

    def __missing__(self, name: str) -> Array:
        """Raise ValueError: a layer asks for those weights alone that building makes."""
        raise ValueError(
            f"layer {self.layer_name!r} has no weights yet, call build(input_shape) first"
        )


class Weighted(KnownAttributes):
    """What has weights.

    Parameters
    ----------
    name : str
        For messages.
    dtype : dtype
        Of the weights.
    trainable : bool
        Whether training changes them.
    """

    def __init__(self, name: str, dtype: np.dtype[Any], trainable: bool) -> None:
        self.name = name
        self.dtype = dtype
        self.built = False
        self.regularizers: dict[str, Regularizer] = {}
        self._trainable = flag("trainable", trainable)
        self._parameters: dict[str, Array] = Weights(name)

    def _forget_weights(self) -> None:
        """Be as before `build`."""
        self.built = False
        self.regularizers = {}
        self._parameters = Weights(self.name)

    @property
    def _inner_layers(self) -> Sequence[Weighted]:
        """The layers that this one is made of, whose weights are all it has."""
        return ()

    # ------------------------------------------------------------------------------ layout

    def add_weight(
        self,
        name: str,
        shape: tuple[int, ...],
        initializer: Callable[..., Array],
        regularizer: Regularizer | None = None,
    ) -> None:
        """Create a weight.

        Parameters
        ----------
        name : str
            Keras's name of it.
        shape : tuple of int
            In Keras's layout.
        initializer : callable
            Gives the values from shape and dtype, in Keras's layout.
        regularizer : Regularizer, optional
            Of what is added to the loss for it.
        """
        weight_limit.take(f"{name} of layer {self.name!r}", shape)
        self._parameters[name] = self._from_keras(name, initializer(shape, self.dtype))
        if regularizer is not None:
            self.regularizers[name] = regularizer

    def _from_keras(self, name: str, value: Array) -> Array:
        """Bring a weight from Keras's layout into the one computed with, C-contiguous."""
        return np.ascontiguousarray(value)

    def _to_keras(self, name: str, value: Array) -> Array:
        """Invert `_from_keras`."""
        return value

    @property
    def parameters(self) -> list[Array]:
        """The weights in the layout computed with; an optimizer changes them in place."""
        return list(self._parameters.values())

    @property
    def weight_names(self) -> list[str]:
        """Keras's names of the weights, in the order of `get_weights`."""
        return list(self._parameters)

    def get_weights(self) -> list[Array]:
        """Copy the weights.

        Returns
        -------
        list of ndarray
            In Keras's layout and order.
        """
        return [self._to_keras(name, value).copy() for name, value in self._parameters.items()]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Set the weights.

        Parameters
        ----------
        weights : sequence of array_like
            As `get_weights` gives them.

        Raises
        ------
        ValueError
            When their number or a shape is wrong, or the layer is not built.
        """
        if len(weights) != len(self._parameters):
            hint = "" if self.built else "; the layer is not built yet, call build(input_shape)"
            raise ValueError(
                f"weights of layer {self.name!r} must be {len(self._parameters)} arrays "
                f"{self.weight_names}, got {len(weights)}{hint}"
            )
        arrays = [as_numbers_of_any_rank("weights", one).astype(self.dtype) for one in weights]
        for (name, value), array in zip(self._parameters.items(), arrays, strict=True):
            wanted = self._to_keras(name, value).shape
            if array.shape != wanted:
                raise ValueError(
                    f"{name} of layer {self.name!r} must have shape {wanted}, got {array.shape}"
                )
        for (name, value), array in zip(self._parameters.items(), arrays, strict=True):
            value[...] = self._from_keras(name, array)

    def count_params(self) -> int:
        """Count the numbers in the weights.

        Returns
        -------
        int
            The count; 0 before the layer is built.
        """
        return sum(value.size for value in self._parameters.values())

    # ---------------------------------------------------------------------------- training

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it sets it of all layers inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = flag("trainable", value)
        for layer in self._inner_layers:
            layer.trainable = value

    @property
    def trainable_parameters(self) -> list[Array]:
        """Those of `parameters` that training changes: of which a pullback gives gradients."""
        if not self.trainable:
            return []
        if self._inner_layers:
            return [p for layer in self._inner_layers for p in layer.trainable_parameters]
        return self.parameters

    def prunable_weights(self) -> list[tuple[Array, int]]:
        """Give the recurrent weights that may be sparse, of those that training changes.

        Returns
        -------
        list of (ndarray, int)
            Each (G*H, H) as it is computed with, and its number of gates G.
        """
        if not self.trainable:
            return []
        return [one for layer in self._inner_layers for one in layer.prunable_weights()]

    def penalty(self) -> float:
        """Sum the penalties of the weights that training changes.

        Returns
        -------
        float
            What regularizers add to the loss.
        """
        if not self.trainable:
            return 0.0
        if self._inner_layers:
            return sum(layer.penalty() for layer in self._inner_layers)
        return sum(
            regularizer(self._to_keras(name, self._parameters[name]))
            for name, regularizer in self.regularizers.items()
        )

    def penalty_gradients(self) -> list[Array | None]:
        """Give what regularizers add to the gradients.

        Returns
        -------
        list of ndarray or None
            The gradient of `penalty` by each of `trainable_parameters`, in their layout; None
            where it is zero.
        """
        if not self.trainable:
            return []
        if self._inner_layers:
            return [g for layer in self._inner_layers for g in layer.penalty_gradients()]
        return [self._penalty_gradient(name) for name in self._parameters]

    def _penalty_gradient(self, name: str) -> Array | None:
        regularizer = self.regularizers.get(name)
        if regularizer is None:
            return None
        gradient = regularizer.gradient(self._to_keras(name, self._parameters[name]))
        return self._from_keras(name, gradient)
