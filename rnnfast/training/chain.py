"""A chain of layers as one function, and its gradient.

x_0 = x,  x_k = layer_k(x_{k-1}),  y = x_n              forward
dx_{k-1}, gradients_k = pullback_k(dx_k)                backward, from dx_n = dy down
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from rnnfast.layers.layer import Array, Pullback


class Link(Protocol):
    """What a chain asks of a layer; see `rnnfast.layers.layer`."""

    @property
    def parameters(self) -> list[Array]:
        """Weights, changed in place."""

    def call(self, x: Array) -> Array:
        """Compute the result."""

    def vjp(self, x: Array, *, wrt_input: bool) -> tuple[Array, Pullback]:
        """Compute the result and the pullback of its gradient."""


def call(links: Sequence[Link], x: Array) -> Array:
    """Run the chain, for inference."""
    for link in links:
        x = link.call(x)
    return x


def vjp(links: Sequence[Link], x: Array) -> tuple[Array, Callable[[Array], list[Array]]]:
    """Run the chain, for training.

    Returns
    -------
    y : ndarray
        The result.
    pullback : callable
        Takes dL/dy, gives dL/dp for every parameter p of the chain, in order. To be called once.
    """
    first_trained = next((k for k, link in enumerate(links) if link.parameters), len(links))
    pullbacks: list[Pullback] = []
    for k, link in enumerate(links):
        x, link_pullback = link.vjp(x, wrt_input=k > first_trained)
        if k >= first_trained:
            pullbacks.append(link_pullback)

    def pullback(dy: Array) -> list[Array]:
        gradients: list[Array] = []
        while pullbacks:
            # Popped, so that what a layer saved is freed as soon as it has been used.
            dx, own = pullbacks.pop()(dy)
            gradients = own + gradients
            if dx is None:
                break
            dy = dx
        return gradients

    return x, pullback
