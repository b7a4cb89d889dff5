"""Several callbacks told as one."""

from __future__ import annotations

from collections.abc import Iterable
from inspect import signature
from typing import Any

from rnnfast import callbacks as ours
from rnnfast.callbacks.callback import EVENTS, Callback
from rnnfast.utils.foreign import instead

# Logs come last; before them the number of an epoch or batch, where there is one.
_COUNTS = {event: len(signature(getattr(Callback, event)).parameters) - 1 for event in EVENTS}


class CallbackList:
    """Callbacks in the order in which they hear.

    Parameters
    ----------
    callbacks : Callback, iterable of Callback or None
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

    def __init__(
        self, callbacks: Callback | Iterable[Callback] | None, model: Any, **params: Any
    ) -> None:
        self.callbacks = as_callbacks(callbacks)
        for callback in self.callbacks:
            callback.set_model(model)
            callback.set_params(params)

    def tell(self, event: str, *details: Any) -> None:
        """Call the method named `event` of each callback.

        Where logs are left out, they are an empty dict: methods that users write often have no
        default for them.
        """
        arguments = (*details, {})[: _COUNTS[event]]
        for callback in self.callbacks:
            getattr(callback, event)(*arguments)


def as_callbacks(callbacks: object) -> list[Callback]:
    """Make a list of the argument `callbacks` of `fit`, `evaluate` or `predict`.

    Raises
    ------
    TypeError
        When it holds something else than callbacks. Those of other frameworks are told by name.
    """
    if callbacks is None:
        return []
    checked = []
    for callback in callbacks if isinstance(callbacks, Iterable) else [callbacks]:
        if not isinstance(callback, Callback):
            raise TypeError(
                f"callbacks must be instances of rnnfast.callbacks.Callback, got "
                f"{_described(callback)}"
            )
        checked.append(callback)
    return checked


def _described(callback: object) -> str:
    if isinstance(callback, type) and issubclass(callback, Callback):
        return f"the class {callback.__name__}; call it: {callback.__name__}()"
    kind = callback if isinstance(callback, type) else type(callback)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    whose = instead(callback, "rnnfast.callbacks", ours.__all__)
    return f"{module}{kind.__qualname__}{whose}"
