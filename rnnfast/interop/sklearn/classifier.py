"""Sequences to classes: a softmax of the last state, trained by the cross-entropy."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, column_or_1d

from rnnfast.interop.sklearn._recurrent import RecurrentEstimator
from rnnfast.interop.sklearn._sequences import Array, sequences


class RNNClassifier(ClassifierMixin, RecurrentEstimator):  # type: ignore[misc]
    """A recurrent network that gives each sequence a class.

    Parameters
    ----------
    cell : {"lstm", "gru", "rnn", "light_gru"}, default "lstm"
        What the recurrent layers are.
    units : int, default 32
        Hidden units of each layer.
    layers : int, default 1
        Recurrent layers, one on top of the other.
    bidirectional : bool, default False
        Whether each layer reads sequences in both directions, with as many units for either.
    dropout : float, default 0.0
        Fraction of the results of each recurrent layer that are dropped while training.
    epochs : int, default 50
        Passes over the data.
    batch_size : int, default 32
        Samples for each step.
    optimizer : str, default "adam"
        One of `rnnfast.optimizers` by name.
    learning_rate : float, default 0.01
        Its step size.
    early_stopping : bool, default False
        Whether to hold some samples out, end when their loss has not fallen for a while, and keep
        the weights of the best epoch.
    validation_fraction : float, default 0.1
        How many are held out then, of each class alike.
    n_iter_no_change : int, default 10
        For how many epochs then.
    dtype : {"float32", "float64"}, default "float32"
        What the network computes in.
    random_state : int, RandomState or None, default None
        Of weights, order, dropout and what is held out.
    verbose : {0, 1, 2}, default 0
        As in `fit` of a model.

    Attributes
    ----------
    classes_ : ndarray
        The classes, sorted.
    n_features_in_ : int
        Features of a step; where `fit` was given a matrix, its columns.
    feature_names_in_ : ndarray
        Names of the columns, where `fit` was given a table that has some.
    history_ : dict of str to list
        The loss of every epoch.
    model_ : Sequential
        The network.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnfast.interop.sklearn import RNNClassifier
    >>> X = np.random.default_rng(0).normal(size=(60, 10, 1))
    >>> y = np.where(X[:, 0, 0] > 0, "up", "down")
    >>> float(RNNClassifier(units=8, random_state=0).fit(X, y).score(X, y)) > 0.9
    True
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> RNNClassifier:
        """Train a new network.

        Parameters
        ----------
        X : array_like (samples, time, features) or (samples, time), or list of arrays
            Sequences; of different lengths as a list of arrays (time, features).
        y : array_like (samples,)
            The class of each.
        sample_weight : array_like (samples,), optional
            What the loss of each is multiplied with.

        Returns
        -------
        RNNClassifier
            The estimator itself.

        Raises
        ------
        ValueError, TypeError
            When data or arguments are not as described.
        FloatingPointError
            When the loss becomes NaN or infinite.
        """
        checked = sequences(self, X, reset=True)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        check_consistent_length(checked, y)
        self.classes_, numbers = np.unique(y, return_inverse=True)
        self._train(
            checked,
            numbers,
            sample_weight,
            outputs=len(self.classes_),
            activation="softmax",
            loss="sparse_categorical_crossentropy",
            classes=numbers,
        )
        return self

    def predict_proba(self, X: Any) -> Array:
        """Compute the probability of each class.

        Parameters
        ----------
        X
            As in `fit`.

        Returns
        -------
        ndarray (samples, classes)
            In the order of `classes_`.
        """
        outputs = self._outputs(X).astype(np.float64)
        probabilities: Array = outputs / outputs.sum(axis=1, keepdims=True)
        return probabilities

    def predict(self, X: Any) -> Array:
        """Choose the most likely class.

        Parameters
        ----------
        X
            As in `fit`.

        Returns
        -------
        ndarray (samples,)
            A class for each sequence.
        """
        most_likely = self._outputs(X).argmax(axis=1)
        chosen: Array = self.classes_[most_likely]
        return chosen
