"""Arrays of layers and directions by the names of torch's modules: a plain state_dict.

    weight_ih_l0   weight_hh_l0   bias_ih_l0   bias_hh_l0   weight_hr_l0
    weight_ih_l0_reverse          and so on, of the other direction
    weight_ih      weight_hh      bias_ih      bias_hh      of a single cell
    weight_peephole_l0            weight_norm_l0            of modules of `rnnfast.interop.torch`

A state_dict does not say what its arrays are of: the rows of `weight_hh` for each unit tell.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

from rnnfast._check import Array, stacks
from rnnfast._check.inputs import LayerWeights
from rnnfast.weights.found import Found
from rnnfast.weights.stack import StackWeights
from rnnfast.weights.tensors import as_array

_NAMES = {
    "w_ih": "weight_ih",
    "w_hh": "weight_hh",
    "b_ih": "bias_ih",
    "b_hh": "bias_hh",
    "w_hr": "weight_hr",
    "peephole": "weight_peephole",
    "layer_norm": "weight_norm",
}
_FIELDS = {name: field for field, name in _NAMES.items()}
_ANY = "|".join(_FIELDS)
_OF_LAYER = re.compile(rf"({_ANY})_l(0|[1-9]\d{{0,8}})(_reverse)?")
_OF_CELL = re.compile(rf"({_ANY})")
_GATES = {1: "rnn", 3: "gru", 4: "lstm"}


class Place(NamedTuple):
    """Where an array stands: its field of `LayerWeights`, layer and direction."""

    field: str
    layer: int
    direction: int

    @property
    def name(self) -> str:
        """Torch's name."""
        return f"{_NAMES[self.field]}_l{self.layer}{'_reverse' if self.direction else ''}"


def place(name: str) -> Place | None:
    """Return the place of an array by torch's name; None where it has no such name."""
    found = _OF_LAYER.fullmatch(name)
    if found is None:
        return None
    return Place(_FIELDS[found[1]], int(found[2]), int(found[3] is not None))


def named(layers: stacks.Layers) -> dict[str, Array]:
    """Return the arrays that are there, by torch's names."""
    return {
        Place(field, i, direction).name: array
        for i, layer in enumerate(layers)
        for direction, weights in enumerate(layer)
        for field, array in weights._asdict().items()
        if array is not None
    }


def columns(arrays: Mapping[str, Any]) -> tuple[dict[str, list[Any]], bool]:
    """Return arrays by field, each a list in torch's order, and whether there are two directions.

    A list has None where a layer lacks an array that others have.

    Raises
    ------
    ValueError
        When a name is none of torch's, or a layer or direction is missing.
    """
    found: defaultdict[tuple[int, int], dict[str, Any]] = defaultdict(dict)
    for name, array in arrays.items():
        own = place(name)
        if own is None:
            raise ValueError(f"{name!r} is no name of an array of a layer, as weight_ih_l0 is")
        found[own.layer, own.direction][own.field] = array
    directions = 2 if any(direction for _, direction in found) else 1
    count = -(-max(len(found), 1) // directions) * directions
    for k in range(count):
        number, direction = divmod(k, directions)
        for field in ("w_ih", "w_hh"):
            if field not in found.get((number, direction), ()):
                raise ValueError(f"{Place(field, number, direction).name} is missing")
    ordered = [found[key] for key in sorted(found)]
    return {
        field: [one.get(field) for one in ordered]
        for field in LayerWeights._fields
        if any(field in one for one in ordered)
    }, directions == 2


def find(state: Mapping[str, Any], **options: Any) -> Found:
    """Find the recurrent modules of a state_dict.

    Parameters
    ----------
    state : mapping of str to array_like
        Tensors or arrays by name, as ``encoder.lstm.weight_ih_l0``. Mappings in it are looked
        into, as checkpoints have them.
    **options
        What a state_dict does not say, as `activations`; `nonlinearity` is of its plain RNNs.

    Returns
    -------
    Found
        By the names of modules.
    """
    groups: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    others: defaultdict[str, list[str]] = defaultdict(list)
    for name, value in _flat(state):
        prefix, _, own = name.rpartition(".")
        if _OF_LAYER.fullmatch(own) or _OF_CELL.fullmatch(own):
            groups[prefix][own] = value
        else:
            others[prefix].append(own)
    found = Found({}, {prefix: ", ".join(names) for prefix, names in others.items()})
    for prefix, arrays in groups.items():
        try:
            found.stacks[prefix] = of_arrays(arrays, **options)
        except (TypeError, ValueError) as error:
            found.left[prefix] = str(error)
    return found


def of_arrays(arrays: Mapping[str, Any], cell: str | None = None, **options: Any) -> StackWeights:
    """Return the layers of one module from its arrays; the kind of cell by sizes unless given."""
    read = {name: as_array(name, value) for name, value in arrays.items()}
    if all(_OF_CELL.fullmatch(name) for name in read):
        read = {f"{name}_l0": array for name, array in read.items()}
    of_fields, both = columns(read)
    if cell is None:
        cell = _cell_of(of_fields)
        if cell != "rnn":
            options.pop("nonlinearity", None)
    if both:
        options["bidirectional"] = True
    elif len(of_fields["w_ih"]) == 1:
        return StackWeights(cell, **{k: one for k, (one,) in of_fields.items()}, **options)
    return StackWeights(cell, **of_fields, **options)


def _cell_of(of_fields: Mapping[str, list[Any]]) -> str:
    recurrent = of_fields["w_hh"][0]
    units = of_fields.get("w_hr", of_fields["w_hh"])[0].shape[-1:]
    if recurrent.ndim == 2 and units and units[0]:
        gates, left = divmod(recurrent.shape[0], units[0])
        if not left and gates in _GATES:
            return _GATES[gates]
    raise ValueError(f"weight_hh must have H, 3*H or 4*H rows for H columns, got {recurrent.shape}")


def _flat(state: Mapping[Any, Any], before: str = "") -> list[tuple[str, Any]]:
    """Return what has a shape, by dotted names."""
    found = []
    for key, value in state.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping):
            found += _flat(value, f"{name}.")
        elif hasattr(value, "shape"):
            found.append((name, value))
    return found
