"""Model: layers connected in any way that leads from inputs to outputs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rnnfast.layers.input import Input
from rnnfast.layers.layer import Array, Layer, Shape
from rnnfast.layers.serialization import deserialize, serialize
from rnnfast.layers.symbol import Symbol
from rnnfast.training import graph as graphs
from rnnfast.training import model as training
from rnnfast.training.graph import Graph
from rnnfast.utils.naming import auto_name, check_name

Symbols = Symbol | Sequence[Symbol] | Mapping[str, Symbol]


class Model(training.Model):
    """A model of layers in a graph: `keras.Model(inputs, outputs)`.

    Layers are called on an `Input`, or on what other layers give; the model follows its outputs
    back to its inputs. A layer that is called twice has one set of weights.

    Parameters
    ----------
    inputs : Input, list of Input or dict of Input
        What data are given for, in this order or by these names.
    outputs : Symbol, list of Symbol or dict of Symbol
        What layers have given. Of a dict, the keys are the names of the outputs.
    name : str, optional
        By default model, model_1, ...

    Raises
    ------
    TypeError
        When inputs are no `Input`, or outputs are not what layers have given.
    ValueError
        When outputs depend on other inputs, or an input on none of them, layers have equal names
        or different dtypes.

    Examples
    --------
    >>> from rnnfast import Model, layers
    >>> x = layers.Input((None, 8), name="x")
    >>> y, h, c = layers.LSTM(16, return_sequences=True, return_state=True)(x)
    >>> again = layers.LSTM(16)(y, initial_state=[h, c])
    >>> model = Model(x, layers.Dense(1)(again))
    >>> model.count_params()
    3761
    """

    def __init__(self, inputs: Symbols, outputs: Symbols, name: str | None = None) -> None:
        super().__init__(auto_name(self) if name is None else check_name(name))
        self._inputs = _as_inputs(inputs)
        self._input_names = (
            list(inputs) if isinstance(inputs, Mapping) else [one.name for one in self._inputs]
        )
        _require_unique("inputs", self._input_names)
        found = _listed(outputs)
        if not found:
            raise ValueError("outputs must be one at least, got none")
        for symbol in found:
            if not isinstance(symbol, Symbol) or symbol.origin is None:
                raise TypeError(
                    f"outputs must be what layers have given for an Input, got {symbol!r}"
                )
        self._graph = graphs.between(self._inputs, found)
        self._outputs = found
        self._output_names = list(outputs) if isinstance(outputs, Mapping) else _names_of(found)
        for name in (*self._input_names, *self._output_names):
            check_name(name)
        _require_consistent(self.layers)
        self._takers = [self._taker(k) for k in range(len(self._inputs))]

    def _taker(self, number: int) -> Layer:
        """Return a layer that takes an input, in the dtype in which all take it."""
        takers = [step.layer for step in self._graph.steps if number in step.takes]
        name = self._input_names[number]
        if not takers:
            raise ValueError(f"input {name!r} leads to no output")
        dtypes = {layer.input_dtype for layer in takers}
        if len(dtypes) > 1:
            raise ValueError(
                f"all layers that take input {name!r} must take one dtype, got "
                f"{' and '.join(f'{one.name!r} with {one.input_dtype}' for one in takers)}; give "
                f"each an Input of its own"
            )
        return takers[0]

    @property
    def layers(self) -> list[Layer]:
        """The layers, each once, in an order in which each comes after those it takes from."""
        return list(self._graph.layers)

    @property
    def graph(self) -> Graph:
        """How the layers are connected."""
        return self._graph

    @property
    def inputs(self) -> list[Input]:
        """The inputs, in order."""
        return list(self._inputs)

    @property
    def outputs(self) -> list[Symbol]:
        """The symbols that come out, in order."""
        return list(self._outputs)

    @property
    def input_names(self) -> list[str]:
        """Names of the inputs, in order."""
        return list(self._input_names)

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs, in order: those of the layers that give them."""
        return list(self._output_names)

    @property
    def input_shape(self) -> Shape | list[Shape]:
        """Shape of the input with the batch axis, or a list of them."""
        shapes = [one.batch_shape for one in self._inputs]
        return shapes[0] if len(shapes) == 1 else shapes

    @property
    def output_shape(self) -> Shape | list[Shape]:
        """Shape of the output with the batch axis, or a list of them."""
        shapes = [one.shape for one in self._outputs]
        return shapes[0] if len(shapes) == 1 else shapes

    @property
    def input_converters(self) -> list[Callable[[Array], Array]]:
        """What brings each input into the dtype that its layers take."""
        return [layer.convert_input for layer in self._takers]

    def build_for(self, shapes: Sequence[Shape]) -> None:
        """Check that inputs of these shapes fit; the layers were built when they were called.

        Parameters
        ----------
        shapes : sequence of tuple
            Of each input, with the batch axis.

        Raises
        ------
        ValueError
            When one does not fit its `Input`.
        """
        for name, one, shape in zip(self._input_names, self._inputs, shapes, strict=True):
            one.check_shape(shape, "x" if len(shapes) == 1 else f"x[{name!r}]")

    def _output_shapes(self) -> list[Shape | None]:
        shapes: dict[int, Any] = {}
        for call in graphs.calls(self._inputs, self._outputs):
            shapes.setdefault(id(call.layer), call.gives[0].shape)
        return [shapes[id(layer)] for layer in self.layers]

    # -------------------------------------------------------------------------- configuration

    def get_config(self) -> dict[str, Any]:
        """Return what makes an equal model, without its weights, as JSON can hold it."""
        layers = self.layers
        places = {id(layer): k for k, layer in enumerate(layers)}
        return {
            "name": self.name,
            "inputs": [one.get_config() for one in self._inputs],
            "layers": [serialize(layer) for layer in layers],
            # Of each call: the layer, the numbers of what it takes, and what else it is told;
            # results are numbered on.
            "calls": [
                [places[id(step.layer)], list(step.takes), dict(step.options)]
                for step in self._graph.steps
            ],
            "outputs": list(self._graph.outputs),
            "input_names": self.input_names,
            "output_names": self.output_names,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Model:
        """Make a model from what `get_config` returned.

        Raises
        ------
        ValueError, TypeError
            When it is no such configuration.
        """
        inputs = [Input.from_config(one) for one in config["inputs"]]
        layers = [deserialize(one) for one in config["layers"]]
        symbols: list[Symbol] = list(inputs)
        for place, takes, options in config["calls"]:
            symbols += layers[place].call_symbols([symbols[number] for number in takes], **options)
        outputs = [symbols[number] for number in config["outputs"]]
        return cls(
            dict(zip(config["input_names"], inputs, strict=True)),
            dict(zip(config["output_names"], outputs, strict=True)),
            name=config["name"],
        )


def _listed(symbols: Any) -> list[Any]:
    if isinstance(symbols, Mapping):
        return list(symbols.values())
    return list(symbols) if isinstance(symbols, (list, tuple)) else [symbols]


def _as_inputs(inputs: Any) -> list[Input]:
    listed = _listed(inputs)
    for one in listed:
        if not isinstance(one, Input):
            raise TypeError(f"inputs must be made by Input(shape), got {one!r}")
    if not listed or len({id(one) for one in listed}) < len(listed):
        raise ValueError("inputs must be one at least, each once")
    return listed


def _names_of(symbols: Sequence[Symbol]) -> list[str]:
    """Return the names of the layers that give symbols, numbered where one gives several."""
    names: list[str] = []
    for symbol in symbols:
        assert symbol.origin is not None
        name = symbol.origin.layer.name
        candidates = itertools.chain([name], (f"{name}_{k}" for k in itertools.count(1)))
        names.append(next(one for one in candidates if one not in names))
    return names


def _require_unique(what: str, names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(
                f"{what} must have names of their own, {name!r} is there twice; pass another name="
            )


def _require_consistent(layers: Sequence[Layer]) -> None:
    names = [layer.name for layer in layers]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(
                f"the layers of a model must have unique names, {name!r} is there twice; pass "
                f"another name= to the layer"
            )
    dtypes = {str(layer.dtype) for layer in layers}
    if len(dtypes) > 1:
        raise ValueError(
            f"the layers of a model must have one dtype, got {' and '.join(sorted(dtypes))}"
        )
