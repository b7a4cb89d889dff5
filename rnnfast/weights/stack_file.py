"""Weights of layers in a safetensors file: arrays by torch's names, unpacked, and a note in JSON.

weight_ih_l0, weight_hh_l0, bias_ih_l0, ...            what torch's `load_state_dict` takes
{"cell": "lstm", "options": {...}, "stacked": false}   in the metadata; nothing is code

weight_ih_l0 of int8, weight_ih_l0_scale               a matrix that came quantized, and its scales

Beside these stands what the C++ package reads in place of the options: which of the kernels it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnnfast._check.options import flag
from rnnfast._check.quantized import QuantizedWeight
from rnnfast.files import destination, state_file
from rnnfast.files.destination import Filepath
from rnnfast.weights import torch_state
from rnnfast.weights.stack import OPTIONS, StackWeights

KIND = "weights"
_SCALE = "_scale"


def save_weights(filepath: Filepath, weights: StackWeights, overwrite: bool = True) -> None:
    """Write weights to a safetensors file.

    Parameters
    ----------
    filepath : str or path
        Where to; must end in ``.safetensors``.
    weights : StackWeights
        What to write. `rnnfast.Prepacked.save` writes those of a packed cell.
    overwrite : bool, default True
        Whether to replace a file that is there.

    Raises
    ------
    ImportError
        When safetensors is not installed.
    FileExistsError
        When there is a file and `overwrite` is False.
    OSError
        When it cannot be written; what was there is there still.
    """
    if not isinstance(weights, StackWeights):
        raise TypeError(f"weights must be StackWeights, got {type(weights).__name__}")
    path = destination.as_path(filepath, overwrite)
    note = {
        "cell": weights.cell,
        "options": weights.options,
        "stacked": weights.stacked,
        "kernel": weights.kernel(),
    }
    destination.write(path, state_file.encode(KIND, note, _stored(weights)), overwrite)


def read_weights(filepath: Filepath) -> StackWeights:
    """Read weights that `save_weights` has written.

    Parameters
    ----------
    filepath : str or path
        The file.

    Returns
    -------
    StackWeights
        Equal to those that were written, bit for bit.

    Raises
    ------
    ValueError
        When the file is damaged, has been cut short, or was not written by `save_weights`.
    OSError
        When there is no file to read.
    """
    path = Path(filepath)
    note, arrays = state_file.decode(path, KIND)
    try:
        cell, stacked = note["cell"], flag("stacked", note["stacked"])
        options = {name: _option(name, value) for name, value in note["options"].items()}
        of_fields, both = torch_state.columns(_quantized_again(arrays))
        if options.get("bidirectional", False) is not both:
            raise ValueError(f"it has {'two directions' if both else 'one direction'}")
        if not stacked:
            of_fields = {field: _only(field, arrays) for field, arrays in of_fields.items()}
        return StackWeights(cell, **of_fields, **options)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged, or of another rnnfast: {error}") from error


def _stored(weights: StackWeights) -> dict[str, Any]:
    """Return arrays by name; of a quantized matrix its numbers, and its scales beside them."""
    scales = iter(weights.scales)
    layers = tuple(tuple(next(scales).restored(one) for one in layer) for layer in weights.layers)
    arrays: dict[str, Any] = {}
    named: dict[str, Any] = dict(torch_state.named(layers))
    for name, array in named.items():
        if isinstance(array, QuantizedWeight):
            arrays |= {name: array.values, f"{name}{_SCALE}": array.scale}
        else:
            arrays[name] = array
    return arrays


def _quantized_again(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Return arrays as they were before `_stored` took quantized ones apart."""
    scales = {name.removesuffix(_SCALE): a for name, a in arrays.items() if name.endswith(_SCALE)}
    own = {name: array for name, array in arrays.items() if not name.endswith(_SCALE)}
    return own | {name: QuantizedWeight(own[name], scale) for name, scale in scales.items()}


def _only(field: str, arrays: list[Any]) -> Any:
    if len(arrays) != 1:
        raise ValueError(f"it has {len(arrays)} of {field}, and must have one if not stacked")
    return arrays[0]


def _option(name: str, value: Any) -> Any:
    """Return an option as it was before JSON made lists of its tuples."""
    if name not in OPTIONS:
        raise ValueError(f"{name!r} is no option of weights")
    if not isinstance(value, list):
        return value
    return tuple(tuple(one) if isinstance(one, list) else one for one in value)
