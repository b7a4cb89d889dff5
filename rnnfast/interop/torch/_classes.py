"""Which class a swapped module has.

    torch.nn.LSTM                          LSTM
    class Own(torch.nn.LSTM)               Own(LSTM, Own): made here, ours before theirs
    FSDPLSTM(FSDPModule, torch.nn.LSTM)    FSDPLSTM(FSDPModule, LSTM): made by torch, made once more

The third kind has no name that an import finds. `fully_shard` and `parametrize` make such classes
around that of a module, and take them off by their bases.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch.nn import Module

from .cells import GRUCell, LSTMCell, RNNCell
from .layers import GRU, LSTM, RNN

OURS = {
    torch.nn.RNN: RNN,
    torch.nn.LSTM: LSTM,
    torch.nn.GRU: GRU,
    torch.nn.RNNCell: RNNCell,
    torch.nn.LSTMCell: LSTMCell,
    torch.nn.GRUCell: GRUCell,
}

# What a subclass may define: ours call on to it.
_CALLED_ON = {"extra_repr", "reset_parameters"}
# What torch's forward is made of, beside what ours have under the same name.
_STEPS = {
    *("__call__", "_call_impl", "check_input", "check_hidden_size", "get_expected_hidden_size"),
    *("_update_flat_weights", "_weights_have_changed"),
}


class CannotSwap(Exception):
    """A module stays as it is, for the reason that the message gives."""


def is_swapped(module: Module) -> bool:
    """Return whether our forward runs a module."""
    return isinstance(module, tuple(OURS.values()))


def is_recurrent(module: Module) -> bool:
    """Return whether a module is one of torch's, or of a subclass of these."""
    return isinstance(module, tuple(OURS))


def swapped_class(module: Module) -> type[Any]:
    """Return the class with which our forward runs a module of torch's.

    Raises
    ------
    CannotSwap
        If torch's own forward is not all that runs it now.
    """
    base = next(base for base in OURS if isinstance(module, base))
    # False is an option of ours that a module has kept from before it was swapped back.
    there = {name for name, value in vars(module).items() if value is not False} - {"_rates"}
    taken = sorted((there | {*module._modules}) & _replaced(base))
    if taken:
        raise CannotSwap(f"this module has a {taken[0]} of its own")
    return _with_ours(type(module))


def torchs_class(module: Module) -> type[Any]:
    """Return the class with which torch runs a swapped module.

    Raises
    ------
    CannotSwap
        If there is none.
    """
    return _without_ours(type(module))


def _with_ours(theirs: type[Any]) -> type[Any]:
    if _is_made_by_torch(theirs):
        return _made_once_more(theirs, lambda base: _with_ours(base) if _is_theirs(base) else base)
    return OURS.get(theirs) or _derived(theirs)  # type: ignore[arg-type]  # a class is hashable


def _without_ours(own: type[Any]) -> type[Any]:
    if _is_made_by_torch(own):
        return _made_once_more(own, lambda base: _without_ours(base) if _is_ours(base) else base)
    if "_theirs" not in vars(own):
        raise CannotSwap(f"{own.__qualname__} derives from a class of rnnfast")
    theirs: type[Any] = own._theirs
    return theirs


def _is_theirs(cls: type) -> bool:
    return issubclass(cls, tuple(OURS))


def _is_ours(cls: type) -> bool:
    return issubclass(cls, tuple(OURS.values()))


class _OfBoth(Module):  # type: ignore[misc]  # torch is not looked into
    """What makes a module of a class that is made here pickle by the name of theirs."""

    _theirs: type[Any]

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Reduce to their class, which an import finds, and the state."""
        made, arguments, *state = super().__reduce_ex__(protocol)
        if made.__name__ == "__newobj__" and "_theirs" in vars(type(self)):
            return _new_swapped, (self._theirs,), *state
        return made, arguments, *state


def _new_swapped(theirs: type[Any]) -> Module:
    """Return a module without a state: what a pickle begins with."""
    cls: Any = _with_ours(theirs)
    module: Module = cls.__new__(cls)
    return module


@cache
def _derived(theirs: type[Any]) -> type[Any]:
    """Return a class with our forward and all that a subclass of torch's has beside."""
    base = next(base for base in OURS if issubclass(theirs, base))
    of_theirs = {name for part in _parts(theirs, base) for name in vars(part)}
    taken = sorted(of_theirs & _replaced(base))
    if taken:
        raise CannotSwap(f"{theirs.__qualname__} has a {taken[0]} of its own")
    same = ("__module__", "__qualname__", "__doc__")
    names = {"_theirs": theirs, **{name: getattr(theirs, name) for name in same}}
    try:
        return types.new_class(
            theirs.__name__, (OURS[base], _OfBoth, theirs), exec_body=lambda own: own.update(names)
        )
    except TypeError as error:  # as an __init_subclass__ or a metaclass may say
        raise CannotSwap(f"no class can be derived from {theirs.__qualname__}: {error}") from error


def _replaced(base: type[Any]) -> set[str]:
    """Return the names of what ours has in another way than torch's class, or instead of it."""
    of_ours = {name for part in _parts(OURS[base], base) for name in vars(part)}
    named = {name for name in of_ours if not name.startswith("__")}
    return (named | _STEPS) - _CALLED_ON


def _parts(cls: type, base: type) -> list[type]:
    """Return the classes of which a class is made, but those of another."""
    return [part for part in cls.__mro__ if part not in base.__mro__]


def _is_made_by_torch(cls: type) -> bool:
    home = sys.modules.get(cls.__module__)
    return cls.__module__.startswith("torch.") and not hasattr(home, cls.__name__)


def _made_once_more(cls: type[Any], base_of: Callable[[type], type]) -> type[Any]:
    """Return a class that torch has made as it would have been with other bases."""
    names = {k: v for k, v in vars(cls).items() if k not in ("__dict__", "__weakref__")}
    make: Any = type(cls)
    made: type[Any] = make(cls.__name__, tuple(map(base_of, cls.__bases__)), names)
    return made
