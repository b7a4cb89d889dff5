"""Weights in a safetensors file.

A weight is stored in Keras's layout under `layer/weight`, for example `lstm_1/recurrent_kernel`.
Layers are named by their class and numbered within the model, not by their own names: those count
over the whole process, so that two models of the same form would not fit each other's files.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from rnnfast.layers.layer import Array, Layer
from rnnfast.training import atomic_file, keras_weights_file, safetensors_file
from rnnfast.training.graph import Graph
from rnnfast.utils.naming import numbered

Filepath = str | os.PathLike[str]

_SUFFIX = ".safetensors"


def save(filepath: Filepath, layers: Sequence[Layer], overwrite: bool) -> None:
    """Write the weights of the layers; see `Model.save_weights`."""
    path = as_path(filepath, overwrite)
    write(path, safetensors_file.encode(named(layers), {"format": "np"}), overwrite)


def write(path: Path, data: bytes, overwrite: bool) -> None:
    """Write a whole file, or say why not in words that help."""
    try:
        (atomic_file.replace if overwrite else atomic_file.create)(path, data)
    except FileExistsError:
        raise _exists(path) from None
    except FileNotFoundError as error:
        folder = os.path.dirname(os.path.realpath(path))
        if os.path.isdir(folder):
            raise
        reason = f"there is no folder {folder} to save weights in"
        raise FileNotFoundError(errno.ENOENT, reason, str(path)) from error


def load(filepath: Filepath, graph: Graph) -> None:
    """Read the weights of the layers; see `Model.load_weights`."""
    path = Path(filepath)
    if path.name.endswith(keras_weights_file.ENDINGS):
        of_layers = keras_weights_file.read(path, graph)
        for layer, weights in zip(graph.layers, of_layers, strict=True):
            layer.set_weights(weights)
    elif path.suffix == _SUFFIX:
        put(safetensors_file.read(path, named(graph.layers)), graph.layers)
    else:
        of_keras = " or ".join(keras_weights_file.ENDINGS)
        raise ValueError(f"filepath must end in {_SUFFIX}, {of_keras}, got {str(path)!r}")


def named(layers: Sequence[Layer]) -> dict[str, Array]:
    """Return the weights of the layers by the names that they have in a file."""
    return {
        key: value
        for own, layer in zip(_keys(layers), layers, strict=True)
        for key, value in zip(own, layer.get_weights(), strict=True)
    }


def put_all(path: Path, arrays: Mapping[str, Array], layers: Sequence[Layer]) -> None:
    """Set the weights of the layers to all that there are in a file.

    Raises
    ------
    ValueError
        When they are not those of the layers; nothing has changed.
    """
    wanted = named(layers)
    safetensors_file.require_names(path, arrays, wanted)
    exact = {
        name: safetensors_file.exactly(path, name, arrays[name], like.dtype)
        for name, like in wanted.items()
    }
    put(exact, layers)


def put(arrays: Mapping[str, Array], layers: Sequence[Layer]) -> None:
    """Set the weights of the layers, by the names that they have in a file."""
    for own, layer in zip(_keys(layers), layers, strict=True):
        layer.set_weights([arrays[key] for key in own])


def _exists(path: Path) -> FileExistsError:
    advice = "it exists; pass overwrite=True to replace it"
    return FileExistsError(errno.EEXIST, advice, str(path))


def _keys(layers: Sequence[Layer]) -> list[list[str]]:
    return [
        [f"{name}/{weight}" for weight in layer.weight_names]
        for name, layer in zip(numbered(layers), layers, strict=True)
    ]


def as_path(filepath: Filepath, overwrite: bool = True) -> Path:
    """Return where to read or write; raise where the ending is another, or a file is there."""
    path = Path(filepath)
    if path.suffix != _SUFFIX:
        raise ValueError(f"filepath must end in {_SUFFIX}, got {str(path)!r}")
    if not overwrite and os.path.lexists(path):
        raise _exists(path)
    return path
