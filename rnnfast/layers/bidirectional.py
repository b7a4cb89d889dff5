"""A recurrent layer in both directions (Schuster and Paliwal, 1997).

f = forward(x),   b = backward(x) from the last step to the first, put back in order
y = [f, b],  f + b,  f * b,  (f + b) / 2  or the pair (f, b)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from rnnfast.layers import serialization
from rnnfast.layers.layer import Array, Layer, Mask, Shape
from rnnfast.layers.recurrent_layer import Outcome, RecurrentLayer, States, StatesPullback
from rnnfast.layers.unidirectional import Unidirectional

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnfast.layers.options import BidirectionalOptions

# Of each mode: y from f and b, and df and db from dy, f and b.
_Merge = tuple[Callable[[Array, Array], Any], Callable[[Any, Array, Array], tuple[Any, Any]]]
_MERGES: Mapping[str | None, _Merge] = {
    "concat": (
        lambda f, b: np.concatenate([f, b], axis=-1),
        lambda dy, f, b: (dy[..., : f.shape[-1]], dy[..., f.shape[-1] :]),
    ),
    "sum": (lambda f, b: f + b, lambda dy, f, b: (dy, dy)),
    "mul": (lambda f, b: f * b, lambda dy, f, b: (dy * b, dy * f)),
    "ave": (lambda f, b: (f + b) / 2, lambda dy, f, b: (dy / 2, dy / 2)),
    None: (lambda f, b: (f, b), lambda dy, f, b: dy),
}


class Bidirectional(RecurrentLayer):
    """A recurrent layer in both directions: `keras.layers.Bidirectional`.

    Parameters
    ----------
    layer : SimpleRNN, LSTM, GRU or RNN
        What runs forward; it is copied, with weights of its own.
    merge_mode : {"concat", "sum", "mul", "ave", None}, default "concat"
        How the results of the directions become one. With None the layer gives both when it is
        called, (forward, backward), and is none for a `Sequential`.
    weights : list of ndarray, optional
        Not offered yet.
    backward_layer : SimpleRNN, LSTM, GRU or RNN, optional
        What runs backward, with the opposite of `layer`'s `go_backwards`, and its
        `return_sequences`, `return_state` and `stateful`; by default a copy of `layer`.
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
    both results stand beside the steps that they belong to, and those of masked steps are zero,
    as in Keras. With `return_state` the states of the forward layer come before those of the
    backward layer, also in `initial_state`.
    """

    not_yet: ClassVar[Mapping[str, object]] = {**Layer.not_yet, "weights": None}

    def __init__(
        self,
        layer: Unidirectional,
        merge_mode: str | None = "concat",
        *,
        backward_layer: Unidirectional | None = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **options: Unpack[BidirectionalOptions],
    ) -> None:
        _require_recurrent("layer", layer)
        super().__init__(name=name, dtype=layer.dtype if dtype is None else dtype, **options)
        if merge_mode not in _MERGES:
            named = ", ".join(str(mode) for mode in _MERGES)
            raise ValueError(f"merge_mode must be one of {named}, got {merge_mode!r}")
        self.merge_mode = merge_mode
        if backward_layer is not None:
            _require_recurrent("backward_layer", backward_layer)
            _require_fitting(layer, backward_layer)
        self._backward_is_a_copy = backward_layer is None
        backward = layer if backward_layer is None else backward_layer
        backwards = layer.go_backwards
        self.forward_layer = layer.twin(f"forward_{layer.name}", go_backwards=backwards)
        self.backward_layer = backward.twin(f"backward_{backward.name}", go_backwards=not backwards)
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.stateful = layer.stateful
        for layer in self._both:
            layer.zero_output_for_mask = self.return_sequences
        if not self.trainable:
            self.trainable = False  # of both layers, which the base did not know yet
        if self.batch_input_shape is None:
            self.batch_input_shape = self.forward_layer.batch_input_shape

    @property
    def _both(self) -> tuple[Unidirectional, Unidirectional]:
        return self.forward_layer, self.backward_layer

    @property
    def layer(self) -> Unidirectional:
        """What runs forward, as the constructor calls it."""
        return self.forward_layer

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal layer; see `Layer.get_config`."""
        config = super().get_config()
        for argument, prefix in (("layer", "forward_"), ("backward_layer", "backward_")):
            inner = config[argument]["config"]
            inner["name"] = inner["name"].removeprefix(prefix)
        if self._backward_is_a_copy:
            config["backward_layer"] = None
        return config

    @property
    def _inner_layers(self) -> Sequence[Layer]:
        return self._both

    def _check_input_shape(self, input_shape: Shape) -> None:
        for layer in self._both:
            layer._check_input_shape(input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Any:
        """Give the shape of the result.

        Parameters
        ----------
        input_shape : tuple
            (batch, time, I).

        Returns
        -------
        tuple
            (batch, time, H) or (batch, H), of both layers' H together with "concat"; a tuple of
            such where a call gives several arrays.
        """
        (*_, f), forward_states = self._shapes_of(self.forward_layer, input_shape)
        (*rest, b), backward_states = self._shapes_of(self.backward_layer, input_shape)
        states = (*forward_states, *backward_states)
        if self.merge_mode is None:
            return ((*rest, f), (*rest, b), *states)
        shape = (*rest, f + b if self.merge_mode == "concat" else f)
        return (shape, *states) if states else shape

    def _shapes_of(self, layer: Unidirectional, input_shape: Shape) -> tuple[Any, Sequence[Any]]:
        """Give the shapes of a layer's result and of what it gives beside it."""
        shape = layer.compute_output_shape(input_shape)
        return (shape[0], shape[1:]) if self.return_state else (shape, ())

    def _create_weights(self, input_shape: Shape) -> None:
        for side, layer in zip(("forward", "backward"), self._both, strict=True):
            layer.build(input_shape)
            # The same arrays: what changes them in place changes those of the layers.
            self._parameters |= {f"{side}_{name}": p for name, p in layer._parameters.items()}
            self.regularizers |= {f"{side}_{name}": r for name, r in layer.regularizers.items()}

    def _from_keras(self, name: str, value: Array) -> Array:
        layer, name_there = self._owner(name)
        return layer._from_keras(name_there, value)

    def _to_keras(self, name: str, value: Array) -> Array:
        layer, name_there = self._owner(name)
        return layer._to_keras(name_there, value)

    def _owner(self, name: str) -> tuple[Unidirectional, str]:
        """Return the layer that has a weight, and the weight's name there."""
        side, _, name_there = name.partition("_")
        return (self.forward_layer if side == "forward" else self.backward_layer), name_there

    # ------------------------------------------------------------------------------ states

    @property
    def state_sizes(self) -> list[int]:
        """Units of each state, those of the forward layer first."""
        return self.forward_layer.state_sizes + self.backward_layer.state_sizes

    @property
    def state_shapes(self) -> list[tuple[int, ...]]:
        """Shape of each state, those of the forward layer first."""
        return self.forward_layer.state_shapes + self.backward_layer.state_shapes

    @property
    def states(self) -> States | None:
        """What the last batch has left in both layers; None without one, or when not stateful."""
        forward, backward = (layer.states for layer in self._both)
        return None if forward is None or backward is None else forward + backward

    def reset_state(self) -> None:
        """Forget the states that the last batch has left in both layers."""
        for layer in self._both:
            layer.reset_state()

    def _carry(self, states: States) -> None:
        for layer, own in zip(self._both, self._halves(states), strict=True):
            layer._carry(own)

    @property
    def gives_one_array(self) -> bool:
        """Whether a call gives one array: merged, without `return_state`."""
        return self.merge_mode is not None and super().gives_one_array

    def _results(self, out: Outcome) -> Any:
        if self.merge_mode is not None or not self.return_state:
            return super()._results(out)
        f, b = (y if self.return_sequences else y.copy() for y in out.y)
        return (f, b, *self._nested(out.states))

    def _result_shapes(self, input_shape: Any) -> list[Any]:
        if self.merge_mode is not None:
            return super()._result_shapes(input_shape)
        return list(self.compute_output_shape(input_shape)[:2])

    def _joined(self, dys: Sequence[Array | None]) -> Any:
        return dys[0] if self.merge_mode is not None else tuple(dys)

    def _nested(self, flat: Sequence[Any]) -> Sequence[Any]:
        forward, backward = self._halves(flat)
        return (*self.forward_layer._nested(forward), *self.backward_layer._nested(backward))

    # ------------------------------------------------------------------------- computation

    def run(self, x: Array, states: States | None = None, mask: Mask | None = None) -> Outcome:
        """Compute results and states of both directions; see `RecurrentLayer.run`."""
        merge, _ = _MERGES[self.merge_mode]
        before = self._halves(states)
        f, forward_states = self.forward_layer.run(x, before[0], mask)
        b, backward_states = self.backward_layer.run(x, before[1], mask)
        return Outcome(merge(f, self._in_order(b)), forward_states + backward_states)

    def run_vjp(
        self,
        x: Array,
        states: States | None = None,
        mask: Mask | None = None,
        *,
        wrt_input: bool,
        wrt_states: bool,
    ) -> tuple[Outcome, StatesPullback]:
        """Compute results, states and pullback of both directions; see `RecurrentLayer.run_vjp`."""
        merge, split = _MERGES[self.merge_mode]
        before = self._halves(states)
        wanted = {"wrt_input": wrt_input, "wrt_states": wrt_states}
        (f, f_states), pull_forward = self.forward_layer.run_vjp(x, before[0], mask, **wanted)
        (flipped, b_states), pull_backward = self.backward_layer.run_vjp(
            x, before[1], mask, **wanted
        )
        b = self._in_order(flipped)

        def pullback(
            dy: Any, dstates: Sequence[Array | None] | None = None
        ) -> tuple[Array | None, list[Array], list[Array] | None]:
            df, db = (None, None) if dy is None else split(dy, f, b)
            above = self._halves(dstates)
            dx, of_forward, before_forward = pull_forward(df, above[0])
            db = None if db is None else self._in_order(db)
            other, of_backward, before_backward = pull_backward(db, above[1])
            if dx is not None and other is not None:
                dx = dx + other
            if before_forward is None or before_backward is None:
                return dx, of_forward + of_backward, None
            return dx, of_forward + of_backward, before_forward + before_backward

        return Outcome(merge(f, b), f_states + b_states), pullback

    def _halves(self, states: Sequence[Any] | None) -> tuple[Any, Any]:
        """Split what there is of each state into that of either layer."""
        if states is None:
            return None, None
        middle = len(self.forward_layer.state_sizes)
        return states[:middle], states[middle:]

    def _in_order(self, result: Array) -> Array:
        """Put all states of the backward layer beside their steps, or back as it gives them."""
        return result[:, ::-1] if self.return_sequences else result


def _require_recurrent(name: str, layer: Any) -> None:
    if not isinstance(layer, Unidirectional):
        raise TypeError(
            f"{name} must be a SimpleRNN, LSTM, GRU or RNN, got {type(layer).__name__}"
            + serialization.instead_of(layer)
        )


def _require_fitting(layer: Unidirectional, backward: Unidirectional) -> None:
    if backward.go_backwards == layer.go_backwards:
        raise ValueError(
            "backward_layer must have go_backwards="
            f"{not layer.go_backwards}, the opposite of layer's, got {backward.go_backwards}"
        )
    for name in ("return_sequences", "return_state", "stateful"):
        wanted, got = getattr(layer, name), getattr(backward, name)
        if got != wanted:
            raise ValueError(f"backward_layer must have {name}={wanted} like layer, got {got}")
    if backward.dtype != layer.dtype:
        raise ValueError(
            f"backward_layer must have dtype {layer.dtype} like layer, got {backward.dtype}"
        )
