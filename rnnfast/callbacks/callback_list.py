"""Several callbacks told as one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rnnfast.callbacks.callback import Callback


class CallbackList:
    """Callbacks in the order in which they hear.

    Parameters
    ----------
    callbacks : iterable of Callback
        The callbacks.
    model : Sequential
        Given to each.
    **params
        Given to each, as `params`.

    Raises
    ------
    TypeError
        When one is no `Callback`.
    """

    def __init__(self, callbacks: Iterable[Callback], model: Any, **params: Any) -> None:
        self.callbacks = list(callbacks)
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(f"callbacks must be instances of Callback, got {callback!r}")
            callback.set_model(model)
            callback.set_params(params)

    def tell(self, event: str, *details: Any) -> None:
        """Call the method named `event` of each callback."""
        for callback in self.callbacks:
            getattr(callback, event)(*details)
