"""Call the core on results that are there to be written: a layer in one direction, or all at once.

Results are arrays in C order but for y, which may be some of the columns of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

from .. import _core
from .._check import Array, cells, inputs, stacks
from .empty_pass import NoTape, carry
from .noise import StateMasks
from .place import Place
from .step_order import PlainTime, Time, time_of

Tape: TypeAlias = _core.Tape | NoTape
AtOnce: TypeAlias = tuple[int, int]  # how layers run at once: threads, and the steps of a chunk


class Results(NamedTuple):
    """What a forward pass writes: y (T, B, H), h_n and c_n (B, H)."""

    y: Array
    h_n: Array
    c_n: Array | None


def forward(
    place: Place,
    cell: cells.Cell,
    given: inputs.Inputs,
    reverse: bool,
    masks: StateMasks | None,
    results: Results,
) -> None:
    """Write the results."""
    if _takes_steps(given, results):
        place.core.forward(cell.core, *_arguments(given, reverse, masks, results))


def forward_saving(
    place: Place,
    cell: cells.Cell,
    given: inputs.Inputs,
    reverse: bool,
    masks: StateMasks | None,
    results: Results,
) -> Tape:
    """As `forward`; return what the backward pass needs."""
    if not _takes_steps(given, results):
        return NoTape()
    arguments = (*_arguments(given, reverse, masks, results), cell.precision)
    tape: Tape = place.core.forward_saving(cell.core, *arguments)
    return tape


def forward_saving_checkpoints(
    place: Place,
    cell: cells.Cell,
    given: inputs.Inputs,
    reverse: bool,
    masks: StateMasks | None,
    results: Results,
) -> Tape:
    """As `forward_saving`, in memory that grows with the square root of T."""
    if not _takes_steps(given, results):
        return NoTape()
    arguments = (*_arguments(given, reverse, masks, results), cell.precision)
    tape: Tape = place.core.forward_saving_checkpoints(cell.core, *arguments)
    return tape


def forward_packed(
    packed: _core.Packed,
    given: inputs.Inputs,
    reverse: bool,
    masks: StateMasks | None,
    results: Results,
) -> None:
    """As `forward`, on weights that the core has packed already."""
    if _takes_steps(given, results):
        x, _, *others = _arguments(given, reverse, masks, results)
        packed.forward(x, *others)


def layers_at_once(
    place: Place,
    cell: cells.Cell,
    given: stacks.Stack,
    packed: Sequence[_core.Packed] | None,
    training: bool,
) -> AtOnce | None:
    """Return how layers and directions run at once; None if they are to run one by one."""
    layers = len(given.layers)
    if layers * given.directions == 1 or not given.x.size or not given.steps:
        return None
    first = given.first if packed is None else packed[0]
    how = (layers, given.directions, training, cell.precision)
    plan: AtOnce | None = place.core.plan_layers(cell.core, given.x, first, *how)
    return plan


def forward_layers(
    cell: cells.Cell,
    plan: AtOnce,
    given: stacks.Stack,
    packed: Sequence[_core.Packed] | None,
    reverse: bool,
    outputs: list[Array],
    states: list[Array],
) -> None:
    """Write `outputs`, y of each layer, and `states`, those of all layers, at once."""
    arguments = _arguments_of_layers(given, packed, reverse, outputs, states)
    _core.forward_layers(cell.core, plan, given.directions, arguments)


def forward_layers_saving(
    cell: cells.Cell,
    plan: AtOnce,
    given: stacks.Stack,
    reverse: bool,
    outputs: list[Array],
    states: list[Array],
) -> list[Tape]:
    """As `forward_layers`; return what each backward pass needs."""
    arguments = _arguments_of_layers(given, None, reverse, outputs, states)
    tapes = _core.forward_layers_saving(
        cell.core, plan, given.directions, arguments, cell.precision
    )
    return [*tapes]


def _arguments_of_layers(
    given: stacks.Stack,
    packed: Sequence[_core.Packed] | None,
    reverse: bool,
    outputs: list[Array],
    states: list[Array],
) -> list[tuple[Any, ...]]:
    """Return what the core takes of each layer and direction."""
    width = given.first.output_size
    times = [time_of(given, reverse or direction == 1) for direction in range(given.directions)]
    resets = [time(given.resets) for time in times]
    arguments: list[tuple[Any, ...]] = []
    x = given.x
    for weights, y in zip(given.layers, outputs, strict=True):
        for direction, time in enumerate(times):
            number = len(arguments)
            own = slice(direction * width, (direction + 1) * width)
            arguments.append(
                (
                    time(x),
                    weights[direction] if packed is None else packed[number],
                    None if given.h0 is None else given.h0[number],
                    None if given.c0 is None else given.c0[number],
                    time.spans,
                    resets[direction],
                    time.results(y[:, :, own]),
                    states[0][number],
                    states[1][number] if len(states) == 2 else None,
                )
            )
        x = y
    return arguments


def masks_in_time(time: Time | PlainTime, masks: StateMasks | None) -> StateMasks | None:
    """Return masks of states in the order of the steps."""
    if masks is None:
        return None
    recurrent, kept_h, kept_c = masks
    return recurrent, time(kept_h), time(kept_c)


def _arguments(
    given: inputs.Inputs, reverse: bool, masks: StateMasks | None, results: Results
) -> tuple[Any, ...]:
    """Return what the core's forward passes take after the cell."""
    x, weights, h0, c0, lengths, resets = given
    y, h_n, c_n = results
    if lengths is None and not reverse:  # as most are, with nothing to turn
        return x, weights, h0, c0, None, resets, masks, y, h_n, c_n
    time = time_of(given, reverse)
    of_steps = (time.spans, time(resets), masks_in_time(time, masks))
    return time(x), weights, h0, c0, *of_steps, time.results(y), h_n, c_n


def _takes_steps(given: inputs.Inputs, results: Results) -> bool:
    """Return whether there is a step to take; if not, the results are written."""
    if given.x.size and (given.lengths is None or given.steps):
        return True
    carry(None, results.y)
    carry(given.h0, results.h_n)
    carry(given.c0, results.c_n)
    return False
