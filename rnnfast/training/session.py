"""What the loops know of the model that they train or evaluate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rnnfast.callbacks.callback_list import CallbackList
from rnnfast.layers.layer import Array
from rnnfast.metrics import Metric
from rnnfast.training.objective import Objective


@dataclass(frozen=True)
class Session:
    """One `fit` or `evaluate`.

    What callbacks may change while it runs is a function, asked each time.

    Attributes
    ----------
    objective : Objective
        The loss over the model's layers.
    metrics : callable
        Gives what to report beside the loss; asked when a pass over the data begins.
    step : callable
        Takes the gradients of a batch, one for each parameter, and changes the parameters.
    stopped : callable
        Tells whether to end after the running batch.
    listeners : CallbackList
        Who is told of every moment.
    """

    objective: Objective
    metrics: Callable[[], Sequence[Metric]]
    step: Callable[[list[Array]], None]
    stopped: Callable[[], bool]
    listeners: CallbackList
