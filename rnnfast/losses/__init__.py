"""Losses with Keras's names, arguments, defaults and definitions."""

from __future__ import annotations

from rnnfast.losses.binary_crossentropy import BinaryCrossentropy
from rnnfast.losses.categorical_crossentropy import CategoricalCrossentropy
from rnnfast.losses.ctc import CTC
from rnnfast.losses.huber import Huber
from rnnfast.losses.loss import Loss
from rnnfast.losses.loss_function_wrapper import LossFunctionWrapper
from rnnfast.losses.mean_absolute_error import MeanAbsoluteError
from rnnfast.losses.mean_squared_error import MeanSquaredError
from rnnfast.losses.sparse_categorical_crossentropy import SparseCategoricalCrossentropy
from rnnfast.utils.lookup import find, is_function
from rnnfast.utils.naming import to_snake_case

__all__ = [
    "CTC",
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Huber",
    "Loss",
    "LossFunctionWrapper",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "get",
]

_CLASSES: tuple[type[Loss], ...] = (
    CTC,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Huber,
    MeanAbsoluteError,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)
_BY_NAME: dict[str, type[Loss]] = {
    **{cls.__name__: cls for cls in _CLASSES},
    **{to_snake_case(cls.__name__): cls for cls in _CLASSES},
    "LossFunctionWrapper": LossFunctionWrapper,
    "bce": BinaryCrossentropy,
    "BCE": BinaryCrossentropy,
    "mae": MeanAbsoluteError,
    "MAE": MeanAbsoluteError,
    "mse": MeanSquaredError,
    "MSE": MeanSquaredError,
}


def get(identifier: object) -> Loss:
    """Find a loss.

    Parameters
    ----------
    identifier : str, Loss, class, function or dict
        A name such as "mse", "binary_crossentropy" or "BinaryCrossentropy", a loss, its class, a
        config with the keys class_name and config, or a function as `LossFunctionWrapper` takes
        it.

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
    if is_function(identifier, Loss):
        return LossFunctionWrapper(identifier)
    return find("loss", identifier, Loss, _BY_NAME)
