"""Weights in a safetensors file.

A weight is stored in Keras's layout under `layer/weight`, for example `lstm_1/recurrent_kernel`.
Layers are named by their class and numbered within the model, not by their own names: those count
over the whole process, so that two models of the same form would not fit each other's files.
"""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from rnnfast.layers.layer import Layer
from rnnfast.training import atomic_file, safetensors_file
from rnnfast.utils.naming import number, to_snake_case

Filepath = str | os.PathLike[str]

_SUFFIX = ".safetensors"


def save(filepath: Filepath, layers: Sequence[Layer], overwrite: bool) -> None:
    """Write the weights of the layers; see `Sequential.save_weights`."""
    path = _as_path(filepath)
    if not overwrite and os.path.lexists(path):
        raise _exists(path)
    tensors = {
        key: np.ascontiguousarray(value)
        for keys, layer in zip(_keys(layers), layers, strict=True)
        for key, value in zip(keys, layer.get_weights(), strict=True)
    }
    data: bytes = _safetensors().save(tensors, metadata={"format": "np"})
    write = atomic_file.replace if overwrite else atomic_file.create
    try:
        write(path, data)
    except FileExistsError:
        raise _exists(path) from None
    except FileNotFoundError as error:
        folder = os.path.dirname(os.path.realpath(path))
        if os.path.isdir(folder):
            raise
        reason = f"there is no folder {folder} to save weights in"
        raise FileNotFoundError(errno.ENOENT, reason, str(path)) from error


def load(filepath: Filepath, layers: Sequence[Layer]) -> None:
    """Read the weights of the layers; see `Sequential.load_weights`."""
    path = _as_path(filepath)
    keys = _keys(layers)
    wanted = {
        key: value
        for own, layer in zip(keys, layers, strict=True)
        for key, value in zip(own, layer.get_weights(), strict=True)
    }
    arrays = safetensors_file.read(path, wanted)
    for own, layer in zip(keys, layers, strict=True):
        layer.set_weights([arrays[key] for key in own])


def _exists(path: Path) -> FileExistsError:
    advice = "it exists; pass overwrite=True to replace it"
    return FileExistsError(errno.EEXIST, advice, str(path))


def _keys(layers: Sequence[Layer]) -> list[list[str]]:
    used: Counter[str] = Counter()
    names = [number(to_snake_case(type(layer).__name__), used) for layer in layers]
    return [
        [f"{name}/{weight}" for weight in layer.weight_names]
        for name, layer in zip(names, layers, strict=True)
    ]


def _as_path(filepath: Filepath) -> Path:
    path = Path(filepath)
    if path.suffix != _SUFFIX:
        raise ValueError(f"filepath must end in {_SUFFIX}, got {str(path)!r}")
    return path


def _safetensors() -> Any:
    try:
        return import_module("safetensors.numpy")
    except ImportError as error:
        raise ImportError(
            "weights are saved with safetensors; run `pip install safetensors`"
        ) from error
