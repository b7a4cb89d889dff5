"""Docstrings of the public functions: what a cell's own file says, and what all share.

A function's own docstring has its summary, and the parameters that no other has. Options
that others have as well are described in `options`. Equations and their source are those of the
module, unless the function has notes and references of its own. The rest is here.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from functools import cache
from inspect import cleandoc, signature
from typing import Any, Protocol

from . import options as shared

__all__ = ["of_call", "of_pack", "of_trace", "of_vjp"]

_ORDER = (
    "Parameters",
    "Attributes",
    "Returns",
    "Raises",
    "See Also",
    "Notes",
    "References",
    "Examples",
)

_ARRAYS = """\
x : array_like, shape (T, B, I)
    T steps of B sequences of I inputs.
w_ih : array_like, shape ({rows}, I)
    Input weights{order}.
w_hh : array_like, shape ({rows}, H)
    Recurrent weights{order}.
b_ih, b_hh : array_like, shape ({rows},), optional
    Biases, each zero by default."""

_STACKING = """\
All arrays are float32 or all are float64, with any strides.

Layers stack: each of the weights may be a sequence of arrays, layer by layer, and of each layer, if
`bidirectional`, forward before reverse. With L layers of D directions the states are (L*D, B, H),
`y` is (T, B, D*H), and upper layers have D*H inputs."""

_UNMODIFIED = """\
The arguments must stay unmodified until the pullback has been called for the last time; the results
may be changed. The pullback raises where it sees that they did not: it compares arrays of up to
4 KiB whole, and of larger ones 32 lines of 64 bytes, evenly spread. The next batch, or a step of an
optimizer, is noticed; another value of a single number of a large array may not be."""

_ERRORS = """\
ValueError
    If a shape does not fit, an option is none of those that there are, or the type of the arrays
    cannot hold a number like `clip`; the message names the argument and what is wanted.
TypeError
    If an array is not float32 or float64 (on a GPU: or float16 or bfloat16), or not of the dtype
    of `x`.
MemoryError
    If the results do not fit into memory."""


class Documented(Protocol):
    """What docstrings tell of a kind of cell."""

    name: str
    order: str
    rows: str
    gates: int
    output: Any
    pullback: Any
    trace: Any


def of_call(function: Callable[..., Any], family: Documented) -> str:
    """Return the docstring of a forward pass."""
    name, fields = family.name, family.output._fields
    order = f", rows in the order {family.order}" if family.order else ""
    arrays = _entries(_ARRAYS.format(rows=family.rows, order=order))
    states = " and ".join(f"`{field}` (B, H)" for field in fields[1:])
    shown = ", ".join(f"{field}.shape" for field in fields[:2])
    return _written(
        function,
        {
            "": _STACKING,
            "Parameters": _described(function, {**_of_options(), **arrays}),
            "Returns": f"{family.output.__name__}\n"
            f"    `y` (T, B, H), {states}, fresh arrays. With T = 0 the last state is the first.",
            "Raises": _ERRORS,
            **_of_module(function),
            "See Also": f"{name}_vjp : the same with exact derivatives.\n"
            f"{name}_trace : the same with all gates.\n"
            "prepack : the same on weights that are packed once.",
            "Examples": f"{_example(family)}\n"
            f">>> {', '.join(fields)} = rnnfast.{name}(x, w_ih, w_hh)\n"
            f">>> {shown}\n((5, 2, 4), (2, 4))",
        },
    )


def of_vjp(function: Callable[..., Any], family: Documented) -> str:
    """Return the docstring of a forward pass with derivatives."""
    name, output, grads = family.name, family.output, family.pullback.form
    own = ("truncate", "checkpoint", "per_sample", "wrt")
    entries = _of_options()
    above = ", ".join(f"d{field}" for field in output._fields)
    return _written(
        function,
        {
            "": f"Arguments, results and errors are those of `{name}`, and the ones below.\n\n"
            f"{_UNMODIFIED}",
            "Parameters": "\n".join(
                [_as_for(name, function, own), *(entries[option] for option in own)]
            ),
            "Returns": f"output : {output.__name__}\n    As from `{name}`.\n"
            f"pullback : {family.pullback.__name__}\n"
            f"    `pullback({above})` returns `{grads.__name__}`. Gradients of absent weights and "
            "of what is\n    not in `wrt` are None; those of initial states are there also when "
            "these are not given.",
            "Raises": f"ValueError\n    As `{name}`, and if `wrt` holds another name, or for "
            "`per_sample` with `checkpoint`.\n"
            f"TypeError\n    As `{name}`, and if `wrt` is a string or no collection.",
            "Examples": f"{_example(family)}\n"
            f">>> ({', '.join(output._fields)}), pullback = rnnfast.{name}_vjp(\n"
            '...     x, w_ih, w_hh, wrt=["w_hh", "h0"]\n... )\n'
            ">>> grads = pullback(dy=np.ones_like(y))\n>>> grads.w_hh.shape, grads.x is None\n"
            f"(({4 * family.gates}, 4), True)",
        },
    )


def of_trace(function: Callable[..., Any], family: Documented) -> str:
    """Return the docstring of a forward pass with a trace."""
    name = family.name
    return _written(
        function,
        {
            "Parameters": _as_for(name, function, (), "; of one layer"),
            "Returns": f"{family.trace.__name__}\n"
            f"    Fresh arrays; `y` and the last states are those of `{name}`.",
            "Raises": f"ValueError, TypeError, MemoryError\n    As `{name}`, and a ValueError for "
            "sequences of weights.",
            "Examples": f"{_example(family)}\n"
            f">>> rnnfast.{name}_trace(x, w_ih, w_hh).gates.shape\n(5, 2, {family.gates}, 4)",
        },
    )


def of_pack(function: Callable[..., Any]) -> str:
    """Return the docstring of `prepack`."""
    return _written(function, {"Parameters": _described(function, _of_options())})


def _of_module(function: Callable[..., Any]) -> dict[str, str]:
    """Return the equations of a module and where they are from."""
    doc = sys.modules[function.__module__].__doc__ or ""
    equations = re.search(r"^    .*?(?=\n\S)", doc, re.MULTILINE | re.DOTALL)
    source = re.search(r"^Source: (.*)", doc, re.MULTILINE | re.DOTALL)
    notes = {"Notes": f"::\n\n{equations[0].rstrip()}"} if equations else {}
    references = source[1].strip().replace("\n", "\n   ") if source else ""
    return {**notes, "References": f".. [1] {references}"} if references else notes


@cache
def _of_options() -> dict[str, str]:
    """Return what is said of each option that functions share."""
    found: dict[str, str] = {}
    for options in vars(shared).values():
        if hasattr(options, "__total__") and options.__doc__:
            found.update(_entries(_sections(cleandoc(options.__doc__)).get("Parameters", "")))
    return found


def _sections(doc: str) -> dict[str, str]:
    """Return the sections of a docstring by their titles; what comes before them has none."""
    pieces = re.split(r"^([A-Z][A-Za-z ]+)\n-+\n", doc, flags=re.MULTILINE)
    titled = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    return {"": pieces[0].strip(), **{title: text.rstrip() for title, text in titled.items()}}


def _entries(section: str) -> dict[str, str]:
    """Return the entries of a section by each of the names that they describe."""
    found = {}
    for entry in re.split(r"\n(?=\S)", section):
        for name in entry.partition(" : ")[0].split(", "):
            found[name] = entry
    return found


def _described(function: Callable[..., Any], entries: dict[str, str]) -> str:
    """Return the entries of all parameters of a function, its own before those that it shares."""
    own = _sections(cleandoc(function.__doc__ or "")).get("Parameters", "")
    known = {**entries, **_entries(own)}
    return "\n".join(dict.fromkeys(known[name] for name in signature(function).parameters))


def _as_for(
    name: str, function: Callable[..., Any], but: Iterable[str], condition: str = ""
) -> str:
    names = ", ".join(one for one in signature(function).parameters if one not in but)
    return f"{names}\n    As for `{name}`{condition}."


def _example(family: Documented) -> str:
    rows = 4 * family.gates
    return (
        ">>> import numpy as np\n>>> import rnnfast\n"
        f">>> x, w_ih, w_hh = np.ones((5, 2, 3)), np.zeros(({rows}, 3)), np.zeros(({rows}, 4))"
    )


def _written(function: Callable[..., Any], given: dict[str, str]) -> str:
    """Return a docstring: the function's own sections, else the given ones."""
    own = _sections(cleandoc(function.__doc__ or ""))
    intro = "\n\n".join(text for text in (own.pop(""), given.pop("", "")) if text)
    own.pop("Parameters", None)
    sections = {**given, **own}
    titled = [
        f"{title}\n{'-' * len(title)}\n{sections[title]}" for title in _ORDER if title in sections
    ]
    return "\n\n".join([intro, *titled]) + "\n"
