"""Attention by products (Luong, Pham and Manning, 2015).

dot       s[i, j] = scale q[i] . k[j]                       scale: a number, 1 unless it is trained
concat    s[i, j] = w sum over d of tanh(scale (q[i, d] + k[j, d]))

dot       dq = scale ds k       dk = scale ds^T q       dscale = sum of ds (q k^T)
concat    dz = ds w (1 - tanh^2), z = scale (q + k):    dq, dk = scale times the sums of dz over
          j and i,    dscale = sum of dz (q + k),       dw = sum of ds tanh
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from rnnfast import initializers
from rnnfast.layers.base_attention import BaseAttention, ScorePullback
from rnnfast.layers.layer import Array, Shape

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnfast.layers.options import LayerOptions

_MODES = ("dot", "concat")


class Attention(BaseAttention):
    """Dot-product attention: `keras.layers.Attention`.

    Parameters
    ----------
    use_scale : bool, default False
        Whether a trained number scales the score.
    score_mode : {"dot", "concat"}, default "dot"
        The score, by the equations of this module.
    dropout : float, default 0.0
        Fraction of the weights of the average to drop while training, from 0 to 1.
    seed : int, optional
        Of what is dropped; by default from `rnnfast.utils.set_random_seed`'s sequence.
    name, dtype, **options
        As for every layer.

    Raises
    ------
    ValueError
        When `score_mode` is none of these, or `dropout` or `seed` lies outside its range.
    TypeError
        When an argument is of another type.
    NotImplementedError
        For a Keras argument that is not offered yet.

    Notes
    -----
    Weights: scale (), with `use_scale`; concat_score_weight (), with score_mode="concat". Takes a
    list [query, value] or [query, value, key], of shapes (batch, Tq, D), (batch, Tv, V) and
    (batch, Tv, D), gives (batch, Tq, V); with `return_attention_scores` in the call, the weights
    (batch, Tq, Tv) as well. A query none of whose values is there is given zeros, where Keras
    leaves it undefined.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnfast.layers import Attention
    >>> query, value = np.ones((2, 3, 4)), np.ones((2, 5, 4))
    >>> y, weights = Attention()([query, value], return_attention_scores=True)
    >>> y.shape, weights.shape
    ((2, 3, 4), (2, 3, 5))
    """

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        *,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(use_scale, dropout, seed=seed, name=name, dtype=dtype, **options)
        if score_mode not in _MODES:
            raise ValueError(f"score_mode must be 'dot' or 'concat', got {score_mode!r}")
        self.score_mode = score_mode

    def _create_weights(self, input_shape: Shape) -> None:
        ones = initializers.Ones()
        if self.use_scale:
            self.add_weight("scale", (1,), ones)
        if self.score_mode == "concat":
            self.add_weight("concat_score_weight", (1,), ones)

    def _to_keras(self, name: str, value: Array) -> Array:
        # Keras's are numbers; an array that an optimizer changes in place has an axis here.
        return value.reshape(())

    def _score(self, query: Array, key: Array) -> tuple[Array, ScorePullback]:
        scale = self._parameters["scale"] if self.use_scale else np.ones(1, query.dtype)
        if self.score_mode == "dot":
            return self._dot(query, key, scale)
        return self._concat(query, key, scale)

    def _dot(self, query: Array, key: Array, scale: Array) -> tuple[Array, ScorePullback]:
        products = query @ key.swapaxes(1, 2)

        def pullback(ds: Array) -> tuple[Array, Array, list[Array]]:
            scaled = ds * scale if self.use_scale else ds
            gradients = [np.sum(ds * products, keepdims=True).reshape(1)] * self.use_scale
            return scaled @ key, scaled.swapaxes(1, 2) @ query, gradients

        return products * scale if self.use_scale else products, pullback

    def _concat(self, query: Array, key: Array, scale: Array) -> tuple[Array, ScorePullback]:
        weight = self._parameters["concat_score_weight"]
        sums = query[:, :, None] + key[:, None]
        bent = np.tanh(scale * sums)
        totals = bent.sum(axis=-1)

        def pullback(ds: Array) -> tuple[Array, Array, list[Array]]:
            dz = (ds * weight)[..., None] * (1 - bent * bent)
            gradients = [np.sum(dz * sums).reshape(1)] * self.use_scale
            gradients.append(np.sum(ds * totals).reshape(1))
            return scale * dz.sum(axis=2), scale * dz.sum(axis=1), gradients

        return weight * totals, pullback
