"""What attention layers share: values are averaged for a query, by how well it fits their keys.

    s[i, j] = score(q[i], k[j])              of each sample, q (Tq, D)   k (Tv, D)   v (Tv, V)
    a[i] = softmax of s[i]                   over the j that are there, zeros where none is
    y[i] = sum over j of a'[i, j] v[j]       a' = a m, m a dropout mask while training, else 1

    dv = a'^T dy      da = (dy v^T + da') m      ds = a (da - sum over j of a da)

A value is not there where its mask is False, or with a causal mask where it comes after the query.
Scores, in Keras's words, are a': what a call gives as its second result.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from rnnfast._check.arrays import booleans
from rnnfast._check.options import flag
from rnnfast.layers import symbol
from rnnfast.layers.dropout import draw_mask
from rnnfast.layers.layer import Array, Mask, Shape
from rnnfast.layers.merge import Merge
from rnnfast.layers.value import Value, ValuesPullback
from rnnfast.utils.hyperparameters import share
from rnnfast.utils.numbers import as_numbers
from rnnfast.utils.random_seed import make_generator

ScorePullback = Callable[[Array], tuple[Array, Array, list[Array]]]
"""From ds to dq, dk and the gradients of the layer's weights."""


class _Taken(NamedTuple):
    """What a layer takes, and which values each query may see, None for all."""

    query: Array
    value: Array
    key: Array
    seen: Mask | None
    query_mask: Mask | None


class BaseAttention(Merge):
    """Attention with a score that a subclass chooses.

    Parameters
    ----------
    use_scale : bool
        Whether the score has a trained scale.
    dropout : float
        Fraction of the weights a to drop while training, from 0 to 1.
    seed : int, optional
        Of what is dropped; by default from `rnnfast.utils.set_random_seed`'s sequence.
    name, dtype, **options
        As for every layer.

    Raises
    ------
    TypeError
        When `use_scale` is not True or False, `dropout` not a number, or `seed` not an integer.
    ValueError
        When `dropout` or `seed` lies outside its range.
    """

    stepwise = False
    _rng: np.random.Generator

    def __init__(
        self,
        use_scale: bool,
        dropout: float,
        *,
        seed: int | None = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **options: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype, **options)
        self.use_scale = flag("use_scale", use_scale)
        self.dropout = share("dropout", dropout)
        self.seed = seed
        self._rng = make_generator(seed)

    @abstractmethod
    def _score(self, query: Array, key: Array) -> tuple[Array, ScorePullback]:
        """Score queries (batch, Tq, D) against keys (batch, Tv, D): (batch, Tq, Tv)."""

    # ------------------------------------------------------------------------------ shapes

    def _check_input_shape(self, input_shape: Any) -> None:
        """Raise ValueError unless shapes are those of a query, values and maybe keys."""
        self.compute_output_shape(input_shape)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Give the shape of the result.

        Parameters
        ----------
        input_shape : list of tuple
            Of the query (batch, Tq, D), the values (batch, Tv, V) and the keys (batch, Tv, D),
            which are the values where none are given.

        Returns
        -------
        tuple
            (batch, Tq, V).

        Raises
        ------
        ValueError
            When the shapes are no such.
        """
        if not _fit(input_shape):
            raise ValueError(
                f"layer {self.name!r} takes [query, value] or [query, value, key] of shapes "
                f"(batch, Tq, D), (batch, Tv, V) and (batch, Tv, D), V = D without keys, got "
                f"{input_shape}"
            )
        query, value = input_shape[0], input_shape[1]
        return (*query[:-1], value[-1])

    # ------------------------------------------------------------------------ computation

    def call(self, x: Any) -> Array:
        """Average the values of [query, value] or [query, value, key]; see `Layer.call`."""
        return self.forward([Value(one) for one in x])[0].array

    def vjp(self, x: Any, *, wrt_input: bool) -> tuple[Array, Callable[[Array], Any]]:
        """Compute as `call`, with the pullback; see `Merge.vjp`."""
        results, pull = self.forward_vjp([Value(one) for one in x], [wrt_input] * len(x))
        return results[0].array, lambda dy: pull([dy, None])

    def compute_mask(self, x: Any, mask: Any = None) -> Mask | None:
        """Give the query's mask; see `Merge.compute_mask`."""
        of_query: Mask | None = None if mask is None else mask[0]
        return of_query

    def __call__(
        self,
        x: Any,
        mask: Any = None,
        *,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """Average values for queries; builds the layer if it is not.

        Parameters
        ----------
        x : list of array_like or of Symbol
            [query, value] or [query, value, key]: (batch, Tq, D), (batch, Tv, V), (batch, Tv, D).
            Keys are the values by default.
        mask : list of array_like of bool or None, optional
            Of the query (batch, Tq), whose masked steps become zero, and of the values
            (batch, Tv), masked ones of which have no part in the result; one of the keys counts
            for nothing. Symbols have masks of their own.
        return_attention_scores : bool, default False
            Whether the weights of the average are given as well.
        use_causal_mask : bool, default False
            Whether a query sees no values that come after it.

        Returns
        -------
        ndarray or Symbol, or a pair
            The averages (batch, Tq, V), with `return_attention_scores` beside their weights
            (batch, Tq, Tv).

        Raises
        ------
        TypeError
            When `x` or `mask` is no list, or of other things.
        ValueError
            When shapes do not fit each other.
        """
        wants_scores = flag("return_attention_scores", return_attention_scores)
        causal = flag("use_causal_mask", use_causal_mask)
        if not isinstance(x, (list, tuple)):
            raise TypeError(
                f"layer {self.name!r} takes a list, [query, value] or [query, value, key], got "
                f"{type(x).__name__}"
            )
        if symbol.is_symbolic(x):
            if mask is not None:
                raise TypeError(f"mask of layer {self.name!r} comes with symbols, leave it out")
            given: list[Any] = list(self.call_symbols(x, causal))
        else:
            arrays = [self.convert_input(as_numbers("x", one)) for one in x]
            shapes: Any = [array.shape for array in arrays]
            self.build(shapes)
            masks = self._as_masks(mask, arrays)
            values = [Value(*one) for one in zip(arrays, masks, strict=True)]
            given = [value.array for value in self.forward(values, causal)]
        return tuple(given) if wants_scores else given[0]

    def call_symbols(
        self, takes: Sequence[symbol.Symbol], use_causal_mask: bool = False
    ) -> list[symbol.Symbol]:
        """Note that the layer is called; gives averages and scores: see `Layer.call_symbols`."""
        shapes: Any = [one.shape for one in takes]
        self.build(shapes)
        gives = [self.compute_output_shape(shapes), (*shapes[0][:-1], shapes[1][1])]
        options = {"use_causal_mask": True} if use_causal_mask else {}
        return symbol.call(self, takes, gives, options)

    @property
    def gives_one_array(self) -> bool:
        """Whether a call gives one array: in a graph there are the scores, too."""
        return False

    def forward(self, values: Sequence[Value], use_causal_mask: bool = False) -> list[Value]:
        """Compute averages and scores; see `Layer.forward`."""
        taken = _take(values, use_causal_mask)
        scores, _ = self._score(taken.query, taken.key)
        weights = _softmax(scores, taken.seen)
        return _results(taken, weights)

    def forward_vjp(
        self, values: Sequence[Value], wrt: Sequence[bool], use_causal_mask: bool = False
    ) -> tuple[list[Value], ValuesPullback]:
        """Compute as `forward`, with dropout and the pullback; see `Layer.forward_vjp`."""
        taken = _take(values, use_causal_mask)
        scores, pull_score = self._score(taken.query, taken.key)
        weights = dropped = _softmax(scores, taken.seen)
        noise: Array | float = 1.0
        if self.dropout:
            noise = draw_mask(self._rng, self.dropout, weights.shape, self.dtype)
            dropped = weights * noise
        trained = bool(self.trainable_parameters)

        def pullback(dresults: Sequence[Array | None]) -> tuple[list[Array], list[Array]]:
            dy, dscores = dresults
            dvalue = np.zeros_like(taken.value)
            dweights = np.zeros_like(weights) if dscores is None else dscores
            if dy is not None:
                if taken.query_mask is not None:
                    dy = dy * taken.query_mask[..., None]
                dvalue = dropped.swapaxes(1, 2) @ dy
                dweights = dweights + dy @ taken.value.swapaxes(1, 2)
            dweights = dweights * noise
            along = (weights * dweights).sum(axis=-1, keepdims=True)
            dquery, dkey, gradients = pull_score(weights * (dweights - along))
            keyed = len(values) == 3
            dtaken = [dquery, dvalue, dkey] if keyed else [dquery, dvalue + dkey]
            return dtaken, gradients if trained else []

        return _results(taken, dropped), pullback

    def _as_masks(self, mask: Any, arrays: Sequence[Array]) -> list[Mask | None]:
        """Return a mask or None for each array."""
        if mask is None:
            return [None] * len(arrays)
        if not isinstance(mask, (list, tuple)) or len(mask) not in (2, 3):
            got = f"{len(mask)} masks" if isinstance(mask, (list, tuple)) else type(mask).__name__
            raise TypeError(
                f"mask of layer {self.name!r} must be a list, [query_mask, value_mask], with None "
                f"where nothing is masked, got {got}"
            )
        return [
            None if one is None else booleans("mask", one, "(batch, time)", array.shape[:2])
            for one, array in zip((*mask, None)[: len(arrays)], arrays, strict=True)
        ]


def _fit(shapes: Any) -> bool:
    """Tell whether shapes are those of a query, values and maybe keys."""
    if len(shapes) not in (2, 3) or any(
        not isinstance(shape, (tuple, list)) or len(shape) != 3 for shape in shapes
    ):
        return False
    query, value, key = shapes[0], shapes[1], shapes[-1]
    return (
        query[2] is not None
        and query[2] == key[2]
        and value[2] is not None
        and all(_same(query[0], one[0]) for one in (value, key))
        and _same(value[1], key[1])
    )


def _same(length: int | None, other: int | None) -> bool:
    return length is None or other is None or length == other


def _take(values: Sequence[Value], use_causal_mask: bool) -> _Taken:
    (query, query_mask), (value, value_mask) = values[:2]
    seen = None if value_mask is None else value_mask[:, None, :]
    if use_causal_mask:
        causal = np.tri(query.shape[1], value.shape[1], dtype=np.bool_)
        seen = causal if seen is None else seen & causal
    return _Taken(query, value, values[-1].array, seen, query_mask)


def _softmax(scores: Array, seen: Mask | None) -> Array:
    """Return exp(s) over its sum along the last axis, of what is seen; zeros where nothing is."""
    if seen is not None:
        scores = np.where(seen, scores, scores.dtype.type(-np.inf))
    # From a finite top on, so that a row without any has exp(-inf).
    lowest = np.finfo(scores.dtype).min
    weights: Array = np.exp(scores - scores.max(axis=-1, keepdims=True, initial=lowest))
    total = weights.sum(axis=-1, keepdims=True)
    weights /= np.where(total == 0, scores.dtype.type(1), total)
    return weights


def _results(taken: _Taken, weights: Array) -> list[Value]:
    y = weights @ taken.value
    if taken.query_mask is not None:
        y = np.where(taken.query_mask[..., None], y, y.dtype.type(0))
    return [Value(y, taken.query_mask), Value(weights, taken.query_mask)]
