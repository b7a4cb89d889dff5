"""The extension for GPUs: `rnnfast._cuda`, built here, or that of the package `rnnfast_cuda13`."""

from __future__ import annotations

import importlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .. import _core

_HOW_TO_GET_IT = (
    'install it with `pip install "rnnfast[cuda13]"`, or build it with '
    "`pip install . -C cmake.define.RNNFAST_CUDA=ON` where the CUDA compiler is"
)


def loaded() -> Any:
    """Return the extension.

    Raises
    ------
    ImportError
        If there is none, or one of another version; it says what to install.
    """
    return _loaded()


@cache
def _loaded() -> Any:
    cuda = _found()
    if cuda is None:
        raise ImportError(
            f"arrays on a GPU need the extension for CUDA, which is not there; {_HOW_TO_GET_IT}"
        )
    own, its = _core.config()["version"], cuda.config()["version"]
    if own != its:
        raise ImportError(
            f"rnnfast is {own} and its extension for CUDA {its}, install the same version: "
            f'`pip install "rnnfast[cuda13]=={own}"`'
        )
    return cuda


def _found() -> Any:
    for name in ("rnnfast._cuda", "rnnfast_cuda13._cuda"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name not in (name, name.partition(".")[0]):
                raise
    return None


def queue(device: int, stream: int) -> Any:
    """Return what makes calls on a stream of a device; the same stream, whenever it is asked for.

    Raises
    ------
    ImportError
        If the extension, or a library that it needs, is not there.
    RuntimeError
        If there is no driver, or it refuses the device; with CUDA's name for it.
    """
    return _ready().Queue(device, stream)


@cache
def _ready() -> Any:
    cuda = loaded()
    missing = cuda.config()["missing"]
    if missing:
        raise RuntimeError(f"no GPU can be used: {missing}")
    _product_library()
    return cuda


@cache
def lacks() -> str | None:
    """Return what calls on a GPU lack here, and what to do about it; None if they can be made."""
    try:
        _ready()
    except (ImportError, RuntimeError) as error:
        return str(error)
    return None


@cache
def _product_library() -> str:
    """Return where cuBLAS was found."""
    try:
        found: str = loaded().product_library(_places_of_cublas())
    except RuntimeError as error:
        raise ImportError(f"{error}; install it with `pip install nvidia-cublas`") from None
    return found


def _places_of_cublas() -> list[str]:
    """Return files of NVIDIA's packages, then what the system may know by name."""
    nvidia = find_spec("nvidia")
    folders = [] if nvidia is None else list(nvidia.submodule_search_locations or ())
    files = [
        str(file) for one in folders for file in sorted(Path(one).glob("*/lib/libcublas.so.1[23]"))
    ]
    return [*files[::-1], "libcublas.so.13", "libcublas.so.12"]


def config() -> dict[str, Any]:
    """Return what is there for GPUs, and what is missing, for `show_config`."""
    try:
        cuda = loaded()
    except ImportError as error:
        return {"extension": False, "missing": str(error)}
    facts = cuda.config()
    found = {"extension": True, **facts}
    try:
        found["cublas"] = _product_library()
    except ImportError as error:
        found["cublas"] = None
        found["missing"] = "; ".join(filter(None, (facts["missing"], str(error))))
    return found
