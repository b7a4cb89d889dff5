"""What the name "accuracy" means: the accuracy that fits the shapes, by Keras's rule.

A last axis of length 1 in the predictions makes it binary. Else targets with fewer axes, or a
last axis of length 1, are class numbers. Else they are rows.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from rnnfast.metrics.binary_accuracy import BinaryAccuracy
from rnnfast.metrics.categorical_accuracy import CategoricalAccuracy
from rnnfast.metrics.mean_metric import Array, MeanMetric
from rnnfast.metrics.metric import Metric, State
from rnnfast.metrics.sparse_categorical_accuracy import SparseCategoricalAccuracy

_ACCURACIES: dict[str, type[MeanMetric]] = {
    cls.__name__: cls for cls in (BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy)
}


class FittingAccuracy(Metric):
    """The accuracy that fits the first batch.

    Parameters
    ----------
    name : str, default "accuracy"
        Name of the metric.
    """

    direction = "max"
    adds_up: ClassVar[bool] = True

    def __init__(self, name: str = "accuracy") -> None:
        super().__init__(name)
        self._chosen: MeanMetric | None = None

    def reset_state(self) -> None:
        """Forget all samples."""
        if self._chosen is not None:
            self._chosen.reset_state()

    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Take in a batch; see `Metric.update_state`."""
        targets, predictions = np.asarray(y_true), np.asarray(y_pred)
        chosen = self._chosen or _ACCURACIES[_fitting(targets, predictions)](self.name)
        chosen.update_state(targets, predictions, sample_weight)
        self._chosen = chosen  # a batch that is refused chooses nothing

    def result(self) -> float:
        """Return the share of right predictions; 0 before the first sample."""
        return 0.0 if self._chosen is None else self._chosen.result()

    def get_state(self) -> State:
        """Return which accuracy it is, and what that has gathered; see `Metric.get_state`."""
        if self._chosen is None:
            return {}
        return {"accuracy": type(self._chosen).__name__, **self._chosen.get_state()}

    def set_state(self, state: State) -> None:
        """Take back what was gathered; see `Metric.set_state`."""
        self._chosen = None
        if state:
            self._chosen = _ACCURACIES[state["accuracy"]](self.name)
            self._chosen.set_state(state)


def _fitting(y_true: Array, y_pred: Array) -> str:
    if y_pred.shape[-1:] == (1,):
        return "BinaryAccuracy"
    if y_true.ndim < y_pred.ndim or y_true.shape[-1:] == (1,):
        return "SparseCategoricalAccuracy"
    return "CategoricalAccuracy"
