"""Connectionist temporal classification: labels of a sequence, without when each of them is.

    loss = -log p(labels | logits),    dloss/dlogits_t(k) = softmax(logits_t)_k - P(k at t | labels)

`rnnfast.ctc_loss` has the equations. A sample is a whole sequence, so that losses are (B,).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnfast.functional import ctc_loss, ctc_loss_vjp
from rnnfast.losses.loss import Loss, Weight, floats
from rnnfast.losses.reduction import Array, denominator, reduce, scale
from rnnfast.utils.labels import class_numbers, require_classes
from rnnfast.utils.sample_weights import fit_weights

_BLANK = 0


class CTC(Loss):
    """The loss of labels that are not aligned with the steps they are read from.

    `y_true` are whole numbers (B, S): the labels of each sequence, 1 to C - 1, and 0 after the last
    one. 0 is the blank as well. `y_pred` are logits (B, T, C), of which each sequence has those
    steps that are not masked, in `fit` for example where it is given a list of sequences; without a
    mask all T, as in Keras. Weights are one a sequence.

    Labels that cannot be read, being too many for their steps, have an infinite loss, which ends a
    training: there must be a step for each, and one more between two that are equal.

    Parameters
    ----------
    reduction : str or None, default "sum_over_batch_size"
        See `Loss`; the mean is one over sequences.
    name : str, default "ctc"
        Name of the loss.
    dtype : None
        See `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "ctc",
        dtype: None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def __call__(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
        mask: Array | None = None,
    ) -> float | Any:
        """Compute the loss; see `Loss`, and the class for the shapes."""
        given = _Sequences.take(y_true, y_pred, mask)
        weights = given.weights(sample_weight)
        return reduce(self.reduction, given.losses(), len(given.logits), weights)

    def value_and_grad(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
        mask: Array | None = None,
    ) -> tuple[float | Any, Array]:
        """Compute the loss and its gradient; see `Loss`, and the class for the shapes."""
        given = _Sequences.take(y_true, y_pred, mask)
        weights, samples = given.weights(sample_weight), len(given.logits)
        factor = scale(self.reduction, samples, weights)
        losses, grad = given.losses_with_gradient(factor if weights is None else weights * factor)
        return reduce(self.reduction, losses, samples, weights), grad

    def denominator(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
        mask: Array | None = None,
    ) -> float:
        """Count the sequences, or their weights; see `Loss`."""
        given = _Sequences.take(y_true, y_pred, mask)
        return denominator(self.reduction, len(given.logits), given.weights(sample_weight))

    def of_samples(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> tuple[Array, Array | None]:
        """Compute the loss of each sequence and its weight; see `Loss`."""
        given = _Sequences.take(y_true, y_pred, None)
        return given.losses(), given.weights(sample_weight)

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Compute the loss of each sequence, of all its steps: (B,)."""
        return _Sequences.take(y_true, y_pred, None).losses()

    def call_with_gradient(
        self, y_true: Array, y_pred: Array, weight: Weight
    ) -> tuple[Array, Array]:
        """Compute losses (B,) and gradient; `weight` is a number, or (B, 1)."""
        given = _Sequences.take(y_true, y_pred, None)
        return given.losses_with_gradient(weight if isinstance(weight, float) else weight[:, 0])


class _Sequences(NamedTuple):
    """Logits (B, T, C), the valid ones first, and labels (B, S)."""

    logits: Array
    labels: NDArray[np.int64]
    mask: Array | None
    order: Array | None  # which step each is, where a mask has holes

    @classmethod
    def take(cls, y_true: ArrayLike, y_pred: ArrayLike, mask: Array | None) -> _Sequences:
        logits = floats(y_pred)
        if logits.ndim != 3:
            raise ValueError(f"y_pred must be logits (B, T, C), got {logits.shape}")
        labels = np.asarray(y_true)
        if labels.ndim != 2 or len(labels) != len(logits):
            raise ValueError(
                f"y_true must be labels (B, S) with B = {len(logits)}, got {labels.shape}; pad "
                f"those of shorter targets with 0"
            )
        numbers = class_numbers("y_true", labels)
        require_classes("y_true", numbers, logits.shape[-1])
        late = (numbers[:, :-1] == _BLANK) & (numbers[:, 1:] != _BLANK)
        if late.any():
            row = int(late.any(axis=1).argmax())
            raise ValueError(
                f"y_true must have 0, the blank, after the labels of a sequence alone, got "
                f"{numbers[row].tolist()} in row {row}"
            )
        if mask is not None and mask.shape != logits.shape[:2]:
            raise ValueError(f"mask must be (B, T) = {logits.shape[:2]}, got {mask.shape}")
        if mask is None or not (mask[:, 1:] & ~mask[:, :-1]).any():
            return cls(logits, numbers, mask, None)
        order = np.argsort(~mask, axis=1, kind="stable")[..., None]
        return cls(np.take_along_axis(logits, order, axis=1), numbers, mask, order)

    def weights(self, sample_weight: ArrayLike | None) -> Array | None:
        if sample_weight is None:
            return None
        return fit_weights(sample_weight, self.logits.shape[:1]).astype(self.logits.dtype)

    @property
    def _arguments(self) -> tuple[Array, Array, Array | None, Array]:
        lengths = None if self.mask is None else self.mask.sum(axis=1)
        return self.logits, self.labels, lengths, (self.labels != _BLANK).sum(axis=1)

    def losses(self) -> Array:
        return ctc_loss(*self._arguments, batch_first=True)

    def losses_with_gradient(self, factor: Weight) -> tuple[Array, Array]:
        losses, pullback = ctc_loss_vjp(*self._arguments, batch_first=True)
        grad = pullback(np.full(losses.shape, factor, losses.dtype))
        if self.order is None:
            return losses, grad
        scattered = np.empty_like(grad)
        np.put_along_axis(scattered, self.order, grad, axis=1)
        return losses, scattered
