"""Metrics with Keras's names, arguments, defaults and definitions."""

from __future__ import annotations

from rnnfast.metrics.accuracy import Accuracy
from rnnfast.metrics.binary_accuracy import BinaryAccuracy
from rnnfast.metrics.categorical_accuracy import CategoricalAccuracy
from rnnfast.metrics.fitting_accuracy import FittingAccuracy
from rnnfast.metrics.mean_absolute_error import MeanAbsoluteError
from rnnfast.metrics.mean_metric import MeanMetric
from rnnfast.metrics.mean_squared_error import MeanSquaredError
from rnnfast.metrics.metric import Metric
from rnnfast.metrics.sparse_categorical_accuracy import SparseCategoricalAccuracy
from rnnfast.utils.lookup import find
from rnnfast.utils.naming import to_snake_case

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "FittingAccuracy",
    "MeanAbsoluteError",
    "MeanMetric",
    "MeanSquaredError",
    "Metric",
    "SparseCategoricalAccuracy",
    "get",
]

_CLASSES: tuple[type[Metric], ...] = (
    BinaryAccuracy,
    CategoricalAccuracy,
    MeanAbsoluteError,
    MeanSquaredError,
    SparseCategoricalAccuracy,
)
_BY_NAME: dict[str, type[Metric]] = {
    **{cls.__name__: cls for cls in _CLASSES},
    **{to_snake_case(cls.__name__): cls for cls in _CLASSES},
    "mae": MeanAbsoluteError,
    "MAE": MeanAbsoluteError,
    "mse": MeanSquaredError,
    "MSE": MeanSquaredError,
    **dict.fromkeys(("accuracy", "acc", "Accuracy", "ACC"), FittingAccuracy),
}


def get(identifier: object) -> Metric:
    """Find a metric.

    Parameters
    ----------
    identifier : str, Metric, class or dict
        A name such as "accuracy", "mae" or "BinaryAccuracy", a metric, its class, or a config
        with the keys class_name and config. A metric found by its name bears that name, as in
        Keras's history. "accuracy" and "acc" are the accuracy that fits the first batch, see
        `FittingAccuracy`.

    Returns
    -------
    Metric
        The metric.

    Raises
    ------
    ValueError
        When the name is unknown.
    TypeError
        When `identifier` is none of these.
    """
    metric = find("metric", identifier, Metric, _BY_NAME)
    if isinstance(identifier, str):
        metric.name = identifier
    return metric
