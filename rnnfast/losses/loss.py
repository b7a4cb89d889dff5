"""What every loss is: a value per sample, reduced to one number, and its gradient.

A sample is everything but the last axis of `y_pred`: with predictions `(B, T, V)` there are B*T.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rnnfast.losses.masked import without_masked
from rnnfast.losses.reduction import Array, check_reduction, denominator, reduce, scale
from rnnfast.utils.known_attributes import KnownAttributes
from rnnfast.utils.labels import require_numbers
from rnnfast.utils.naming import auto_name
from rnnfast.utils.options import refuse
from rnnfast.utils.ranks import match_ranks
from rnnfast.utils.sample_weights import fit_weights

Weight = float | Array
"""What samples are multiplied with: one number, or an array (..., 1) beside `y_pred` (..., V)."""


class Loss(KnownAttributes):
    """A loss with Keras's reductions and a gradient.

    A loss of one's own extends this class with `call` and `call_with_gradient`; a function will
    do as well, see `LossFunctionWrapper`.

    Parameters
    ----------
    name : str, optional
        By default the name of the class in snake case, numbered.
    reduction : str or None, default "sum_over_batch_size"
        "sum_over_batch_size" or "mean", the mean over the samples; "mean_with_sample_weight", the
        weighted mean; "sum"; "none" or None, no reduction. `rnnfast.losses.reduction` has the
        equations.
    dtype : None
        Losses compute in the dtype of `y_pred` and add up in float64.

    Raises
    ------
    ValueError
        When `reduction` is unknown.
    NotImplementedError
        When `dtype` is given.
    """

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: None = None,
    ) -> None:
        refuse(type(self).__name__, {"dtype": dtype}, {"dtype": None})
        self.name = name or auto_name(self)
        self.reduction = check_reduction(reduction)

    def __call__(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
        mask: Array | None = None,
    ) -> float | Any:
        """Compute the loss.

        Parameters
        ----------
        y_true : array_like
            Targets.
        y_pred : array_like of float32 or float64
            Predictions.
        sample_weight : array_like, optional
            Weights of at least 0, of shape `y_pred.shape[:-1]`, one a step, or of its first axes,
            one a sample.
        mask : ndarray of bool, optional
            Of the first axes of `y_pred`; the loss is that of what remains where it is True.

        Returns
        -------
        float or ndarray
            The reduced loss, 0 when there are no samples; without reduction an array, one loss
            for each sample.

        Raises
        ------
        TypeError
            When the dtype of an argument is not a fitting one.
        ValueError
            When the shapes do not fit each other, or a value is out of its range.
        """
        if mask is not None:
            return self(*without_masked(y_true, y_pred, sample_weight, mask))
        targets, predictions, weights = self._take(y_true, floats(y_pred), sample_weight)
        with np.errstate(over="ignore", invalid="ignore"):
            losses = self.call(targets, predictions)
            samples = self._count(targets, predictions)
            return reduce(self.reduction, losses, samples, weights)

    def value_and_grad(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
        mask: Array | None = None,
    ) -> tuple[float | Any, Array]:
        """Compute the loss and its gradient with respect to the predictions.

        Parameters
        ----------
        y_true, y_pred, sample_weight, mask
            As when the loss is called.

        Returns
        -------
        value : float or ndarray
            As when the loss is called.
        grad : ndarray
            Of the shape and dtype of `y_pred`; a new array, zero where the mask is False. Without
            reduction it is that of the sum of `value`.

        Raises
        ------
        TypeError, ValueError
            As when the loss is called.
        """
        if mask is not None:
            value, of_valid = self.value_and_grad(
                *without_masked(y_true, y_pred, sample_weight, mask)
            )
            grad = np.zeros(np.shape(y_pred), of_valid.dtype)
            grad[mask] = of_valid
            return value, grad
        given = floats(y_pred)
        targets, predictions, weights = self._take(y_true, given, sample_weight)
        samples = self._count(targets, predictions)
        factor: Weight = scale(self.reduction, samples, weights)
        if weights is not None:
            factor = (weights * predictions.dtype.type(factor))[..., None]
        # A loss that overflows is reported by the training loop, once, not by each operation.
        with np.errstate(over="ignore", invalid="ignore"):
            losses, grad = self.call_with_gradient(targets, predictions, factor)
            value = reduce(self.reduction, losses, samples, weights)
        return value, grad.reshape(given.shape)

    def of_samples(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> tuple[Array, Array | None]:
        """Compute the loss of each sample and its weight, neither weighed nor reduced yet.

        Parameters
        ----------
        y_true, y_pred, sample_weight : array_like
            As when the loss is called.

        Returns
        -------
        losses : ndarray
            One for each sample.
        weights : ndarray or None
            Likewise; None when all samples weigh the same.
        """
        targets, predictions, weights = self._take(y_true, floats(y_pred), sample_weight)
        with np.errstate(over="ignore", invalid="ignore"):
            return self.call(targets, predictions), weights

    def denominator(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
        mask: Array | None = None,
    ) -> float:
        """Compute what the sum of the weighted losses is divided by.

        Of two halves of a batch, the losses times these add up to the loss of the whole times its
        own.

        Parameters
        ----------
        y_true, y_pred, sample_weight, mask
            As when the loss is called.

        Returns
        -------
        float
            The samples that count, or their weights, as `reduction` has it; 1 for a sum.
        """
        if mask is not None:
            return self.denominator(*without_masked(y_true, y_pred, sample_weight, mask))
        targets, predictions, weights = self._take(y_true, floats(y_pred), sample_weight)
        return denominator(self.reduction, self._count(targets, predictions), weights)

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
        self, y_true: Array, y_pred: Array, weight: Weight
    ) -> tuple[Array, Array]:
        """Compute the loss of each sample, and the gradient of the sum of `weight` times loss.

        Parameters
        ----------
        y_true, y_pred : ndarray
            Checked, of ranks that fit.
        weight : float or ndarray
            What each sample is multiplied with, its weight and the reduction's factor: a number,
            or an array `(..., 1)`, so that `weight * gradient` is right of both.

        Returns
        -------
        losses : ndarray
            Shape `y_pred.shape[:-1]`, not multiplied with `weight`.
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
        return targets.astype(predictions.dtype, copy=False), predictions

    def _counted(self, y_true: Array) -> Array | None:
        """Tell which samples count, from what `_prepare` returned; None when all do."""
        return None

    def _take(
        self, y_true: ArrayLike, y_pred: Array, sample_weight: ArrayLike | None
    ) -> tuple[Array, Array, Array | None]:
        """Check the arguments; the weights are 0 where a sample does not count."""
        given = np.asarray(y_true)
        require_numbers("y_true", given)
        if sample_weight is not None and _are_steps(given, y_pred, np.shape(sample_weight)):
            given = given[..., None]
        targets, predictions = self._prepare(given, y_pred)
        counted = self._counted(targets)
        if sample_weight is None:
            weights = counted
        else:
            weights = fit_weights(sample_weight, predictions.shape[:-1])
            weights = weights if counted is None else weights * counted
        return targets, predictions, None if weights is None else weights.astype(predictions.dtype)

    def _count(self, y_true: Array, y_pred: Array) -> int:
        counted = self._counted(y_true)
        return math.prod(y_pred.shape[:-1]) if counted is None else int(counted.sum())


def _are_steps(y_true: Array, y_pred: Array, weights: tuple[int, ...]) -> bool:
    """Tell whether weights are of the steps of (B, T) beside (B, T, 1), else one sample of T."""
    return y_pred.shape == (*y_true.shape, 1) and weights == y_true.shape


def floats(y_pred: ArrayLike) -> Array:
    """Return `y_pred` as an array of at least one axis, float32 or float64."""
    array = np.asarray(y_pred)
    if array.dtype.type not in (np.float32, np.float64):
        raise TypeError(
            f"y_pred must be float32 or float64, got {array.dtype}; use y_pred.astype('float32')"
        )
    if array.ndim == 0:
        raise ValueError("y_pred must have at least one axis, got a scalar")
    return array
