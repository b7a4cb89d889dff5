"""What is refused, and what is done in another way, in words."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any, NoReturn


def refuse_second_derivative(*_: Any) -> NoReturn:
    """Raise: the kernels have gradients, and those have none."""
    raise NotImplementedError(
        "rnnfast's recurrence has no second derivatives in TensorFlow, nor forward mode: use a "
        "layer of TensorFlow's own where they are needed"
    )


@cache
def say_slower_way(reason: str) -> None:
    """Warn, once for each reason, that operations cannot be had."""
    warnings.warn(
        f"rnnfast runs by tf.numpy_function, which is slower and cannot be saved: {reason}",
        stacklevel=3,
    )
