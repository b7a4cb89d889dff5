"""A metric that is a function of one's own: its mean over the samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rnnfast.metrics.mean_metric import Array, MeanMetric
from rnnfast.utils.naming import name_of
from rnnfast.utils.ranks import match_ranks


class MeanMetricWrapper(MeanMetric):
    """The mean of what a function computes, Keras's `MeanMetricWrapper`.

    `compile(metrics=[fn])` makes one.

    Parameters
    ----------
    fn : callable
        `fn(y_true, y_pred)` returns a number, or several, for each sample, along the first axis;
        or one number for the batch, which counts as one sample, whatever the batch's size. A last
        axis of length 1 in which the two arguments differ is evened out before.
    name : str, optional
        By default the function's.
    dtype : None
        See `Metric`.
    **kwargs
        Further arguments of `fn`.

    Raises
    ------
    TypeError
        When `fn` cannot be called; in use, when it returns no numbers.
    ValueError
        In use, when it returns numbers for other samples than those it got.
    """

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, dtype: None = None, **kwargs: Any
    ) -> None:
        if not callable(fn):
            raise TypeError(f"fn must be a function, got {fn!r}")
        super().__init__(name or name_of(fn), dtype)
        self._fn = fn
        self._options = kwargs

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """Call the function."""
        targets, predictions = match_ranks(y_true, y_pred)
        returned = self._fn(targets, predictions, **self._options)
        if isinstance(returned, tuple):
            raise TypeError(
                f"the metric {self.name} must return numbers, one for each sample, got a tuple; "
                "for a function that is a loss use LossMetric"
            )
        values = np.asarray(returned)
        if values.dtype.kind not in "buif":
            raise TypeError(
                f"the metric {self.name} must return numbers, one for each sample, got dtype "
                f"{values.dtype}"
            )
        if values.ndim and values.shape[0] != predictions.shape[0]:
            raise ValueError(
                f"the metric {self.name} must return a number for each of the "
                f"{predictions.shape[0]} samples, or one for all, got shape {values.shape}"
            )
        return values

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric; `fn` is the function itself."""
        return {**super().get_config(), "fn": self._fn, **self._options}
