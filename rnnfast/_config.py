"""What this build is and what it found on this machine."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from typing import Any, Literal, overload

import numpy as np

from . import _core, _devices


@overload
def show_config(mode: Literal["stdout"] = "stdout") -> None: ...
@overload
def show_config(mode: Literal["dicts"]) -> dict[str, Any]: ...
def show_config(mode: str = "stdout") -> dict[str, Any] | None:
    """Show the build and what it found on this machine.

    Parameters
    ----------
    mode : {"stdout", "dicts"}, default "stdout"
        Print, or return a dictionary, as `numpy.show_config` does.

    Returns
    -------
    dict or None
        With "dicts": `version`, `target` (the instruction set in use), `targets` (those that this
        machine could use), `cells`, `threads`, `available_threads`, `caches` (in bytes),
        `compiler`, `build_type`, `openmp`, `numpy`, `python` and `cuda`: whether the extension for
        GPUs is there and what is missing, the driver, where cuBLAS was found, and the devices.

    Raises
    ------
    ValueError
        If `mode` is neither.
    """
    if mode not in ("stdout", "dicts"):
        raise ValueError(f"mode must be 'stdout' or 'dicts', got {mode!r}")
    config = {
        **_core.config(),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "cuda": _devices.config(),
    }
    if mode == "dicts":
        return config
    print("\n".join(_lines(config)))
    return None


def _lines(config: Mapping[str, Any]) -> Iterator[str]:
    for key, value in config.items():
        if key == "caches":
            value = {name: _binary_size(size) for name, size in value.items()}
        if key == "cuda":
            value = _cuda(value)
        yield f"{key + ':':<18} {_readable(value)}"


def _cuda(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what there is for GPUs, a line of words for each device."""
    lines = {name: value for name, value in found.items() if value != ""}
    if "devices" in found:
        lines["devices"] = [
            f"{one['name']} ({one['compute_capability']}, {_binary_size(one['memory'])})"
            for one in found["devices"]
        ]
    return lines


def _readable(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_readable(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_readable(item) for item in value) or "none"
    if value is None or isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _binary_size(size: int) -> str:
    for unit, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if size >= unit:
            return f"{size / unit:g} {name}"
    return f"{size} B"
