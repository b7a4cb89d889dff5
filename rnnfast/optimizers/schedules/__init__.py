"""Learning rate schedules with Keras's names, arguments and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnnfast.optimizers.schedules.cosine_decay import CosineDecay
from rnnfast.optimizers.schedules.exponential_decay import ExponentialDecay
from rnnfast.optimizers.schedules.piecewise_constant_decay import PiecewiseConstantDecay
from rnnfast.optimizers.schedules.schedule import LearningRateSchedule
from rnnfast.utils.lookup import find

__all__ = [
    "CosineDecay",
    "ExponentialDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "deserialize",
    "serialize",
]

_CLASSES: tuple[type[LearningRateSchedule], ...] = (
    CosineDecay,
    ExponentialDecay,
    PiecewiseConstantDecay,
)
_BY_NAME: dict[str, type[LearningRateSchedule]] = {cls.__name__: cls for cls in _CLASSES}


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """Describe a schedule by what JSON can hold.

    Parameters
    ----------
    learning_rate_schedule : LearningRateSchedule
        Any that defines `get_config`.

    Returns
    -------
    dict
        The keys class_name and config.
    """
    return {
        "class_name": type(learning_rate_schedule).__name__,
        "config": learning_rate_schedule.get_config(),
    }


def deserialize(config: Mapping[str, Any]) -> LearningRateSchedule:
    """Make a schedule again.

    Parameters
    ----------
    config : mapping
        What `serialize` returned, here or in Keras.

    Returns
    -------
    LearningRateSchedule
        An equal one.

    Raises
    ------
    ValueError
        When the class is none of this module's: one of a user's own is made by the user.
    TypeError
        When `config` has no class_name.
    """
    schedule: LearningRateSchedule = find("schedule", config, LearningRateSchedule, _BY_NAME)
    return schedule
