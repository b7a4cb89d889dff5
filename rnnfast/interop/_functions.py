"""What functions for tensors of a host have in common with those of `rnnfast`, their namesakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any, TypedDict, TypeVar

from .._check import cells
from ..functional.options import Activations
from ..functional.signatures import defaults_of, require_known, with_options

_Function = TypeVar("_Function", bound=Callable[..., Any])


class LayerOptions(TypedDict, total=False):
    """Options of a layer in one direction, whichever the cell."""

    h0: Any
    state: Any
    activations: Activations | None
    clip: float | None
    lengths: Any
    resets: Any
    batch_first: bool
    reverse: bool
    truncate: int | None


class OfRNN(TypedDict, total=False):
    """What `rnn` has beside."""

    nonlinearity: str


class OfLSTM(TypedDict, total=False):
    """What `lstm` has beside."""

    c0: Any
    w_hr: Any
    peephole: Any
    layer_norm: Any
    forget_gate: str


class OfGRU(TypedDict, total=False):
    """What `gru` has beside."""

    layer_norm: Any
    reset_after: bool


def face(
    options: Any, implementation: Callable[..., Any], document: str, own: tuple[str, ...] = ()
) -> Callable[[_Function], _Function]:
    """Give a function the signature that its options make, and its docstring.

    Defaults are those of the implementation. In the document stand the function's `summary` and
    `name`, the type of its `output`, and the `names` of all parameters but its `own`.
    """

    def finish(function: _Function) -> _Function:
        defaults = {**cells.DEFAULTS, **defaults_of(implementation)}
        with_options(function, options, defaults, first=("h0", "c0", "state"))
        if function.__doc__:  # unlike under python -OO
            function.__doc__ = document.format(
                summary=function.__doc__,
                name=function.__name__,
                names=", ".join(name for name in signature(function).parameters if name not in own),
                output=function.__annotations__["return"],
            )
        return function

    return finish


def require_options(
    function: str, host: str, given: Mapping[str, Any], known: Any, refused: Mapping[str, str]
) -> None:
    """Raise TypeError for options that are none, or are the host's: `refused`, with what to do."""
    for name, instead in refused.items():
        if name in given:
            raise TypeError(f"{function}() for {host} takes no {name!r}; {instead}")
    require_known(function, given, frozenset(known.__annotations__))
