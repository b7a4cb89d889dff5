"""The table that `model.summary()` prints, drawn as Keras draws it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from rnnfast.layers.layer import Array, Layer, Shape

_HEADER = ("Layer (type)", "Output Shape", "Param #")
# Right edges of Keras's columns as fractions of the line, and what border and padding take.
_EDGES = (0.45, 0.80, 1.0)
_FRAMES = (3, 4, 3)
_LINE = 88


def describe(
    name: str,
    layers: Sequence[Layer],
    output_shapes: Sequence[Shape | None],
    optimizer_state: Sequence[Array],
) -> str:
    """Draw a model as a table of its layers, with the numbers it holds below.

    Parameters
    ----------
    name : str
        Of the model.
    layers : sequence of Layer
        Its layers.
    output_shapes : sequence of tuple or None
        What each gives, with the batch axis; None where that is not known yet.
    optimizer_state : sequence of ndarray
        Empty before the first training step.

    Returns
    -------
    str
        The lines.
    """
    trained = [weight for layer in layers for weight in layer.trainable_parameters]
    among = {id(weight) for weight in trained}
    frozen = [w for layer in layers for w in layer.parameters if id(w) not in among]
    lines = [
        f'Model: "{name}"',
        _table(_rows(layers, output_shapes)),
        _count("Total", [*trained, *frozen, *optimizer_state]),
        _count("Trainable", trained),
        _count("Non-trainable", frozen),
    ]
    if optimizer_state:
        lines.append(_count("Optimizer", optimizer_state))
    return "\n".join(lines)


def _rows(
    layers: Sequence[Layer], output_shapes: Sequence[Shape | None]
) -> list[tuple[str, str, str]]:
    return [
        (
            f"{layer.name} ({type(layer).__name__})",
            "?" if shape is None else str(shape),
            "0 (unbuilt)" if shape is None else f"{layer.count_params():,}",
        )
        for layer, shape in zip(layers, output_shapes, strict=True)
    ]


def _table(rows: Sequence[tuple[str, str, str]]) -> str:
    line = min(_LINE, shutil.get_terminal_size().columns - 4)
    edges = [0, *(int(edge * line) for edge in _EDGES)]
    widths = [
        max(
            edges[column + 1] - edges[column] - frame,
            *(len(row[column]) for row in (_HEADER, *rows)),
        )
        for column, frame in enumerate(_FRAMES)
    ]

    def rule(left: str, middle: str, right: str, dash: str) -> str:
        return left + middle.join(dash * (width + 2) for width in widths) + right

    def cells(row: tuple[str, str, str], bar: str) -> str:
        name, shape, count = row
        padded = (name.ljust(widths[0]), shape.ljust(widths[1]), count.rjust(widths[2]))
        return f"{bar} " + f" {bar} ".join(padded) + f" {bar}"

    lines = [rule("┏", "┳", "┓", "━"), cells(_HEADER, "┃"), rule("┡", "╇", "┩", "━")]
    for index, row in enumerate(rows):
        lines += [rule("├", "┼", "┤", "─")] * (index > 0) + [cells(row, "│")]
    lines.append(rule("└", "┴", "┘", "─"))
    return "\n".join(lines)


def _count(label: str, arrays: Sequence[Array]) -> str:
    count = sum(array.size for array in arrays)
    size = float(sum(array.nbytes for array in arrays))
    units = iter(("B", "KB", "MB", "GB", "TB", "PB"))
    unit = next(units)
    while size >= 1024:
        size, unit = size / 1024, next(units)
    return f" {label} params: {count:,} ({size:.2f} {unit})"
