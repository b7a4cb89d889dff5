"""Area under a curve that the thresholds trace, from the counts of `confusion_metric`.

    ROC   x = fp / (fp + tn)   y = tp / (tp + fn)
    PR    x = tp / (tp + fn)   y = tp / (tp + fp)

    interpolation   sum (x[i] - x[i+1]) (y[i] + y[i+1]) / 2
    minoring        sum (x[i] - x[i+1]) min(y[i], y[i+1])
    majoring        sum (x[i] - x[i+1]) max(y[i], y[i+1])

Precision is no straight line between two points: there it is tp and p = tp + fp that are
interpolated (Davis and Goadrich 2006). With slope s = dtp / dp and intercept c = tp - s p,
the area of tp / p = s + c / p over an interval of tp is s (dtp + c log(p[i] / p[i+1])).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from rnnfast._check.options import flag
from rnnfast._check.spelling import meant
from rnnfast.metrics.confusion_metric import ConfusionMetric, Counts, ratio
from rnnfast.metrics.mean_metric import Array
from rnnfast.utils.hyperparameters import require_positive, share
from rnnfast.utils.options import refuse

_EPSILON = 1e-7  # Keras's `backend.epsilon()`: the outer thresholds lie outside of all predictions
_MOST = 1_000_000  # thresholds: a saved model may ask for any number
_ROUNDING = 1e-3  # probabilities may leave [0, 1] by this
_CURVES = {"ROC": "ROC", "roc": "ROC", "PR": "PR", "pr": "PR"}
_HEIGHTS: dict[str, Callable[[Counts, Counts], Counts]] = {
    "interpolation": lambda y, y_next: (y + y_next) / 2,
    "minoring": np.minimum,
    "majoring": np.maximum,
}


class AUC(ConfusionMetric):
    """Approximate area under the ROC or the precision-recall curve, Keras's `AUC`.

    Targets are 0 or 1, of the shape of the predictions, which are probabilities.

    Parameters
    ----------
    num_thresholds : int, default 200
        How many thresholds are spread evenly from 0 to 1; from 2 to a million.
    curve : {"ROC", "PR"}, default "ROC"
        Which curve.
    summation_method : {"interpolation", "minoring", "majoring"}, default "interpolation"
        How the area between two thresholds is estimated.
    name : str, optional
        By default the name of the class in snake case, numbered.
    dtype : None
        See `Metric`.
    thresholds : iterable of float, optional
        From 0 to 1, in place of the even ones; two outside of these are added.
    multi_label : bool, default False
        Only False is supported yet, as for the two that follow.
    num_labels, label_weights : None
        Of several labels.
    from_logits : bool, default False
        Whether predictions are logits, to which the sigmoid is applied.

    Raises
    ------
    ValueError
        When an argument is out of its range; in use, when a prediction is no probability.
    NotImplementedError
        For the curve "PRGAIN" and several labels.
    """

    direction = "max"

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: None = None,
        thresholds: Iterable[float] | None = None,
        multi_label: bool = False,
        num_labels: None = None,
        label_weights: None = None,
        from_logits: bool = False,
    ) -> None:
        refuse(
            type(self).__name__,
            {"multi_label": multi_label, "num_labels": num_labels, "label_weights": label_weights},
            {"multi_label": False, "num_labels": None, "label_weights": None},
        )
        if curve in ("PRGAIN", "prgain"):
            raise NotImplementedError("curve='PRGAIN' is not supported yet; use 'ROC' or 'PR'")
        self.curve = _CURVES[_one_of("curve", curve, _CURVES)]
        self.summation_method = _one_of("summation_method", summation_method, _HEIGHTS)
        self.from_logits = flag("from_logits", from_logits)
        if thresholds is None:
            count = require_positive("num_thresholds", num_thresholds)
            if not 2 <= count <= _MOST:
                raise ValueError(f"num_thresholds must be from 2 to {_MOST}, got {count}")
            inner = [i / (count - 1) for i in range(1, count - 1)]
        else:
            inner = sorted(share("thresholds", threshold) for threshold in thresholds)
        self._given = None if thresholds is None else inner
        self.num_thresholds = len(inner) + 2
        super().__init__([-_EPSILON, *inner, 1.0 + _EPSILON], name, dtype)

    def result(self) -> float:
        """Return the area; 0 before the first sample."""
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._interpolated_precision()
        recall = ratio(self.true_positives, self.positives)
        if self.curve == "ROC":
            x, y = ratio(self.false_positives, self.negatives), recall
        else:
            x, y = recall, ratio(self.true_positives, self.true_positives + self.false_positives)
        heights = _HEIGHTS[self.summation_method](y[:-1], y[1:])
        return float(np.sum((x[:-1] - x[1:]) * heights))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        return {
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "thresholds": self._given,
            "from_logits": self.from_logits,
            **super().get_config(),
        }

    def _select(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        if self.from_logits:
            return y_true, np.exp(-np.logaddexp(0, -y_pred))
        outside = (y_pred < -_ROUNDING) | (y_pred > 1 + _ROUNDING)
        if outside.any():
            raise ValueError(
                f"y_pred must be probabilities, got {y_pred[outside][0]:.3g}; give the last layer "
                "activation='sigmoid', or use AUC(from_logits=True)"
            )
        return y_true, np.clip(y_pred, 0, 1)

    def _interpolated_precision(self) -> float:
        right, predicted = self.true_positives, self.true_positives + self.false_positives
        more_right, more = right[:-1] - right[1:], predicted[:-1] - predicted[1:]
        slope = ratio(more_right, more)
        intercept = right[1:] - slope * predicted[1:]
        both = (predicted[:-1] > 0) & (predicted[1:] > 0)
        growth = np.divide(predicted[:-1], predicted[1:], out=np.ones_like(slope), where=both)
        areas = slope * (more_right + intercept * np.log(growth))
        return float(ratio(areas, self.positives).sum())


def _one_of(name: str, value: object, known: dict[str, Any]) -> str:
    if not isinstance(value, str) or value not in known:
        raise ValueError(
            f"{name} must be one of {', '.join(map(repr, known))}, got {value!r}"
            f"{meant(value, known)}"
        )
    return value
