"""A callback for Lightning: rnnfast runs the recurrent modules of whatever a trainer trains.

    trainer = Trainer(callbacks=[rnnfast.interop.lightning.Swap()])

For `lightning.pytorch` and `pytorch_lightning` alike, two packages with a `Callback` each, and for
libraries that make their models inside of ``fit`` and hand callbacks on to a trainer: darts,
neuralforecast, gluonts, pytorch-forecasting.

See also: docs/pytorch.md.
"""

from __future__ import annotations

import importlib
import logging
import sys
import warnings
from functools import cache
from importlib.util import find_spec
from multiprocessing.context import get_spawning_popen
from typing import Any

from .torch import Report, swap, swap_back
from .torch._classes import is_swapped

__all__ = ["Swap"]

_HOSTS = ("lightning.pytorch", "pytorch_lightning")
_log = logging.getLogger(__name__)


class Swap:
    """Swap the recurrent modules of a model for the time of each run of a trainer.

    A run is a ``fit``, ``validate``, ``test`` or ``predict``. Modules that are made when it begins,
    in ``setup`` or ``configure_model``, are swapped as well. State dicts and checkpoints are the
    same with and without.

    Parameters
    ----------
    keep : bool, default False
        Leave the model swapped at the end of a run: what calls it by itself afterwards has the
        kernels too, but a pickle of the whole model then asks for rnnfast where it is loaded.
        Modules that were swapped before a run always stay so.

    Attributes
    ----------
    report : Report
        What was swapped, and what was left and why, in the last run; logged as well.

    Examples
    --------
    >>> trainer = lightning.Trainer(callbacks=[Swap()])
    """

    _made_of: Any  # the class that was asked for

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make it a callback of each of the two packages that is in use."""
        asked_for: Any = cls
        return super().__new__(_callback(asked_for, _hosts_in_use()))

    def __init__(self, keep: bool = False) -> None:
        self.keep = keep
        self.report = Report({}, {})

    def __copy__(self) -> Any:
        """Return another of the same arguments."""
        return self._made_of(self.keep)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Return another of the same arguments."""
        return self.__copy__()

    def __reduce__(self) -> Any:
        """Reduce to the arguments for another process; for a file, to a callback without an effect.

        Some libraries write their trainer's arguments into a model's file, which then loads where
        rnnfast is not installed.
        """
        if get_spawning_popen() is None:
            return _hosts_in_use()[-1], ()
        return self._made_of, (self.keep,)

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Swap what is there before a strategy wraps it."""
        self.report = Report({}, {})
        self._swap(pl_module)

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Swap what has been made meanwhile."""
        self._swap_all(pl_module)

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        """Swap what has been made meanwhile."""
        self._swap_all(pl_module)

    def on_test_start(self, trainer: Any, pl_module: Any) -> None:
        """Swap what has been made meanwhile."""
        self._swap_all(pl_module)

    def on_predict_start(self, trainer: Any, pl_module: Any) -> None:
        """Swap what has been made meanwhile."""
        self._swap_all(pl_module)

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Swap back, unless `keep`."""
        self._swap_back(pl_module)

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Swap back, unless `keep`: after an exception there is no teardown."""
        self._swap_back(pl_module)

    def _swap(self, model: Any) -> None:
        found = swap(model)
        self.report.swapped.update(found.swapped)
        self.report.left.update(found.left)
        if found.swapped:
            _log.info("rnnfast runs\n%s", found)

    def _swap_all(self, model: Any) -> None:
        self._swap(model)
        if not any(map(is_swapped, model.modules())):
            warnings.warn(
                f"rnnfast runs no module of {type(model).__name__}: {self.report}", stacklevel=2
            )

    def _swap_back(self, model: Any) -> None:
        if not self.keep:
            for name in self.report.swapped:
                swap_back(model.get_submodule(name))


def _hosts_in_use() -> tuple[type, ...]:
    """Return the `Callback` of each package that is loaded, or else of one that can be."""
    there = [name for name in _HOSTS if name in sys.modules]
    if not there:
        there = [name for name in _HOSTS if find_spec(name.partition(".")[0])][:1]
    if not there:
        raise ModuleNotFoundError(
            "rnnfast.interop.lightning needs Lightning: pip install lightning", name="lightning"
        )
    return tuple(importlib.import_module(name).Callback for name in there)


@cache
def _callback(cls: Any, callbacks: tuple[Any, ...]) -> Any:
    return type(cls.__name__, (cls, *callbacks), {"__module__": cls.__module__, "_made_of": cls})
