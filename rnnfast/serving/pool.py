"""Many streams of a model that take their steps together."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from .._check import Array, arrays
from ._stack import ServedStack, State


class Pool:
    """Many streams, any of which take their next step together. `Model.pool` makes it.

    Weights are read once for all sessions of a step. The bits of a session depend neither on the
    others nor on how many there are. As with a `Session`, the thread that calls does the work, and
    a pool is for one thread at a time.

    `len(pool)` sessions are open, and `id in pool` tells whether one is.

    Parameters
    ----------
    stack : ServedStack
        The model's packed layers.
    capacity : int
        How many sessions may be open.

    Attributes
    ----------
    capacity : int
        How many may be open.
    nbytes : int
        Memory of its own, beside the model's weights.

    Examples
    --------
    >>> import numpy as np
    >>> import rnnfast
    >>> weights = rnnfast.weights.StackWeights("gru", np.zeros((12, 3)), np.zeros((12, 4)))
    >>> pool = rnnfast.load(weights).pool(capacity=8)
    >>> a, b = pool.open(), pool.open()
    >>> pool.step([b, a], np.ones((2, 3))).shape
    (2, 4)
    >>> pool.close(a)
    >>> len(pool)
    1
    """

    __slots__ = ("_capacity", "_core", "_run", "_stack", "_step")

    def __init__(self, stack: ServedStack, capacity: int) -> None:
        self._stack, self._capacity = stack, capacity
        self._core = stack.core.pool(capacity)
        self._step, self._run = self._core.step, self._core.run

    @property
    def capacity(self) -> int:
        """How many sessions may be open."""
        return self._capacity

    @property
    def nbytes(self) -> int:
        """Memory of its own, beside the model's weights."""
        return self._core.nbytes

    def open(self, state: State | None = None) -> int:
        """Open a session.

        Parameters
        ----------
        state : ndarray (R,), or (h, c) for an LSTM, optional
            Its state, as `state` gives it; zero by default.

        Returns
        -------
        int
            Its id, which no other session of the pool ever gets.

        Raises
        ------
        RuntimeError
            If the pool is full, or another thread is using it.
        ValueError, TypeError
            If `state` does not fit; nothing is opened then.
        """
        opened = self._core.open()
        if opened < 0:
            raise RuntimeError(
                f"the pool is full, all {self._capacity} sessions are open; close one, or make a "
                "pool of a larger capacity"
            )
        if state is not None:
            try:
                self.reset(opened, state)
            except BaseException:
                self._core.close(opened)
                raise
        return opened

    def close(self, id: int) -> None:
        """Close a session, whose place another may have then.

        Parameters
        ----------
        id : int
            As `open` gave it.

        Raises
        ------
        ValueError
            If it is not open.
        """
        self._core.close(_plain(id))

    def step(
        self, ids: npt.ArrayLike, x: npt.ArrayLike, out: npt.NDArray[Any] | None = None
    ) -> Array:
        """Take the next step of some sessions.

        Parameters
        ----------
        ids : array_like of int, shape (B,)
            Which, each once, in any order; any number from none to all.
        x : array_like, shape (B, I)
            The inputs of each, of the dtype of the weights.
        out : ndarray, shape (B, R), optional
            Where the results go; it must not overlap `x`. A new array by default.

        Returns
        -------
        ndarray, shape (B, R)
            h of the last layer of each after its step; `out` if it was given.

        Raises
        ------
        ValueError
            If a session is not open or is there twice, a shape does not fit, or `out` is read-only
            or overlaps `x`. No session has taken a step then.
        TypeError
            If a dtype is not that of the weights, or `ids` are no integers.
        RuntimeError
            If another thread is using the pool.
        """
        result = self._step(ids, x, out)
        if result is NotImplemented:
            stack = self._stack
            which = _plain_ids(ids)
            rows = stack.take("x", x, B=len(which))
            place = stack.outputs(out, x, "(B, R)", len(which))
            return place.filled(self._step(which, rows, place.written))  # type: ignore[no-any-return]
        return result  # type: ignore[no-any-return]

    def run(
        self,
        ids: npt.ArrayLike,
        chunk: npt.ArrayLike,
        out: npt.NDArray[Any] | None = None,
        *,
        lengths: npt.ArrayLike | None = None,
    ) -> Array:
        """Take the next steps of some sessions: the same bits as one by one.

        Parameters
        ----------
        ids : array_like of int, shape (B,)
            Which, each once, in any order.
        chunk : array_like, shape (T, B, I)
            The inputs of each in any number of steps.
        out : ndarray, shape (T, B, R), optional
            Where the results go; it must not overlap `chunk`. A new array by default.
        lengths : array_like of int, shape (B,), optional
            How many of the steps each takes, 0 to T; all by default. One that has fewer stays in
            the state after its last, and what `chunk` holds beyond is not looked at.

        Returns
        -------
        ndarray, shape (T, B, R)
            h of the last layer of each after each step, zero after its last; `out` if it was given.

        Raises
        ------
        ValueError, TypeError, RuntimeError
            As for `step`, or if a length is not between 0 and T.
        KeyboardInterrupt
            Or whatever a handler of signals raises, in a run of many milliseconds: the states are
            then as they were before.
        """
        result = NotImplemented if lengths is not None else self._run(ids, chunk, None, out)
        if result is NotImplemented:
            stack = self._stack
            which = _plain_ids(ids)
            rows = stack.take("chunk", chunk, T=None, B=len(which))
            steps, count = rows.shape[:2]
            ends = None
            if lengths is not None:
                ends = arrays.integers("lengths", lengths, "(B,)", (count,), steps)
            place = stack.outputs(out, chunk, "(T, B, R)", steps, count)
            return place.filled(self._run(which, rows, ends, place.written))  # type: ignore[no-any-return]
        return result  # type: ignore[no-any-return]

    def state(self, id: int) -> State:
        """Return a copy of a session's state.

        Parameters
        ----------
        id : int
            As `open` gave it.

        Returns
        -------
        ndarray (R,), or (h, c) of (R,) and (H,) for an LSTM
            As `Session.state`.

        Raises
        ------
        ValueError
            If it is not open.
        """
        return self._stack.read_state(partial(self._core.read_state, _plain(id)))

    def reset(self, id: int, state: State | None = None) -> None:
        """Set a session back to a state.

        Parameters
        ----------
        id : int
            As `open` gave it.
        state : ndarray (R,), or (h, c) for an LSTM, optional
            Zero by default.

        Raises
        ------
        ValueError, TypeError
            If it is not open, or the state does not fit; nothing has changed then.
        """
        if state is None:
            self._core.reset(_plain(id))
        else:
            self._stack.write_state(state, partial(self._core.write_state, _plain(id)))

    def __len__(self) -> int:
        """Return how many sessions are open."""
        return len(self._core)

    def __contains__(self, id: object) -> bool:
        """Return whether a session is open."""
        return isinstance(id, (int, np.integer)) and self._core.is_open(_plain(id))

    def __repr__(self) -> str:
        """Show how many sessions are open, and what of."""
        return f"<Pool: {len(self)} of {self._capacity} open, of {self._stack.weights!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Refuse to be pickled: the ids are those of this pool."""
        raise TypeError(
            "a pool cannot be pickled: pickle its model, and the state of each session; "
            "open(state) takes it up again"
        )


def _plain(id: object) -> int:
    """Return an id as the core takes it; what is larger than any is none."""
    if isinstance(id, (bool, np.bool_)) or not isinstance(id, (int, np.integer)):
        raise TypeError(f"id must be an int, got {type(id).__name__}")
    return int(id) if -(2**63) <= id < 2**63 else -1


def _plain_ids(ids: npt.ArrayLike) -> npt.NDArray[np.intp]:
    array = np.asarray(ids)
    if array.size == 0 and array.ndim == 1:
        array = array.astype(np.intp)
    if array.dtype.kind not in "iu":
        raise TypeError(f"ids must be integers, got {array.dtype}")
    if array.ndim != 1:
        raise ValueError(f"ids must be 1-D (B,), got {array.shape}")
    if array.dtype.kind == "u" and array.dtype.itemsize == 8:
        array = np.where(array > np.iinfo(np.intp).max, np.uint64(0), array).astype(np.intp)
    return np.ascontiguousarray(array, np.intp)
