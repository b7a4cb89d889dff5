"""Optimizers with Keras's names, arguments, defaults and update rules."""

from __future__ import annotations

from rnnfast.optimizers import schedules
from rnnfast.optimizers.adam import Adam
from rnnfast.optimizers.adamw import AdamW
from rnnfast.optimizers.clipping import global_norm
from rnnfast.optimizers.optimizer import Optimizer
from rnnfast.optimizers.rmsprop import RMSprop
from rnnfast.optimizers.sgd import SGD
from rnnfast.utils.lookup import find

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "RMSprop", "get", "global_norm", "schedules"]

_CLASSES: tuple[type[Optimizer], ...] = (Adam, AdamW, RMSprop, SGD)
_BY_NAME: dict[str, type[Optimizer]] = {
    **{cls.__name__: cls for cls in _CLASSES},
    **{cls.__name__.lower(): cls for cls in _CLASSES},
}


def get(identifier: object) -> Optimizer:
    """Find an optimizer.

    Parameters
    ----------
    identifier : str, Optimizer, class or dict
        A name such as "adam" or "Adam", an optimizer, its class, or a config with the keys
        class_name and config.

    Returns
    -------
    Optimizer
        The optimizer.

    Raises
    ------
    ValueError
        When the name is unknown.
    TypeError
        When `identifier` is none of these.
    """
    return find("optimizer", identifier, Optimizer, _BY_NAME)
