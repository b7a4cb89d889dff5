"""What a contestant is: it prepares a case, and then the same call is made again and again."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rnnfast.testing.cells import Arguments, Array

from ..cases import Case

__all__ = ["Job", "Peer", "Unable", "import_host"]


class Unable(Exception):
    """A peer is absent, or cannot do a case; the message says why."""


@dataclass(frozen=True)
class Job:
    """A case, made ready by a peer.

    Parameters
    ----------
    call : callable
        What is timed. It takes nothing and returns whatever the peer returns.
    results : callable
        From what `call` returned to arrays by their names here: ``y``, ``h_n``, ``c_n`` and the
        gradients ``dx``, ``dw_ih`` and so on. Not timed.
    """

    call: Callable[[], Any]
    results: Callable[[Any], dict[str, Array]]


class Peer(ABC):
    """A library that computes the same things, used as its documentation recommends for speed.

    Parameters
    ----------
    threads : int
        Threads that it uses, asserted.

    Attributes
    ----------
    name : str
        The name of its package, and how it is used if that is not the usual way.
    version : str
        The version that is installed.
    ranks : bool
        Whether it counts among those to beat, as all do that compute in float32.
    epsilon : float
        The spacing of its numbers at 1.
    """

    name: ClassVar[str]
    ranks: ClassVar[bool] = True
    epsilon: ClassVar[float] = float(np.finfo(np.float32).eps)
    version: str

    @abstractmethod
    def __init__(self, threads: int) -> None:
        """Import the library and set its threads; raises `Unable` if it is absent."""

    @abstractmethod
    def prepare(self, case: Case, inputs: Arguments) -> Job:
        """Do what is done once: convert and pack.

        Parameters
        ----------
        case : Case
            What will be timed.
        inputs : mapping of str to ndarray
            What `Case.inputs` gives, or arrays like them.

        Returns
        -------
        Job

        Raises
        ------
        Unable
            If the library has no such cell or mode.
        """

    def prepare_callers(self, case: Case, inputs: Arguments, callers: int) -> list[Job]:
        """Prepare calls that several threads of Python may make at once.

        Parameters
        ----------
        case : Case
            What will be timed.
        inputs : mapping of str to ndarray
            What `Case.inputs` gives, or arrays like them.
        callers : int
            How many threads there are.

        Returns
        -------
        list of Job
            One for each, on the same weights. By default the same one for all.

        Raises
        ------
        Unable
            If the library has no such cell or mode.
        """
        return [self.prepare(case, inputs)] * callers

    def on_its_threads(self, call: Callable[[], Any]) -> Callable[[], Any]:
        """Return a call that uses this peer's threads, though another of its kind has others.

        Parameters
        ----------
        call : callable
            Of a job that this peer has prepared.

        Returns
        -------
        callable
            By default the same: its threads are its own.
        """
        return call


def import_host(name: str) -> Any:
    """Import a library that may be absent.

    Parameters
    ----------
    name : str
        The name of its package.

    Returns
    -------
    module

    Raises
    ------
    Unable
        If it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Unable(f"{name} is not installed: {error}") from error
