"""What is drawn at random in a call that has a seed.

    x m_x, h m_h where it meets W_hh, W_hh m_w       m = 0 with probability p, else 1 / (1 - p)
    s = d s_prev + (1 - d) s~                        d = 1 with probability p, else 0

m_x (B, I) and m_h (B, H) are one for all steps, d (T, B, H) one for each state s, and as wide
as it. Without a seed
m = 1 and d = p. A number is 16 bits of Philox 4x64 under the seed's key, from the counter
(0, 0, kind, layer), least significant first, and compared with the whole part of 2^16 p. The rest
of p is a second chance: how many meet it is binomial, and their places are any, by what NumPy's
Generator makes of the counter (0, 1, kind, layer).
Sources: Gal and Ghahramani, 2016 (m_x, m_h); Merity et al., 2017 (m_w); Krueger et al., 2016 (d).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["noisy"]

Array = NDArray[Any]
Results = TypeVar("Results", bound=tuple[Array, ...])

_INPUT, _RECURRENT, _WEIGHT, _ZONEOUT = 1, 2, 3, 4


def noisy(cell: Callable[..., Results]) -> Callable[..., Results]:
    """Give a cell the options of noise.

    Parameters
    ----------
    cell : callable
        Takes `x`, `w_ih`, `w_hh` and further arguments, and hands on `mask` and `kept` to `scan`.

    Returns
    -------
    callable
        The same with ``input_dropout``, ``recurrent_dropout``, ``weight_dropout``, ``zoneout`` (a
        number, or one for each state) and ``seed``.
    """

    @wraps(cell)
    def run(
        x: Array,
        w_ih: Array,
        w_hh: Array,
        *biases: Array | None,
        input_dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        weight_dropout: float = 0.0,
        zoneout: float | tuple[float, ...] = 0.0,
        seed: int | None = None,
        **options: Any,
    ) -> Results:
        steps, batch, inputs = x.shape
        units = w_hh.shape[1]
        projection = options.get("w_hr")
        widths = units, units if projection is None else projection.shape[1]
        rates = zoneout if isinstance(zoneout, tuple) else (zoneout, zoneout)
        mask = None
        if seed is not None:
            x = x * _factors(seed, _INPUT, (batch, inputs), input_dropout)
            w_hh = w_hh * _factors(seed, _WEIGHT, w_hh.shape, weight_dropout)
            mask = _factors(seed, _RECURRENT, (batch, units), recurrent_dropout)
        kept = tuple(
            np.full((steps, batch, width), p)
            if seed is None
            else np.where(_below(seed, _ZONEOUT + state, (steps, batch, width), p), 1.0, 0.0)
            for state, (p, width) in enumerate(zip(rates, widths, strict=True))
        )
        return cell(x, w_ih, w_hh, *biases, mask=mask, kept=kept if any(rates) else None, **options)

    return run


def _factors(seed: int, kind: int, shape: tuple[int, ...], p: float) -> Array:
    return np.where(_below(seed, kind, shape, p), 0.0, 1 / (1 - p))


def _below(seed: int, kind: int, shape: tuple[int, ...], p: float) -> NDArray[np.bool_]:
    """Return where numbers are below p."""
    size = int(np.prod(shape))
    words = np.random.Philox(key=seed, counter=[0, 0, kind, 0]).random_raw(size)
    level = np.floor(p * 2**16)
    numbers = np.stack([words >> np.uint64(shift) & np.uint64(0xFFFF) for shift in (0, 16, 32, 48)])
    chosen: NDArray[np.bool_] = numbers.T.ravel()[:size] < level
    rest = 1 - (1 - p) / (1 - level / 2**16)
    if p * 2**16 > level:
        further = np.random.Generator(np.random.Philox(key=seed, counter=[0, 1, kind, 0]))
        chosen[further.choice(size, further.binomial(size, rest), False, shuffle=False)] = True
    return chosen.reshape(shape)
