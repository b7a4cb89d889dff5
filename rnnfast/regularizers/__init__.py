"""Regularizers with Keras's names, arguments, defaults and definitions."""

from __future__ import annotations

from rnnfast.regularizers.l1_l2 import L1, L1L2, L2
from rnnfast.regularizers.regularizer import Regularizer
from rnnfast.utils.lookup import find

__all__ = ["L1", "L1L2", "L2", "Regularizer", "get"]

_BY_NAME: dict[str, type[Regularizer]] = {
    "L1": L1,
    "L1L2": L1L2,
    "L2": L2,
    "l1": L1,
    "l1_l2": L1L2,
    "l1l2": L1L2,
    "l2": L2,
}


def get(identifier: object) -> Regularizer | None:
    """Find a regularizer.

    Parameters
    ----------
    identifier : str, Regularizer, class, dict or None
        A name such as "l2" or "L1L2", a regularizer, its class, or a config with the keys
        class_name and config; None is none.

    Returns
    -------
    Regularizer or None
        The regularizer.

    Raises
    ------
    ValueError
        When the name is unknown.
    TypeError
        When `identifier` is none of these. A function, which Keras takes, does not say its
        gradient: derive from `Regularizer`.
    """
    if identifier is None:
        return None
    return find("regularizer", identifier, Regularizer, _BY_NAME)
