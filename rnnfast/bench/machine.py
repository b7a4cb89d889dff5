"""What a result must say about where it was measured."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rnnfast import _core

from .peers import Peer

__all__ = ["machine", "versions"]


def machine() -> dict[str, str]:
    """Describe the machine, without naming it.

    Returns
    -------
    dict of str to str
        ``processor``, ``cores`` (those that the process may use), ``caches``, ``system``.
    """
    config = _core.config()
    return {
        "processor": _processor(),
        "cores": str(config["available_threads"]),
        "caches": ", ".join(
            f"{name} {size // 1024} KiB" for name, size in config["caches"].items()
        ),
        "system": f"{platform.system()} {platform.machine()}",
    }


def versions(contestants: Sequence[Peer]) -> dict[str, str]:
    """Return the versions of what took part.

    Parameters
    ----------
    contestants : sequence of Peer
        rnnfast and its peers.

    Returns
    -------
    dict of str to str
        By name, Python and NumPy among them, and the compiler of rnnfast.
    """
    return {
        **{one.name: str(one.version) for one in contestants},
        "compiler": _core.config()["compiler"],
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def _processor() -> str:
    """Return the processor's own name for itself, which Python's standard library leaves out."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
