"""Arrays of other libraries as NumPy's, which lacks bfloat16.

Half precision becomes float32, which holds each of its numbers. Nothing else is converted.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnfast._check import Array

_HALVES = ("torch.float16", "torch.bfloat16")


def as_array(name: str, value: Any) -> Array:
    """Return a torch tensor, on whatever device, or an array-like as an array.

    Raises
    ------
    TypeError
        Where there are no numbers, as on torch's device "meta".
    """
    try:
        if hasattr(value, "detach"):
            value = value.detach().cpu()
            value = (value.float() if str(value.dtype) in _HALVES else value).numpy()
        array: Array = np.asarray(value)
    except (NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        kind = type(value).__name__
        raise TypeError(f"{name} must be an array of numbers, got a {kind}: {error}") from error
    return array.astype(np.float32) if array.dtype == np.float16 else array
