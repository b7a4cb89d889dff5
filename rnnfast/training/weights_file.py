"""Weights in a safetensors file.

A weight is stored in Keras's layout under `layer/weight`, for example `lstm_1/recurrent_kernel`.
Layers are named by their class and numbered within the model, not by their own names: those count
over the whole process, so that two models of the same form would not fit each other's files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rnnfast.files import destination, safetensors_file
from rnnfast.files.destination import Filepath
from rnnfast.layers.layer import Array, Layer
from rnnfast.training import keras_weights_file
from rnnfast.training.graph import Graph
from rnnfast.utils.naming import numbered

_SUFFIX = ".safetensors"


def save(filepath: Filepath, layers: Sequence[Layer], overwrite: bool) -> None:
    """Write the weights of the layers; see `Model.save_weights`."""
    path = destination.as_path(filepath, overwrite)
    destination.write(path, safetensors_file.encode(named(layers), {"format": "np"}), overwrite)


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


def _keys(layers: Sequence[Layer]) -> list[list[str]]:
    return [
        [f"{name}/{weight}" for weight in layer.weight_names]
        for name, layer in zip(numbered(layers), layers, strict=True)
    ]
