"""A callback put together from functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rnnfast._check.spelling import meant
from rnnfast.callbacks.callback import EVENTS, Callback

_Function = Callable[..., Any]


class LambdaCallback(Callback):
    """Call functions when something happens: `keras.callbacks.LambdaCallback`.

    Parameters
    ----------
    on_epoch_begin, on_epoch_end : callable, optional
        Take the epoch, from 0, and logs.
    on_train_begin, on_train_end : callable, optional
        Take logs.
    on_train_batch_begin, on_train_batch_end : callable, optional
        Take the batch, from 0, and logs.
    **kwargs : callable
        Functions in place of any other method of `Callback` whose name begins with `on_`.

    Raises
    ------
    TypeError
        When there is no such method, or what is given cannot be called.
    """

    def __init__(
        self,
        on_epoch_begin: _Function | None = None,
        on_epoch_end: _Function | None = None,
        on_train_begin: _Function | None = None,
        on_train_end: _Function | None = None,
        on_train_batch_begin: _Function | None = None,
        on_train_batch_end: _Function | None = None,
        **kwargs: _Function,
    ) -> None:
        super().__init__()
        listed = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }
        given = {event: function for event, function in listed.items() if function is not None}
        for event, function in (given | kwargs).items():
            if event not in EVENTS:
                raise TypeError(
                    f"LambdaCallback got an unexpected argument {event!r}{meant(event, EVENTS)}"
                )
            if not callable(function):
                raise TypeError(f"{event} must be a function, got {function!r}")
            setattr(self, event, function)
