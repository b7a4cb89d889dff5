"""Gradients checked by complex step through the reference, along random directions.

    d/de L(a + e v) = Im L(a + i s v) / s + O(s^2),   L = sum(dy y) + sum(dh_n h_n) + ...

There is no subtraction, hence no cancellation, and s can be so small that the O(s^2) vanishes:
what is left is the rounding of one evaluation in complex128.
Source: W. Squire and G. Trapp, "Using complex variables to estimate derivatives of real
functions", SIAM Review 40, 1998.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .cells import Arguments, Array, Cell
from .options import of_equations
from .tolerances import gradient_roundings

__all__ = ["assert_gradients", "directional_derivative", "present"]

# A power of two scales exactly, and its square still lies inside the range of float64.
STEP = 2.0**-200


def present(gradients: Iterable[Array | None]) -> list[Array]:
    """Return those gradients of a pullback that are there.

    Parameters
    ----------
    gradients : iterable of (ndarray or None)
        `LSTMGrads` and the like.

    Returns
    -------
    list of ndarray
        Without those of absent arguments.
    """
    return [gradient for gradient in gradients if gradient is not None]


def directional_derivative(
    cell: Cell,
    arguments: Arguments,
    cotangents: Arguments,
    direction: Arguments,
    **options: Any,
) -> float:
    """Differentiate ``sum(dy y) + sum(dh_n h_n) + ...`` along a direction, in complex128.

    Parameters
    ----------
    cell : Cell
        The cell, whose reference is differentiated.
    arguments : mapping of str to ndarray
        Where the derivative is taken.
    cotangents : mapping of str to ndarray
        Derivatives of the loss by the results, ``dy`` and so on; absent ones are zero.
    direction : mapping of str to ndarray
        Change of each argument, of that argument's shape; absent ones stay as they are.
    **options
        Of the call: ``reverse``, ``lengths`` and so on.

    Returns
    -------
    float
        The derivative.
    """
    moved = {
        name: a + 1j * STEP * direction[name] if name in direction else a.astype(np.complex128)
        for name, a in arguments.items()
    }
    values = cell.reference(moved, **of_equations(options))
    results = dict(zip(cell.cotangents, values, strict=True))
    return sum(float(np.vdot(d, results[name].imag)) for name, d in cotangents.items()) / STEP


def assert_gradients(
    cell: Cell,
    arguments: Arguments,
    cotangents: Arguments,
    gradients: Mapping[str, Array],
    rng: np.random.Generator,
    **options: Any,
) -> None:
    """Check gradients in a random direction that moves all arguments at once.

    The arguments move so far that each gradient has the same share in the derivative, so that an
    error in a small one shows as much as in a large one. Where the derivative is wrong, one
    argument after the other says whose gradient it is.

    Parameters
    ----------
    cell : Cell
        The cell.
    arguments : mapping of str to ndarray
        Where the gradients were taken, absent initial states written out as zeros.
    cotangents : mapping of str to ndarray
        What the pullback was given.
    gradients : mapping of str to ndarray
        What the pullback returned, without the ones that are None.
    rng : numpy.random.Generator
        Draws the directions.
    **options
        Of the call: ``reverse``, ``lengths`` and so on.

    Raises
    ------
    AssertionError
        Naming every argument whose gradient is wrong, with both values.
    """
    dtype = arguments["x"].dtype
    wide = {name: a.astype(np.float64) for name, a in arguments.items()}
    norms = {name: float(np.linalg.norm(g.astype(np.float64))) for name, g in gradients.items()}
    largest = max(norms.values())
    # A normalized product does not change with the size of its operand, of which one input, or one
    # unit, has nothing else: terms as large as other gradients cancel. And what is zero may be so.
    sizes = {name: largest if cell.norm_rows else norm or largest for name, norm in norms.items()}
    directions = {
        name: rng.standard_normal(wide[name].shape) / (sizes[name] or 1.0) for name in gradients
    }
    dots = {
        name: float(np.vdot(g.astype(np.float64), directions[name]))
        for name, g in gradients.items()
    }
    allowed = np.finfo(dtype).eps * gradient_roundings(arguments)

    def difference(names: Iterable[str]) -> str | None:
        moved = {name: directions[name] for name in names}
        want = directional_derivative(cell, wide, cotangents, moved, **options)
        got = sum(dots[name] for name in moved)
        # Each gradient is about as long as its direction is short, all together the root of n.
        off = abs(got - want) / max(abs(want), len(moved) ** 0.5)
        if off <= allowed:
            return None
        return (
            f"got {got:.9g}, complex step gives {want:.9g} (off {off:.2g}, allowed {allowed:.2g})"
        )

    together = difference(gradients)
    if together is None:
        return
    alone = {name: difference((name,)) for name in gradients}
    wrong = [
        f"{label}: {what}" for label, what in {**alone, "all at once": together}.items() if what
    ]
    raise AssertionError(f"wrong gradients of {cell} {dtype}:\n  " + "\n  ".join(wrong))
