"""Arrays of layers and directions by the names of torch's modules: a plain state_dict.

weight_ih_l0   weight_hh_l0   bias_ih_l0   bias_hh_l0   weight_hr_l0
weight_ih_l0_reverse          and so on, of the other direction
weight_peephole_l0            weight_norm_l0          of modules of `rnnfast.interop.torch`
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

from rnnfast._check import Array, stacks
from rnnfast._check.inputs import LayerWeights

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
_NAME = re.compile(rf"({'|'.join(_FIELDS)})_l(0|[1-9]\d{{0,8}})(_reverse)?")


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
    found = _NAME.fullmatch(name)
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
    for k in range(len(found)):
        number, direction = divmod(k, directions)
        for field in ("w_ih", "w_hh"):
            if field not in found.get((number, direction), ()):
                raise ValueError(f"{Place(field, number, direction).name} is missing")
    if not found or len(found) % directions:
        missing = Place("w_ih", len(found) // directions, len(found) % directions)
        raise ValueError(f"{missing.name} is missing")
    ordered = [found[key] for key in sorted(found)]
    return {
        field: [one.get(field) for one in ordered]
        for field in LayerWeights._fields
        if any(field in one for one in ordered)
    }, directions == 2
