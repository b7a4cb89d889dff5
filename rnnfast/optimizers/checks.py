"""What an update may be made of, said before anything changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast.optimizers.nested import Path, label
from rnnfast.optimizers.state import Form

Array = NDArray[Any]

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))

_HINT = "after changing the layers of a model, call compile with a new optimizer"


def require_parameters(variables: Sequence[tuple[Path, object]]) -> None:
    """Raise TypeError for one that is no array of floats, ValueError for one that is read-only."""
    for path, variable in variables:
        if not isinstance(variable, np.ndarray) or variable.dtype not in _FLOATS:
            got = getattr(variable, "dtype", type(variable).__name__)
            raise TypeError(
                f"trainable_variables{label(path)} must be a float32 or float64 array, got {got}"
            )
        if not variable.flags.writeable:
            raise ValueError(
                f"trainable_variables{label(path)} is read-only and cannot be changed in place; "
                f"give a copy"
            )


def require_known(
    variables: Sequence[tuple[Path, Array]], forms: Sequence[Form], paths: Sequence[Path] | None
) -> None:
    """Raise ValueError unless these are the parameters that the optimizer was built for."""
    if len(variables) != len(forms):
        raise ValueError(
            f"trainable_variables must be the {len(forms)} arrays that the optimizer first saw, "
            f"got {len(variables)}; {_HINT}"
        )
    for index, ((path, variable), form) in enumerate(zip(variables, forms, strict=True)):
        if paths is not None and path != paths[index]:
            raise ValueError(
                f"trainable_variables{label(path)} stands where the optimizer first saw "
                f"trainable_variables{label(paths[index])}; give them in the same order"
            )
        if (variable.shape, variable.dtype) != form:
            raise ValueError(
                f"trainable_variables{label(path)} was {form[1]} of shape {form[0]} when the "
                f"optimizer first saw it, got {variable.dtype} of shape {variable.shape}; {_HINT}"
            )


def require_gradients(found: Sequence[tuple[Path, object, Array]]) -> None:
    """Raise unless each gradient is an array like its parameter."""
    for path, gradient, variable in found:
        if not isinstance(gradient, (np.ndarray, np.generic)):
            raise TypeError(
                f"grads{label(path)} must be a NumPy array, got {type(gradient).__name__}"
            )
        if (gradient.shape, gradient.dtype) != (variable.shape, variable.dtype):
            raise ValueError(
                f"grads{label(path)} must be {variable.dtype} of shape {variable.shape} like its "
                f"parameter, got {gradient.dtype} of shape {gradient.shape}"
            )
