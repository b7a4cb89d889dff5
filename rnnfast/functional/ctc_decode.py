"""From the classes of each step to labels.

The best path takes the likeliest class of every step. The labels that are likeliest themselves are
read by many paths; the prefixes of labels that lead to them are searched step by step:

    blank_t(p)   = (blank_t-1(p) + label_t-1(p)) y_t(blank)
    label_t(p)   = label_t-1(p) y_t(last of p)
    label_t(p k) += (blank_t-1(p) + [k is not the last of p] label_t-1(p)) y_t(k)

with blank_t(p), label_t(p) the probabilities to have read p after t steps, the last of them a
blank, or a label. The `beam_width` likeliest prefixes of a step are kept.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._check import Array, ctc, options
from .._check.arrays import Integers

__all__ = ["CTCDecoded", "ctc_decode"]


class CTCDecoded(NamedTuple):
    """What was read.

    Attributes
    ----------
    labels : list of ndarray of int
        The labels of each sequence, blanks and repetitions taken away.
    log_probs : ndarray, shape (B,)
        The logarithm of the probability of the best path, or of all paths to the labels that a
        beam has followed. NaN, beside no labels, for a sequence with NaN.
    """

    labels: list[Integers]
    log_probs: Array


def ctc_decode(
    x: npt.ArrayLike,
    lengths: npt.ArrayLike | None = None,
    *,
    beam_width: int | None = None,
    blank: int = 0,
    batch_first: bool = False,
) -> CTCDecoded:
    """Read labels from logits, as `ctc_loss` trains them.

    Parameters
    ----------
    x : array_like of float32 or float64, shape (T, B, C)
        Logits, or logarithms of probabilities.
    lengths : array_like of int, shape (B,), optional
        Steps of each sequence, 0 to T; all have T by default. Later ones are never read.
    beam_width : int, optional
        How many prefixes a search keeps after each step, for the likeliest labels; by default
        None, the labels of the best path.
    blank : int, default 0
        The class that is no label.
    batch_first : bool, default False
        Take `x` as (B, T, C).

    Returns
    -------
    CTCDecoded
        The labels of each sequence, and the logarithms of their probabilities.

    Raises
    ------
    ValueError
        If a shape does not fit, or a length or the width is out of its range.
    TypeError
        If an argument is of another type.

    References
    ----------
    A. Graves and N. Jaitly, Towards end-to-end speech recognition with recurrent neural networks,
    ICML 2014, algorithm 1, without a language model.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnfast import ctc_decode
    >>> p = np.array([[0.6, 0.4], [0.6, 0.4]])[:, None]  # the best path reads nothing: 0.36
    >>> ctc_decode(np.log(p)).labels, ctc_decode(np.log(p), beam_width=2).labels  # 0.64
    ([array([], dtype=int64)], [array([1])])
    """
    given = ctc.logits(x, lengths, blank, options.flag("batch_first", batch_first))
    width = None if beam_width is None else options.count("beam_width", beam_width)
    found = [
        _read(_log_softmax(given.x[:length, row]), given.blank, width)
        for row, length in enumerate(given.lengths)
    ]
    log_probs = np.array([log_prob for _, log_prob in found], given.x.dtype)
    return CTCDecoded([labels for labels, _ in found], log_probs)


def _log_softmax(x: Array) -> Array:
    """Return the logarithms of the classes' probabilities, in float64."""
    with np.errstate(invalid="ignore"):  # nothing but logarithms of zero
        shifted = x.astype(np.float64) - x.max(axis=1, keepdims=True)
    log_probs: Array = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return log_probs


def _read(y: Array, blank: int, width: int | None) -> tuple[Integers, float]:
    """Return labels and the logarithm of their probability, from those of the classes (T, C)."""
    if np.isnan(y).any():
        return np.zeros(0, np.intp), np.nan
    return _best_path(y, blank) if width is None else _search(y, blank, width)


def _best_path(y: Array, blank: int) -> tuple[Integers, float]:
    path = y.argmax(axis=1)
    begins = np.append(True, path[1:] != path[:-1])[: len(path)]
    return path[begins & (path != blank)], float(y.max(axis=1).sum())


class _Prefixes:
    """Prefixes by numbers: 0 is the empty one, others are one label longer than their parent."""

    def __init__(self) -> None:
        self.parents = [-1]
        self.lasts = [-1]
        self._numbers: dict[tuple[int, int], int] = {}

    def extended(self, prefix: int, label: int) -> int:
        """Return the same number for the same prefix, whether it was dropped meanwhile or not."""
        number = self._numbers.setdefault((prefix, label), len(self.parents))
        if number == len(self.parents):
            self.parents.append(prefix)
            self.lasts.append(label)
        return number

    def labels(self, prefix: int) -> Integers:
        """Return the labels of a prefix."""
        found = []
        while prefix:
            found.append(self.lasts[prefix])
            prefix = self.parents[prefix]
        return np.array(found[::-1], np.intp)


def _search(y: Array, blank: int, width: int) -> tuple[Integers, float]:
    prefixes = _Prefixes()
    beam = [0]
    log_blank, log_label = np.zeros(1), np.full(1, -np.inf)
    classes = y.shape[1]
    for of_step in y:
        total = np.logaddexp(log_blank, log_label)
        lasts = np.array([prefixes.lasts[one] for one in beam])
        # A new label, which is a second one of its kind after a blank alone; the blank is none.
        longer = total[:, None] + of_step
        begun = np.flatnonzero(lasts >= 0)
        longer[begun, lasts[begun]] = log_blank[begun] + of_step[lasts[begun]]
        longer[:, blank] = -np.inf
        held = log_label + np.where(lasts >= 0, of_step[lasts], -np.inf)
        # A prefix may be reached from its parent as well.
        places = {one: place for place, one in enumerate(beam)}
        for place, one in enumerate(beam):
            parent = places.get(prefixes.parents[one])
            if parent is not None:
                held[place] = np.logaddexp(held[place], longer[parent, lasts[place]])
                longer[parent, lasts[place]] = -np.inf
        rested = total + of_step[blank]
        scores = np.concatenate([np.logaddexp(rested, held), longer.ravel()])
        best = np.argsort(-scores, kind="stable")[:width]
        best = best[~np.isneginf(scores[best])]
        stays = best < len(beam)
        moved = [divmod(int(one) - len(beam), classes) for one in best[~stays]]
        log_blank = np.concatenate([rested[best[stays]], np.full(len(moved), -np.inf)])
        log_label = np.concatenate([held[best[stays]], scores[best[~stays]]])
        beam = [
            *(beam[one] for one in best[stays]),
            *(prefixes.extended(beam[place], label) for place, label in moved),
        ]
    total = np.logaddexp(log_blank, log_label)
    best_one = int(total.argmax())
    return prefixes.labels(beam[best_one]), float(total[best_one])
