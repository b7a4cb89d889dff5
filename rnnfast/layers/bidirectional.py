"""A recurrent layer in both directions (Schuster and Paliwal, 1997).

f = forward(x),   b = backward(x) from the last step to the first, put back in order
y = [f, b],  f + b,  f * b  or  (f + b) / 2
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from rnnfast.initializers.initializer import Initializer
from rnnfast.layers.layer import Array, Layer, Pullback, Shape
from rnnfast.layers.recurrent import Recurrent

# Of each mode: y from f and b, and df and db from dy, f and b.
_Merge = tuple[
    Callable[[Array, Array], Array], Callable[[Array, Array, Array], tuple[Array, Array]]
]
_MERGES: Mapping[str, _Merge] = {
    "concat": (
        lambda f, b: np.concatenate([f, b], axis=-1),
        lambda dy, f, b: (dy[..., : f.shape[-1]], dy[..., f.shape[-1] :]),
    ),
    "sum": (lambda f, b: f + b, lambda dy, f, b: (dy, dy)),
    "mul": (lambda f, b: f * b, lambda dy, f, b: (dy * b, dy * f)),
    "ave": (lambda f, b: (f + b) / 2, lambda dy, f, b: (dy / 2, dy / 2)),
}


class Bidirectional(Layer):
    """A recurrent layer in both directions: `keras.layers.Bidirectional`.

    Parameters
    ----------
    layer : SimpleRNN, LSTM or GRU
        What runs forward; it is copied, with weights of its own.
    merge_mode : {"concat", "sum", "mul", "ave"}, default "concat"
        How the results of the directions become one. Keras's None, for a list of both, is not
        offered: a layer gives one array.
    weights : list of ndarray, optional
        Not offered yet.
    backward_layer : SimpleRNN, LSTM or GRU, optional
        What runs backward, with the opposite of `layer`'s `go_backwards`; by default a copy of
        `layer`.
    name, dtype, **options
        As for every layer; `dtype` is that of `layer` by default.

    Raises
    ------
    TypeError
        When `layer` or `backward_layer` is no recurrent layer.
    ValueError
        When `merge_mode` is none of these, or the layers do not fit each other.
    NotImplementedError
        For a Keras argument that is not offered yet.

    Notes
    -----
    Weights: those of the forward layer, then those of the backward layer. With return_sequences
    both results stand beside the steps that they belong to.
    """

    not_yet: ClassVar[Mapping[str, object]] = {**Layer.not_yet, "weights": None}

    def __init__(
        self,
        layer: Recurrent,
        merge_mode: str | None = "concat",
        *,
        backward_layer: Recurrent | None = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **options: object,
    ) -> None:
        _require_recurrent("layer", layer)
        super().__init__(name=name, dtype=layer.dtype if dtype is None else dtype, **options)
        if merge_mode is None:
            raise NotImplementedError(
                "Bidirectional does not support merge_mode=None yet, a layer gives one array; "
                f"it has {', '.join(_MERGES)}"
            )
        if merge_mode not in _MERGES:
            raise ValueError(f"merge_mode must be one of {', '.join(_MERGES)}, got {merge_mode!r}")
        self.merge_mode = merge_mode
        self.forward_layer = _copy_of(layer, "forward")
        if backward_layer is None:
            self.backward_layer = _copy_of(layer, "backward")
            self.backward_layer.go_backwards = not layer.go_backwards
        else:
            _require_recurrent("backward_layer", backward_layer)
            _require_fitting(layer, backward_layer)
            self.backward_layer = _copy_of(backward_layer, "backward")

    @property
    def _parts(self) -> tuple[Recurrent, Recurrent]:
        return self.forward_layer, self.backward_layer

    def _check_input_shape(self, input_shape: Shape) -> None:
        for part in self._parts:
            part._check_input_shape(input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Give the shape of the result.

        Parameters
        ----------
        input_shape : tuple
            (batch, time, I).

        Returns
        -------
        tuple
            (batch, time, H) or (batch, H); of both layers' H together with "concat".
        """
        *rest, units = self.forward_layer.compute_output_shape(input_shape)
        if self.merge_mode == "concat":
            units = self.forward_layer.units + self.backward_layer.units
        return (*rest, units)

    def _create_weights(self, input_shape: Shape) -> None:
        for side, part in zip(("forward", "backward"), self._parts, strict=True):
            part.build(input_shape)
            # The same arrays: what changes them in place changes those of the parts.
            self._parameters |= {f"{side}_{name}": p for name, p in part._parameters.items()}

    def _from_keras(self, name: str, value: Array) -> Array:
        part, of_part = self._owner(name)
        return part._from_keras(of_part, value)

    def _to_keras(self, name: str, value: Array) -> Array:
        part, of_part = self._owner(name)
        return part._to_keras(of_part, value)

    def _owner(self, name: str) -> tuple[Recurrent, str]:
        side, _, of_part = name.partition("_")
        return (self.forward_layer if side == "forward" else self.backward_layer), of_part

    def call(self, x: Array) -> Array:
        """Compute the states of both directions.

        Parameters
        ----------
        x : ndarray
            Shape (batch, time, I).

        Returns
        -------
        ndarray
            Merged, (batch, time, ...) or (batch, ...).
        """
        merge, _ = _MERGES[self.merge_mode]
        return merge(self.forward_layer.call(x), self._in_order(self.backward_layer.call(x)))

    def vjp(self, x: Array, *, wrt_input: bool) -> tuple[Array, Pullback]:
        """Compute the states of both directions and the pullback of their gradient.

        Parameters
        ----------
        x : ndarray
            Shape (batch, time, I).
        wrt_input : bool
            Whether the gradient by `x` will be used.

        Returns
        -------
        y : ndarray
            Merged, (batch, time, ...) or (batch, ...).
        pullback : callable
            See `Layer.vjp`.
        """
        merge, split = _MERGES[self.merge_mode]
        f, pull_forward = self.forward_layer.vjp(x, wrt_input=wrt_input)
        flipped, pull_backward = self.backward_layer.vjp(x, wrt_input=wrt_input)
        b = self._in_order(flipped)

        def pullback(dy: Array) -> tuple[Array | None, list[Array]]:
            df, db = split(dy, f, b)
            dx, of_forward = pull_forward(df)
            other, of_backward = pull_backward(self._in_order(db))
            if dx is not None and other is not None:
                dx = dx + other
            return dx, of_forward + of_backward

        return merge(f, b), pullback

    def _in_order(self, result: Array) -> Array:
        """Put all states of the backward layer beside their steps, or back as it gives them."""
        return result[:, ::-1] if self.forward_layer.return_sequences else result


def _copy_of(layer: Recurrent, side: str) -> Recurrent:
    """Return a layer of the same arguments that has no weights yet.

    Masks of both come from one sequence of random numbers, so that they differ.
    """
    part = copy.copy(layer)
    part.name = f"{side}_{layer.name}"
    part.built = False
    part._parameters = {}
    part.kernel_initializer = _another(layer.kernel_initializer)
    part.recurrent_initializer = _another(layer.recurrent_initializer)
    part.bias_initializer = _another(layer.bias_initializer)
    return part


def _another(initializer: Callable[..., Array]) -> Callable[..., Array]:
    """Return one of our initializers that draws values of its own; any other function itself."""
    return initializer.clone() if isinstance(initializer, Initializer) else initializer


def _require_recurrent(name: str, layer: Any) -> None:
    if not isinstance(layer, Recurrent):
        raise TypeError(f"{name} must be a SimpleRNN, LSTM or GRU, got {type(layer).__name__}")


def _require_fitting(layer: Recurrent, backward: Recurrent) -> None:
    if backward.go_backwards == layer.go_backwards:
        raise ValueError(
            "backward_layer must have go_backwards="
            f"{not layer.go_backwards}, the opposite of layer's, got {backward.go_backwards}"
        )
    if backward.return_sequences != layer.return_sequences:
        raise ValueError(
            f"backward_layer must have return_sequences={layer.return_sequences} like layer, "
            f"got {backward.return_sequences}"
        )
    if backward.dtype != layer.dtype:
        raise ValueError(
            f"backward_layer must have dtype {layer.dtype} like layer, got {backward.dtype}"
        )
