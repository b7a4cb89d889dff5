"""A `fit` as it goes: everything that the rest of it depends on, noted and taken up again.

Weights, the optimizer's state, the place in the data, the figures of the running epoch, what layers
carry and draw, what callbacks remember, and the random numbers of the process. A run that goes on
from a note ends with the same bits as one that never stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rnnfast.callbacks.callback import Logs
from rnnfast.callbacks.callback_list import CallbackList
from rnnfast.callbacks.progress import Progress
from rnnfast.files import state_file
from rnnfast.optimizers import Optimizer
from rnnfast.training.feed import Feed
from rnnfast.training.scores import Scores
from rnnfast.training.trainable import Trainable
from rnnfast.utils import random_seed

_KIND = "run"


class Run:
    """One `fit`.

    Parameters
    ----------
    model : Trainable
        Built.
    optimizer : callable
        Gives the optimizer, built, which a callback may change.
    feed : Feed
        The batches.
    listeners : CallbackList
        The callbacks.
    epoch : int
        The first, from 0.

    Attributes
    ----------
    epoch : int
        The running epoch.
    stopped : bool
        Whether a callback has ended the run.
    scores : Scores or None
        The figures of the running epoch.
    logs : dict
        Of the last epoch.
    """

    def __init__(
        self,
        model: Trainable,
        optimizer: Callable[[], Optimizer],
        feed: Feed,
        listeners: CallbackList,
        epoch: int,
    ) -> None:
        self._model = model
        self._optimizer = optimizer
        self._feed = feed
        self._callbacks = [one for one in listeners.callbacks if not isinstance(one, Progress)]
        self.epoch = epoch
        self.stopped = False
        self.logs: Logs = {}
        self.scores: Scores | None = None
        self._pending: Mapping[str, Any] | None = None

    def save(self, path: Path) -> None:
        """Note everything in a file, which is whole at any moment."""
        state_file.save(path, _KIND, self.get_state())

    def load(self, path: Path) -> None:
        """Go on from what `save` has noted.

        Raises
        ------
        ValueError
            When the file is damaged, or of another model or another `fit`; nothing has changed.
        OSError
            When it cannot be read.
        """
        state = state_file.load(path, _KIND)
        before = self.get_state()
        try:
            self._require_same(state["fit"])
            self.set_state(state)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            self._restore(before)
            raise ValueError(f"{path} is of another fit, or damaged: {error}") from error

    @property
    def over(self) -> bool:
        """Whether it was stopped, and no epoch is left to be ended."""
        return self.stopped and self._pending is None

    def begin_epoch(self, scores: Scores) -> None:
        """Take up the figures of an epoch, after everybody has heard that it begins.

        In one that was interrupted, what hearing so has changed was in the note already.
        """
        self.scores = scores
        if self._pending is not None:
            self._restore(self._pending)
            scores.set_state(self._pending["scores"])
            self._pending = None
            if self.stopped:
                self._feed.cut()

    def end_epoch(self, logs: Logs) -> None:
        """Count an epoch, before everybody hears that it has ended."""
        self.epoch += 1
        self.logs = logs
        self.scores = None
        self._feed.end_epoch()

    def get_state(self) -> dict[str, Any]:
        """Return the note."""
        return {
            "fit": self._signature(),
            "epoch": self.epoch,
            "stopped": self.stopped,
            "logs": self.logs,
            "weights": [weight.copy() for weight in self._model.parameters],
            "optimizer": self._optimizer().get_state(),
            "feed": self._feed.get_state(),
            "scores": None if self.scores is None else self.scores.get_state(),
            "layers": [
                [layer.get_random_state(), layer.get_carried_state()]
                for layer in self._model.layers
            ],
            "callbacks": [callback.get_state() for callback in self._callbacks],
            "random": random_seed.get_state(),
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a note."""
        self._restore(state)
        # Last: batches of a generator that are passed over here cannot be called back.
        self._feed.set_state(state["feed"])
        self.epoch, self.stopped = state["epoch"], state["stopped"]
        self.logs = state["logs"]
        self._pending = state if state["scores"] is not None else None
        random_seed.set_state(state["random"])

    def _restore(self, state: Mapping[str, Any]) -> None:
        for weight, stored in zip(self._model.parameters, state["weights"], strict=True):
            weight[...] = stored
        self._optimizer().set_state(state["optimizer"])
        for layer, (drawn, carried) in zip(self._model.layers, state["layers"], strict=True):
            layer.set_random_state(drawn)
            layer.set_carried_state(carried)
        for callback, own in zip(self._callbacks, state["callbacks"], strict=True):
            callback.set_state(own)
        random_seed.set_state(state["random"])

    def _signature(self) -> dict[str, Any]:
        """Return what must be the same in a run that is taken up again."""
        return {
            "layers": [type(layer).__name__ for layer in self._model.layers],
            "weights": [
                [list(weight.shape), weight.dtype.name] for weight in self._model.parameters
            ],
            "optimizer": type(self._optimizer()).__name__,
            "callbacks": [type(callback).__name__ for callback in self._callbacks],
            "data": self._feed.signature,
        }

    def _require_same(self, before: Mapping[str, Any]) -> None:
        for what, now in self._signature().items():
            if before[what] != now:
                raise ValueError(f"{what} were {before[what]!r}, now they are {now!r}")
