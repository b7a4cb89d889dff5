"""A learning rate for each epoch, by a function."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Signature, signature

from rnnfast.callbacks import learning_rate
from rnnfast.callbacks.callback import Callback, Logs
from rnnfast.utils.hyperparameters import at_least_zero


class LearningRateScheduler(Callback):
    """Set the learning rate before each epoch: `keras.callbacks.LearningRateScheduler`.

    The logs of each epoch get its "learning_rate".

    Parameters
    ----------
    schedule : callable
        Takes the epoch, from 0, and the present learning rate; or the epoch alone. Gives the
        learning rate.
    verbose : {0, 1}, default 0
        Whether to print it.

    Raises
    ------
    TypeError
        When `schedule` is no function of these; when training begins and the learning rate is a
        schedule; when the function gives no number.
    ValueError
        When the function gives a number that is no learning rate.

    See Also
    --------
    rnnfast.optimizers.schedules : Learning rates that change with every step.
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose
        self._takes_rate = _takes_rate(schedule)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Look at the optimizer."""
        learning_rate.require_settable(type(self).__name__, self.model.optimizer)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the rate."""
        optimizer = self.model.optimizer
        rate = (
            self.schedule(epoch, optimizer.learning_rate)
            if self._takes_rate
            else self.schedule(epoch)
        )
        optimizer.learning_rate = at_least_zero("the result of schedule", rate)
        if self.verbose and self.writes:
            print(
                f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to "
                f"{optimizer.learning_rate}.",
                flush=True,
            )

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Report the rate."""
        learning_rate.report(self.model.optimizer, logs)


def _takes_rate(schedule: object) -> bool:
    """Tell whether a schedule takes the learning rate beside the epoch."""
    if not callable(schedule):
        raise TypeError(
            f"schedule must be a function of the epoch and the learning rate, got {schedule!r}"
        )
    try:
        own = signature(schedule)
    except ValueError:  # some built-in functions have none that Python knows
        return True
    if _binds(own, 2):
        return True
    if _binds(own, 1):
        return False
    raise TypeError(
        f"schedule must take the epoch and the learning rate, or the epoch alone, got {own}"
    )


def _binds(own: Signature, count: int) -> bool:
    try:
        own.bind(*range(count))
    except TypeError:
        return False
    return True
