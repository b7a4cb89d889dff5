"""Convolutional long short-term memory (Shi et al., 2015), without peepholes, as in Keras.

i, f, o = sigmoid(x_t * W + h_{t-1} * U + b)     c~ = tanh(x_t * W + h_{t-1} * U + b)
c_t = f c_{t-1} + i c~                           h_t = o tanh(c_t)               * convolves

Each place of an image is to the kernels a row of an ordinary LSTM; see `conv_lstm_grid`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from rnnfast import initializers, regularizers
from rnnfast._check.options import flag, rate
from rnnfast._check.precision import Precision
from rnnfast.functional import Prepacked
from rnnfast.layers.cell_layer import own_copy
from rnnfast.layers.conv_lstm_grid import Grid
from rnnfast.layers.convolution_arguments import padding_mode, pair
from rnnfast.layers.dropout import draw_mask
from rnnfast.layers.kernel_activations import of_keras
from rnnfast.layers.layer import Array, Mask, Shape
from rnnfast.layers.lstm import remembering
from rnnfast.layers.missing_axis import meant_by
from rnnfast.layers.patches import Axis
from rnnfast.layers.recurrent_layer import States
from rnnfast.layers.unidirectional import Scanned, ScanPullback, Unidirectional
from rnnfast.utils.hyperparameters import require_positive, share
from rnnfast.utils.options import require_channels_last
from rnnfast.utils.random_seed import make_generator

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnfast.layers.options import ConvLSTMOptions


Image = tuple[int, int, int]  # rows, columns, channels


class ConvLSTM2D(Unidirectional):
    """Convolutional LSTM over sequences of images: `keras.layers.ConvLSTM2D`.

    Parameters
    ----------
    filters : int
        Number of hidden units at each place, H.
    kernel_size : int or (int, int)
        Rows and columns of both kernels.
    strides : int or (int, int), default 1
        Of the convolution of the input.
    padding : {"valid", "same"}, default "valid"
        Whether the input is convolved within its edges, or with zeros around it. The states
        always have zeros around them.
    data_format : {None, "channels_last"}
        The one there is.
    dilation_rate : int or (int, int), default 1
        Of the convolution of the input; not beside strides.
    activation : str or None, default "tanh"
        Of candidate and cell state, one of those that `LSTM` has.
    recurrent_activation : str or None, default "sigmoid"
        Of the gates, likewise.
    use_bias : bool, default True
        Whether a bias is added.
    kernel_initializer : str or Initializer, default "glorot_uniform"
        Of the kernel.
    recurrent_initializer : str or Initializer, default "orthogonal"
        Of the recurrent kernel.
    bias_initializer : str or Initializer, default "zeros"
        Of the bias.
    unit_forget_bias : bool, default True
        Whether the bias of the forget gate starts at 1 instead (Jozefowicz et al., 2015).
    kernel_regularizer, recurrent_regularizer, bias_regularizer : str or Regularizer, optional
        What each of them adds to the loss, see `rnnfast.regularizers`; nothing by default.
    return_sequences : bool, default False
        Whether the result is all states (batch, time, rows', columns', H) or the last one.
    return_state : bool, default False
        Whether the layer, when it is called, gives (y, h, c) instead of y.
    go_backwards, stateful, zero_output_for_mask : bool, default False
        As for `LSTM`.
    dropout : float, default 0.0
        Fraction of the inputs to drop while training: one mask a sequence, for all its steps and
        all gates. Keras has a mask of its own for each gate.
    recurrent_dropout : float, default 0.0
        The same for h where it meets the recurrent kernel.
    seed : int, optional
        Of the masks; by default from `rnnfast.utils.set_random_seed`'s sequence.
    name, dtype, **options
        As for every layer.

    Raises
    ------
    ValueError
        When an argument is none of these.
    TypeError
        When a flag is not True or False, `dropout` not a number, or `seed` not an integer.
    NotImplementedError
        For another `data_format`, or a Keras argument that is not offered yet.

    Notes
    -----
    Weights: kernel (*kernel_size, channels, 4*H), recurrent_kernel (*kernel_size, H, 4*H), bias
    (4*H,), gates in the order i, f, c, o. Input (batch, time, rows, columns, channels), states
    (batch, rows', columns', H).
    """

    not_yet: ClassVar[Mapping[str, object]] = {
        **Unidirectional.not_yet,
        "kernel_constraint": None,
        "recurrent_constraint": None,
        "bias_constraint": None,
        "unroll": False,
    }

    _rng: np.random.Generator

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: str | None = "tanh",
        recurrent_activation: str | None = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: object = "glorot_uniform",
        recurrent_initializer: object = "orthogonal",
        bias_initializer: object = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: object = None,
        recurrent_regularizer: object = None,
        bias_regularizer: object = None,
        *,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        zero_output_for_mask: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **options: Unpack[ConvLSTMOptions],
    ) -> None:
        super().__init__(
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            zero_output_for_mask=zero_output_for_mask,
            name=name,
            dtype=dtype,
            **options,
        )
        self.filters = require_positive("filters", filters)
        self.kernel_size = pair("kernel_size", kernel_size)
        self.strides = pair("strides", strides)
        self.padding = padding_mode(padding)
        self.data_format = require_channels_last("ConvLSTM2D", data_format)
        self.dilation_rate = pair("dilation_rate", dilation_rate)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"strides and dilation_rate do not go together, got strides={strides} and "
                f"dilation_rate={dilation_rate}: leave one of them at 1"
            )
        candidate = of_keras("activation", activation)
        recurrent = of_keras("recurrent_activation", recurrent_activation)
        self._activations = (recurrent, candidate, candidate)
        self.activation = activation
        self.recurrent_activation = recurrent_activation
        self.use_bias = flag("use_bias", use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.unit_forget_bias = flag("unit_forget_bias", unit_forget_bias)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.dropout = share("dropout", dropout)
        self.recurrent_dropout = rate("recurrent_dropout", recurrent_dropout)
        self.seed = seed
        self._rng = make_generator(seed)
        self._image: Image | None = None  # that the layer was built for
        self._grid: Grid | None = None
        self._packed: Prepacked[Any, Any] | None = None

    # ---------------------------------------------------------------- shapes and weights

    def _check_input_shape(self, input_shape: Shape) -> None:
        """Raise ValueError unless the input is (batch, time, rows, columns, channels)."""
        image = self._image_of(input_shape)
        if self.built and image != self._image:
            raise ValueError(
                f"layer {self.name!r} was built for images {self._image}, "
                f"got input shape {input_shape}"
            )

    def _image_of(self, input_shape: Shape) -> Image:
        """Return the shape of an image, large enough for the kernel."""
        wanted = "(batch, time, rows, columns, channels)"
        if len(input_shape) != 5:
            raise ValueError(
                f"the input of layer {self.name!r} must be {wanted}, got shape {input_shape}; "
                f"a recurrent layer before this one needs return_sequences=True"
                + meant_by(input_shape, (None, None, *(self._image or (None, None, None))))
            )
        rows, columns, channels = input_shape[2:]
        if rows is None or columns is None or channels is None:
            raise ValueError(
                f"the input of layer {self.name!r} must be {wanted} with images of a known shape, "
                f"got {input_shape}"
            )
        image = (rows, columns, channels)
        if min(axis.places for axis in self._axes(image)) < 1:
            raise ValueError(
                f"the images of layer {self.name!r} must be as large as what its kernel sees, "
                f"kernel_size={self.kernel_size} with dilation_rate={self.dilation_rate}, got "
                f"{image}; padding='same' puts zeros around them"
            )
        return image

    def _axes(self, image: Image) -> tuple[Axis, Axis]:
        """Give rows and columns of the convolution of the input."""
        told = zip(image[:2], self.kernel_size, self.strides, self.dilation_rate, strict=True)
        rows, columns = (Axis(*numbers, self.padding) for numbers in told)
        return rows, columns

    @property
    def state_sizes(self) -> list[int]:
        """Units of h and c at each place."""
        return [self.filters, self.filters]

    @property
    def state_shapes(self) -> list[tuple[int, ...]]:
        """Shape of each state, (rows', columns', H)."""
        return [self._built_grid.state_shape] * 2

    @property
    def _built_grid(self) -> Grid:
        if self._grid is None:
            raise ValueError(f"layer {self.name!r} is not built yet, call build(input_shape)")
        return self._grid

    def compute_output_shape(self, input_shape: Shape) -> Any:
        """Give the shape of the result.

        Parameters
        ----------
        input_shape : tuple
            (batch, time, rows, columns, channels).

        Returns
        -------
        tuple
            (batch, time, rows', columns', H) or (batch, rows', columns', H); with `return_state`
            a tuple of that and the shapes of h and c.
        """
        self._check_input_shape(input_shape)
        places = [axis.places for axis in self._axes(self._image_of(input_shape))]
        state = (input_shape[0], *places, self.filters)
        shape = (*input_shape[:2], *state[1:]) if self.return_sequences else state
        return (shape, state, state) if self.return_state else shape

    def twin(self, name: str, *, go_backwards: bool) -> ConvLSTM2D:
        """Make a layer of the same arguments that has no weights yet; see `Unidirectional.twin`."""
        layer = super().twin(name, go_backwards=go_backwards)
        layer.kernel_initializer = own_copy(self.kernel_initializer)
        layer.recurrent_initializer = own_copy(self.recurrent_initializer)
        layer.bias_initializer = own_copy(self.bias_initializer)
        return layer

    def _create_weights(self, input_shape: Shape) -> None:
        self._image = self._image_of(input_shape)
        channels = self._image[2]
        self._grid = Grid(self._axes(self._image), channels, self.filters)
        gates = 4 * self.filters
        self.add_weight(
            "kernel",
            (*self.kernel_size, channels, gates),
            self.kernel_initializer,
            self.kernel_regularizer,
        )
        self.add_weight(
            "recurrent_kernel",
            (*self.kernel_size, self.filters, gates),
            self.recurrent_initializer,
            self.recurrent_regularizer,
        )
        if self.use_bias:
            self.add_weight("bias", (gates,), self._initial_bias, self.bias_regularizer)

    def _initial_bias(self, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        if not self.unit_forget_bias:
            return self.bias_initializer(shape, dtype)
        return remembering(self.bias_initializer, self.filters, dtype)

    # ------------------------------------------------------------------------ computation

    def compute_mask(self, x: Array, mask: Mask | None = None) -> Mask | None:
        """Give the mask of the steps where all come out, else None; see `Layer.compute_mask`.

        Raises
        ------
        ValueError
            When a mask is one of places, as `Masking` gives it: steps can be left out, places not.
        """
        if mask is not None and mask.ndim > x.ndim - 3:
            raise ValueError(
                f"mask of layer {self.name!r} must be of steps, (batch, time), got shape "
                f"{mask.shape}; a Masking before this layer masks places, call the layer with mask="
            )
        return super().compute_mask(x, mask)

    def pack(self, precision: Precision | None = None) -> None:
        """Pack the layer, and its weights for the kernels; see `Layer.pack`."""
        super().pack(precision)
        self._packed = self._built_grid.pack(self.parameters, self._activations, precision)

    def _step(self, x: Array, before: States | None) -> States:
        _, after = self._scan(x[None], None, before)
        return after

    def _scan(self, x: Array, lengths: Array | None, states: States | None) -> Scanned:
        grid = self._built_grid
        cell = self._packed or grid.pack(self.parameters, self._activations)
        return grid.run(cell, x, states, lengths, backwards=self.go_backwards)

    def _scan_vjp(
        self,
        x: Array,
        lengths: Array | None,
        states: States | None,
        *,
        wrt_input: bool,
        wrt_states: bool,
    ) -> tuple[Scanned, ScanPullback]:
        grid = self._built_grid
        mask = self._draw(self.dropout, x.shape[1:])
        scanned, pull = grid.run_vjp(
            self.parameters,
            self._activations,
            x if mask is None else x * mask,
            states,
            lengths,
            self._draw(self.recurrent_dropout, (x.shape[1], *grid.state_shape)),
            backwards=self.go_backwards,
            wrt_input=wrt_input,
            wrt_weights=self.trainable,
        )

        def pullback(
            dy: Array | None, dstates: Sequence[Array | None]
        ) -> tuple[Array | None, list[Array], list[Array] | None]:
            dx, gradients, before = pull(dy, dstates)
            if dx is not None and mask is not None:
                dx *= mask
            return dx, gradients, before if wrt_states else None

        return scanned, pullback

    def _draw(self, rate: float, shape: tuple[int, ...]) -> Array | None:
        """Draw what is kept, the same at all steps; None is all."""
        return draw_mask(self._rng, rate, shape, self.dtype) if rate else None
