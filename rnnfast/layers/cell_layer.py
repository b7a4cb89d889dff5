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

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from rnnfast import initializers, regularizers
from rnnfast._check.cells import BESIDE, FACTS
from rnnfast._check.options import flag, rate, rates
from rnnfast._check.precision import Precision
from rnnfast._check.precision import of_training as precision_of_training
from rnnfast.functional import Prepacked, prepack
from rnnfast.initializers.initializer import Initializer
from rnnfast.layers.dropout import draw_mask
from rnnfast.layers.layer import Array, Layer, Shape, require_features
from rnnfast.layers.recurrent_layer import States
from rnnfast.layers.unidirectional import Scanned, ScanPullback, Unidirectional
from rnnfast.utils.hyperparameters import require_positive, share
from rnnfast.utils.random_seed import make_generator
from rnnfast.weights.keras_order import in_order

_Same = TypeVar("_Same", bound="CellLayer")


class CellLayer(Unidirectional):
    """A recurrent layer over one cell.

    Parameters
    ----------
    units : int
        Number of hidden units, H.
    use_bias : bool, default True
        Whether biases are added.
    kernel_initializer, recurrent_initializer, bias_initializer : str or Initializer
        "glorot_uniform", "orthogonal" and "zeros" by default; they see Keras's shapes.
    kernel_regularizer, recurrent_regularizer, bias_regularizer : str or Regularizer, optional
        What each of them adds to the loss, see `rnnfast.regularizers`; nothing by default.
    dropout : float, default 0.0
        Fraction of the inputs to drop while training: one mask a sequence, for all its steps and
        all gates.
    recurrent_dropout : float, default 0.0
        The same for h where it meets the recurrent kernel.
    weight_dropout : float, default 0.0
        The same for the recurrent kernel itself, one mask a batch (DropConnect); not in Keras.
    zoneout : float or (float, float), default 0.0
        Share of h, and of c, that keeps the value of the step before while training; at inference
        the mean of both. One for all states, or one each; not in Keras.
    seed : int, optional
        Of the masks; by default from `rnnfast.utils.set_random_seed`'s sequence.
    precision : {"bfloat16"}, optional
        What operands of products are rounded to; by default to nothing.
    return_sequences, return_state, go_backwards, stateful, zero_output_for_mask
        As for `Unidirectional`.
    name, dtype, **options
        As for every layer.
    """

    not_yet: ClassVar[Mapping[str, object]] = {
        **Layer.not_yet,
        "kernel_constraint": None,
        "recurrent_constraint": None,
        "bias_constraint": None,
        "unroll": False,
        "use_cudnn": "auto",
        "implementation": 2,
    }

    # Where each gate of the one order stands in the other. Every order here is its own inverse.
    gate_order: ClassVar[tuple[int, ...]]

    # What runs, by `prepack`'s name, and the functions themselves.
    kind: ClassVar[str]
    function: ClassVar[Callable[..., Any]]
    function_vjp: ClassVar[Callable[..., Any]]
    function_trace: ClassVar[Callable[..., Any]]

    _rng: np.random.Generator

    # How the kernels call the states before the first step, and the gradients by the last.
    initial_state_names: ClassVar[tuple[str, ...]] = ("h0",)
    state_gradient_names: ClassVar[tuple[str, ...]] = ("dh_n",)

    def __init__(
        self,
        units: int,
        use_bias: bool = True,
        kernel_initializer: object = "glorot_uniform",
        recurrent_initializer: object = "orthogonal",
        bias_initializer: object = "zeros",
        kernel_regularizer: object = None,
        recurrent_regularizer: object = None,
        bias_regularizer: object = None,
        *,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        weight_dropout: float = 0.0,
        zoneout: float | tuple[float, float] = 0.0,
        seed: int | None = None,
        precision: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.units = require_positive("units", units)
        self.use_bias = flag("use_bias", use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.dropout = share("dropout", dropout)
        self.recurrent_dropout = rate("recurrent_dropout", recurrent_dropout)
        self.weight_dropout = rate("weight_dropout", weight_dropout)
        rates("zoneout", zoneout, self.initial_state_names)
        self.zoneout = zoneout
        self.seed = seed
        self.precision = precision_of_training(precision, self.dtype)
        self._rng = make_generator(seed)

    # ---------------------------------------------------------------- shapes and weights

    def _check_input_shape(self, input_shape: Shape) -> None:
        """Raise ValueError unless the input is (batch, time, I), with the I of the weights."""
        super()._check_input_shape(input_shape)
        require_features(self, input_shape, self._features)

    @property
    def _features(self) -> int | None:
        return self._parameters["kernel"].shape[1] if self.built else None

    @property
    def state_sizes(self) -> list[int]:
        """Units of each state."""
        return [self.units] * len(self.initial_state_names)

    def twin(self: _Same, name: str, *, go_backwards: bool) -> _Same:
        """Make a layer of the same arguments that has no weights yet; see `Unidirectional.twin`."""
        layer = super().twin(name, go_backwards=go_backwards)
        layer.kernel_initializer = own_copy(self.kernel_initializer)
        layer.recurrent_initializer = own_copy(self.recurrent_initializer)
        layer.bias_initializer = own_copy(self.bias_initializer)
        return layer

    def _create_weights(self, input_shape: Shape) -> None:
        features = require_features(self, input_shape, None)
        rows = len(self.gate_order) * self.units
        self.add_weight(
            "kernel", (features, rows), self.kernel_initializer, self.kernel_regularizer
        )
        self.add_weight(
            "recurrent_kernel",
            (self.state_sizes[0], rows),
            self.recurrent_initializer,
            self.recurrent_regularizer,
        )
        if self.use_bias:
            self.add_weight(
                "bias", self._bias_shape(rows), self._initial_bias, self.bias_regularizer
            )

    def _bias_shape(self, rows: int) -> tuple[int, ...]:
        return (rows,)

    def _initial_bias(self, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        return self.bias_initializer(shape, dtype)

    def _from_keras(self, name: str, value: Array) -> Array:
        ordered = self._reorder_gates(value)
        return np.ascontiguousarray(ordered.T if name.endswith("kernel") else ordered)

    def _to_keras(self, name: str, value: Array) -> Array:
        return self._reorder_gates(value.T if name.endswith("kernel") else value)

    def _reorder_gates(self, value: Array) -> Array:
        return in_order(self.gate_order, value)

    # ------------------------------------------------------------------------ computation

    def _weights(self) -> tuple[Array, Array, Array | None, Array | None]:
        """Give w_ih, w_hh, b_ih, b_hh as the kernels take them."""
        weights = self._parameters
        return weights["kernel"], weights["recurrent_kernel"], weights.get("bias"), None

    @property
    def _further_weights(self) -> dict[str, str]:
        """Keras's names of the weights beside kernels and biases, by what the kernels call them."""
        return {}

    def _cell_options(self) -> dict[str, Any]:
        """Give what the kernels are told of the cell."""
        return {
            argument: self._parameters[name] for argument, name in self._further_weights.items()
        }

    @property
    def _kernel_weight_names(self) -> tuple[str, ...]:
        """Names of the weights that are there, as the kernels call them."""
        biases = ("b_ih",) if self.use_bias else ()
        return ("w_ih", "w_hh", *biases, *self._further_weights)

    def _weight_gradients(self, grads: Any) -> list[Array]:
        """Give one gradient per parameter from those of the kernels."""
        return [getattr(grads, name) for name in self._kernel_weight_names]

    def prunable_weights(self) -> list[tuple[Array, int]]:
        """Give the recurrent weights if they may be sparse; see `Layer.prunable_weights`."""
        may_be = FACTS[self.kind]["sparse"] and not {*BESIDE} & self._further_weights.keys()
        if not (self.trainable and may_be):
            return []
        return [(self._parameters["recurrent_kernel"], len(self.gate_order))]

    def prepack(
        self, precision: Precision | None = None, sparse: bool = False
    ) -> Prepacked[Any, Any]:
        """Copy and pack the weights for inference, step by step if wanted: not in Keras.

        Parameters
        ----------
        precision : {"bfloat16", "float16", "float32", "float64"}, optional
            What matrices are kept in, see `rnnfast.prepack`; by default the layer's own precision.
        sparse : bool, default False
            Whether blocks of the recurrent kernel that are all zero are skipped, see
            `rnnfast.prepack`; for what `rnnfast.callbacks.BlockPruning` has pruned.

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
        return prepack(
            self.kind,
            *self._weights(),
            **self._cell_options(),
            reverse=self.go_backwards,
            zoneout=self.zoneout,
            precision=precision or self.precision,
            sparse=sparse,
        )

    def trace(self, x: ArrayLike) -> Any:
        """Look inside: compute all gates and states of all steps: not in Keras.

        Parameters
        ----------
        x : array_like, shape (batch, time, I)
            Input.

        Returns
        -------
        Trace or LSTMTrace
            Of `rnnfast.lstm_trace` or its like, samples first: `y` (batch, time, H), `gates`
            (batch, time, G, H) in the kernels' order, which is i f g o or r z n, of an LSTM `c`
            (batch, time, H), beside their steps whichever way the layer goes; and the last states.

        Raises
        ------
        ValueError, TypeError
            When the input does not fit the layer.
        """
        return type(self).function_trace(
            self._convert_and_build(x),
            *self._weights(),
            **self._cell_options(),
            reverse=self.go_backwards,
            batch_first=True,
        )

    _packed: Prepacked[Any, Any] | None = None

    def pack(self, precision: Precision | None = None) -> None:
        """Pack the layer, and its weights for the kernels; see `Layer.pack`."""
        super().pack(precision)
        self._packed = self.prepack(precision)

    def _step(self, x: Array, before: States | None) -> States:
        assert self._packed is not None
        alone = before is not None and len(before) == 1
        after = self._packed.step(x, before[0] if before is not None and alone else before)
        return after if isinstance(after, tuple) else (after,)

    def _scan(self, x: Array, lengths: Array | None, states: States | None) -> Scanned:
        before: dict[str, Any] = self._state_arguments(states)
        packed = self._packed
        if packed is None and self.precision is not None:
            packed = self.prepack()
        if packed is not None:
            out = packed(x, lengths=lengths, **before)
        else:
            out = type(self).function(
                x,
                *self._weights(),
                **self._cell_options(),
                reverse=self.go_backwards,
                lengths=lengths,
                zoneout=self.zoneout,
                **before,
            )
        return out.y, tuple(out[1:])

    def _scan_vjp(
        self,
        x: Array,
        lengths: Array | None,
        states: States | None,
        *,
        wrt_input: bool,
        wrt_states: bool,
    ) -> tuple[Scanned, ScanPullback]:
        trained = self.trainable
        wrt = self._kernel_weight_names if trained else ()
        if wrt_input:
            wrt += ("x",)
        if wrt_states:
            wrt += self.initial_state_names
        mask = self._input_mask(x)
        seen = x if mask is None else x * mask
        out, kernel_pullback = type(self).function_vjp(
            seen,
            *self._weights(),
            **self._cell_options(),
            reverse=self.go_backwards,
            lengths=lengths,
            wrt=wrt,
            precision=self.precision,
            **self._noise(),
            **self._state_arguments(states),
        )

        def pullback(
            dy: Array | None, dstates: Sequence[Array | None]
        ) -> tuple[Array | None, list[Array], list[Array] | None]:
            above = dict(zip(self.state_gradient_names, dstates, strict=True))
            grads = kernel_pullback(dy=dy, **above)
            dx: Array | None = grads.x
            if dx is not None and mask is not None:
                dx *= mask
            before = (
                [getattr(grads, name) for name in self.initial_state_names] if wrt_states else None
            )
            return dx, self._weight_gradients(grads) if trained else [], before

        return (out.y, tuple(out[1:])), pullback

    def _state_arguments(self, states: States | None) -> dict[str, Array]:
        """Give the states the names that the kernels take them by."""
        if states is None:
            return {}
        return dict(zip(self.initial_state_names, states, strict=True))

    def _noise(self) -> dict[str, Any]:
        """Give what the kernels are to draw, of which each batch has a seed of its own."""
        chosen = {
            "recurrent_dropout": self.recurrent_dropout,
            "weight_dropout": self.weight_dropout,
            "zoneout": self.zoneout,
        }
        if any(np.any(value) for value in chosen.values()):
            return {**chosen, "seed": int(self._rng.integers(2**63))}
        return {}

    def _input_mask(self, x: Array) -> Array | None:
        """Draw what is kept of the inputs (1, batch, I), the same at all steps."""
        if not self.dropout:
            return None
        return draw_mask(self._rng, self.dropout, (1, *x.shape[1:]), self.dtype)


def own_copy(initializer: Callable[..., Array]) -> Callable[..., Array]:
    """Return one of our initializers that draws values of its own; any other function itself."""
    return initializer.clone() if isinstance(initializer, Initializer) else initializer
