"""What goes on from batch to batch, beside the weights: random numbers, and states of a recurrence.

    state = layer.get_random_state()            where the generators of the layer stand
    state = layer.get_carried_state()           what the last batch has left to the next

A training that is taken up again from these, and from the weights, has the same bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rnnfast.layers.weights import Array, Weighted


class Lasting(Weighted):
    """What has weights, and may draw random numbers or carry states."""

    # What is drawn from, if anything is.
    _rng: np.random.Generator | None = None

    @property
    def _inner_layers(self) -> Sequence[Lasting]:
        """The layers that this one is made of, whose weights are all it has."""
        return ()

    def get_random_state(self) -> dict[str, Any] | None:
        """Give where the random numbers of the layer stand.

        Returns
        -------
        dict or None
            As JSON can hold it; None from a layer that draws none.
        """
        if self._rng is not None:
            return dict(self._rng.bit_generator.state)
        inner = [layer.get_random_state() for layer in self._inner_layers]
        return {"layers": inner} if any(inner) else None

    def set_random_state(self, state: Mapping[str, Any] | None) -> None:
        """Go on with the random numbers from a state: what is drawn next is what was then.

        Parameters
        ----------
        state : mapping or None
            As `get_random_state` gave it.

        Raises
        ------
        ValueError
            When it is that of another layer; nothing has changed then.
        """
        before = self.get_random_state()
        try:
            self._draw_from(state)
        except (KeyError, TypeError, ValueError):
            self._draw_from(before)
            raise ValueError(
                f"state must be one that get_random_state of a layer like {self.name!r} gave, "
                f"got {state!r}"
            ) from None

    def _draw_from(self, state: Any) -> None:
        if self._rng is not None:
            self._rng.bit_generator.state = state
        elif state is not None or self.get_random_state() is not None:
            for layer, of_layer in zip(self._inner_layers, state["layers"], strict=True):
                layer._draw_from(of_layer)

    def get_carried_state(self) -> list[Array] | None:
        """Give what the last batch has left for the next.

        Returns
        -------
        list of ndarray or None
            Copies of the states of a stateful layer; None where there is nothing.
        """
        return None

    def set_carried_state(self, state: Sequence[ArrayLike] | None) -> None:
        """Go on from states as if a batch had left them.

        Parameters
        ----------
        state : sequence of array_like or None
            As `get_carried_state` gave it.

        Raises
        ------
        ValueError
            When the layer carries no such states.
        """
        if state is not None:
            raise ValueError(f"layer {self.name!r} carries no states from batch to batch")
