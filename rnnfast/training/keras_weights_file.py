"""Weights from files of Keras 3: `.weights.h5`, and `.keras`, an archive with such a file in it.

    layers/dense_1/vars/0                               and 1, ... in the order of `get_weights`
    layers/lstm/cell/vars/0                             of a recurrent layer
    layers/rnn/cell/cells/gru_cell/vars/0               of cells one above another
    layers/bidirectional/forward_layer/cell/vars/0      and backward_layer
    layers/time_distributed/layer/vars/0

A layer is known by its class and its number among those of its class, in the order of the model.
In a graph two orders may be right: then layers are known by their names, which stand there too.

Source: keras/src/saving/saving_lib.py. Nothing else in a file is looked at; none of it is run.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from importlib import import_module
from itertools import combinations
from pathlib import Path
from typing import Any, BinaryIO

from rnnfast.files import safetensors_file
from rnnfast.layers.bidirectional import Bidirectional
from rnnfast.layers.cells import Cell
from rnnfast.layers.layer import Array, Layer
from rnnfast.layers.rnn import RNN
from rnnfast.layers.time_distributed import TimeDistributed
from rnnfast.layers.unidirectional import Unidirectional
from rnnfast.training.graph import Graph
from rnnfast.utils.naming import numbered

ENDINGS = (".weights.h5", ".keras")

_IN_ARCHIVE = "model.weights.h5"
_LARGEST_GROWTH = 100  # of an archive, in which Keras compresses nothing

# What h5py and zipfile raise for damaged files, and ourselves.
_REFUSED = (
    EOFError,
    KeyError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


def read(path: Path, graph: Graph) -> list[list[Array]]:
    """Read the weights of each layer of a graph.

    Raises
    ------
    ValueError
        When the file is damaged, or not of Keras 3, or its weights are not those of the layers.
    OSError
        With `path`, when there is no file to read.
    ImportError
        When h5py is not installed.
    """
    h5py = _library()
    with safetensors_file.opened(path) as file:
        try:
            with h5py.File(_of_archive(file) if path.suffix == ".keras" else file, "r") as weights:
                found = _of_layers(_Stored(h5py, weights), graph)
        except _REFUSED as error:
            raise ValueError(
                f"{path} is damaged, or not what Keras 3 writes for a model of this form: {error}"
            ) from error
    return [
        [
            safetensors_file.exactly(path, f"{name} of {layer.name!r}", array, layer.dtype)
            for name, array in zip(layer.weight_names, arrays, strict=True)
        ]
        for layer, arrays in zip(graph.layers, found, strict=True)
    ]


def _library() -> Any:
    try:
        return import_module("h5py")
    except ImportError as error:
        raise ImportError("Keras's files are read with h5py; run `pip install h5py`") from error


def _of_archive(file: BinaryIO) -> BinaryIO:
    with zipfile.ZipFile(file) as archive:
        info = archive.getinfo(_IN_ARCHIVE)
        if info.file_size > _LARGEST_GROWTH * info.compress_size:
            raise zipfile.BadZipFile(f"{_IN_ARCHIVE} would take {info.file_size} bytes")
        return io.BytesIO(archive.read(info))


class _Stored:
    """The weights in an open file.

    Attributes
    ----------
    sets : dict of str to data set
        By their places. Links to other places or files are not followed.
    """

    def __init__(self, h5py: Any, file: Any) -> None:
        self.sets: dict[str, Any] = {}
        self._groups: dict[str, Any] = {}

        def visit(place: str, found: Any) -> None:
            parts = place.split("/")
            if parts[0] == "layers" and "seed_generator" not in parts:
                if isinstance(found, h5py.Dataset):
                    self.sets[place] = found
                elif len(parts) == 3 and parts[2] == "vars":
                    self._groups[parts[1]] = found

        file.visititems(visit)

    def keys(self) -> dict[str, str]:
        """Return what stands for each layer in places, by the layer's own name.

        Where nobody asks, no attribute is read: in a damaged one HDF5 may end the process.
        """
        attributes = {key: group.attrs for key, group in self._groups.items()}
        return {str(own["name"]): key for key, own in attributes.items() if "name" in own}


def _of_layers(stored: _Stored, graph: Graph) -> list[list[Array]]:
    with_weights = [layer for layer in graph.layers if layer.weight_names]
    keys = _keys(stored, graph, with_weights)
    wanted = {id(layer): _places(layer) for layer in with_weights}
    places = [
        [f"layers/{key}/{place}" for place in wanted[id(layer)]]
        for key, layer in zip(keys, with_weights, strict=True)
    ]
    _require_all(stored.sets, with_weights, places)
    arrays = {
        id(layer): [
            _array(f"{place} ({name} of {layer.name!r})", stored.sets[place], like)
            for place, name, like in zip(own, layer.weight_names, layer.get_weights(), strict=True)
        ]
        for own, layer in zip(places, with_weights, strict=True)
    }
    return [arrays.get(id(layer), []) for layer in graph.layers]


# -------------------------------------------------------------------- which layer is which


def _keys(stored: _Stored, graph: Graph, layers: Sequence[Layer]) -> list[str]:
    """Return the names by which the file knows layers."""
    beside = _beside_each_other(graph, layers)
    if beside is None:
        return numbered(layers)
    keys = stored.keys()
    if all(layer.name in keys for layer in layers):
        return [keys[layer.name] for layer in layers]
    first, second = (layer.name for layer in beside)
    raise ValueError(
        f"layers {first!r} and {second!r} may stand in either order, so that all must have the "
        f"names that they have in the file, got {[layer.name for layer in layers]} and there "
        f"{sorted(keys)}"
    )


def _beside_each_other(graph: Graph, layers: Sequence[Layer]) -> tuple[Layer, Layer] | None:
    """Find two layers of one class of which neither follows from the other, or one runs twice."""
    calls = Counter(id(step.layer) for step in graph.steps)
    before: dict[int, set[int]] = {}  # the layers that a value, by its number, depends on
    of_layer: dict[int, set[int]] = {}
    for step in graph.steps:
        seen = set[int]().union(*(before.get(number, set()) for number in step.takes))
        of_layer.setdefault(id(step.layer), set()).update(seen)
        before |= dict.fromkeys(step.gives, seen | {id(step.layer)})
    for first, second in combinations(layers, 2):
        if type(first).__name__ == type(second).__name__:
            follows = id(first) in of_layer[id(second)]
            if not follows or calls[id(first)] + calls[id(second)] > 2:
                return first, second
    return None


def _places(layer: Layer) -> list[str]:
    """Return where the file has each weight of a layer, from the layer on."""
    if isinstance(layer, Bidirectional):
        both = (("forward_layer", layer.forward_layer), ("backward_layer", layer.backward_layer))
        return [f"{side}/{place}" for side, one in both for place in _places(one)]
    if isinstance(layer, TimeDistributed):
        return [f"layer/{place}" for place in _places(layer.layer)]
    if isinstance(layer, RNN) and not isinstance(layer.cell, Cell):
        counts: defaultdict[str, int] = defaultdict(int)
        places = []
        for name in layer.weight_names:  # gru_cell_1/kernel
            cell, _, _ = name.partition("/")
            places.append(f"cell/cells/{cell}/vars/{counts[cell]}")
            counts[cell] += 1
        return places
    owner = "cell/vars" if isinstance(layer, Unidirectional) else "vars"
    return [f"{owner}/{k}" for k in range(len(layer.weight_names))]


# ----------------------------------------------------------------------------- what is read


def _require_all(
    sets: Mapping[str, Any],
    layers: Sequence[Layer],
    places: Sequence[Sequence[str]],
) -> None:
    expected = {
        place: f"{place} (of {layer.name!r})"
        for own, layer in zip(places, layers, strict=True)
        for place in own
    }
    missing = [expected[place] for place in expected if place not in sets]
    unexpected = [place for place in sets if place not in expected]
    if missing or unexpected:
        raise ValueError(f"its weights are others, missing are {missing}, unexpected {unexpected}")


def _array(what: str, found: Any, like: Array) -> Array:
    if found.shape != like.shape:
        raise ValueError(f"{what} must have shape {like.shape}, got {found.shape}")
    if found.dtype.kind != "f":
        raise ValueError(f"{what} must be of a floating-point type, got {found.dtype}")
    if found.external or found.is_virtual:
        raise ValueError(f"{what} must be in the file itself, got a reference to another")
    array: Array = found[...]
    return array
