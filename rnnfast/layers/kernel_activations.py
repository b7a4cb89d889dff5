"""Activations of recurrent layers: Keras's names, as the kernels take them.

Keras and ONNX mean different functions by some names: Keras's hard_sigmoid has the slope 1/6, its
leaky_relu the slope 0.2 below zero.
"""

from __future__ import annotations

from typing import TypeAlias

Activation: TypeAlias = str | tuple[str, float] | tuple[str, float, float]

_BY_NAME: dict[str, Activation] = {
    "linear": "linear",
    "relu": "relu",
    "leaky_relu": ("leaky_relu", 0.2),
    "relu6": "relu6",
    "elu": "elu",
    "celu": "elu",
    "selu": "selu",
    "softplus": "softplus",
    "softsign": "softsign",
    "tanh": "tanh",
    "hard_tanh": "hard_tanh",
    "sigmoid": "sigmoid",
    "hard_sigmoid": ("hard_sigmoid", 1 / 6, 0.5),
    "sparse_sigmoid": ("hard_sigmoid", 0.5, 0.5),
    "exponential": "exponential",
}


def of_keras(argument: str, name: object) -> Activation:
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
    if not isinstance(name, str) or name not in _BY_NAME:
        raise ValueError(
            f"{argument} must be None or one of {', '.join(_BY_NAME)}, whose slopes follow from "
            f"their results, got {name!r}"
        )
    return _BY_NAME[name]
