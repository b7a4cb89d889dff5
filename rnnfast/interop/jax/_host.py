"""What is left to the host's own implementation, and said once for each reason."""

from __future__ import annotations

import warnings

_said: set[tuple[str, str]] = set()  # host, reason


class LeftToHostError(Exception):
    """Raised where the kernels cannot run a call: the host's own takes it.

    Parameters
    ----------
    reason : str, optional
        What the host has that the kernels lack. None where the host itself will find the words, or
        there is nothing to compute.
    """

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason


def say_run_by(host: str, left: LeftToHostError) -> None:
    """Warn, once for each host and reason, that the host runs a layer."""
    reason = left.reason
    if reason is not None and (host, reason) not in _said:
        _said.add((host, reason))
        warnings.warn(f"rnnfast leaves a recurrent layer to {host}: {reason}", stacklevel=3)
