"""Metrics with Keras's names, arguments, defaults and definitions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from rnnfast.losses import Loss
from rnnfast.metrics.accuracy import Accuracy
from rnnfast.metrics.auc import AUC
from rnnfast.metrics.binary_accuracy import BinaryAccuracy
from rnnfast.metrics.categorical_accuracy import CategoricalAccuracy
from rnnfast.metrics.fitting_accuracy import FittingAccuracy
from rnnfast.metrics.loss_metric import LossMetric
from rnnfast.metrics.mean_absolute_error import MeanAbsoluteError
from rnnfast.metrics.mean_metric import MeanMetric
from rnnfast.metrics.mean_metric_wrapper import MeanMetricWrapper
from rnnfast.metrics.mean_squared_error import MeanSquaredError
from rnnfast.metrics.metric import Metric
from rnnfast.metrics.precision import Precision
from rnnfast.metrics.recall import Recall
from rnnfast.metrics.root_mean_squared_error import RootMeanSquaredError
from rnnfast.metrics.sparse_categorical_accuracy import SparseCategoricalAccuracy
from rnnfast.metrics.sparse_top_k_categorical_accuracy import SparseTopKCategoricalAccuracy
from rnnfast.metrics.top_k_categorical_accuracy import TopKCategoricalAccuracy
from rnnfast.utils.lookup import find, is_function
from rnnfast.utils.naming import to_snake_case

__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "FittingAccuracy",
    "LossMetric",
    "MeanAbsoluteError",
    "MeanMetric",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "Metric",
    "Precision",
    "Recall",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "get",
]

_CLASSES: tuple[type[Metric], ...] = (
    AUC,
    BinaryAccuracy,
    CategoricalAccuracy,
    MeanAbsoluteError,
    MeanSquaredError,
    Precision,
    Recall,
    RootMeanSquaredError,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
_LOSSES = ("BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy")
_BY_NAME: dict[str, Callable[..., Metric]] = {
    **{cls.__name__: cls for cls in _CLASSES},
    **{to_snake_case(cls.__name__): cls for cls in _CLASSES},
    **{name: partial(LossMetric, name) for name in _LOSSES},
    **{to_snake_case(name): partial(LossMetric, name) for name in _LOSSES},
    **dict.fromkeys(("bce", "BCE"), partial(LossMetric, "bce")),
    "mae": MeanAbsoluteError,
    "MAE": MeanAbsoluteError,
    "mse": MeanSquaredError,
    "MSE": MeanSquaredError,
    **dict.fromkeys(("accuracy", "acc", "Accuracy", "ACC"), FittingAccuracy),
}
# A config names a class, and there "Accuracy" is one.
_BY_CLASS_NAME = _BY_NAME | {
    cls.__name__: cls for cls in (Accuracy, FittingAccuracy, LossMetric, MeanMetricWrapper)
}


def get(identifier: object) -> Metric:
    """Find a metric.

    Parameters
    ----------
    identifier : str, Metric, Loss, class, function or dict
        A name such as "accuracy", "mae" or "BinaryAccuracy", a metric, its class, or a config
        with the keys class_name and config. A metric found by its name bears that name, as in
        Keras's history. "accuracy" and "acc" are the accuracy that fits the first batch, see
        `FittingAccuracy`; a loss is its mean, see `LossMetric`, and so are the names of
        cross-entropies; a function is the mean of what it returns, see `MeanMetricWrapper`.

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
    if isinstance(identifier, Loss) or _is_class_of_loss(identifier):
        return LossMetric(identifier)
    if is_function(identifier, Metric):
        return MeanMetricWrapper(identifier)
    if not isinstance(identifier, str):
        return find("metric", identifier, Metric, _BY_CLASS_NAME)
    metric = find("metric", identifier, Metric, _BY_NAME)
    metric.name = identifier
    return metric


def _is_class_of_loss(identifier: object) -> bool:
    return isinstance(identifier, type) and issubclass(identifier, Loss)
