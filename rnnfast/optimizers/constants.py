"""Numbers as arrays.

NumPy converts a Python number anew in each call: half the time of a call on a small array.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=64)
def constant(value: float, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Give a number as a read-only array of shape (): the same one for the same number."""
    array = np.array(value, dtype)
    array.flags.writeable = False
    return array
