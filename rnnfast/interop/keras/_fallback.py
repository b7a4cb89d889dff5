"""What is left to Keras's own implementation, and said once for each reason."""

from __future__ import annotations

import warnings

_said: set[str] = set()


class CannotRun(Exception):
    """The kernels cannot run a layer; the message is why, "" where nobody needs to know."""


def say_run_by_keras(kind: str, reason: str) -> None:
    """Warn, once for each reason, that Keras runs a layer."""
    if reason and reason not in _said:
        _said.add(reason)
        warnings.warn(
            f"rnnfast runs float32 and float64 on the CPU; {kind} with {reason} is run by Keras",
            stacklevel=5,
        )
