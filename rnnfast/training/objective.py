"""The loss of a model, as training minimises and evaluation reports it.

L = sum over the outputs of weight * loss(y, output) + the penalties of weights

Where the last layer of an output has softmax (sigmoid) and the loss is the cross-entropy of its
probabilities, the two are taken together from the logits: exact where probabilities underflow,
and without the division by them that the chain rule would bring.

Where an output is masked, its loss is that of what remains, as in Keras: losses take masks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rnnfast.layers.activations import Activation
from rnnfast.layers.layer import Array
from rnnfast.layers.value import Value
from rnnfast.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Loss,
    SparseCategoricalCrossentropy,
)
from rnnfast.losses.cross_entropy import CrossEntropy
from rnnfast.training.graph import Graph
from rnnfast.training.samples import Batch

_CROSS_ENTROPIES: dict[str, tuple[type[CrossEntropy], ...]] = {
    "softmax": (CategoricalCrossentropy, SparseCategoricalCrossentropy),
    "sigmoid": (BinaryCrossentropy,),
}


class Target(NamedTuple):
    """What an output is to become: its loss, None for nothing, and the weight of that."""

    name: str
    loss: Loss | None
    weight: float = 1.0


class Valued(NamedTuple):
    """The loss of so many samples, and that of each output; a batch of them and the graph's ends.

    The batch is all of the samples, or those among them that this process has seen.
    """

    loss: float
    parts: list[float]
    samples: int
    batch: Batch
    ends: list[Value]


class Objective:
    """Losses over a graph of layers.

    Parameters
    ----------
    graph : Graph
        The model, built.
    targets : sequence of Target
        One for each output.

    Raises
    ------
    ValueError
        When a loss is not one number.
    """

    def __init__(self, graph: Graph, targets: Sequence[Target]) -> None:
        for target in targets:
            if target.loss is not None and target.loss.reduction in (None, "none"):
                raise ValueError(
                    f"training needs a loss that is one number, got {target.loss.name!r} with "
                    f"reduction={target.loss.reduction!r}"
                )
        self.targets = list(targets)
        self._graph = graph
        # Of the model, not of the graph below: there a layer may stand beside its own copy without
        # an activation, and would be counted twice.
        self._penalised = [layer for layer in graph.layers if layer.regularizers]
        self._losses = [target.loss for target in targets]
        self._activations: list[Activation | None] = [None] * len(targets)
        for k, loss in enumerate(self._losses):
            place = _own_end(graph, k)
            split = None if place is None else graph.steps[place].layer.without_activation()
            if loss is None or place is None or split is None:
                continue
            layer, activation = split
            if _is_cross_entropy_of(activation.name, loss):
                self._graph = self._graph.with_layer(place, layer)
                self._losses[k] = type(loss).from_config({**loss.get_config(), "from_logits": True})
                self._activations[k] = activation

    def value(self, batch: Batch) -> Valued:
        """Compute the loss of a batch."""
        ends = self._graph.call(batch.inputs)
        parts = [
            0.0 if loss is None else float(loss(y, end.array, weights, end.mask))
            for loss, y, end, weights in zip(
                self._losses, batch.targets, ends, batch.weights, strict=True
            )
        ]
        return Valued(self._total(parts), parts, batch.size, batch, ends)

    def value_and_pullback(self, batch: Batch) -> tuple[Valued, Callable[[], list[Array]]]:
        """Compute the loss, and what gives the gradient of every trained weight."""
        parts, ends, pull = self._of_outputs(batch)

        def pullback() -> list[Array]:
            gradients = pull()
            self._add_penalties(gradients)
            return gradients

        return Valued(self._total(parts), parts, batch.size, batch, ends), pullback

    def predictions(self, output: int, raw: Array) -> Array:
        """Turn rows of an end of the graph into the model's predictions."""
        activation = self._activations[output]
        return raw if activation is None else activation.forward(raw)

    def _of_outputs(
        self, batch: Batch
    ) -> tuple[list[float], list[Value], Callable[[], list[Array]]]:
        """Compute the loss of each output, the ends, and what gives gradients without penalties."""
        ends, pull = self._graph.vjp(batch.inputs)
        parts: list[float] = []
        dends: list[Array | None] = []
        for target, loss, y, end, weights in zip(
            self.targets, self._losses, batch.targets, ends, batch.weights, strict=True
        ):
            part, gradient = 0.0, None
            if loss is not None:
                value, gradient = loss.value_and_grad(y, end.array, weights, end.mask)
                part = float(value)
                if target.weight != 1:
                    gradient *= target.weight
            parts.append(part)
            dends.append(gradient)

        return parts, ends, lambda: pull(dends)

    def _denominators(self, batch: Batch, ends: Sequence[Value]) -> list[float]:
        """Compute what the loss of each output was divided by; 0 where there is none."""
        return [
            0.0 if loss is None else loss.denominator(y, end.array, weights, end.mask)
            for loss, y, end, weights in zip(
                self._losses, batch.targets, ends, batch.weights, strict=True
            )
        ]

    def _total(self, parts: Sequence[float]) -> float:
        total = sum(target.weight * part for target, part in zip(self.targets, parts, strict=True))
        return total + sum(layer.penalty() for layer in self._penalised)

    def _add_penalties(self, gradients: list[Array]) -> None:
        if not self._penalised:
            return
        places = {id(weight): k for k, weight in enumerate(self._graph.trained)}
        for layer in self._penalised:
            penalties = layer.penalty_gradients()
            for weight, penalty in zip(layer.trainable_parameters, penalties, strict=True):
                if penalty is not None:
                    gradients[places[id(weight)]] = gradients[places[id(weight)]] + penalty


def _own_end(graph: Graph, output: int) -> int | None:
    """Return the step that gives an output to nobody else, None where there is no such step."""
    number = graph.outputs[output]
    shared = any(number in step.takes for step in graph.steps)
    return None if shared or graph.outputs.count(number) > 1 else graph.giving(output)


def _is_cross_entropy_of(activation: str, loss: Loss) -> bool:
    classes = _CROSS_ENTROPIES.get(activation, ())
    return isinstance(loss, CrossEntropy) and type(loss) in classes and not loss.from_logits
