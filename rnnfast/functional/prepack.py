"""Weights packed once, to be run many times: inference and streaming."""

from __future__ import annotations

from functools import partial
from typing import Any, Generic, Literal, TypedDict, TypeVar, cast, overload

import numpy.typing as npt

from .. import _core
from .._check import Array, DType, cells, empty, inputs, options, stacks
from ._run import Results, forward_packed
from .results import GRUOutput, LSTMOutput, MGUOutput, RNNOutput

OutputT = TypeVar("OutputT", RNNOutput, LSTMOutput, GRUOutput, MGUOutput)
StateT = TypeVar("StateT", Array, tuple[Array, Array])

_OUTPUTS = {"rnn": RNNOutput, "lstm": LSTMOutput, "gru": GRUOutput, "mgu": MGUOutput}


class _Options(TypedDict):
    nonlinearity: str
    forget_gate: str
    reset_after: bool
    reverse: bool


class Prepacked(Generic[OutputT, StateT]):
    """A cell with its weights, packed for the kernels; what `prepack` returns.

    It never changes, so that any number of threads may share it. It keeps copies of its weights
    and can be pickled.

    Parameters
    ----------
    cell, w_ih, w_hh, b_ih, b_hh, nonlinearity, forget_gate, reset_after, reverse
        As for `prepack`.

    Attributes
    ----------
    cell : str
        The kind of cell: "rnn", "lstm", "gru" or "mgu".
    input_size : int
        I, the inputs of a step.
    hidden_size : int
        H, the hidden units.
    dtype : numpy.dtype
        The dtype of weights, inputs and results.
    reverse : bool
        Whether sequences are run from their last step to their first.
    """

    __slots__ = ("_core_cell", "_kind", "_options", "_packed", "_step", "_weights")

    def __init__(
        self,
        cell: str,
        w_ih: npt.ArrayLike,
        w_hh: npt.ArrayLike,
        b_ih: npt.ArrayLike | None = None,
        b_hh: npt.ArrayLike | None = None,
        *,
        nonlinearity: str = "tanh",
        forget_gate: str = "own",
        reset_after: bool = True,
        reverse: bool = False,
    ) -> None:
        self._kind = cell
        self._options: _Options = {
            "nonlinearity": nonlinearity,
            "forget_gate": forget_gate,
            "reset_after": options.flag("reset_after", reset_after),
            "reverse": options.flag("reverse", reverse),
        }
        self._core_cell = cells.by_kind(
            cell, nonlinearity, forget_gate, self._options["reset_after"]
        )
        stacks.one_layer((w_ih, w_hh, b_ih, b_hh))
        self._weights = inputs.weights(self._core_cell, w_ih, w_hh, b_ih, b_hh).owned()
        self._packed = _core.Packed(self._core_cell.name, *self._weights)
        # Held as a bound method because a step of a small cell costs little more than the call.
        self._step = _no_step if self.reverse else self._packed.step

    @property
    def cell(self) -> str:
        """Kind of cell: "rnn", "lstm", "gru" or "mgu"."""
        return self._kind

    @property
    def input_size(self) -> int:
        """I, the inputs of a step."""
        return self._weights.input_size

    @property
    def hidden_size(self) -> int:
        """H, the hidden units."""
        return self._weights.hidden_size

    @property
    def dtype(self) -> DType:
        """The dtype of weights, inputs and results."""
        return self._weights.dtype

    @property
    def reverse(self) -> bool:
        """Whether sequences are run from their last step to their first."""
        return self._options["reverse"]

    def __call__(
        self,
        x: npt.ArrayLike,
        *,
        h0: npt.ArrayLike | None = None,
        c0: npt.ArrayLike | None = None,
        lengths: npt.ArrayLike | None = None,
        resets: npt.ArrayLike | None = None,
    ) -> OutputT:
        """Run the cell over a batch of sequences.

        Parameters
        ----------
        x : array_like, shape (T, B, I)
            T steps of B sequences of I inputs, of the dtype of the weights, with any strides.
        h0, c0 : array_like, shape (B, H), optional
            State before the first step, zero by default; `c0` for an LSTM only.
        lengths : array_like of int, shape (B,), optional
            Steps of each sequence, 0 to T; all have T by default. As for `rnn`, `lstm` and `gru`.
        resets : array_like of bool, shape (T, B), optional
            Where True, the state before that step is zero.

        Returns
        -------
        RNNOutput, LSTMOutput, GRUOutput or MGUOutput
            As from `rnn`, `lstm`, `gru` or `mgu`.

        Raises
        ------
        ValueError
            If a shape does not fit.
        TypeError
            If a dtype is not that of the weights, or `c0` is given to a cell without one.
        MemoryError
            If the results do not fit into memory.
        """
        given = inputs.inputs_for(self._core_cell, self._weights, x, h0, c0, lengths, resets)
        steps, batch, _ = given.x.shape
        rows: tuple[int, int] = (batch, self.hidden_size)
        results = Results(
            empty("y", (steps, *rows), self.dtype),
            empty("h_n", rows, self.dtype),
            empty("c_n", rows, self.dtype) if self._core_cell.has_c else None,
        )
        forward_packed(self._packed, given, self.reverse, results)
        y, h_n, c_n = results
        form = _OUTPUTS[self._kind]
        return cast(OutputT, form(y, h_n) if c_n is None else form(y, h_n, c_n))

    def step(self, x_t: npt.ArrayLike, state: StateT | None = None) -> StateT:
        """Run one step: the streaming form.

        Parameters
        ----------
        x_t : array_like, shape (B, I)
            The inputs of this step, of the dtype of the weights.
        state : array_like (B, H), or (h, c) for an LSTM, optional
            What the step before returned; zero by default.

        Returns
        -------
        ndarray (B, H), or (h, c) for an LSTM
            The state after the step, in fresh arrays; `h` is also the output.

        Raises
        ------
        ValueError
            If a shape does not fit, or the cell was packed with `reverse`.
        TypeError
            If a dtype is not that of the weights, or `state` is not of the form above.

        Notes
        -----
        Plain C-contiguous arrays take the shortest way.
        """
        result = self._step(x_t, state)
        if result is NotImplemented:
            return self._normalised_step(x_t, state)
        return result  # type: ignore[no-any-return]  # a call of cast costs as much as this test

    def __repr__(self) -> str:
        """Show the cell, with its options, and its sizes."""
        return (
            f"<Prepacked {self._core_cell.name}: input_size={self.input_size}, "
            f"hidden_size={self.hidden_size}, dtype={self.dtype}, reverse={self.reverse}>"
        )

    def __reduce__(self) -> tuple[Any, tuple[Array | None, ...]]:
        """Pickle as the call that makes an equal one."""
        return partial(Prepacked, self._kind, **self._options), tuple(self._weights)

    def _normalised_step(self, x_t: npt.ArrayLike, state: object) -> StateT:
        if self.reverse:
            raise ValueError(
                "step needs a cell packed with reverse=False, got reverse=True: in reverse the "
                "last step of a sequence comes first; pass the whole sequence instead"
            )
        row, states = inputs.step_inputs(self._core_cell, self._weights, x_t, state)
        if row.shape[0] == 0:
            h, c = (empty("state", (0, self.hidden_size), self.dtype) for _ in range(2))
            return cast(StateT, (h, c) if self._core_cell.has_c else h)
        return cast(StateT, self._packed.step(row, states))


def _no_step(x_t: object, state: object) -> Any:
    """Stand in for the core's step where there is none."""
    return NotImplemented


@overload
def prepack(
    cell: Literal["rnn"],
    w_ih: npt.ArrayLike,
    w_hh: npt.ArrayLike,
    b_ih: npt.ArrayLike | None = None,
    b_hh: npt.ArrayLike | None = None,
    *,
    nonlinearity: str = "tanh",
    forget_gate: str = "own",
    reset_after: bool = True,
    reverse: bool = False,
) -> Prepacked[RNNOutput, Array]: ...
@overload
def prepack(
    cell: Literal["lstm"],
    w_ih: npt.ArrayLike,
    w_hh: npt.ArrayLike,
    b_ih: npt.ArrayLike | None = None,
    b_hh: npt.ArrayLike | None = None,
    *,
    nonlinearity: str = "tanh",
    forget_gate: str = "own",
    reset_after: bool = True,
    reverse: bool = False,
) -> Prepacked[LSTMOutput, tuple[Array, Array]]: ...
@overload
def prepack(
    cell: Literal["gru"],
    w_ih: npt.ArrayLike,
    w_hh: npt.ArrayLike,
    b_ih: npt.ArrayLike | None = None,
    b_hh: npt.ArrayLike | None = None,
    *,
    nonlinearity: str = "tanh",
    forget_gate: str = "own",
    reset_after: bool = True,
    reverse: bool = False,
) -> Prepacked[GRUOutput, Array]: ...
@overload
def prepack(
    cell: Literal["mgu"],
    w_ih: npt.ArrayLike,
    w_hh: npt.ArrayLike,
    b_ih: npt.ArrayLike | None = None,
    b_hh: npt.ArrayLike | None = None,
    *,
    nonlinearity: str = "tanh",
    forget_gate: str = "own",
    reset_after: bool = True,
    reverse: bool = False,
) -> Prepacked[MGUOutput, Array]: ...
@overload
def prepack(
    cell: str,
    w_ih: npt.ArrayLike,
    w_hh: npt.ArrayLike,
    b_ih: npt.ArrayLike | None = None,
    b_hh: npt.ArrayLike | None = None,
    *,
    nonlinearity: str = "tanh",
    forget_gate: str = "own",
    reset_after: bool = True,
    reverse: bool = False,
) -> Prepacked[Any, Any]: ...
def prepack(
    cell: str,
    w_ih: npt.ArrayLike,
    w_hh: npt.ArrayLike,
    b_ih: npt.ArrayLike | None = None,
    b_hh: npt.ArrayLike | None = None,
    *,
    nonlinearity: str = "tanh",
    forget_gate: str = "own",
    reset_after: bool = True,
    reverse: bool = False,
) -> Prepacked[Any, Any]:
    """Copy and pack weights once, for many calls.

    Parameters
    ----------
    cell : {"rnn", "lstm", "gru", "mgu"}
        The kind of cell; G is 1, 4, 3 or 2.
    w_ih : array_like, shape (G*H, I)
        Input weights in the gate order of `rnn`, `lstm`, `gru` or `mgu`.
    w_hh : array_like, shape (G*H, H)
        Recurrent weights.
    b_ih, b_hh : array_like, shape (G*H,), optional
        Biases, each zero by default.
    nonlinearity : {"tanh", "relu", "sigmoid"}, default "tanh"
        For "rnn" only: its activation.
    forget_gate : {"own", "coupled", "none"}, default "own"
        For "lstm" only: as for `lstm`; other than "own", G is 3.
    reset_after : bool, default True
        For "gru" only: where the reset gate acts.
    reverse : bool, default False
        Run sequences from the last step to the first.

    Returns
    -------
    Prepacked
        `cell(x, h0=None, c0=None)` runs sequences and `cell.step(x_t, state)` single steps.

    Raises
    ------
    ValueError
        If a shape does not fit, or an option is unknown or of another kind of cell.
    TypeError
        If an array is not float32 or float64, or not of the dtype of `w_ih`.
    NotImplementedError
        If a sequence of weights, for stacked layers, is given.
    MemoryError
        If the copies do not fit into memory.

    Examples
    --------
    >>> import numpy as np
    >>> import rnnfast
    >>> cell = rnnfast.prepack("gru", np.zeros((12, 3)), np.zeros((12, 4)))
    >>> h = None
    >>> for x_t in np.ones((5, 2, 3)):
    ...     h = cell.step(x_t, h)
    >>> h.shape
    (2, 4)
    """
    return Prepacked(
        cell,
        w_ih,
        w_hh,
        b_ih,
        b_hh,
        nonlinearity=nonlinearity,
        forget_gate=forget_gate,
        reset_after=reset_after,
        reverse=reverse,
    )
