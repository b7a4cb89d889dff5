"""What SimpleRNN, LSTM and GRU share: Keras's face over the kernels' layout.

Keras                                    inside, as the kernels take it
x (batch, time, I)                       the same memory seen as (time, batch, I): no copy
kernel (I, G*H)                          w_ih (G*H, I)
recurrent_kernel (H, G*H)                w_hh (G*H, H)
bias (..., G*H)                          bias (..., G*H)

The gates stand in Keras's order outside and in PyTorch's inside. Training touches the inner
layout alone: weights are converted in `get_weights` and `set_weights`, and nowhere else.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from rnnfast import initializers
from rnnfast._check.options import flag
from rnnfast.functional import Prepacked
from rnnfast.layers.dropout import draw_mask
from rnnfast.layers.layer import (
    Array,
    Layer,
    Pullback,
    Shape,
    require_features,
    require_positive,
)
from rnnfast.utils.hyperparameters import share
from rnnfast.utils.random_seed import make_generator


class Recurrent(Layer):
    """A recurrent layer over one cell.

    Parameters
    ----------
    units : int
        Number of hidden units, H.
    use_bias : bool, default True
        Whether biases are added.
    kernel_initializer, recurrent_initializer, bias_initializer : str or Initializer
        "glorot_uniform", "orthogonal" and "zeros" by default; they see Keras's shapes.
    return_sequences : bool, default False
        Whether the result is all states (batch, time, H) or the last one (batch, H).
    go_backwards : bool, default False
        Whether steps are taken from the last to the first; all states come in that order.
    dropout : float, default 0.0
        Fraction of the inputs to drop while training: one mask a sequence, for all its steps and
        all gates.
    seed : int, optional
        Of the masks; by default from `rnnfast.utils.set_random_seed`'s sequence.
    name, dtype, **options
        As for every layer.
    """

    not_yet: ClassVar[Mapping[str, object]] = {
        **Layer.not_yet,
        "kernel_regularizer": None,
        "recurrent_regularizer": None,
        "bias_regularizer": None,
        "kernel_constraint": None,
        "recurrent_constraint": None,
        "bias_constraint": None,
        "recurrent_dropout": 0.0,
        "return_state": False,
        "stateful": False,
        "unroll": False,
        "use_cudnn": "auto",
        "implementation": 2,
        "zero_output_for_mask": False,
    }

    # Where each gate of the one order stands in the other. Every order here is its own inverse.
    gate_order: ClassVar[tuple[int, ...]]

    def __init__(
        self,
        units: int,
        use_bias: bool = True,
        kernel_initializer: object = "glorot_uniform",
        recurrent_initializer: object = "orthogonal",
        bias_initializer: object = "zeros",
        *,
        return_sequences: bool = False,
        go_backwards: bool = False,
        dropout: float = 0.0,
        seed: int | None = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **options: object,
    ) -> None:
        super().__init__(name=name, dtype=dtype, **options)
        self.units = require_positive("units", units)
        self.use_bias = flag("use_bias", use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.return_sequences = flag("return_sequences", return_sequences)
        self.go_backwards = flag("go_backwards", go_backwards)
        self.dropout = share("dropout", dropout)
        self.seed = seed
        self._rng = make_generator(seed)

    # ---------------------------------------------------------------- shapes and weights

    def _check_input_shape(self, input_shape: Shape) -> None:
        """Raise ValueError unless the input is (batch, time, I)."""
        if len(input_shape) != 3:
            raise ValueError(
                f"the input of layer {self.name!r} must be (batch, time, features), "
                f"got shape {input_shape}; a recurrent layer before this one needs "
                f"return_sequences=True, and x[:, :, None] adds a feature axis"
            )
        built_for = self._parameters["kernel"].shape[1] if self.built else None
        require_features(self, input_shape, built_for)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Give the shape of the result.

        Parameters
        ----------
        input_shape : tuple
            (batch, time, I).

        Returns
        -------
        tuple
            (batch, time, H) or (batch, H).
        """
        return (*(input_shape[:-1] if self.return_sequences else input_shape[:1]), self.units)

    def _create_weights(self, input_shape: Shape) -> None:
        features = require_features(self, input_shape, None)
        rows = len(self.gate_order) * self.units
        self.add_weight("kernel", (features, rows), self.kernel_initializer)
        self.add_weight("recurrent_kernel", (self.units, rows), self.recurrent_initializer)
        if self.use_bias:
            self.add_weight("bias", self._bias_shape(rows), self._initial_bias)

    def _bias_shape(self, rows: int) -> tuple[int, ...]:
        return (rows,)

    def _initial_bias(self, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        return self.bias_initializer(shape, dtype)

    def _from_keras(self, name: str, value: Array) -> Array:
        ordered = self._reorder_gates(value)
        return np.ascontiguousarray(ordered if name == "bias" else ordered.T)

    def _to_keras(self, name: str, value: Array) -> Array:
        return self._reorder_gates(value if name == "bias" else value.T)

    def _reorder_gates(self, value: Array) -> Array:
        gates = value.reshape(*value.shape[:-1], len(self.gate_order), self.units)
        return gates[..., self.gate_order, :].reshape(value.shape)

    # ------------------------------------------------------------------------ computation

    def _weights(self) -> tuple[Array, Array, Array | None, Array | None]:
        """Give w_ih, w_hh, b_ih, b_hh as the kernels take them."""
        weights = self._parameters
        return weights["kernel"], weights["recurrent_kernel"], weights.get("bias"), None

    def _weight_gradients(self, grads: Any) -> list[Array]:
        """Give one gradient per parameter from those of the kernels."""
        return [grads.w_ih, grads.w_hh] + ([grads.b_ih] if self.use_bias else [])

    def prepack(self) -> Prepacked[Any, Any]:
        """Copy and pack the weights for inference, step by step if wanted: not in Keras.

        Returns
        -------
        Prepacked
            The cell with the weights as they are now; see `rnnfast.prepack`.

        Raises
        ------
        ValueError
            When the layer is not built.
        """
        if not self.built:
            raise ValueError(f"layer {self.name!r} has no weights yet, call build(input_shape)")
        return self._prepack()

    @abstractmethod
    def _prepack(self) -> Prepacked[Any, Any]:
        """Pack the weights, with the options of the cell."""

    @abstractmethod
    def _forward(self, x: Array) -> Any:
        """Run the kernel over x (time, batch, I)."""

    @abstractmethod
    def _forward_vjp(self, x: Array, wrt: tuple[str, ...]) -> tuple[Any, Callable[..., Any]]:
        """Run the kernel over x (time, batch, I), saving what the pullback needs."""

    def call(self, x: Array) -> Array:
        """Compute the states.

        Parameters
        ----------
        x : ndarray
            Shape (batch, time, I).

        Returns
        -------
        ndarray
            Shape (batch, time, H) or (batch, H).
        """
        return self._select(self._forward(_swap_batch_and_time(x)))

    def vjp(self, x: Array, *, wrt_input: bool) -> tuple[Array, Pullback]:
        """Compute the states and the pullback of their gradient.

        Parameters
        ----------
        x : ndarray
            Shape (batch, time, I).
        wrt_input : bool
            Whether the gradient by `x` will be used.

        Returns
        -------
        y : ndarray
            Shape (batch, time, H) or (batch, H).
        pullback : callable
            See `Layer.vjp`.
        """
        _, _, b_ih, b_hh = self._weights()
        wanted = {"x": wrt_input, "w_ih": True, "w_hh": True}
        wanted |= {"b_ih": b_ih is not None, "b_hh": b_hh is not None}
        wrt = tuple(name for name, is_wanted in wanted.items() if is_wanted)
        mask = self._input_mask(x)
        seen = x if mask is None else x * mask
        out, kernel_pullback = self._forward_vjp(_swap_batch_and_time(seen), wrt)

        def pullback(dy: Array) -> tuple[Array | None, list[Array]]:
            if self.return_sequences:
                grads = kernel_pullback(dy=self._in_order(_swap_batch_and_time(dy)))
            else:
                grads = kernel_pullback(dh_n=dy)
            dx = _swap_batch_and_time(grads.x) if wrt_input else None
            if dx is not None and mask is not None:
                dx *= mask
            return dx, self._weight_gradients(grads)

        return self._select(out), pullback

    def _input_mask(self, x: Array) -> Array | None:
        """Draw what is kept of the inputs (batch, 1, I), the same at all steps."""
        if not self.dropout:
            return None
        batch, _, features = x.shape
        return draw_mask(self._rng, self.dropout, (batch, 1, features), self.dtype)

    def _select(self, out: Any) -> Array:
        if not self.return_sequences:
            last: Array = out.h_n
            return last
        return _swap_batch_and_time(self._in_order(out.y))

    def _in_order(self, sequence: Array) -> Array:
        """Return all steps in the order in which they are taken, or the other way round."""
        return sequence[::-1] if self.go_backwards else sequence


def _swap_batch_and_time(x: Array) -> Array:
    return x.transpose(1, 0, 2)


def require_default(layer: str, name: str, value: object, default: str) -> None:
    """Raise NotImplementedError unless an argument is at its default."""
    if value != default:
        raise NotImplementedError(
            f"{layer} does not support {name}={value!r} yet; leave it out, or at {default!r}"
        )
