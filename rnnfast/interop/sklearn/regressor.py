"""Sequences to numbers: linear in the last state, trained by the mean squared error."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_array, check_consistent_length

from rnnfast.interop.sklearn._recurrent import RecurrentEstimator
from rnnfast.interop.sklearn._sequences import Array, sequences


class RNNRegressor(RegressorMixin, RecurrentEstimator):  # type: ignore[misc]
    """A recurrent network that gives each sequence a number, or several.

    Targets are best of about unit size: scikit-learn's `TransformedTargetRegressor` scales them.

    Parameters
    ----------
    cell, units, layers, bidirectional, dropout, epochs, batch_size, optimizer, learning_rate, \
    early_stopping, validation_fraction, n_iter_no_change, dtype, random_state, verbose
        As of `RNNClassifier`.

    Attributes
    ----------
    n_features_in_, feature_names_in_, history_, model_
        As of `RNNClassifier`.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> RNNRegressor:
        """Train a new network.

        Parameters
        ----------
        X : array_like (samples, time, features) or (samples, time), or list of arrays
            Sequences; of different lengths as a list of arrays (time, features).
        y : array_like (samples,) or (samples, targets)
            The numbers for each.
        sample_weight : array_like (samples,), optional
            What the loss of each is multiplied with.

        Returns
        -------
        RNNRegressor
            The estimator itself.

        Raises
        ------
        ValueError, TypeError
            When data or arguments are not as described.
        FloatingPointError
            When the loss becomes NaN or infinite.
        """
        if y is None:
            raise ValueError("RNNRegressor requires y to be passed, but the target y is None")
        checked = sequences(self, X, reset=True)
        targets = check_array(y, ensure_2d=False, dtype="numeric", input_name="y", estimator=self)
        check_consistent_length(checked, targets)
        self._one = targets.ndim == 1
        columns = targets.reshape(len(targets), -1)
        self._train(
            checked,
            columns.astype(np.float64),
            sample_weight,
            outputs=columns.shape[1],
            activation="linear",
            loss="mse",
            classes=None,
        )
        return self

    def predict(self, X: Any) -> Array:
        """Compute the numbers.

        Parameters
        ----------
        X
            As in `fit`.

        Returns
        -------
        ndarray (samples,) or (samples, targets)
            As the targets of `fit`.
        """
        outputs = self._outputs(X).astype(np.float64)
        return outputs[:, 0] if self._one else outputs

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that there may be several targets."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
