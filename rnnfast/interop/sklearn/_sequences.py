"""What an estimator takes as X: sequences, as arrays or as a list.

(samples, time, features)       sequences of one length
(samples, time)                 the same with one feature; a table, with names if it has some
[(time, features), ...]         of different lengths; (time,) with one feature
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, validate_data

from rnnfast.training.ragged import is_ragged

Array: TypeAlias = NDArray[Any]
Sequences: TypeAlias = "Array | list[Array]"


def sequences(estimator: BaseEstimator, X: Any, reset: bool) -> Sequences:
    """Check X, and bring it to (samples, time, features) or a list of (time, features).

    Parameters
    ----------
    estimator : BaseEstimator
        Is given `n_features_in_`: of a matrix its columns, as scikit-learn has it, else what a
        step has.
    X
        As above.
    reset : bool
        Whether to note the features, or to compare them with those noted.

    Raises
    ------
    ValueError, TypeError
        When X is none of these, or other than what the estimator was fitted to.
    """
    if isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1 and len(X):
        X = list(X)
    if is_ragged(X):
        listed = [_sequence(f"X[{k}]", one) for k, one in enumerate(X)]
        widths = {one.shape[1] for one in listed}
        if len(widths) > 1:
            raise ValueError(f"X must have as many features in all sequences, got {sorted(widths)}")
        _note_features(estimator, widths.pop(), reset)
        return listed
    if _axes(X) < 3:
        matrix: Array = validate_data(estimator, X, reset=reset, dtype=_KEPT)
        return matrix[:, :, None]
    array: Array = check_array(X, allow_nd=True, dtype=_KEPT, input_name="X", estimator=estimator)
    if array.ndim != 3:
        raise ValueError(
            f"X must have the shape (samples, time, features) or (samples, time), got {array.shape}"
        )
    _note_features(estimator, array.shape[2], reset)
    return array


def rows(X: Sequences, chosen: NDArray[np.intp]) -> Sequences:
    """Return some of the samples."""
    return [X[k] for k in chosen] if isinstance(X, list) else X[chosen]


_KEPT = (np.float64, np.float32)  # types that stay; others become the first


def _sequence(name: str, one: Any) -> Array:
    array: Array = check_array(
        one, ensure_2d=False, allow_nd=True, dtype=_KEPT, ensure_min_samples=0, input_name=name
    )
    if array.ndim not in (1, 2):
        raise ValueError(f"{name} must have the shape (time, features), got {array.shape}")
    return array[:, None] if array.ndim == 1 else array


def _axes(X: Any) -> int:
    """Count the axes of what may be a table, a sparse matrix or nested lists."""
    if hasattr(X, "ndim"):
        return int(X.ndim)
    axes, one = 0, X
    while isinstance(one, Sequence) and not isinstance(one, str):
        axes += 1
        if not one:
            return axes
        one = one[0]
    return axes + int(getattr(one, "ndim", 0))


def _note_features(estimator: Any, features: int, reset: bool) -> None:
    if reset:
        estimator.n_features_in_ = features
        if hasattr(estimator, "feature_names_in_"):
            del estimator.feature_names_in_
    elif features != estimator.n_features_in_:
        raise ValueError(
            f"X has {features} features, but {type(estimator).__name__} is expecting "
            f"{estimator.n_features_in_} features as input"
        )
