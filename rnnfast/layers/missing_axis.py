"""What may have been meant where data lack an axis of what is wanted."""

from __future__ import annotations

from rnnfast.layers.given_shape import Shape


def meant_by(shape: Shape, wanted: Shape) -> str:
    """Say what makes data of one shape into what is wanted.

    Parameters
    ----------
    shape : tuple
        What came.
    wanted : tuple
        What should have come, with the batch axis; None for any length.

    Returns
    -------
    str
        To be put behind a message; "" where no axis is missing.
    """
    if len(shape) != len(wanted) - 1:
        return ""
    is_sample = _fits(shape, wanted[1:])
    hint = "; x[None] makes a batch of one sample" if is_sample else ""
    # Of two axes whose lengths are unknown, either may be the one that is missing.
    if len(wanted) == 3 and _fits(shape, wanted[:2]) and not (is_sample and wanted[2]):
        hint += (
            "; x[:, :, None] adds a feature axis, and indices, of words for example, go through "
            "an Embedding or become one-hot with utils.to_categorical"
        )
    return hint


def _fits(shape: Shape, wanted: Shape) -> bool:
    return all(want is None or got in (None, want) for got, want in zip(shape, wanted, strict=True))
