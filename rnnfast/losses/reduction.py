"""From the loss of each sample, l, and its weight, w, to one number, as Keras defines it.

    sum                        sum(w l)
    sum_over_batch_size, mean  sum(w l) / n
    mean_with_sample_weight    sum(w l) / sum(w)
    none                       w l, an array

n is the number of samples that count: all but those of `ignore_class`. Nothing over nothing is
0. Where a weight holds for several samples, sum(w) has it as often.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast._check.spelling import meant

Array = NDArray[Any]

REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None)
SUMS = ("sum", "none", None)
"""Those that divide by nothing."""


def check_reduction(reduction: str | None) -> str | None:
    """Return the name of a reduction, or raise ValueError when there is none of that name."""
    if reduction not in REDUCTIONS:
        raise ValueError(
            f"reduction must be one of {REDUCTIONS}, got {reduction!r}"
            f"{meant(reduction, filter(None, REDUCTIONS))}"
        )
    return reduction


def denominator(reduction: str | None, samples: int, weights: Array | None) -> float:
    """Compute what the sum of the weighted losses is divided by.

    Parameters
    ----------
    reduction : str or None
        One of `REDUCTIONS`.
    samples : int
        How many samples count.
    weights : ndarray or None
        One for each sample, 0 where it does not count; None for 1.
    """
    if reduction in SUMS:
        return 1.0
    if reduction == "mean_with_sample_weight" and weights is not None:
        return float(weights.sum(dtype=np.float64))
    return float(samples)


def scale(reduction: str | None, samples: int, weights: Array | None) -> float:
    """Compute what the sum of the weighted losses is multiplied with.

    Parameters
    ----------
    reduction, samples, weights
        As of `denominator`.
    """
    below = denominator(reduction, samples, weights)
    return 1.0 / below if below else 0.0


def reduce(
    reduction: str | None, losses: Array, samples: int, weights: Array | None
) -> float | Any:
    """Reduce losses to a number, or weigh them alone; arguments as of `scale`."""
    weighted = losses if weights is None else losses * weights
    if reduction in ("none", None):
        return weighted
    return float(weighted.sum(dtype=np.float64)) * scale(reduction, samples, weights)
