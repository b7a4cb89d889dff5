"""What every regularizer is: a penalty on a weight, which is added to the loss, and its gradient.

loss' = loss + sum over weights w of r(w)               dw' = dw + dr/dw
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, TypeVar

from numpy.typing import NDArray

from rnnfast.utils.arguments import arguments_of

Array = NDArray[Any]

_Same = TypeVar("_Same", bound="Regularizer")


class Regularizer(ABC):
    """A penalty on a weight."""

    @abstractmethod
    def __call__(self, w: Array) -> float:
        """Compute the penalty.

        Parameters
        ----------
        w : ndarray
            A weight, in Keras's layout.

        Returns
        -------
        float
            r(w).
        """

    @abstractmethod
    def gradient(self, w: Array) -> Array:
        """Compute the gradient of the penalty.

        Parameters
        ----------
        w : ndarray
            As for a call.

        Returns
        -------
        ndarray
            dr/dw, a new array of the shape and dtype of `w`.
        """

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that the regularizer was made with.

        Returns
        -------
        dict
            By name.
        """
        return {name: getattr(self, name) for name in arguments_of(type(self))}

    @classmethod
    def from_config(cls: type[_Same], config: Mapping[str, Any]) -> _Same:
        """Make a regularizer from its configuration.

        Parameters
        ----------
        config : mapping
            As `get_config` gives it.

        Returns
        -------
        Regularizer
            An equal one.
        """
        return cls(**config)
