"""Attention by a sum (Bahdanau, Cho and Bengio, 2015).

s[i, j] = sum over d of scale[d] t[i, j, d]       t[i, j, d] = tanh(q[i, d] + k[j, d])

dscale = sum over i, j of ds t      dq, dk = scale times the sums of ds (1 - t^2) over j and over i
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from rnnfast import initializers
from rnnfast.layers.base_attention import BaseAttention, ScorePullback
from rnnfast.layers.layer import Array

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnfast.layers.options import AdditiveAttentionOptions


class AdditiveAttention(BaseAttention):
    """Additive attention: `keras.layers.AdditiveAttention`.

    Parameters
    ----------
    use_scale : bool, default True
        Whether the sum is weighted by a trained scale.
    dropout : float, default 0.0
        Fraction of the weights of the average to drop while training, from 0 to 1.
    seed : int, optional
        Of what is dropped; by default from `rnnfast.utils.set_random_seed`'s sequence.
    name, dtype, **options
        As for every layer.

    Raises
    ------
    ValueError
        When `dropout` or `seed` lies outside its range.
    TypeError
        When an argument is of another type.
    NotImplementedError
        For a Keras argument that is not offered yet.

    Notes
    -----
    Weights: scale (D,), with `use_scale`. Takes and gives what `Attention` does. Bahdanau's W q
    and U k are two `Dense` layers before this one, without bias in one of them.
    """

    not_yet: ClassVar[Mapping[str, object]] = {**BaseAttention.not_yet, "score_mode": "dot"}

    def __init__(
        self,
        use_scale: bool = True,
        dropout: float = 0.0,
        *,
        seed: int | None = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **options: Unpack[AdditiveAttentionOptions],
    ) -> None:
        super().__init__(use_scale, dropout, seed=seed, name=name, dtype=dtype, **options)

    def _check_input_shape(self, input_shape: Any) -> None:
        """Raise ValueError when inputs do not fit each other or the scale."""
        super()._check_input_shape(input_shape)
        units = input_shape[0][-1]
        if self.built and self.use_scale and self._parameters["scale"].shape != (units,):
            raise ValueError(
                f"layer {self.name!r} was built for queries of length "
                f"{len(self._parameters['scale'])}, got input shapes {input_shape}"
            )

    def _create_weights(self, input_shape: Any) -> None:
        if self.use_scale:
            self.add_weight("scale", (input_shape[0][-1],), initializers.GlorotUniform())

    def _score(self, query: Array, key: Array) -> tuple[Array, ScorePullback]:
        units = query.shape[-1]
        scale = self._parameters["scale"] if self.use_scale else np.ones(units, query.dtype)
        shape = (*query.shape[:2], *key.shape[1:])
        t: Array = np.empty(shape, query.dtype)
        # A sample at a time: what is written is still in the cache when it is read again.
        for of_sample, q, k in zip(t, query, key, strict=True):
            np.add(q[:, None], k, out=of_sample)
            np.tanh(of_sample, out=of_sample)

        def pullback(ds: Array) -> tuple[Array, Array, list[Array]]:
            gradients = [ds.reshape(-1) @ t.reshape(-1, units)] * self.use_scale
            dq, dk = np.empty(query.shape, query.dtype), np.empty(key.shape, key.dtype)
            for k, (of_sample, ds_of_sample) in enumerate(zip(t, ds, strict=True)):
                slope = of_sample * of_sample
                np.subtract(1, slope, out=slope)
                slope *= ds_of_sample[..., None]
                slope.sum(axis=1, out=dq[k])
                slope.sum(axis=0, out=dk[k])
            return dq * scale, dk * scale, gradients

        return (t.reshape(-1, units) @ scale).reshape(shape[:-1]), pullback
