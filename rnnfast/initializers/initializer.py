"""What every initializer is: a function from shape to values, with its parameters as fields."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from rnnfast.utils.arguments import arguments_of
from rnnfast.utils.random_seed import check_seed, make_seed


class Initializer(ABC):
    """Gives first values to a weight of a given shape."""

    @abstractmethod
    def __call__(self, shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """Return values of the given shape and dtype."""

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal initializer.

        Returns
        -------
        dict
            By name, as JSON can hold them.
        """
        return {name: getattr(self, name) for name in arguments_of(type(self))}

    def clone(self) -> Initializer:
        """Return an initializer of the same arguments, for a copy of a layer."""
        return self


class RandomInitializer(Initializer):
    """An initializer that draws; equal seeds give equal values, call after call, as in Keras.

    Values are drawn in float64 and rounded, so that float32 and float64 weights agree.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = make_seed() if seed is None else check_seed(seed)
        self._seed_is_given = seed is not None

    def get_config(self) -> dict[str, Any]:
        """Give the arguments; a seed that was not given is not among them."""
        return {**super().get_config(), "seed": self.seed if self._seed_is_given else None}

    def clone(self) -> RandomInitializer:
        """Return an initializer of the same arguments; without a seed it draws other values."""
        twin = copy.copy(self)
        if not self._seed_is_given:
            twin.seed = make_seed()
        return twin

    def __call__(self, shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """Return drawn values of the given shape and dtype."""
        return self._draw(np.random.default_rng(self.seed), tuple(shape)).astype(dtype)

    @abstractmethod
    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Draw the values in float64."""
