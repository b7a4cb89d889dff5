"""A loss that is a function of one's own: it gives the losses and their derivatives.

    losses, gradient = fn(y_true, y_pred)        losses (...), gradient (..., V)

`gradient` is that of each sample's loss with respect to its row of `y_pred`; weights and the
reduction are applied to both here. There is no automatic differentiation, which is why a
function that gives the losses alone, as it does in Keras, is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rnnfast.losses.loss import Loss, Weight
from rnnfast.losses.reduction import Array
from rnnfast.utils.naming import name_of
from rnnfast.utils.ranks import match_ranks

LossFunction = Callable[..., tuple[Any, Any]]


class LossFunctionWrapper(Loss):
    """The loss that a function computes; `compile(loss=fn)` makes one.

    Parameters
    ----------
    fn : callable
        `fn(y_true, y_pred)` returns the losses, shape `y_pred.shape[:-1]`, and the derivative of
        each with respect to its row of `y_pred`, shape `y_pred.shape`. A last axis of length 1 in
        which the two arguments differ is evened out before, as Keras does.
    reduction : str or None, default "sum_over_batch_size"
        See `Loss`.
    name : str, optional
        By default the function's.
    dtype : None
        See `Loss`.
    **kwargs
        Further arguments of `fn`.

    Raises
    ------
    TypeError
        When `fn` cannot be called; in use, when it returns something else or its shapes differ.
    """

    def __init__(
        self,
        fn: LossFunction,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: None = None,
        **kwargs: Any,
    ) -> None:
        if not callable(fn):
            raise TypeError(f"fn must be a function, got {fn!r}")
        super().__init__(name or name_of(fn), reduction, dtype)
        self.fn = fn
        self._options = kwargs

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Compute the loss of each sample; see `Loss.call`."""
        return self._checked(y_true, y_pred)[0]

    def call_with_gradient(
        self, y_true: Array, y_pred: Array, weight: Weight
    ) -> tuple[Array, Array]:
        """Compute losses and gradient; see `Loss.call_with_gradient`."""
        losses, grad = self._checked(y_true, y_pred)
        return losses, weight * grad

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal loss; `fn` is the function itself."""
        return {**super().get_config(), "fn": self.fn, **self._options}

    def _prepare(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        return match_ranks(y_true, y_pred)

    def _checked(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        returned: object = self.fn(y_true, y_pred, **self._options)
        wanted = (
            f"the loss {self.name} must return (losses, gradient), a loss for each sample, shape "
            f"{y_pred.shape[:-1]}, and its derivative with respect to y_pred, shape {y_pred.shape}"
        )
        if not isinstance(returned, tuple):
            raise TypeError(f"{wanted}; got {type(returned).__name__} alone")
        if len(returned) != 2:
            raise TypeError(f"{wanted}; got {len(returned)} values")
        losses, grad = (np.asarray(part) for part in returned)
        if losses.dtype.kind not in "buif" or grad.dtype.kind not in "buif":
            raise TypeError(f"{wanted}; got dtypes {losses.dtype} and {grad.dtype}")
        if losses.shape != y_pred.shape[:-1] or grad.shape != y_pred.shape:
            raise TypeError(f"{wanted}; got shapes {losses.shape} and {grad.shape}")
        return losses, grad.astype(y_pred.dtype, copy=False)
