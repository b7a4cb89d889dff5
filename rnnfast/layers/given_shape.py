"""The shape of a model's input, as tutorials of Keras give it to the first layer.

input_shape=(T, F)             (None, T, F)      the shape of one sample
batch_input_shape=(B, T, F)    (B, T, F)
input_dim=F                    (None, F), of a recurrent layer (None, input_length, F)
"""

from __future__ import annotations

from typing import Any

Shape = tuple[int | None, ...]

SAYING_SHAPE = ("input_shape", "batch_input_shape", "input_dim")


def take_shape(layer: str, options: dict[str, Any], *, has_steps: bool) -> Shape | None:
    """Take what says the shape of the input out of a layer's options.

    Parameters
    ----------
    layer : str
        Name of the class, for messages.
    options : dict
        Arguments by name; those that say the shape are taken out.
    has_steps : bool
        Whether the layer takes sequences, so that `input_dim` is that of a step.

    Returns
    -------
    tuple or None
        The shape with the batch axis; None where none is given.

    Raises
    ------
    ValueError
        When one is no shape, or several are given.
    """
    given = {name: options.pop(name, None) for name in SAYING_SHAPE}
    given = {name: value for name, value in given.items() if value is not None}
    steps = (_length("input_length", options.pop("input_length", None)),) if has_steps else ()
    if len(given) > 1:
        raise ValueError(f"{layer} takes one of {' and '.join(given)}, got both")
    if any(steps) and "input_dim" not in given:
        raise ValueError(
            f"{layer} takes input_length beside input_dim; input_shape=(time, features) says both"
        )
    for name, value in given.items():
        if name == "input_dim":
            return (None, *steps, _length(name, value))
        lengths = _lengths(name, value)
        return (None, *lengths) if name == "input_shape" else lengths
    return None


def _lengths(name: str, value: object) -> Shape:
    if not isinstance(value, (tuple, list)):
        raise ValueError(
            f"{name} must be a tuple of lengths and None, got {value!r}"
            + (f"; ({value},) has one axis" if isinstance(value, int) else "")
        )
    return tuple(_length(name, length) for length in value)


def _length(name: str, value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise ValueError(f"{name} must be of lengths and None, got {value!r}")
