"""What every loss is: a value per sample, reduced to one number, and its gradient.

A sample is everything but the last axis of `y_pred`: with predictions `(B, T, V)` there are B*T.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnfast.utils.naming import auto_name
from rnnfast.utils.options import refuse
from rnnfast.utils.ranks import match_ranks

Array = NDArray[Any]

_REDUCTIONS = ("sum_over_batch_size", "mean", "sum")
_REDUCTIONS_NOT_YET = (None, "none", "mean_with_sample_weight")


class Loss(ABC):
    """A loss with Keras's reductions and a gradient.

    A loss of one's own extends this class with `call` and `call_with_gradient`.

    Parameters
    ----------
    name : str, optional
        By default the name of the class in snake case, numbered.
    reduction : {"sum_over_batch_size", "mean", "sum"}, default "sum_over_batch_size"
        Mean over the samples (the first two are the same) or their sum.
    dtype : None
        Losses compute in the dtype of `y_pred` and add up in float64.

    Raises
    ------
    ValueError
        When `reduction` is unknown.
    NotImplementedError
        When it is one of Keras's that is not supported yet, or `dtype` is given.
    """

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: None = None,
    ) -> None:
        refuse(type(self).__name__, {"dtype": dtype}, {"dtype": None})
        if reduction in _REDUCTIONS_NOT_YET:
            raise NotImplementedError(
                f"reduction={reduction!r} is not supported yet; use one of {_REDUCTIONS}"
            )
        if reduction not in _REDUCTIONS:
            raise ValueError(f"reduction must be one of {_REDUCTIONS}, got {reduction!r}")
        self.name = name or auto_name(self)
        self.reduction = reduction

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike) -> float:
        """Compute the loss.

        Parameters
        ----------
        y_true : array_like
            Targets.
        y_pred : array_like of float32 or float64
            Predictions.

        Returns
        -------
        float
            The reduced loss; 0 when there are no samples.

        Raises
        ------
        TypeError
            When the dtype of `y_pred` or `y_true` is not a fitting one.
        ValueError
            When the shapes do not fit each other, or a value is out of its range.
        """
        targets, predictions = self._prepare(np.asarray(y_true), _floats(y_pred))
        with np.errstate(over="ignore", invalid="ignore"):
            return self._reduce(self.call(targets, predictions), predictions)

    def value_and_grad(self, y_true: ArrayLike, y_pred: ArrayLike) -> tuple[float, Array]:
        """Compute the loss and its gradient with respect to the predictions.

        Parameters
        ----------
        y_true : array_like
            Targets.
        y_pred : array_like of float32 or float64
            Predictions.

        Returns
        -------
        value : float
            The reduced loss.
        grad : ndarray
            Of the shape and dtype of `y_pred`; a new array.

        Raises
        ------
        TypeError, ValueError
            As when the loss is called.
        """
        given = _floats(y_pred)
        targets, predictions = self._prepare(np.asarray(y_true), given)
        # A loss that overflows is reported by the training loop, once, not by each operation.
        with np.errstate(over="ignore", invalid="ignore"):
            losses, grad = self.call_with_gradient(targets, predictions, self._weight(predictions))
            return self._reduce(losses, predictions), grad.reshape(given.shape)

    @abstractmethod
    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Compute the loss of each sample.

        Parameters
        ----------
        y_true, y_pred : ndarray
            Checked, of ranks that fit.

        Returns
        -------
        ndarray
            Shape `y_pred.shape[:-1]`.
        """

    @abstractmethod
    def call_with_gradient(
        self, y_true: Array, y_pred: Array, weight: float
    ) -> tuple[Array, Array]:
        """Compute the loss of each sample, and the gradient of `weight` times their sum.

        Parameters
        ----------
        y_true, y_pred : ndarray
            Checked, of ranks that fit.
        weight : float
            What the reduction multiplies each sample with.

        Returns
        -------
        losses : ndarray
            Shape `y_pred.shape[:-1]`.
        grad : ndarray
            Shape and dtype of `y_pred`.
        """

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal loss."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """Make a loss from what `get_config` returned."""
        return cls(**config)

    def _prepare(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        """Check the two arrays against each other and give them ranks that fit."""
        targets, predictions = match_ranks(y_true, y_pred)
        if targets.shape != predictions.shape:
            raise ValueError(
                f"y_true must have the shape of y_pred, {y_pred.shape}, got {y_true.shape}"
            )
        if targets.dtype.kind not in "buif":
            raise TypeError(f"y_true must hold numbers, got dtype {y_true.dtype}")
        return targets.astype(predictions.dtype, copy=False), predictions

    def _weight(self, y_pred: Array) -> float:
        samples = math.prod(y_pred.shape[:-1])
        return 1.0 if self.reduction == "sum" else 1.0 / max(samples, 1)

    def _reduce(self, losses: Array, y_pred: Array) -> float:
        return float(losses.sum(dtype=np.float64)) * self._weight(y_pred)


def _floats(y_pred: ArrayLike) -> Array:
    """Return `y_pred` as an array of at least one axis, float32 or float64."""
    array = np.asarray(y_pred)
    if array.dtype.type not in (np.float32, np.float64):
        raise TypeError(
            f"y_pred must be float32 or float64, got {array.dtype}; use y_pred.astype('float32')"
        )
    if array.ndim == 0:
        raise ValueError("y_pred must have at least one axis, got a scalar")
    return array
