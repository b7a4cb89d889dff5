"""The loss of a model, as training minimises and evaluation reports it.

Where the last layer is a Dense with softmax (sigmoid) and the loss the cross-entropy of its
probabilities, the two are taken together from the logits: exact where probabilities underflow,
and without the division by them that the chain rule would bring.

Where the output is masked, the loss is that of what remains, as in Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from rnnfast.layers.dense import Dense
from rnnfast.layers.layer import Array, Layer, Mask, Pullback
from rnnfast.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Loss,
    SparseCategoricalCrossentropy,
)
from rnnfast.losses.cross_entropy import CrossEntropy
from rnnfast.training import chain

_CROSS_ENTROPIES: dict[str, tuple[type[CrossEntropy], ...]] = {
    "softmax": (CategoricalCrossentropy, SparseCategoricalCrossentropy),
    "sigmoid": (BinaryCrossentropy,),
}


class _Logits:
    """A Dense layer without its activation."""

    def __init__(self, dense: Dense) -> None:
        self._dense = dense
        self.call = dense.logits
        self.vjp = dense.logits_vjp

    @property
    def parameters(self) -> list[Array]:
        return self._dense.parameters

    def compute_mask(self, x: Array, mask: Mask | None) -> Mask | None:
        return self._dense.compute_mask(x, mask)

    def call_masked(self, x: Array, mask: Mask) -> Array:
        return self.call(x)

    def vjp_masked(self, x: Array, mask: Mask, *, wrt_input: bool) -> tuple[Array, Pullback]:
        return self.vjp(x, wrt_input=wrt_input)


class Objective:
    """A loss over a chain of layers.

    Parameters
    ----------
    layers : sequence of Layer
        The model.
    loss : Loss
        Of its output.
    """

    def __init__(self, layers: Sequence[Layer], loss: Loss) -> None:
        self._links: list[chain.Link] = list(layers)
        self._loss = loss
        self._activate: Callable[[Array], Array] | None = None
        head = layers[-1]
        if isinstance(head, Dense) and _is_cross_entropy_of(head.activation.name, loss):
            self._links[-1] = _Logits(head)
            self._loss = type(loss).from_config({**loss.get_config(), "from_logits": True})
            self._activate = head.activation.forward

    def value(self, x: Array, y: Array) -> tuple[float, chain.Output]:
        """Compute the loss of a batch and what `predictions` turns into predictions."""
        output = chain.call(self._links, x)
        _require_targets(y, output.mask)
        return self._loss(output.valid(y), output.valid(output.y)), output

    def value_and_pullback(
        self, x: Array, y: Array
    ) -> tuple[float, chain.Output, Callable[[], list[Array]]]:
        """Compute as `value`, and a function that gives the gradient of every parameter."""
        output, pullback = chain.vjp(self._links, x)
        _require_targets(y, output.mask)
        value, gradient = self._loss.value_and_grad(output.valid(y), output.valid(output.y))
        if output.mask is not None:
            of_valid, gradient = gradient, np.zeros_like(output.y)
            gradient[output.mask] = of_valid
        return value, output, lambda: pullback(gradient)

    def predictions(self, raw: Array) -> Array:
        """Turn rows of the last array of the chain into the model's predictions."""
        return raw if self._activate is None else self._activate(raw)


def _require_targets(y: Array, mask: Mask | None) -> None:
    if mask is not None and y.shape[: mask.ndim] != mask.shape:
        raise ValueError(
            f"the output of the model is masked, so that y must have a target for each of the "
            f"steps {mask.shape}, got {y.shape}"
        )


def _is_cross_entropy_of(activation: str, loss: Loss) -> bool:
    classes = _CROSS_ENTROPIES.get(activation, ())
    return isinstance(loss, CrossEntropy) and type(loss) in classes and not loss.from_logits
