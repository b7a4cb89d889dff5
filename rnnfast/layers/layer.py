"""What every layer is: weights made from an input shape, and a map from arrays to arrays.

    y = layer.call(x)                                    inference
    y, pullback = layer.vjp(x, wrt_input=True)           training
    dx, gradients = pullback(dy)                         one for each of `trainable_parameters`

`pullback` is called once, before any parameter changes. With `wrt_input=False` the caller has no
use for `dx`, which may then be None: nothing lies below the first layer that is trained.

A mask, False for the samples or steps that are to be left out, travels beside the arrays:

    mask = layer.compute_mask(x, mask)                   None where nothing is masked
    y = layer.call_masked(x, mask)                       with one, in place of `call` and `vjp`
    y, pullback = layer.vjp_masked(x, mask, wrt_input=True)

In a graph of layers arrays and masks travel together, as many as a layer takes and gives:

    results = layer.forward(values)
    results, pullback = layer.forward_vjp(values, wrt)   wrt: whether each one's gradient is used
    dvalues, gradients = pullback(dresults)

To be served, a copy of a layer is packed. It then also takes a sequence step by step:

    layer.pack()                                         no weight changes any more
    results, state = layer.forward_step(values, state)   values without their axis of time
"""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from rnnfast._check.arrays import booleans
from rnnfast._check.precision import Precision
from rnnfast.layers import serialization, symbol
from rnnfast.layers.activations import Activation
from rnnfast.layers.given_shape import SAYING_SHAPE, Shape, take_shape
from rnnfast.layers.lasting import Lasting
from rnnfast.layers.value import Mask, Value, ValuesPullback
from rnnfast.layers.weights import Array
from rnnfast.utils.arguments import arguments_of
from rnnfast.utils.naming import auto_name, check_name
from rnnfast.utils.numbers import as_numbers
from rnnfast.utils.options import refuse

__all__ = ["Array", "Layer", "Mask", "Pullback", "Shape", "require_features"]

Pullback = Callable[[Array], tuple[Array | None, list[Array]]]

_Same = TypeVar("_Same", bound="Layer")


class Layer(Lasting):
    """A map from arrays to arrays with weights.

    Parameters
    ----------
    name : str, optional
        By default the class name in snake case, numbered from the second instance on.
    dtype : {"float32", "float64"}, optional
        Of weights and results; "float32" by default.
    trainable : bool, default True
        Whether training changes the weights.
    input_shape, batch_input_shape : sequence of int or None, optional
        Shape of the model's input, without or with the batch axis, for the first layer of a
        `Sequential`; what an `Input` says otherwise.
    input_dim : int, optional
        The same where a sample is a vector, or a step is one: the length of that.
    **options
        Keras arguments that are not offered yet, at Keras's defaults.

    Attributes
    ----------
    batch_input_shape : tuple or None
        The shape of the model's input, if this layer was told it.

    Raises
    ------
    NotImplementedError
        For one of those at another value.
    TypeError
        For an argument that Keras does not have either.
    ValueError
        For a name, dtype or shape that is none.
    """

    # Keras arguments still to come, with Keras's defaults; a subclass adds its own.
    not_yet: ClassVar[Mapping[str, object]] = {"activity_regularizer": None, "autocast": True}

    # Whether results have masks that follow from those of the inputs.
    supports_masking: ClassVar[bool] = False

    # Whether a sample is a sequence of steps by the nature of the layer.
    _takes_steps: ClassVar[bool] = False

    def __init__(
        self,
        *,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        trainable: bool = True,
        **options: Any,
    ) -> None:
        kind = type(self).__name__
        self.batch_input_shape = take_shape(kind, options, has_steps=self._takes_steps)
        offered = (*arguments_of(type(self)), *arguments_of(Layer), *SAYING_SHAPE)
        refuse(kind, options, self.not_yet, offered)
        super().__init__(
            auto_name(self) if name is None else check_name(name),
            _as_float_dtype(dtype),
            trainable,
        )

    @property
    def _inner_layers(self) -> Sequence[Layer]:
        """The layers that this one is made of, whose weights are all it has."""
        return ()

    # ---------------------------------------------------------------------- configuration

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal layer, without its weights.

        Returns
        -------
        dict
            By name, as JSON can hold them.

        Raises
        ------
        TypeError
            When one is a function, which is code.
        """
        own = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype.name}
        if self.batch_input_shape is not None:
            own["batch_input_shape"] = list(self.batch_input_shape)
        return {**own, **serialization.config_of(self)}

    @classmethod
    def from_config(cls: type[_Same], config: Mapping[str, Any]) -> _Same:
        """Make a layer from its configuration.

        Parameters
        ----------
        config : mapping
            As `get_config` gives it.

        Returns
        -------
        Layer
            An equal one, without weights.

        Raises
        ------
        TypeError, ValueError, NotImplementedError
            As from the constructor, for arguments that it does not take.
        """
        return cls(**serialization.arguments_from(config))

    # ---------------------------------------------------------------- shapes and weights

    def build(self, input_shape: Shape) -> None:
        """Create the weights for inputs of a shape; weights that exist are kept.

        Parameters
        ----------
        input_shape : tuple
            With the batch axis; None for lengths that may vary.

        Raises
        ------
        ValueError
            When the layer cannot take such inputs.
        """
        self._check_input_shape(tuple(input_shape))
        if not self.built:
            self._create_weights(tuple(input_shape))
            self.built = True

    def _check_input_shape(self, input_shape: Shape) -> None:
        """Raise ValueError when inputs of this shape do not fit the layer."""
        if not input_shape:
            raise ValueError(f"the input of layer {self.name!r} must have a batch axis, got ()")

    @abstractmethod
    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Give the shape of the result.

        Parameters
        ----------
        input_shape : tuple
            Of the input, with the batch axis; None for lengths that may vary.

        Returns
        -------
        tuple
            Of the result, likewise.
        """

    @abstractmethod
    def _create_weights(self, input_shape: Shape) -> None:
        """Call `add_weight` for each weight, in Keras's order."""

    # ------------------------------------------------------------------------ computation

    @property
    def input_dtype(self) -> np.dtype[Any]:
        """The dtype that `call` and `vjp` take."""
        return self.dtype

    def convert_input(self, x: Array) -> Array:
        """Bring data into the dtype that `call` and `vjp` take.

        Parameters
        ----------
        x : ndarray
            Numbers of any dtype.

        Returns
        -------
        ndarray
            Of dtype `input_dtype`; `x` itself when it has that.
        """
        return x.astype(self.input_dtype, copy=False)

    @abstractmethod
    def call(self, x: Array) -> Array:
        """Compute the result, for inference.

        Parameters
        ----------
        x : ndarray
            Input of dtype `input_dtype`, samples along the first axis.

        Returns
        -------
        ndarray
            The result, samples along the first axis.
        """

    @abstractmethod
    def vjp(self, x: Array, *, wrt_input: bool) -> tuple[Array, Pullback]:
        """Compute the result, for training, and what pulls a gradient back through the layer.

        Parameters
        ----------
        x : ndarray
            As for `call`.
        wrt_input : bool
            Whether the gradient by `x` will be used.

        Returns
        -------
        y : ndarray
            The result.
        pullback : callable
            From dL/dy to dL/dx, or None, and a list of dL/dp for each p of `parameters`.
        """

    def __call__(self, x: ArrayLike | symbol.Symbol, *, mask: ArrayLike | None = None) -> Any:
        """Compute the result for any array; builds the layer if it is not.

        Parameters
        ----------
        x : array_like or Symbol
            Input, samples along the first axis; or a symbol, for a `Model` to come.
        mask : array_like of bool, optional
            Of one or more of the first axes of `x`, False for what is to be left out.

        Returns
        -------
        ndarray or Symbol
            The result, samples along the first axis.
        """
        if isinstance(x, symbol.Symbol):
            symbol.require_no_mask(self, mask)
            return self.call_symbols([x])[0]
        array = self._convert_and_build(x)
        return self.call(array) if mask is None else self.call_masked(array, _as_mask(array, mask))

    def _convert_and_build(self, x: ArrayLike) -> Array:
        array = self.convert_input(as_numbers("x", x))
        self.build(array.shape)
        return array

    # ------------------------------------------------------------------------------ masks

    def compute_mask(self, x: Array, mask: Mask | None = None) -> Mask | None:
        """Give the mask of the result.

        Parameters
        ----------
        x : ndarray
            As for `call`.
        mask : ndarray of bool, optional
            Of `x`.

        Returns
        -------
        ndarray of bool or None
            That of the input; None, with a warning, from a layer that is not for masks.
        """
        if mask is None or self.supports_masking:
            return mask
        warnings.warn(
            f"layer {self.name!r} ({type(self).__name__}) does not support masks: what follows "
            f"sees every step; set supports_masking = True or replace compute_mask",
            stacklevel=2,
        )
        return None

    def call_masked(self, x: Array, mask: Mask) -> Array:
        """Compute the result of a masked input, for inference.

        Parameters
        ----------
        x : ndarray
            As for `call`.
        mask : ndarray of bool
            Of `x`.

        Returns
        -------
        ndarray
            The result; here that of `call`.
        """
        return self.call(x)

    def vjp_masked(self, x: Array, mask: Mask, *, wrt_input: bool) -> tuple[Array, Pullback]:
        """Compute the result of a masked input, for training.

        Parameters
        ----------
        x : ndarray
            As for `call`.
        mask : ndarray of bool
            Of `x`.
        wrt_input : bool
            Whether the gradient by `x` will be used.

        Returns
        -------
        y : ndarray
            The result; here that of `vjp`.
        pullback : callable
            See `vjp`.
        """
        return self.vjp(x, wrt_input=wrt_input)

    # ------------------------------------------------------------------------------ served

    # Whether each step of a sequence is to the layer as if it were alone.
    stepwise: bool = False

    def pack(self, precision: Precision | None = None) -> None:
        """Make the layer one that is run and never trained: its weights can no longer change.

        Parameters
        ----------
        precision : {"bfloat16", "float16", "float32", "float64"}, optional
            What `rnnfast.prepack` keeps the matrices of recurrent layers in; other layers are as
            they were.
        """
        for layer in self._inner_layers:
            layer.pack(precision)
        for weight in self.parameters:
            weight.flags.writeable = False

    def forward_step(self, values: Sequence[Value], state: Any) -> tuple[list[Value], Any]:
        """Take one step of a sequence; the layer is packed.

        Parameters
        ----------
        values : sequence of Value
            As for `forward`, without the axis of time.
        state : object
            What the step before has returned; None before the first.

        Returns
        -------
        results : list of Value
            What the layer gives for the sequence up to here; of sequences, their last step.
        state : object
            For the step after.

        Raises
        ------
        ValueError
            When the layer needs whole sequences.
        """
        if not self.stepwise:
            raise ValueError(
                f"layer {self.name!r} ({type(self).__name__}) needs whole sequences and cannot "
                "take single steps: call the packed model on the sequence"
            )
        return self.forward(values), None

    # ------------------------------------------------------------------ in a graph of layers

    def call_symbols(self, takes: Sequence[symbol.Symbol]) -> list[symbol.Symbol]:
        """Note that the layer is called, for a `Model` to come; builds it if it is not.

        Parameters
        ----------
        takes : sequence of Symbol
            What the layer takes; here one.

        Returns
        -------
        list of Symbol
            What it gives; here one.

        Raises
        ------
        TypeError, ValueError
            When the layer cannot take such arrays.
        """
        [x] = takes
        self.build(x.shape)
        return symbol.call(self, takes, [self.compute_output_shape(x.shape)])

    def forward(self, values: Sequence[Value]) -> list[Value]:
        """Compute all that the layer gives, for inference.

        Parameters
        ----------
        values : sequence of Value
            What the layer takes; here one.

        Returns
        -------
        list of Value
            What it gives; here one.
        """
        [(x, mask)] = values
        mask_after = self.compute_mask(x, mask)
        y = self.call(x) if mask is None else self.call_masked(x, mask)
        return [Value(y, mask_after)]

    def forward_vjp(
        self, values: Sequence[Value], wrt: Sequence[bool]
    ) -> tuple[list[Value], ValuesPullback]:
        """Compute all that the layer gives, for training, and the pullback of gradients.

        Parameters
        ----------
        values : sequence of Value
            As for `forward`.
        wrt : sequence of bool
            For each, whether its gradient will be used.

        Returns
        -------
        results : list of Value
            As from `forward`.
        pullback : callable
            From the gradient of each result, None for zero, to that of each value, or None, and
            a list of dL/dp for each p of `trainable_parameters`.
        """
        [(x, mask)], [wrt_input] = values, wrt
        mask_after = self.compute_mask(x, mask)
        if mask is None:
            y, pull = self.vjp(x, wrt_input=wrt_input)
        else:
            y, pull = self.vjp_masked(x, mask, wrt_input=wrt_input)

        def pullback(
            dresults: Sequence[Array | None],
        ) -> tuple[Sequence[Array | None], list[Array]]:
            [dy] = dresults
            assert dy is not None  # what gives one array is only asked for its gradient
            dx, gradients = pull(dy)
            # A layer that a user has written may give them though it is frozen.
            return [dx], gradients if self.trainable_parameters else []

        return [Value(y, mask_after)], pullback

    def without_activation(self) -> tuple[Layer, Activation] | None:
        """Split off what the layer does last, element by element or row by row.

        Returns
        -------
        layer : Layer
            The same layer, with the same weights, up to there.
        activation : Activation
            The rest; together None for a layer that ends otherwise.
        """
        return None

    @property
    def gives_one_array(self) -> bool:
        """Whether a call gives one array, as a chain of layers needs it."""
        return True

    def __repr__(self) -> str:
        """Name the layer and say whether it has its weights."""
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _as_mask(x: Array, mask: ArrayLike) -> Mask:
    """Return a mask of the first axes of `x`."""
    axes = np.ndim(mask)
    if not 0 < axes <= x.ndim:
        raise ValueError(f"mask must have 1 to {x.ndim} axes, those x begins with, got {axes}")
    return booleans("mask", mask, "that of the first axes of x", x.shape[:axes])


def _as_float_dtype(dtype: DTypeLike | None) -> np.dtype[Any]:
    try:
        resolved = np.dtype(np.float32 if dtype is None else dtype)
    except TypeError:
        resolved = np.dtype(object)
    if resolved not in (np.dtype(np.float32), np.dtype(np.float64)):
        low = isinstance(dtype, str) and dtype.endswith("bfloat16")
        hint = "; pass precision='bfloat16' to recurrent layers" if low else ""
        raise ValueError(f"dtype must be 'float32' or 'float64', got {dtype!r}{hint}")
    return resolved


def require_features(layer: Layer, input_shape: Shape, built_for: int | None) -> int:
    """Return the length of the last axis, or raise ValueError when it is unknown or has changed."""
    features = input_shape[-1]
    if features is None:
        raise ValueError(
            f"the last axis of the input of layer {layer.name!r} must be known, got {input_shape}"
        )
    if built_for is not None and features != built_for:
        raise ValueError(
            f"layer {layer.name!r} was built for inputs with {built_for} features, "
            f"got input shape {input_shape}"
        )
    return features
