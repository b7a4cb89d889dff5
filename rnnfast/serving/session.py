"""One stream of a model."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from .._check import Array
from ._stack import ServedStack, State


class Session:
    """One stream: a state that goes on from step to step. `Model.session` makes it.

    The thread that calls does the work. Once a session is made its kernels allocate nothing, take
    no lock and make no system call; Python's lock is let go of where a call takes longer than some
    ten microseconds. Give each thread a session of its own: one that is used by two at once is told
    so. Copying and pickling take the state along.

    Parameters
    ----------
    stack : ServedStack
        The model's packed layers.

    Attributes
    ----------
    nbytes : int
        Memory of its own, beside the model's weights.
    """

    __slots__ = ("_core", "_run", "_stack", "_step")

    def __init__(self, stack: ServedStack) -> None:
        self._stack = stack
        self._core = stack.core.session()
        # Held as bound methods: a step of a small cell costs little more than a call.
        self._step, self._run = self._core.step, self._core.run

    @property
    def nbytes(self) -> int:
        """Memory of its own, beside the model's weights."""
        return self._core.nbytes

    def step(self, x: npt.ArrayLike, out: npt.NDArray[Any] | None = None) -> Array:
        """Take one step.

        Parameters
        ----------
        x : array_like, shape (I,)
            The inputs of this step, of the dtype of the weights.
        out : ndarray, shape (R,), optional
            Where the result goes; it must not overlap `x`. A new array by default.

        Returns
        -------
        ndarray, shape (R,)
            h of the last layer after the step; `out` if it was given. R is H, unless h is
            projected.

        Raises
        ------
        ValueError
            If a shape does not fit, or `out` is read-only or overlaps `x`.
        TypeError
            If a dtype is not that of the weights.
        RuntimeError
            If another thread is using the session.

        Notes
        -----
        Plain C-contiguous arrays take the shortest way.
        """
        result = self._step(x, out)
        if result is NotImplemented:
            stack = self._stack
            row = stack.take("x", x)
            place = stack.outputs(out, x, "(R,)")
            return place.filled(self._step(row, place.written))  # type: ignore[no-any-return]
        return result  # type: ignore[no-any-return]  # a call of cast costs as much as this test

    def run(self, chunk: npt.ArrayLike, out: npt.NDArray[Any] | None = None) -> Array:
        """Take the steps of a chunk: the same bits as one by one, in half the time or less.

        Parameters
        ----------
        chunk : array_like, shape (T, I)
            The inputs of any number of steps.
        out : ndarray, shape (T, R), optional
            Where the results go; it must not overlap `chunk`. A new array by default.

        Returns
        -------
        ndarray, shape (T, R)
            h of the last layer after each step; `out` if it was given.

        Raises
        ------
        ValueError, TypeError, RuntimeError
            As for `step`.
        KeyboardInterrupt
            Or whatever a handler of signals raises, in a run of many milliseconds: the state is
            then as it was before.
        """
        result = self._run(chunk, out)
        if result is NotImplemented:
            stack = self._stack
            rows = stack.take("chunk", chunk, T=None)
            place = stack.outputs(out, chunk, "(T, R)", len(rows))
            return place.filled(self._run(rows, place.written))  # type: ignore[no-any-return]
        return result  # type: ignore[no-any-return]

    def state(self) -> State:
        """Return a copy of the state, to go back to or to hand to another session.

        Returns
        -------
        ndarray (R,), or (h, c) of (R,) and (H,) for an LSTM
            If weights were given in sequences, (L, R) and (L, H), of L layers.
        """
        return self._stack.read_state(self._core.read_state)

    def reset(self, state: State | None = None) -> None:
        """Go back to a state, as `state` gives it.

        Parameters
        ----------
        state : ndarray (R,), or (h, c) for an LSTM, optional
            Zero by default.

        Raises
        ------
        ValueError
            If a shape does not fit; nothing has changed then.
        TypeError
            If it is not of the form above, or a dtype is not that of the weights.
        """
        if state is None:
            self._core.reset()
        else:
            self._stack.write_state(state, self._core.write_state)

    def __repr__(self) -> str:
        """Show what it is a stream of."""
        return f"<Session of {self._stack.weights!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the model's weights and the state."""
        return _restored, (self._stack, self.state())


def _restored(stack: ServedStack, state: Any) -> Session:
    session = Session(stack)
    session.reset(state)
    return session
