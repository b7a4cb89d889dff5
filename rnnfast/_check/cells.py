"""What Python has to know of each cell of the core: its name there, its gates, its states."""

from __future__ import annotations

from typing import NamedTuple


class Cell(NamedTuple):
    """A cell of `_core`: G, how G*H is written, and the names of the states it carries.

    `norm_rows` times H are the numbers of its layer normalization.
    """

    name: str
    gates: int
    rows: str
    states: tuple[str, ...]
    norm_rows: int = 0

    @property
    def has_c(self) -> bool:
        """Whether the cell carries a cell state beside its output."""
        return "c" in self.states


_LSTM = {
    "own": Cell("lstm", 4, "4*H", ("h", "c")),
    "coupled": Cell("lstm_coupled", 3, "3*H", ("h", "c")),
    "none": Cell("lstm_no_forget", 3, "3*H", ("h", "c")),
}
MGU = Cell("mgu", 2, "2*H", ("h",))
_RNN = {name: Cell(f"rnn_{name}", 1, "H", ("h",)) for name in ("tanh", "relu", "sigmoid")}
_LSTM_NORM = Cell("lstm_norm", 4, "4*H", ("h", "c"), norm_rows=10)
_GRU = Cell("gru", 3, "3*H", ("h",))
_GRU_NORM = Cell("gru_norm", 3, "3*H", ("h",), norm_rows=6)
_GRU_RESET_BEFORE = Cell("gru_reset_before", 3, "3*H", ("h",))


def rnn(nonlinearity: object) -> Cell:
    """Return the vanilla cell with this activation."""
    if not isinstance(nonlinearity, str) or nonlinearity not in _RNN:
        raise ValueError(f"nonlinearity must be 'tanh', 'relu' or 'sigmoid', got {nonlinearity!r}")
    return _RNN[nonlinearity]


def lstm(forget_gate: object, w_hr: object, layer_norm: object) -> Cell:
    """Return the LSTM whose forget gate is its own, one with the input gate, or absent."""
    if not isinstance(forget_gate, str) or forget_gate not in _LSTM:
        raise ValueError(f"forget_gate must be 'own', 'coupled' or 'none', got {forget_gate!r}")
    if layer_norm is None:
        return _LSTM[forget_gate]
    if forget_gate != "own":
        raise ValueError(f"layer_norm needs forget_gate='own', got {forget_gate!r}")
    if w_hr is not None:
        raise ValueError("layer_norm and w_hr do not go together, pass one of them")
    return _LSTM_NORM


def gru(reset_after: bool, layer_norm: object) -> Cell:
    """Return the GRU whose reset gate acts after, or before, the recurrent product."""
    if layer_norm is None:
        return _GRU if reset_after else _GRU_RESET_BEFORE
    if not reset_after:
        raise ValueError("layer_norm needs reset_after=True, got False")
    return _GRU_NORM


def by_kind(
    kind: str,
    nonlinearity: object,
    forget_gate: object,
    reset_after: bool,
    w_hr: object,
    layer_norm: object,
) -> Cell:
    """Return the cell that `prepack` names; an option of another kind must be at its default."""
    if kind != "rnn" and nonlinearity != "tanh":
        raise ValueError(f"nonlinearity is an option of cell 'rnn', not of {kind!r}")
    if kind != "lstm" and forget_gate != "own":
        raise ValueError(f"forget_gate is an option of cell 'lstm', not of {kind!r}")
    if kind != "lstm" and w_hr is not None:
        raise ValueError(f"w_hr is an option of cell 'lstm', not of {kind!r}")
    if kind != "gru" and not reset_after:
        raise ValueError(f"reset_after is an option of cell 'gru', not of {kind!r}")
    if kind not in ("lstm", "gru") and layer_norm is not None:
        raise ValueError(f"layer_norm is an option of cells 'lstm' and 'gru', not of {kind!r}")
    if kind == "rnn":
        return rnn(nonlinearity)
    if kind == "lstm":
        return lstm(forget_gate, w_hr, layer_norm)
    if kind == "gru":
        return gru(reset_after, layer_norm)
    if kind == "mgu":
        return MGU
    raise ValueError(f"cell must be 'rnn', 'lstm', 'gru' or 'mgu', got {kind!r}")
