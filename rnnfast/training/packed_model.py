"""A trained model as it is served: packed once, immutable, for whole sequences and single steps.

y = packed(x)                          as model.predict(x)
y_t, state = packed.step(x_t, state)   what predict gives, for the steps so far, at the last one
y_t = packed.session().step(x_t)       the same, where a session keeps the state
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from rnnfast.layers.layer import Array, Layer, Shape
from rnnfast.layers.value import Value
from rnnfast.training.graph import Graph
from rnnfast.training.model_session import ModelSession, State
from rnnfast.utils.numbers import as_numbers


class Servable(Protocol):
    """What is asked of a model: see `rnnfast.training.model.Model`."""

    name: str

    @property
    def built(self) -> bool:
        """Whether it has weights."""

    @property
    def graph(self) -> Graph:
        """Its layers."""

    @property
    def input_names(self) -> list[str]:
        """Names of its inputs."""

    @property
    def input_shape(self) -> Any:
        """Shape of the input, or a list of them."""


class PackedModel:
    """A model whose weights are packed; what `Model.prepack` returns.

    Parameters
    ----------
    model : Sequential or Model
        With weights, which are copied.

    Attributes
    ----------
    name : str
        That of the model.
    layers : list of Layer
        The copied layers, whose weights are read-only.

    Raises
    ------
    ValueError
        When the model has no weights yet.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnfast import Sequential, layers
    >>> model = Sequential([layers.Input((None, 3)), layers.GRU(8), layers.Dense(2)])
    >>> packed = model.prepack()
    >>> packed(np.ones((4, 10, 3))).shape
    (4, 2)
    >>> state = None
    >>> for x_t in np.ones((10, 4, 3), np.float32):
    ...     y_t, state = packed.step(x_t, state)
    >>> y_t.shape
    (4, 2)
    """

    def __init__(self, model: Servable) -> None:
        if not model.built:
            raise ValueError(
                f"model {model.name!r} has no weights yet: build it, or fit it, before prepack"
            )
        self.name = model.name
        self._graph: Graph = copy.deepcopy(model.graph)
        self._input_names = model.input_names
        shapes: Any = model.input_shape
        self._shapes: list[Shape] = [shapes] if isinstance(shapes, tuple) else shapes
        self._pack()

    def _pack(self) -> None:
        for layer in self._graph.layers:
            layer.pack()
        self._shapes_of_step: list[Shape] = [(shape[0], *shape[2:]) for shape in self._shapes]
        steps = self._graph.steps
        self._takers = [
            next(step.layer for step in steps if number in step.takes)
            for number in range(self._graph.inputs)
        ]

    @property
    def layers(self) -> list[Layer]:
        """The copied layers, whose weights are read-only."""
        return list(self._graph.layers)

    def __call__(self, x: Any) -> Any:
        """Compute the outputs for one batch, without splitting it.

        Parameters
        ----------
        x : array_like
            Inputs, samples along the first axis; of several inputs a list or a dict.

        Returns
        -------
        ndarray or list of ndarray
            Outputs, samples along the first axis. Stateful layers begin with zeros.

        Raises
        ------
        ValueError, TypeError
            When the inputs do not fit the model.
        """
        values = self._values("x", x, self._shapes)
        return _one_or_all(self._graph.call(values))

    def step(self, x_t: Any, state: State | None = None) -> tuple[Any, State]:
        """Take one step of B sequences: the streaming form.

        Parameters
        ----------
        x_t : array_like, shape (B, ...)
            The inputs of this step, without the axis of time: (B, I), or (B,) of indices.
        state : tuple, optional
            What the step before has returned; None before the first.

        Returns
        -------
        y_t : ndarray or list of ndarray, shape (B, ...)
            What the model gives for the steps so far; where it gives sequences, their last step.
        state : tuple
            For the step after, in fresh arrays.

        Raises
        ------
        ValueError
            When a layer needs whole sequences, as `Bidirectional` does, or a shape does not fit.
        TypeError
            When `x_t` is not an array of numbers, or `state` is not what a step has returned.
        """
        steps = self._graph.steps
        if state is not None and (type(state) is not tuple or len(state) != len(steps)):
            raise TypeError(
                f"state must be None or what the step before has returned, a tuple of "
                f"{len(steps)}, got {type(state).__name__}"
            )
        before = [None] * len(steps) if state is None else state
        values = dict(enumerate(self._values("x_t", x_t, self._shapes_of_step)))
        after = []
        for (layer, takes, gives, _), own in zip(steps, before, strict=True):
            results, own = layer.forward_step([values[number] for number in takes], own)
            values.update(zip(gives, results, strict=True))
            after.append(own)
        return _one_or_all([values[number] for number in self._graph.outputs]), tuple(after)

    def session(self) -> ModelSession:
        """Begin a stream, which keeps the state from step to step.

        Returns
        -------
        ModelSession
            With `step`, `state` and `reset`.

        Examples
        --------
        >>> import numpy as np
        >>> from rnnfast import Sequential, layers
        >>> model = Sequential([layers.Input((None, 3)), layers.LSTM(8), layers.Dense(2)])
        >>> session = model.prepack().session()
        >>> for x_t in np.ones((10, 1, 3)):
        ...     y_t = session.step(x_t)
        >>> y_t.shape
        (1, 2)
        """
        return ModelSession(self)

    def _values(self, name: str, given: Any, shapes: Sequence[Shape]) -> list[Value]:
        """Return inputs as the graph takes them."""
        if len(shapes) == 1 and not isinstance(given, Mapping):
            listed = [given]
        else:
            listed = self._listed(name, given)
        values = []
        for one, shape, taker in zip(listed, shapes, self._takers, strict=True):
            array = as_numbers(name, one)
            if taker.input_dtype.kind == "i":  # of indices no axis is one of features
                shape = (None,) * len(shape)
            _require_fits(name, array, shape)
            values.append(Value(taker.convert_input(array)))
        return values

    def _listed(self, name: str, given: Any) -> list[Any]:
        names = self._input_names
        if isinstance(given, Mapping) and given.keys() == set(names):
            return [given[one] for one in names]
        if isinstance(given, (list, tuple)) and len(given) == len(names):
            return list(given)
        raise ValueError(f"{name} must be a list of {len(names)} arrays or a dict of {names}")

    def __repr__(self) -> str:
        """Name the model and its layers."""
        return f"<PackedModel name={self.name}, layers={[one.name for one in self.layers]}>"

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Restore, and make weights read-only once more, which pickle forgets."""
        vars(self).update(state)
        self._pack()


def _require_fits(name: str, array: Array, shape: Shape) -> None:
    """Raise unless there are as many axes, and features; how many steps is for layers to say."""
    features = shape[-1]
    if array.ndim == len(shape) and (features is None or array.shape[-1] == features):
        return
    wanted = ", ".join(["any"] * (len(shape) - 1) + [str(features or "any")])
    raise ValueError(f"{name} must have shape ({wanted}), got {array.shape}")


def _one_or_all(outputs: Sequence[Value]) -> Any:
    arrays = [output.array for output in outputs]
    return arrays[0] if len(arrays) == 1 else arrays
