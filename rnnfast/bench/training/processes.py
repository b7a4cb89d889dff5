"""A contestant in a process of its own, asked through a pipe.

A framework's threads spin after their work, and its libraries may not bear another's. Whoever is
not asked waits in a read from the pipe, and disturbs nobody.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

__all__ = ["Apart"]


class Apart:
    """An object that lives in another process.

    Parameters
    ----------
    make : callable
        Makes the object there; of a module, so that the process can import it.
    *arguments
        What `make` takes.
    """

    def __init__(self, make: Callable[..., Any], *arguments: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, make, arguments), daemon=True)
        self._process.start()
        theirs.close()
        self._answer()

    def ask(self, method: str, *arguments: Any) -> Any:
        """Call a method of the object.

        Parameters
        ----------
        method : str
            Its name.
        *arguments
            Of the call.

        Returns
        -------
        object
            What it returned.

        Raises
        ------
        Exception
            What it raised.
        EOFError
            If the process has ended.
        """
        self._pipe.send((method, arguments))
        return self._answer()

    def _answer(self) -> Any:
        returned, raised = self._pipe.recv()
        if raised is not None:
            raise raised
        return returned

    def __enter__(self) -> Apart:
        """Return itself; the process ends with the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join()


def _serve(pipe: Connection, make: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    def answer(call: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        returned = raised = None
        try:
            returned = call(*arguments)
        except Exception as error:
            raised = error
        pipe.send((None if call is make else returned, raised))
        return returned

    thing = answer(make, arguments)
    while thing is not None:
        try:
            method, arguments = pipe.recv()
        except EOFError:
            break
        answer(getattr(thing, method), arguments)
    # Without the frameworks' own endings: a pool that is torn down late may hang.
    os._exit(0)
