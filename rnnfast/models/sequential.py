"""Sequential: layers one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rnnfast import layers as all_layers
from rnnfast.layers.input import Input
from rnnfast.layers.layer import Array, Layer, Shape
from rnnfast.layers.merge import Merge
from rnnfast.layers.serialization import deserialize, serialize
from rnnfast.training.graph import Graph, chain
from rnnfast.training.model import Model
from rnnfast.training.trainable import require_layers
from rnnfast.utils.foreign import instead
from rnnfast.utils.naming import auto_name


class Sequential(Model):
    """A model of layers one after another: `keras.Sequential`.

    Weights are made when the shape of the input is known: at once when the first element is an
    `Input`, else by `build` or by the first data.

    Parameters
    ----------
    layers : sequence of Layer, optional
        The layers, possibly with an `Input` before them.
    name : str, optional
        By default sequential, sequential_1, ...
    trainable : bool, default True
        Whether the layers are trained; see `Layer.trainable`.

    Raises
    ------
    TypeError
        When an element is no layer.
    ValueError
        When two layers have the same name, or do not fit together.

    Examples
    --------
    >>> from rnnfast import Sequential, layers
    >>> model = Sequential([layers.Input((None, 8)), layers.LSTM(32), layers.Dense(1)])
    >>> model.compile("adam", loss="mse")
    >>> model.count_params()
    5281
    """

    def __init__(
        self,
        layers: Iterable[Layer | Input] | None = None,
        trainable: bool = True,
        name: str | None = None,
    ) -> None:
        super().__init__(auto_name(self) if name is None else name)
        self._input: Input | None = None
        self._layers: list[Layer] = []
        self._input_shape: Shape | None = None
        for layer in layers or ():
            self.add(layer)
        if not trainable:
            self.trainable = False

    # -------------------------------------------------------------------------------- layers

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the `Input`."""
        return list(self._layers)

    def add(self, layer: Layer | Input) -> None:
        """Put a layer on top.

        Parameters
        ----------
        layer : Layer or Input
            An `Input` must come first.

        Raises
        ------
        TypeError
            When it is neither.
        ValueError
            When its name is taken, it does not fit or gives several arrays, or an `Input` comes
            late.
        """
        if isinstance(layer, Input):
            self._set_input(layer)
            return
        given: Any = layer
        if not isinstance(given, Layer):
            whose = instead(given, "rnnfast.layers", all_layers.__all__)
            raise TypeError(f"a Sequential model is made of layers, got {given!r}{whose}")
        if isinstance(layer, Merge):
            raise ValueError(f"{layer.name!r} takes several arrays: connect it in a Model")
        if not layer.gives_one_array:
            raise ValueError(
                f"the layers of a model must give one array each, {layer.name!r} gives several: "
                f"leave out return_state and merge_mode=None, or call the layer by itself"
            )
        if any(layer.name == other.name for other in self._layers):
            raise ValueError(
                f"the layers of a model must have unique names, {layer.name!r} is taken; "
                f"pass another name= to the layer"
            )
        if self._layers and layer.dtype != self._layers[0].dtype:
            raise ValueError(
                f"the layers of a model must have one dtype, {self._layers[0].name!r} has "
                f"{self._layers[0].dtype}, got {layer.name!r} with {layer.dtype}"
            )
        if self._layers and layer.input_dtype.kind != "f":
            raise ValueError(
                f"{layer.name!r} takes {layer.input_dtype.name}, which no layer gives: it must be "
                f"the first"
            )
        if not self._layers:
            if self._input is None and layer.batch_input_shape is not None:
                self._set_input(Input(batch_shape=layer.batch_input_shape))
            if self._input is not None:
                self._input.check_dtype(layer)
        if self._input_shape is not None:
            layer.build(self.output_shape)
        self._layers.append(layer)

    def _set_input(self, layer: Input) -> None:
        if self._input is not None or self._layers:
            raise ValueError("Input must be the first element of a Sequential model, and the only")
        self._input = layer
        self._input_shape = layer.batch_shape

    def pop(self) -> Layer:
        """Take the last layer off.

        Returns
        -------
        Layer
            That layer.

        Raises
        ------
        ValueError
            When there is none.
        """
        require_layers(self)
        return self._layers.pop()

    # --------------------------------------------------------------------------------- build

    @property
    def input_shape(self) -> Shape:
        """Shape of the input with the batch axis, None for lengths that may vary."""
        if self._input_shape is None:
            raise AttributeError(f"model {self.name!r} has no input shape yet; call build")
        return self._input_shape

    @property
    def output_shape(self) -> Shape:
        """Shape of the output with the batch axis, None for lengths that may vary."""
        return self.compute_output_shape(self.input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Give the shape of the output.

        Parameters
        ----------
        input_shape : tuple
            Of the input, with the batch axis; None for lengths that may vary.

        Returns
        -------
        tuple
            Of the output, likewise.
        """
        for layer in self._layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the weights.

        Parameters
        ----------
        input_shape : sequence
            With the batch axis; None for lengths that may vary.

        Raises
        ------
        ValueError
            When it is not that of the `Input`, there are no layers, or they do not fit.
        """
        shape = tuple(input_shape)
        if self._input is not None and shape != self._input.batch_shape:
            raise ValueError(
                f"input_shape must be that of the model's Input, {self._input.batch_shape}, "
                f"got {shape}"
            )
        require_layers(self)
        reached = shape
        for layer in self._layers:
            layer.build(reached)
            reached = layer.compute_output_shape(reached)
        self._input_shape = shape

    def build_for(self, shapes: Sequence[Shape]) -> None:
        """Build the model for data if it is not built, and check that they fit.

        Parameters
        ----------
        shapes : sequence of tuple
            Of the one input, with the batch axis.

        Raises
        ------
        ValueError
            When they do not fit the `Input` or a layer.
        """
        [shape] = shapes
        if self._input_shape is None:
            self.build((None, *shape[1:]))
        if self._input is not None:
            self._input.check_shape(shape)
        for layer in self._layers:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)

    # ----------------------------------------------------------------------------- as a graph

    @property
    def graph(self) -> Graph:
        """The layers, each taking what the one before gives."""
        return chain(self._layers)

    @property
    def input_names(self) -> list[str]:
        """Name of the input."""
        return ["input" if self._input is None else self._input.name]

    @property
    def output_names(self) -> list[str]:
        """Name of the last layer."""
        return [require_layers(self)[-1].name]

    @property
    def input_converters(self) -> list[Callable[[Array], Array]]:
        """What brings the input into the dtype that the first layer takes."""
        return [require_layers(self)[0].convert_input]

    def _output_shapes(self) -> list[Shape | None]:
        shape, shapes = self._input_shape, list[Shape | None]()
        for layer in self._layers:
            shape = None if shape is None else layer.compute_output_shape(shape)
            shapes.append(shape if layer.built else None)
        return shapes

    # -------------------------------------------------------------------------- configuration

    def get_config(self) -> dict[str, Any]:
        """Return what makes an equal model, without its weights, as JSON can hold it."""
        return {
            "name": self.name,
            "input": None if self._input is None else self._input.get_config(),
            "input_shape": None if self._input_shape is None else list(self._input_shape),
            "layers": [serialize(layer) for layer in self._layers],
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Sequential:
        """Make a model, built if it was, from what `get_config` returned.

        Raises
        ------
        ValueError, TypeError
            When it is no such configuration.
        """
        first = [] if config["input"] is None else [Input.from_config(config["input"])]
        model = cls([*first, *map(deserialize, config["layers"])], name=config["name"])
        if config["input_shape"] is not None:
            model.build(config["input_shape"])
        return model
