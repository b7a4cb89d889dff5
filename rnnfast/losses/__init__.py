"""Losses with Keras's names, arguments, defaults and definitions."""

from __future__ import annotations

from rnnfast.losses.binary_crossentropy import BinaryCrossentropy
from rnnfast.losses.categorical_crossentropy import CategoricalCrossentropy
from rnnfast.losses.loss import Loss
from rnnfast.losses.mean_squared_error import MeanSquaredError
from rnnfast.losses.sparse_categorical_crossentropy import SparseCategoricalCrossentropy
from rnnfast.utils.lookup import find
from rnnfast.utils.naming import to_snake_case

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Loss",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "get",
]

_CLASSES: tuple[type[Loss], ...] = (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)
_BY_NAME: dict[str, type[Loss]] = {
    **{cls.__name__: cls for cls in _CLASSES},
    **{to_snake_case(cls.__name__): cls for cls in _CLASSES},
    "bce": BinaryCrossentropy,
    "BCE": BinaryCrossentropy,
    "mse": MeanSquaredError,
    "MSE": MeanSquaredError,
}


def get(identifier: object) -> Loss:
    """Find a loss.

    Parameters
    ----------
    identifier : str, Loss, class or dict
        A name such as "mse", "binary_crossentropy" or "BinaryCrossentropy", a loss, its class, or
        a config with the keys class_name and config.

    Returns
    -------
    Loss
        The loss.

    Raises
    ------
    ValueError
        When the name is unknown.
    TypeError
        When `identifier` is none of these.
    """
    return find("loss", identifier, Loss, _BY_NAME)
