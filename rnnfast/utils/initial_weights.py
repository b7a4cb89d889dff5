"""First values of weights as PyTorch draws them: all of U(-1/sqrt(H), 1/sqrt(H)), biases as well.

Source: `torch.nn.RNNBase.reset_parameters`.
"""

from __future__ import annotations

import math
from typing import Any, TypedDict

import numpy as np
from numpy.typing import DTypeLike, NDArray

from rnnfast._check.arrays import Array
from rnnfast._check.cells import BY_FUNCTION, FACTS
from rnnfast._check.spelling import meant
from rnnfast.utils.hyperparameters import require_positive
from rnnfast.utils.random_seed import make_generator


class InitialWeights(TypedDict):
    """What `rnnfast.lstm(x, **weights)` and its kin take: (G*H, I), (G*H, H) and twice (G*H,)."""

    w_ih: Array
    w_hh: Array
    b_ih: Array
    b_hh: Array


def initial_weights(
    cell: str,
    input_size: int,
    hidden_size: int,
    *,
    dtype: DTypeLike = np.float32,
    seed: int | None = None,
) -> InitialWeights:
    """Draw the weights of a layer for a loop of one's own, as `torch.nn.LSTM` and its kin do.

    Parameters
    ----------
    cell : {"rnn", "lstm", "gru", "mgu", "light_gru"}
        The function that they are for.
    input_size, hidden_size : int
        I and H.
    dtype : dtype, default float32
        float32 or float64. Values are drawn in float64 and rounded.
    seed : int, optional
        By default from `rnnfast.utils.set_random_seed`'s sequence. The values are drawn from
        torch's distribution, but not by its generator.

    Returns
    -------
    dict
        `w_ih` (G*H, I), `w_hh` (G*H, H), `b_ih` and `b_hh` (G*H,), for `lstm(x, **weights)`.

    Raises
    ------
    ValueError
        When there is no such cell, a size is no positive integer, or `dtype` is another.
    TypeError
        When `seed` is no integer.

    Notes
    -----
    Two layers, one upon the other::

        first, second = initial_weights("lstm", I, H), initial_weights("lstm", H, H)
        lstm(x, **{name: [first[name], second[name]] for name in first})

    A layer with Keras's names starts so with ``RandomUniform(-k, k)`` of `rnnfast.initializers`,
    k = 1/sqrt(units), for its kernel, its recurrent kernel and its bias.
    """
    if cell not in BY_FUNCTION:
        known = ", ".join(map(repr, BY_FUNCTION))
        raise ValueError(f"cell must be one of {known}, got {cell!r}{meant(cell, BY_FUNCTION)}")
    inputs = require_positive("input_size", input_size)
    units = require_positive("hidden_size", hidden_size)
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise ValueError(f"dtype must be float32 or float64, got {np.dtype(dtype)}")
    rows = FACTS[BY_FUNCTION[cell][0].core]["gates"] * units
    bound = 1 / math.sqrt(units)
    rng = make_generator(seed)

    def draw(*shape: int) -> NDArray[Any]:
        return rng.uniform(-bound, bound, shape).astype(dtype)

    return {
        "w_ih": draw(rows, inputs),
        "w_hh": draw(rows, units),
        "b_ih": draw(rows),
        "b_hh": draw(rows),
    }
