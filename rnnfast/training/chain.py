"""A chain of layers as one function, and its gradient.

x_0 = x,  x_k = layer_k(x_{k-1}),  y = x_n              forward
dx_{k-1}, gradients_k = pullback_k(dx_k)                backward, from dx_n = dy down

A mask goes along, None until a layer makes one: mask_k = compute_mask_k(x_{k-1}, mask_{k-1}).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from rnnfast.layers.layer import Array, Mask, Pullback


class Link(Protocol):
    """What a chain asks of a layer; see `rnnfast.layers.layer`."""

    @property
    def parameters(self) -> list[Array]:
        """Weights, changed in place."""

    def call(self, x: Array) -> Array:
        """Compute the result."""

    def vjp(self, x: Array, *, wrt_input: bool) -> tuple[Array, Pullback]:
        """Compute the result and the pullback of its gradient."""

    def compute_mask(self, x: Array, mask: Mask | None) -> Mask | None:
        """Give the mask of the result."""

    def call_masked(self, x: Array, mask: Mask) -> Array:
        """Compute the result of a masked input."""

    def vjp_masked(self, x: Array, mask: Mask, *, wrt_input: bool) -> tuple[Array, Pullback]:
        """Compute the result of a masked input and the pullback of its gradient."""


class Output(NamedTuple):
    """The result of a chain, and what of it counts: `mask` is of its first axes."""

    y: Array
    mask: Mask | None

    def valid(self, array: Array) -> Array:
        """Return the rows of an array, samples along its first axes, that are not masked."""
        return array if self.mask is None else array[self.mask]


def call(links: Sequence[Link], x: Array) -> Output:
    """Run the chain, for inference."""
    mask: Mask | None = None
    for link in links:
        mask_after = link.compute_mask(x, mask)
        x = link.call(x) if mask is None else link.call_masked(x, mask)
        mask = mask_after
    return Output(x, mask)


def vjp(links: Sequence[Link], x: Array) -> tuple[Output, Callable[[Array], list[Array]]]:
    """Run the chain, for training.

    Returns
    -------
    output : Output
        The result.
    pullback : callable
        Takes dL/dy, gives dL/dp for every parameter p of the chain, in order. To be called once.
    """
    first_trained = next((k for k, link in enumerate(links) if link.parameters), len(links))
    pullbacks: list[Pullback] = []
    mask: Mask | None = None
    for k, link in enumerate(links):
        mask_after = link.compute_mask(x, mask)
        wrt_input = k > first_trained
        if mask is None:
            x, link_pullback = link.vjp(x, wrt_input=wrt_input)
        else:
            x, link_pullback = link.vjp_masked(x, mask, wrt_input=wrt_input)
        mask = mask_after
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

    return Output(x, mask), pullback
