"""What the cross-entropies share: predictions are logits or probabilities.

From logits, softmax or sigmoid and logarithm are taken together, exactly and without overflow.
From probabilities, Keras first clips them to `[EPSILON, 1 - EPSILON]`; where that bites, the
gradient is zero. Predictions that are no probabilities are told of once: a last layer without
softmax or sigmoid is a loss that falls and a model that learns nothing.
"""

from __future__ import annotations

import warnings
from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np

from rnnfast._check.options import flag
from rnnfast.losses.loss import Loss, Weight
from rnnfast.losses.reduction import Array
from rnnfast.utils.options import refuse

EPSILON = 1e-7
"""Keras's `backend.epsilon()`."""

_FAR = 1e-2  # sums of probabilities that were rounded, even to float16, are nearer to 1


class CrossEntropy(Loss):
    """A loss of probabilities, or of the logits that they come from.

    Parameters
    ----------
    from_logits : bool
        Whether `y_pred` holds logits.
    axis : int
        The axis of the classes; the last one, -1, is the one supported yet.
    reduction, name, dtype
        See `Loss`.
    """

    activation: ClassVar[str] = "softmax"
    """What makes probabilities of the logits."""

    def __init__(
        self, from_logits: bool, axis: int, reduction: str | None, name: str, dtype: None
    ) -> None:
        refuse(type(self).__name__, {"axis": axis}, {"axis": -1})
        super().__init__(name, reduction, dtype)
        self.from_logits = flag("from_logits", from_logits)
        self.axis = axis
        self._trusts = self.from_logits

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Compute the cross-entropy of each sample; see `Loss.call`."""
        if self.from_logits:
            return self._of_logits(y_true, y_pred)
        self._look_once_at(y_pred)
        return self._of_probabilities(y_true, y_pred)

    def call_with_gradient(
        self, y_true: Array, y_pred: Array, weight: Weight
    ) -> tuple[Array, Array]:
        """Compute losses and gradient; see `Loss.call_with_gradient`."""
        if self.from_logits:
            return self._of_logits_with_gradient(y_true, y_pred, weight)
        self._look_once_at(y_pred)
        return self._of_probabilities_with_gradient(y_true, y_pred, weight)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal loss."""
        return {**super().get_config(), "from_logits": self.from_logits, "axis": self.axis}

    def _look_once_at(self, y_pred: Array) -> None:
        """Warn when the first predictions are no probabilities."""
        if self._trusts:
            return
        self._trusts = True
        if flaw := self._flaw(y_pred):
            warnings.warn(
                f"{self.name} got predictions that are no probabilities: {flaw}; give the last "
                f"layer activation={self.activation!r}, or, when it gives logits, use the loss "
                f"{type(self).__name__}(from_logits=True)",
                stacklevel=4,
            )

    def _flaw(self, y_pred: Array) -> str:
        """Say why predictions cannot be meant as probabilities, or ""; NaN is another matter."""
        totals = y_pred.sum(axis=-1)
        if (y_pred < 0).any():
            return f"one is {np.nanmin(y_pred):.3g}"
        apart = np.abs(totals - 1.0) > _FAR
        return f"a row of them sums to {totals[apart][0]:.3g}" if apart.any() else ""

    @abstractmethod
    def _of_logits(self, y_true: Array, logits: Array) -> Array: ...

    @abstractmethod
    def _of_probabilities(self, y_true: Array, y_pred: Array) -> Array: ...

    @abstractmethod
    def _of_logits_with_gradient(
        self, y_true: Array, logits: Array, weight: Weight
    ) -> tuple[Array, Array]: ...

    @abstractmethod
    def _of_probabilities_with_gradient(
        self, y_true: Array, y_pred: Array, weight: Weight
    ) -> tuple[Array, Array]: ...


def exponentials(logits: Array) -> tuple[Array, Array, Array]:
    """Compute `exp(logits - max)`, its sum and `log(sum(exp(logits)))` over the last axis.

    The last two keep that axis with length 1. Softmax is the first over the second.
    """
    largest = logits.max(axis=-1, keepdims=True)
    powers = logits - largest
    np.exp(powers, out=powers)
    total = powers.sum(axis=-1, keepdims=True)
    return powers, total, np.log(total) + largest


def clip(probabilities: Array) -> Array:
    """Keep probabilities away from 0 and 1 as Keras does."""
    return np.clip(probabilities, EPSILON, 1.0 - EPSILON)
