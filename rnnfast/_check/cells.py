"""Cells: which the core has, and which options of which public function choose them.

What a cell is, the core knows and tells (`_core.cells`). What Python alone knows is `VARIANTS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import inf, isinf
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import numpy as np

from .. import _core
from .activations import Activation, Choices, activations, require_held_numbers, threshold
from .arrays import DType
from .options import flag

FACTS: Mapping[str, _core.CellFacts] = {facts["name"]: facts for facts in _core.cells()}
"""What the core says of each of its cells."""

BESIDE = ("peephole", "layer_norm")
"""Weights beside matrices and biases that ask for a cell of their own."""


class Variant(NamedTuple):
    """A cell of the core, as one of those that a public function offers.

    `activations` are its own, in ONNX's order: of the gates, the candidate, the output. `options`
    and the weight `beside` matrices and biases are what a caller chooses it by.
    """

    function: str
    core: str
    activations: tuple[str, ...]
    options: Mapping[str, str | bool] = MappingProxyType({})
    beside: str | None = None

    @property
    def core_of_chosen(self) -> str:
        """The cell of the core whose activations a call chooses."""
        return self.core if FACTS[self.core]["chosen"] else self.function


_LSTM = ("sigmoid", "tanh", "tanh")
_GATED = ("sigmoid", "tanh")

VARIANTS: tuple[Variant, ...] = (
    Variant("rnn", "rnn_tanh", ("tanh",), {"nonlinearity": "tanh"}),
    Variant("rnn", "rnn_relu", ("relu",), {"nonlinearity": "relu"}),
    Variant("rnn", "rnn_sigmoid", ("sigmoid",), {"nonlinearity": "sigmoid"}),
    Variant("lstm", "lstm", _LSTM, {"forget_gate": "own"}),
    Variant("lstm", "lstm_coupled", _LSTM, {"forget_gate": "coupled"}),
    Variant("lstm", "lstm_no_forget", _LSTM, {"forget_gate": "none"}),
    Variant("lstm", "lstm_peephole", _LSTM, {"forget_gate": "own"}, "peephole"),
    Variant("lstm", "lstm_norm", _LSTM, {"forget_gate": "own"}, "layer_norm"),
    Variant("gru", "gru", _GATED, {"reset_after": True}),
    Variant("gru", "gru_reset_before", _GATED, {"reset_after": False}),
    Variant("gru", "gru_norm", _GATED, {"reset_after": True}, "layer_norm"),
    Variant("mgu", "mgu", _GATED),
    Variant("light_gru", "light_gru", ("sigmoid", "relu")),
)
"""All of them. The first of a function is what it computes by default."""

BY_FUNCTION: Mapping[str, tuple[Variant, ...]] = {
    name: tuple(variant for variant in VARIANTS if variant.function == name)
    for name in dict.fromkeys(variant.function for variant in VARIANTS)
}

DEFAULTS: Mapping[str, str | bool] = {
    option: value for first, *_ in BY_FUNCTION.values() for option, value in first.options.items()
}
"""The options that choose a cell, and what they are unless a caller says otherwise."""


class Cell(NamedTuple):
    """A cell of `_core` as a call has chosen it.

    `activations` are those that the call has chosen; a cell whose own never change has none here.
    Operands of its products are rounded to `precision`; None: they are not.
    """

    function: str
    name: str
    gates: int
    has_c: bool
    norm_rows: int
    unit_weights: int
    activations: tuple[Activation, ...] = ()
    precision: str | None = None

    def in_precision(self, precision: str | None) -> Cell:
        """Return the cell with operands rounded so."""
        return self if precision is None else self._replace(precision=precision)

    @property
    def rows(self) -> str:
        """How G*H is written."""
        return _rows(self.gates)

    @property
    def states(self) -> tuple[str, ...]:
        """The names of the states that it carries."""
        return ("h", "c") if self.has_c else ("h",)

    def whose_rows(self, gates: int) -> str:
        """Return whose weights have so many rows for a unit, as a fix; "" for nobody's."""
        owners = _owners(self.function, gates) if gates != self.gates else ""
        return f"; {_rows(gates)} rows are those of {owners}" if owners else ""

    def require_held_numbers(self, dtype: DType) -> None:
        """Raise unless the kernels can hold, in a dtype, the numbers that a call has chosen."""
        if self.activations:
            require_held_numbers(self.activations, dtype)

    @property
    def core(self) -> str | tuple[str, tuple[Activation, ...]]:
        """The cell as `_core` takes it."""
        return (self.name, self.activations) if self.activations else self.name


def usual_activations(cell: Cell) -> tuple[str, ...]:
    """Return the activations that a cell has unless a call chooses others."""
    return _of_core(cell).activations


def options_of(cell: Cell) -> Mapping[str, str | bool]:
    """Return the options that choose a cell."""
    return _of_core(cell).options


def _of_core(cell: Cell) -> Variant:
    for variant in BY_FUNCTION[cell.function]:
        if cell.name in (variant.core, variant.core_of_chosen):
            return variant
    raise ValueError(f"no cell of the core is {cell.name!r} of {cell.function!r}")


def choose(
    function: str,
    *,
    w_hr: object = None,
    peephole: object = None,
    layer_norm: object = None,
    activations: Choices | None = None,
    clip: float | None = None,
    **options: object,
) -> Cell:
    """Return the cell that a public function computes with these options.

    Of the weights it matters here whether they are there.
    """
    beside: tuple[str, ...] = () if layer_norm is None else ("layer_norm",)
    if peephole is not None:
        beside += ("peephole",)
    by = tuple([(option, _valued(option, value)) for option, value in options.items()])
    variant, cell = _variant(function, by, beside)
    if w_hr is not None and not FACTS[variant.core]["projectable"]:
        raise ValueError(f"{variant.beside} and w_hr do not go together, pass one of them")
    if activations is None and clip is None:
        return cell
    return _with(variant, cell, activations, clip)


def choose_of_any(function: str, **options: Any) -> Cell:
    """As `choose`, of the options of all functions: those of others must be at their defaults."""
    if function not in BY_FUNCTION:
        wanted = _alternatives(BY_FUNCTION)
        raise ValueError(f"cell must be {wanted}, got {function!r}{_meant(function)}")
    own: dict[str, Any] = {}
    for name, value in options.items():
        owners = _OWNERS.get(name, (function,))
        if function in owners:
            own[name] = value
        elif not _is_default(name, value):
            cells = f"cell{'s' if len(owners) > 1 else ''} {' and '.join(map(repr, owners))}"
            raise ValueError(f"{name} is an option of {cells}, not of {function!r}")
    return choose(function, **own)


_VALUES = {
    option: tuple(dict.fromkeys(one.options[option] for one in VARIANTS if option in one.options))
    for option in DEFAULTS
}

_OWNERS = {
    name: tuple(
        dict.fromkeys(
            one.function
            for one in VARIANTS
            if name in (*one.options, one.beside)
            or (name == "w_hr" and FACTS[one.core]["projectable"])
        )
    )
    for name in (*DEFAULTS, *BESIDE, "w_hr")
}


def _valued(option: str, value: object) -> str | bool:
    """Return the value of an option that chooses a cell, if it is one."""
    values = _VALUES[option]
    if isinstance(values[0], bool):
        return flag(option, cast(bool, value))
    if not isinstance(value, str) or value not in values:
        raise ValueError(f"{option} must be {_alternatives(values)}, got {value!r}")
    return value


def _is_default(name: str, value: object) -> bool:
    if name not in DEFAULTS:
        return value is None
    return isinstance(value, (str, bool, np.bool_)) and value == DEFAULTS[name]


@lru_cache(maxsize=256)
def _variant(
    function: str, options: tuple[tuple[str, str | bool], ...], beside: tuple[str, ...]
) -> tuple[Variant, Cell]:
    """Return a variant and, as far as no call chooses anything, its cell."""
    if len(beside) > 1:
        raise ValueError(f"{' and '.join(beside)} do not go together, pass one of them")
    chosen = {**DEFAULTS, **dict(options)}
    asked = beside[0] if beside else None
    wrong = ""
    for variant in BY_FUNCTION[function]:
        if variant.beside != asked:
            continue
        for option, value in variant.options.items():
            if chosen[option] != value:
                wrong = f"{asked} needs {option}={value!r}, got {chosen[option]!r}"
                break
        else:
            facts = FACTS[variant.core]
            own = () if facts["fixed"] else activations(None, variant.activations, inf)
            return variant, Cell(
                function,
                variant.core,
                facts["gates"],
                facts["has_memory"],
                facts["norm_rows"],
                facts["unit_weights"],
                own,
            )
    raise ValueError(wrong)


def _with(variant: Variant, cell: Cell, chosen: Choices | None, clip: float | None) -> Cell:
    """Return a variant with the activations of a call; a plain cell where they are its own."""
    first = BY_FUNCTION[variant.function][0]
    if chosen is not None and variant.activations != first.activations:
        ((option, value),) = variant.options.items()
        raise ValueError(f"{option} must be left out where activations are given, got {value!r}")
    bound = threshold(clip)
    wanted = activations(chosen, variant.activations, bound)
    if isinf(bound):
        for other in BY_FUNCTION[variant.function]:
            alike = other.core_of_chosen == variant.core_of_chosen and FACTS[other.core]["fixed"]
            if alike and wanted == activations(None, other.activations, bound):
                return cell._replace(name=other.core)
    return cell._replace(name=variant.core_of_chosen, activations=wanted)


def _rows(gates: int) -> str:
    return "H" if gates == 1 else f"{gates}*H"


def _alternatives(values: Iterable[object]) -> str:
    *others, last = map(repr, values)
    return f"{', '.join(others)} or {last}"


def _owners(function: str, gates: int) -> str:
    """Return which functions, or options of this one, have weights of so many rows for a unit."""
    plain, by_option = [], []
    for name, (first, *others) in BY_FUNCTION.items():
        found = [v for v in (first, *others) if FACTS[v.core]["gates"] == gates and not v.beside]
        if found and found[0] is first and name != function:
            plain.append(name)
        elif found:
            ((option, _),) = found[0].options.items()
            values = " or ".join(repr(one.options[option]) for one in found)
            by_option.append(f"{'' if name == function else f'{name} with '}{option}={values}")
    return ", or of ".join([" or ".join(plain), *by_option] if plain else by_option)


def _meant(given: object) -> str:
    """Return what was meant instead of a function's name, as a fix; "" where nobody knows."""
    plain = str(given).lower()
    for function in BY_FUNCTION:
        if plain.replace("_", "") == function.replace("_", ""):  # as "LightGRU"
            return f"; pass {function!r}"
    for variant in VARIANTS:
        if plain == variant.core:
            by = variant.beside or ", ".join(f"{o}={v!r}" for o, v in variant.options.items())
            return f"; pass {variant.function!r} and {by}"
    return ""
