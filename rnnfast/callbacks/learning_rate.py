"""The learning rate of an optimizer, for callbacks that change it between epochs."""

from __future__ import annotations

from typing import Any

from rnnfast.callbacks.callback import Logs


def require_settable(owner: str, optimizer: Any) -> None:
    """Check that the learning rate is a number, before an epoch is spent.

    Raises
    ------
    TypeError
        When it is a schedule.
    """
    rate = optimizer.get_config()["learning_rate"]
    if not isinstance(rate, (int, float)):
        raise TypeError(
            f"{owner} sets the learning_rate, but that of the optimizer is a schedule; "
            f"give the optimizer a number, or leave {owner} out"
        )


def report(optimizer: Any, logs: Logs | None) -> None:
    """Add the learning rate to the logs of an epoch, as Keras's callbacks do."""
    if logs is not None:
        logs["learning_rate"] = float(optimizer.learning_rate)
