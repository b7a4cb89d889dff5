"""Initializers with Keras's names and definitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast.initializers.constant import Constant, Identity, Ones, Values, Zeros
from rnnfast.initializers.distributions import RandomNormal, RandomUniform, TruncatedNormal
from rnnfast.initializers.initializer import Initializer
from rnnfast.initializers.orthogonal import Orthogonal
from rnnfast.initializers.variance_scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
)
from rnnfast.utils.lookup import find
from rnnfast.utils.naming import to_snake_case

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "get",
]

_CLASSES: tuple[type[Initializer], ...] = (
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Identity,
    LecunNormal,
    LecunUniform,
    Ones,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    Zeros,
)
_BY_NAME: dict[str, type[Initializer]] = {
    **{cls.__name__: cls for cls in _CLASSES},
    **{to_snake_case(cls.__name__): cls for cls in _CLASSES},
    "normal": RandomNormal,
    "uniform": RandomUniform,
    "one": Ones,
    "zero": Zeros,
}


def get(identifier: object) -> Callable[..., NDArray[Any]]:
    """Find an initializer.

    Parameters
    ----------
    identifier : str, Initializer, class, array, callable or dict
        A name such as "glorot_uniform" or "GlorotUniform", an initializer, its class, an array
        of the values, a function of `(shape, dtype)`, or a config with the keys class_name and
        config.

    Returns
    -------
    callable
        A function of `(shape, dtype)` that gives the values.

    Raises
    ------
    ValueError
        When the name is unknown.
    TypeError
        When `identifier` is none of these.
    """
    if isinstance(identifier, np.ndarray):
        return Values(identifier)
    if isinstance(identifier, Mapping):
        return find("initializer", identifier, Initializer, _BY_NAME | {"Values": Values})
    if isinstance(identifier, str) or _is_ours(identifier):
        return find("initializer", identifier, Initializer, _BY_NAME)
    if callable(identifier):
        return identifier
    raise TypeError(
        f"an initializer must be a name, an Initializer, an array or a function of "
        f"(shape, dtype), got {identifier!r}"
    )


def _is_ours(identifier: object) -> bool:
    return isinstance(identifier, type) and issubclass(identifier, Initializer)
