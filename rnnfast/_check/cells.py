"""What Python has to know of each cell of the core: its name there, its gates, its states."""

from __future__ import annotations

from math import isinf
from typing import NamedTuple

from .activations import Activation, Many, activations, require_held_numbers, threshold
from .arrays import DType


class Cell(NamedTuple):
    """A cell of `_core`: G, how G*H is written, and the names of the states it carries.

    `norm_rows` times H are the numbers of its layer normalization. `activations` are those that a
    call has chosen; a cell whose own never change has none here.
    """

    name: str
    gates: int
    rows: str
    states: tuple[str, ...]
    norm_rows: int = 0
    activations: tuple[Activation, ...] = ()

    @property
    def has_c(self) -> bool:
        """Whether the cell carries a cell state beside its output."""
        return "c" in self.states

    def whose_rows(self, gates: int) -> str:
        """Return whose weights have so many rows for a unit, as a fix; "" for nobody's."""
        others = _OTHER_LSTM if self.has_c else _OTHER_CELLS
        if gates == self.gates or gates not in others:
            return ""
        return f"; {f'{gates}*H' if gates > 1 else 'H'} rows are those of {others[gates]}"

    def require_held_numbers(self, dtype: DType) -> None:
        """Raise unless the kernels can hold, in a dtype, the numbers that a call has chosen."""
        if self.activations:
            require_held_numbers(self.activations, dtype)

    @property
    def core(self) -> str | tuple[str, tuple[Activation, ...]]:
        """The cell as `_core` takes it."""
        return (self.name, self.activations) if self.activations else self.name


_KINDS = ("rnn", "lstm", "gru", "mgu")

_LSTM = {
    "own": Cell("lstm", 4, "4*H", ("h", "c")),
    "coupled": Cell("lstm_coupled", 3, "3*H", ("h", "c")),
    "none": Cell("lstm_no_forget", 3, "3*H", ("h", "c")),
}
_LSTM_PEEPHOLE = Cell("lstm_peephole", 4, "4*H", ("h", "c"))
_MGU = Cell("mgu", 2, "2*H", ("h",))
_RNN = {name: Cell(f"rnn_{name}", 1, "H", ("h",)) for name in ("tanh", "relu", "sigmoid")}
_LSTM_NORM = Cell("lstm_norm", 4, "4*H", ("h", "c"), norm_rows=10)
_RNN_OF_ANY = Cell("rnn", 1, "H", ("h",))
_GRU = Cell("gru", 3, "3*H", ("h",))
_GRU_NORM = Cell("gru_norm", 3, "3*H", ("h",), norm_rows=6)
_GRU_RESET_BEFORE = Cell("gru_reset_before", 3, "3*H", ("h",))

_OTHER_CELLS = {
    1: "rnn",
    2: "mgu",
    3: "gru, or of lstm without a forget gate of its own",
    4: "lstm",
}
_OTHER_LSTM = {
    1: "rnn",
    2: "mgu",
    3: "gru, or of forget_gate='coupled' or 'none'",
    4: "forget_gate='own'",
}

# The cells' own activations, in ONNX's order: of the gates, the candidate, the output.
_OF_LSTM = ("sigmoid", "tanh", "tanh")
_OF_GATED = ("sigmoid", "tanh")


def rnn(nonlinearity: object, chosen: Many | None, clip: float | None) -> Cell:
    """Return the vanilla cell with this activation, by either of its arguments."""
    if not isinstance(nonlinearity, str) or nonlinearity not in _RNN:
        raise ValueError(f"nonlinearity must be 'tanh', 'relu' or 'sigmoid', got {nonlinearity!r}")
    if chosen is not None and nonlinearity != "tanh":
        raise ValueError(
            f"nonlinearity must be left out where activations are given, got {nonlinearity!r}"
        )
    if chosen is None and clip is None:
        return _RNN[nonlinearity]
    (wanted,) = activations(chosen, (nonlinearity,), threshold(clip))
    for name, cell in _RNN.items():
        if (wanted,) == activations(None, (name,), wanted.clip) and isinf(wanted.clip):
            return cell
    return _RNN_OF_ANY._replace(activations=(wanted,))


def lstm(
    forget_gate: object,
    chosen: Many | None,
    clip: float | None,
    *,
    w_hr: object,
    peephole: object,
    layer_norm: object,
) -> Cell:
    """Return the LSTM whose forget gate is its own, one with the input gate, or absent.

    Of the weights it matters here whether they are there.
    """
    if not isinstance(forget_gate, str) or forget_gate not in _LSTM:
        raise ValueError(f"forget_gate must be 'own', 'coupled' or 'none', got {forget_gate!r}")
    if layer_norm is not None:
        for name, other in (("w_hr", w_hr), ("peephole", peephole)):
            if other is not None:
                raise ValueError(f"layer_norm and {name} do not go together, pass one of them")
        if forget_gate != "own":
            raise ValueError(f"layer_norm needs forget_gate='own', got {forget_gate!r}")
        return _with(_LSTM_NORM, _OF_LSTM, chosen, clip)
    if peephole is None:
        return _with(_LSTM[forget_gate], _OF_LSTM, chosen, clip)
    if forget_gate != "own":
        raise ValueError(
            f"peephole must be None with forget_gate={forget_gate!r}; it has a row for a forget "
            "gate of its own"
        )
    return _LSTM_PEEPHOLE._replace(activations=activations(chosen, _OF_LSTM, threshold(clip)))


def gru(reset_after: bool, chosen: Many | None, clip: float | None, *, layer_norm: object) -> Cell:
    """Return the GRU whose reset gate acts after, or before, the recurrent product."""
    if layer_norm is None:
        return _with(_GRU if reset_after else _GRU_RESET_BEFORE, _OF_GATED, chosen, clip)
    if not reset_after:
        raise ValueError("layer_norm needs reset_after=True, got False")
    return _with(_GRU_NORM, _OF_GATED, chosen, clip)


def mgu(chosen: Many | None, clip: float | None) -> Cell:
    """Return the minimal gated unit."""
    return _with(_MGU, _OF_GATED, chosen, clip)


def by_kind(
    kind: str,
    nonlinearity: object,
    forget_gate: object,
    reset_after: bool,
    chosen: Many | None,
    clip: float | None,
    *,
    w_hr: object,
    peephole: object,
    layer_norm: object,
) -> Cell:
    """Return the cell that `prepack` names; an option of another kind must be at its default."""
    if kind not in _KINDS:
        raise ValueError(f"cell must be 'rnn', 'lstm', 'gru' or 'mgu', got {kind!r}{_kind(kind)}")
    if kind != "rnn" and nonlinearity != "tanh":
        raise ValueError(f"nonlinearity is an option of cell 'rnn', not of {kind!r}")
    if kind != "lstm" and forget_gate != "own":
        raise ValueError(f"forget_gate is an option of cell 'lstm', not of {kind!r}")
    for name, weight in (("w_hr", w_hr), ("peephole", peephole)):
        if kind != "lstm" and weight is not None:
            raise ValueError(f"{name} is an option of cell 'lstm', not of {kind!r}")
    if kind != "gru" and not reset_after:
        raise ValueError(f"reset_after is an option of cell 'gru', not of {kind!r}")
    if kind not in ("lstm", "gru") and layer_norm is not None:
        raise ValueError(f"layer_norm is an option of cells 'lstm' and 'gru', not of {kind!r}")
    if kind == "rnn":
        return rnn(nonlinearity, chosen, clip)
    if kind == "lstm":
        return lstm(forget_gate, chosen, clip, w_hr=w_hr, peephole=peephole, layer_norm=layer_norm)
    if kind == "gru":
        return gru(reset_after, chosen, clip, layer_norm=layer_norm)
    return mgu(chosen, clip)


def _kind(given: object) -> str:
    """Return the kind that was meant, as a fix; "" where nobody knows."""
    plain, _, nonlinearity = str(given).lower().partition("_")
    if plain not in _KINDS or nonlinearity not in ("", *_RNN):
        return ""
    return f"; pass {plain!r}" + (f" and {nonlinearity=}" if nonlinearity else "")


def _with(cell: Cell, own: tuple[str, ...], chosen: Many | None, clip: float | None) -> Cell:
    """Return a cell with the activations of a call, itself where these are its own."""
    if chosen is None and clip is None:
        return cell
    bound = threshold(clip)
    wanted = activations(chosen, own, bound)
    if isinf(bound) and wanted == activations(None, own, bound):
        return cell
    return cell._replace(activations=wanted)
