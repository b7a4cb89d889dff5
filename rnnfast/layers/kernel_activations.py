"""Activations of recurrent layers: Keras's names, as the kernels take them."""

from __future__ import annotations

from rnnfast._check.activations import BY_KERAS_NAME, Choice


def of_keras(argument: str, name: object) -> Choice:
    """Find an activation by Keras's name; None is "linear".

    Parameters
    ----------
    argument : str
        Name of the layer's argument, for the message.
    name : object
        The activation; a str or None.

    Returns
    -------
    str or tuple
        As the functions of `rnnfast.functional` take it.

    Raises
    ------
    ValueError
        When there is none of this name. Keras has others; the kernels take slopes from results,
        which of those do not say what the slope was.
    """
    if name is None:
        return "linear"
    if not isinstance(name, str) or name not in BY_KERAS_NAME:
        raise ValueError(
            f"{argument} must be None or one of {', '.join(BY_KERAS_NAME)}, whose slopes follow "
            f"from their results, got {name!r}"
        )
    return BY_KERAS_NAME[name]
