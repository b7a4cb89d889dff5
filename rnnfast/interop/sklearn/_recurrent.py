"""What classifier and regressor share: a stack of recurrent layers, its arguments and training.

    x -> [Bidirectional](cell) -> Dropout -> ... -> [Bidirectional](cell) -> Dropout -> Dense

All layers but the last give every step, the last one its last step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from rnnfast import layers, optimizers
from rnnfast._check.spelling import meant
from rnnfast.callbacks import EarlyStopping
from rnnfast.interop.sklearn._sequences import Array, Sequences, rows, sequences
from rnnfast.models import Sequential
from rnnfast.utils.hyperparameters import require_positive
from rnnfast.utils.random_seed import seeds_from

_CELLS: dict[str, Callable[..., Any]] = {
    "rnn": layers.SimpleRNN,
    "lstm": layers.LSTM,
    "gru": layers.GRU,
    "light_gru": layers.LightGRU,
}


class RecurrentEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn is not looked into
    """The arguments of `RNNClassifier` and `RNNRegressor`, and how they are trained."""

    def __init__(
        self,
        cell: str = "lstm",
        units: int = 32,
        layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        epochs: int = 50,
        batch_size: int = 32,
        optimizer: str = "adam",
        learning_rate: float = 0.01,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        dtype: str = "float32",
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.cell = cell
        self.units = units
        self.layers = layers
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose

    def _train(
        self,
        X: Sequences,
        y: Array,
        sample_weight: Any,
        outputs: int,
        activation: str,
        loss: str,
        classes: NDArray[np.intp] | None,
    ) -> None:
        """Make a model and fit it; `classes` of the samples are to be in both parts of a split."""
        given: dict[str, Any] = {"x": X, "y": y}
        if sample_weight is not None:
            given["sample_weight"] = _check_sample_weight(
                sample_weight, X, dtype=np.float64, ensure_non_negative=True
            )
        chance = check_random_state(self.random_state)
        with seeds_from(int(chance.randint(2**31))):
            model = self._network(X[0].shape[-1], outputs, activation)
            model.compile(self._optimizer(), loss)
            if self.early_stopping:
                parts = train_test_split(
                    np.arange(len(X)),
                    test_size=self.validation_fraction,
                    random_state=chance,
                    stratify=classes,
                )
                part, held_out = [
                    {name: rows(column, chosen) for name, column in given.items()}
                    for chosen in parts
                ]
                given = {
                    **part,
                    "validation_data": tuple(held_out.values()),
                    "callbacks": EarlyStopping(
                        patience=self.n_iter_no_change, restore_best_weights=True
                    ),
                }
            history = model.fit(
                **given,
                epochs=require_positive("epochs", self.epochs),
                batch_size=self.batch_size,
                verbose=self.verbose,
            )
        self.model_ = model
        self.history_ = history.history

    def _outputs(self, X: Any) -> Array:
        """Return what the network makes of X."""
        check_is_fitted(self)
        checked = sequences(self, X, reset=False)
        outputs: Array = self.model_.predict(checked, batch_size=self.batch_size, verbose=0)
        return outputs

    def _network(self, features: int, outputs: int, activation: str) -> Sequential:
        if self.cell not in _CELLS:
            raise ValueError(
                f"cell must be one of {', '.join(map(repr, _CELLS))}, got {self.cell!r}"
                f"{meant(self.cell, _CELLS)}"
            )
        count = require_positive("layers", self.layers)
        model = Sequential([layers.Input((None, features), dtype=self.dtype)])
        for k in range(count):
            layer = _CELLS[self.cell](self.units, return_sequences=k + 1 < count, dtype=self.dtype)
            model.add(layers.Bidirectional(layer) if self.bidirectional else layer)
            if self.dropout:
                model.add(layers.Dropout(self.dropout, dtype=self.dtype))
        model.add(layers.Dense(outputs, activation=activation, dtype=self.dtype))
        return model

    def _optimizer(self) -> optimizers.Optimizer:
        return type(optimizers.get(self.optimizer))(learning_rate=self.learning_rate)

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn what X may be."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
