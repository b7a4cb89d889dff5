"""What the loops know of the model that they train or evaluate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rnnfast.callbacks.callback_list import CallbackList
from rnnfast.layers.layer import Array
from rnnfast.training.judges import Judge
from rnnfast.training.objective import Objective
from rnnfast.training.scores import Scores


@dataclass(frozen=True)
class Session:
    """One `fit` or `evaluate`.

    What callbacks may change while it runs is a function, asked each time.

    Attributes
    ----------
    objective : Objective
        The losses over the model's layers.
    judges : callable
        Gives what to report beside the loss; asked when a pass over the data begins.
    step : callable
        Takes the gradients of a batch, one for each trained weight, and changes the weights.
    stopped : callable
        Tells whether to end after the running batch.
    listeners : CallbackList
        Who is told of every moment.
    """

    objective: Objective
    judges: Callable[[], Sequence[Judge]]
    step: Callable[[list[Array]], None]
    stopped: Callable[[], bool]
    listeners: CallbackList

    def scores(self) -> Scores:
        """Return figures that begin with nothing."""
        return Scores(self.objective, self.judges())
