"""What is drawn at random in a call that has a seed, to keep a network from learning by heart.

    dropout             numbers between layers     x m,   m = 0 with probability p, else 1 / (1 - p)
    input_dropout       inputs of every layer      the same, one m (B, I) for all steps
    recurrent_dropout   h where it meets W_hh      the same, one m (B, H) for all steps
    weight_dropout      W_hh                       the same, one m for the call
    zoneout             states                     d s_prev + (1 - d) s~,   d = 1 with probability p

Without a seed, which is inference, the first four do nothing, and d is p. Masks are as wide as what
they act on: those of a projected h are R wide.

Random numbers, 16 bits each, come from a counter-based generator (Philox 4x64: Salmon et al.,
Parallel random numbers: as easy as 1, 2, 3, 2011), whose counter names what is drawn and for which
layer: a mask depends on the seed, on these and on the sizes alone, wherever it is drawn. Rates
between two of the 2^16 levels, and next to 0 and 1, are met exactly (`chance.py`), by numbers of
the counter's next half, which are few and always the host's.

Sources: Srivastava et al., Dropout, 2014; Gal and Ghahramani, A theoretically grounded application
of dropout in recurrent neural networks, 2016, with one m for all gates; Wan et al., Regularization
of neural networks using DropConnect, 2013, on W_hh as in Merity et al., Regularizing and optimizing
LSTM language models, 2017; Krueger et al., Zoneout, 2016.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np

from .._check import Array, DType, cells, numbers, options
from .._devices import computed_in
from .chance import chance
from .place import Place

# Factors of h before the recurrent product, and how much of h and c a step keeps: see `_core`.
StateMasks: TypeAlias = tuple[Array | None, Array | None, Array | None]

LEVELS = 2**16  # of the numbers that masks are drawn by
_DROPOUT, _INPUT, _RECURRENT, _WEIGHT, _ZONEOUT = range(5)  # and of c, where there is one, 5


class Noise(NamedTuple):
    """The rates of one call; `zoneout` has one for each state of the cell."""

    dropout: float = 0.0
    input_dropout: float = 0.0
    recurrent_dropout: float = 0.0
    weight_dropout: float = 0.0
    zoneout: tuple[float, ...] = ()
    seed: int | None = None

    def require_held_rates(self, dtype: DType) -> None:
        """Raise unless the kernels can hold, in a dtype, the rates that they see as numbers."""
        if not any(self.zoneout):
            return
        for state, rate in zip("hc", self.zoneout, strict=False):
            numbers.require_held_share(f"zoneout of {state}", rate, dtype)

    @property
    def acts(self) -> bool:
        """Whether anything is masked."""
        if self.seed is None:
            return any(self.zoneout)
        of_training = self.dropout or self.input_dropout or self.weight_dropout
        return self.reaches_steps or bool(of_training)

    @property
    def reaches_steps(self) -> bool:
        """Whether states are masked."""
        return any(self.zoneout) or (self.recurrent_dropout > 0 and self.seed is not None)

    def of_inputs(
        self, place: Place, layer: int, shape: tuple[int, ...], dtype: DType
    ) -> Array | None:
        """Return factors of what a layer takes, (T, B, I) or the same for all T; None for ones."""
        if self.seed is None:
            return None
        mask = None
        if layer and self.dropout:
            mask = self._factors(place, _DROPOUT, layer, shape, self.dropout, dtype)
        if self.input_dropout:
            locked = self._factors(place, _INPUT, layer, shape[1:], self.input_dropout, dtype)
            mask = locked if mask is None else mask * locked
        return mask

    def of_weights(
        self, place: Place, number: int, shape: tuple[int, ...], dtype: DType
    ) -> Array | None:
        """Return factors of the recurrent weights of one direction of a layer; None for ones."""
        if self.seed is None or not self.weight_dropout:
            return None
        return self._factors(place, _WEIGHT, number, shape, self.weight_dropout, dtype)

    def of_states(
        self,
        place: Place,
        number: int,
        rows: tuple[int, ...],
        widths: tuple[int, int],
        dtype: DType,
    ) -> StateMasks | None:
        """Return the masks of states of one direction of a layer; None for none.

        `rows` is (T, B), `widths` are those of h and c.
        """
        if not self.reaches_steps:
            return None
        recurrent = None
        if self.recurrent_dropout and self.seed is not None:
            rate = self.recurrent_dropout
            recurrent = self._factors(place, _RECURRENT, number, (rows[1], widths[0]), rate, dtype)
        if not any(self.zoneout):
            return recurrent, None, None
        kept_h, *kept_c = (
            self._kept(place, _ZONEOUT + state, number, (*rows, widths[state]), rate, dtype)
            for state, rate in enumerate(self.zoneout)
        )
        return recurrent, kept_h, kept_c[0] if kept_c else None

    def _kept(
        self,
        place: Place,
        kind: int,
        number: int,
        shape: tuple[int, ...],
        rate: float,
        dtype: DType,
    ) -> Array:
        if self.seed is None or not rate:
            return place.same(rate, shape, computed_in(dtype))
        return self._drawn(place, kind, number, shape, rate, 1.0, 0.0, dtype)

    def _factors(
        self,
        place: Place,
        kind: int,
        number: int,
        shape: tuple[int, ...],
        rate: float,
        dtype: DType,
    ) -> Array:
        return self._drawn(place, kind, number, shape, rate, 0.0, 1 / (1 - rate), dtype)

    def _drawn(
        self,
        place: Place,
        kind: int,
        number: int,
        shape: tuple[int, ...],
        rate: float,
        chosen: float,
        other: float,
        dtype: DType,
    ) -> Array:
        """Return a mask that is `chosen` with probability `rate`, else `other`."""
        seed, drawn = self.seed or 0, chance(rate, LEVELS)
        mask: Array = place.empty("a mask", shape, computed_in(dtype))
        place.core.draw_mask(seed, kind, number, drawn.level, chosen, other, mask)
        if drawn.rest:
            further = np.random.Philox(key=seed, counter=[0, 1, kind, number])
            places = drawn.second(np.random.Generator(further), mask.size)
            place.put(mask, places, chosen)
        return mask


QUIET = Noise()


def noise(
    cell: cells.Cell,
    dropout: float,
    input_dropout: float,
    recurrent_dropout: float,
    weight_dropout: float,
    zoneout: float | tuple[float, ...],
    seed: int | None,
) -> Noise:
    """Return the rates of a call, checked."""
    return Noise(
        options.rate("dropout", dropout),
        options.rate("input_dropout", input_dropout),
        options.rate("recurrent_dropout", recurrent_dropout),
        options.rate("weight_dropout", weight_dropout),
        options.rates("zoneout", zoneout, cell.states),
        options.seed(seed),
    )
