"""How far results may lie from the truth: epsilons times a stated condition.

A recurrent output is one ascending sum of K = I + H products (plus biases) per part and step.
Rounding the running sum K times by half an epsilon leaves, for terms of random sign, an error
near ``0.4 K`` epsilons of one term; moving every argument by one epsilon leaves ``sqrt(K)``.
Rounding is therefore like moving the arguments by about ``sqrt(K)`` epsilons at each step, and
what such a move does to the result is measured, not guessed: it contains the saturation of the
gates and the growth or decay over time of the very numbers in the test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .cells import Arguments, Array, Cell

__all__ = ["forward_tolerances", "gradient_roundings"]

# The kernel and the reference each err, and three draws do not show the worst case.
SAFETY = 4.0

# Large against the rounding of the float64 evaluation, small enough to stay linear.
MOVE = 2.0**-36

DRAWS = 3


def forward_tolerances(
    cell: Cell, arguments: Arguments, rng: np.random.Generator, **options: Any
) -> tuple[float, ...]:
    """Largest absolute error allowed in each output of a cell.

    Parameters
    ----------
    cell : Cell
        The cell.
    arguments : mapping of str to ndarray
        What it is given; their type sets epsilon.
    rng : numpy.random.Generator
        Draws the moves of the arguments.
    **options
        Of the call: ``reverse``, ``lengths`` and so on.

    Returns
    -------
    tuple of float
        ``SAFETY * eps * (sqrt(K) * condition + 4 * max|output|)`` for y, h_n and so on, where the
        condition is the largest change of the output per relative change of the arguments, and
        the 4 is the bound of the activations in units in the last place.
    """
    dtype = arguments["x"].dtype
    wide = {name: a.astype(np.float64) for name, a in arguments.items()}

    def outputs(moved: Arguments) -> tuple[Array, ...]:
        return cell.reference(moved, **options)

    roundings = np.sqrt(sum(wide[name].shape[1] for name in cell.weights if wide[name].ndim == 2))
    sizes = [np.abs(output).max(initial=0.0) for output in outputs(wide)]
    conditions = _condition(outputs, wide, rng)
    eps = float(np.finfo(dtype).eps)
    return tuple(
        SAFETY * eps * (roundings * condition + 4 * size)
        for condition, size in zip(conditions, sizes, strict=True)
    )


def _condition(
    function: Callable[[Arguments], tuple[Array, ...]],
    arguments: Arguments,
    rng: np.random.Generator,
) -> list[float]:
    """Largest change of each output of a function per relative change of its arguments."""
    still = function(arguments)
    largest = [0.0] * len(still)
    for _ in range(DRAWS):
        moved = {
            name: a * (1 + MOVE * rng.choice([-1.0, 1.0], a.shape)) for name, a in arguments.items()
        }
        changes = (
            np.abs(m - s).max(initial=0.0) for m, s in zip(function(moved), still, strict=True)
        )
        largest = [max(old, float(new) / MOVE) for old, new in zip(largest, changes, strict=True)]
    return largest


def gradient_roundings(arguments: Arguments) -> float:
    """Relative error allowed in a directional derivative, in epsilons.

    Parameters
    ----------
    arguments : mapping of str to ndarray
        What a cell is given.

    Returns
    -------
    float
        ``SAFETY * (4 T + sqrt(K))`` with K the longest sum: ``G*H`` deltas give a state's
        gradient, ``T*B`` rows a weight's, ``I + H`` products an activation. An error made at one
        step is carried to all later ones, hence T rather than its root; 4 is the bound of the
        activations, to which a projection adds the root of its sum of H products. Four times that
        with layer normalization, which takes differences of numbers that lie close together and
        divides by their spread, forward and backward.
    """
    steps, rows, inputs = arguments["x"].shape
    deltas, units = arguments["w_hh"].shape
    spread = 4.0 if "layer_norm" in arguments else 1.0
    projection = np.sqrt(arguments["w_hr"].shape[1]) if "w_hr" in arguments else 0.0
    longest = np.sqrt(max(deltas, steps * rows, inputs + units))
    return float(spread * SAFETY * ((4 + projection) * steps + longest))
