"""Recurrent networks as estimators of scikit-learn.

    from rnnfast.interop.sklearn import RNNClassifier, RNNRegressor

    RNNClassifier(cell="gru", units=64).fit(X, y).predict(X)
    GridSearchCV(RNNClassifier(), {"units": [16, 32, 64]}, n_jobs=-1).fit(X, y)

Samples are sequences, each with one target: `X` has the shape (samples, time, features), or is a
list of arrays (time, features) of different lengths. A matrix (samples, time) holds sequences of
numbers.

Written for scikit-learn 1.6 and later.
"""

from __future__ import annotations

from .classifier import RNNClassifier
from .regressor import RNNRegressor

__all__ = ["RNNClassifier", "RNNRegressor"]
