"""How far results may lie from the truth: epsilons times a stated condition.

A recurrent output is one ascending sum of K = I + H products (plus biases) per part and step.
Rounding the running sum K times by half an epsilon leaves, for terms of random sign, an error
near ``0.4 K`` epsilons of one term; moving every argument by one epsilon leaves ``sqrt(K)``.
Rounding is therefore like moving the arguments by about ``sqrt(K)`` epsilons at each step, and
what such a move does to the result is measured, not guessed: it contains the saturation of the
gates and the growth or decay over time of the very numbers in the test.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .cells import Arguments, Array, Cell

__all__ = ["Expected", "expected_outputs", "gradient_roundings"]

# The kernel and the reference each err, and three draws do not show the worst case.
SAFETY = 4.0

# Large against the rounding of the float64 evaluation, small enough to stay linear.
MOVE = 2.0**-36

DRAWS = 3


class Expected(NamedTuple):
    """What one output must be, and how far off it may be."""

    value: Array
    tolerance: float


def expected_outputs(
    cell: Cell, arguments: Arguments, rng: np.random.Generator, **options: Any
) -> tuple[Expected, ...]:
    """Evaluate the equations in float64, and find the largest absolute error allowed.

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
    tuple of Expected
        y, h_n and so on. The error allowed is
        ``SAFETY * eps * (sqrt(K) * condition + 4 * max|output|)``, where the condition is the
        largest change of the output per relative change of the arguments, and the 4 is the bound
        of the activations in units in the last place.
    """
    wide = {name: a.astype(np.float64) for name, a in arguments.items()}
    still = cell.reference(wide, **options)
    conditions = [0.0] * len(still)
    for _ in range(DRAWS):
        moved = cell.reference(_moved(wide, rng), **options)
        for which, (m, s) in enumerate(zip(moved, still, strict=True)):
            change = float(np.abs(m - s).max(initial=0.0)) / MOVE
            conditions[which] = max(conditions[which], change)

    roundings = np.sqrt(sum(wide[name].shape[1] for name in cell.weights if wide[name].ndim == 2))
    allowed = SAFETY * float(np.finfo(arguments["x"].dtype).eps)
    return tuple(
        Expected(value, allowed * (roundings * condition + 4 * np.abs(value).max(initial=0.0)))
        for value, condition in zip(still, conditions, strict=True)
    )


def _moved(arguments: Arguments, rng: np.random.Generator) -> Arguments:
    return {
        name: a * (1 + MOVE * rng.choice([-1.0, 1.0], a.shape)) for name, a in arguments.items()
    }


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
