"""A graph of layers as one function, and its gradient.

    v_r = layer_k(v_s, ...)                       forward, step k by step
    dv_s += pullback_k(dv_r), gradients_k         backward, from the last step to the first

Values have numbers: the inputs come first, then what each step gives. A value that several steps
take has the sum of their gradients, and so has a weight that several steps use. Masks travel with
values, None until a layer makes one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from rnnfast.layers.layer import Array, Layer
from rnnfast.layers.symbol import Call, Symbol
from rnnfast.layers.value import Value, ValuesPullback


class Step(NamedTuple):
    """A layer, the numbers of the values that it takes and gives, and what else it is told."""

    layer: Layer
    takes: tuple[int, ...]
    gives: tuple[int, ...]
    options: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Graph:
    """Steps in an order in which each comes after those it takes from.

    Attributes
    ----------
    inputs : int
        How many; their values come first.
    steps : tuple of Step
        The layers' calls.
    outputs : tuple of int
        The values that come out.
    """

    inputs: int
    steps: tuple[Step, ...]
    outputs: tuple[int, ...]

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, each once."""
        return tuple({id(step.layer): step.layer for step in self.steps}.values())

    @property
    def trained(self) -> list[Array]:
        """The weights of the layers that are trained, each once: what `vjp` gives gradients of."""
        return trained_weights(self.layers)

    def giving(self, output: int) -> int | None:
        """Return the place of the step that gives an output; None for an input."""
        number = self.outputs[output]
        return next((k for k, step in enumerate(self.steps) if number in step.gives), None)

    def with_layer(self, place: int, layer: Layer) -> Graph:
        """Return the graph with another layer in a step."""
        steps = list(self.steps)
        steps[place] = steps[place]._replace(layer=layer)
        return replace(self, steps=tuple(steps))

    def call(self, inputs: Sequence[Value]) -> list[Value]:
        """Run the graph, for inference."""
        values = dict(enumerate(inputs))
        for step, done in zip(self.steps, self._last_uses, strict=True):
            results = step.layer.forward([values[number] for number in step.takes], **step.options)
            values |= zip(step.gives, results, strict=True)
            for number in done:
                del values[number]
        return [values[number] for number in self.outputs]

    def vjp(
        self, inputs: Sequence[Value]
    ) -> tuple[list[Value], Callable[[list[Array | None]], list[Array]]]:
        """Run the graph, for training.

        Returns
        -------
        outputs : list of Value
            What comes out.
        pullback : callable
            Takes a list of dL/dy for each output, None for zero, and empties it, so that each is
            freed as soon as it has been used; gives dL/dp for each p of `trained`, in order. To
            be called once.
        """
        values = dict(enumerate(inputs))
        trained: dict[int, Array] = {}
        depends = {number: False for number in values}  # on what is trained
        pulls: list[tuple[Step, list[Array], ValuesPullback] | None] = []
        for step, done in zip(self.steps, self._last_uses, strict=True):
            taken = [values[number] for number in step.takes]
            wrt = [depends[number] for number in step.takes]
            results, pull = step.layer.forward_vjp(taken, wrt, **step.options)
            values |= zip(step.gives, results, strict=True)
            own = step.layer.trainable_parameters
            trained |= {id(weight): weight for weight in own}
            needed = bool(own) or any(wrt)
            depends |= dict.fromkeys(step.gives, needed)
            pulls.append((step, own, pull) if needed else None)
            for number in done:
                del values[number]
        outputs = [values[number] for number in self.outputs]

        def pullback(doutputs: list[Array | None]) -> list[Array]:
            dvalues: dict[int, Array] = {}
            gradients: dict[int, Array] = {}
            for number in self.outputs:
                _add(dvalues, number, doutputs.pop(0))
            while pulls:
                # Popped, so that what a layer saved is freed as soon as it has been used.
                made = pulls.pop()
                if made is None:
                    continue
                step, own, pull = made
                dresults = [dvalues.pop(number, None) for number in step.gives]
                if all(dy is None for dy in dresults):
                    continue
                dtaken, of_step = pull(dresults)
                for number, dx in zip(step.takes, dtaken, strict=True):
                    if depends[number]:
                        _add(dvalues, number, dx)
                for weight, gradient in zip(own, of_step, strict=True):
                    _add(gradients, id(weight), gradient)
            return [
                gradients[key] if key in gradients else np.zeros_like(weight)
                for key, weight in trained.items()
            ]

        return outputs, pullback

    @cached_property
    def _last_uses(self) -> list[list[int]]:
        """For each step the values that nothing needs after it."""
        last: dict[int, int] = {}
        for place, step in enumerate(self.steps):
            last |= dict.fromkeys((*step.takes, *step.gives), place)
        done: list[list[int]] = [[] for _ in self.steps]
        for number, place in last.items():
            if number not in self.outputs:
                done[place].append(number)
        return done


def trained_weights(layers: Sequence[Layer]) -> list[Array]:
    """Return the weights of the layers that are trained, each once."""
    weights = [weight for layer in layers for weight in layer.trainable_parameters]
    return list({id(weight): weight for weight in weights}.values())


def chain(layers: Sequence[Layer]) -> Graph:
    """Return the graph of layers one after another."""
    steps = [Step(layer, (k,), (k + 1,)) for k, layer in enumerate(layers)]
    return Graph(1, tuple(steps), (len(layers),))


def between(inputs: Sequence[Symbol], outputs: Sequence[Symbol]) -> Graph:
    """Return the graph that leads from inputs to outputs.

    Raises
    ------
    ValueError
        When an output depends on other inputs.
    """
    numbers = {id(symbol): k for k, symbol in enumerate(inputs)}
    steps: list[Step] = []
    for call in calls(inputs, outputs):
        gives = tuple(range(len(numbers), len(numbers) + len(call.gives)))
        takes = tuple(numbers[id(symbol)] for symbol in call.takes)
        numbers |= {id(symbol): number for symbol, number in zip(call.gives, gives, strict=True)}
        steps.append(Step(call.layer, takes, gives, call.options))
    return Graph(len(inputs), tuple(steps), tuple(numbers[id(symbol)] for symbol in outputs))


def calls(inputs: Sequence[Symbol], outputs: Sequence[Symbol]) -> list[Call]:
    """Return the calls that outputs need, each after those it takes from."""
    reached = {id(symbol) for symbol in inputs}
    found: list[Call] = []
    waiting = list(reversed(outputs))
    while waiting:  # not by recursion: a graph may be deep
        symbol = waiting[-1]
        if id(symbol) in reached:
            waiting.pop()
            continue
        call = symbol.origin
        if call is None:
            raise ValueError(f"the outputs depend on {symbol!r}, which is none of the inputs")
        missing = [one for one in call.takes if id(one) not in reached]
        if missing:
            waiting.extend(reversed(missing))
        else:
            reached |= {id(one) for one in call.gives}
            found.append(call)
    return found


def _add(sums: dict[int, Array], key: int, term: Array | None) -> None:
    if term is not None:
        sums[key] = sums[key] + term if key in sums else term
