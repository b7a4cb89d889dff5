"""Layer normalization (Ba et al., 2016) of the last axis, of length I.

x^ = (x - mean(x)) / sqrt(var(x) + epsilon)             y = gamma x^ + beta

dx^ = gamma dy                  dgamma = sum of dy x^          dbeta = sum of dy
dx  = (dx^ - mean(dx^) - x^ mean(dx^ x^)) / sqrt(var(x) + epsilon)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from rnnfast import initializers, regularizers
from rnnfast._check.options import flag
from rnnfast.layers.layer import Array, Layer, Pullback, Shape, require_features
from rnnfast.utils.hyperparameters import at_least_zero

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnfast.layers.options import LayerNormalizationOptions


class LayerNormalization(Layer):
    """Bring each sample, or each step of it, to mean 0 and variance 1: Keras's layer of that name.

    Parameters
    ----------
    axis : int, default -1
        What is normalized: the last axis, and no other.
    epsilon : float, default 1e-3
        Added to the variance.
    center : bool, default True
        Whether beta is added.
    scale : bool, default True
        Whether gamma is multiplied by.
    beta_initializer : str or Initializer, default "zeros"
        Of beta (I,).
    gamma_initializer : str or Initializer, default "ones"
        Of gamma (I,).
    beta_regularizer, gamma_regularizer : str or Regularizer, optional
        What each of them adds to the loss, see `rnnfast.regularizers`; nothing by default.
    name, dtype, **options
        As for every layer.

    Raises
    ------
    ValueError
        When `epsilon` is below 0.
    TypeError
        When it is not a number, or a flag not True or False.
    NotImplementedError
        For another axis, or a Keras argument that is not offered yet.

    Notes
    -----
    Weights: gamma (I,), beta (I,), those of them that are there. Input (batch, ..., I), output the
    same. `LSTM(layer_norm=True)` and `GRU(layer_norm=True)` normalize inside of each step.
    """

    supports_masking: ClassVar[bool] = True
    stepwise = True
    not_yet: ClassVar[Mapping[str, object]] = {
        **Layer.not_yet,
        "beta_constraint": None,
        "gamma_constraint": None,
        "rms_scaling": False,
    }

    def __init__(
        self,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: object = "zeros",
        gamma_initializer: object = "ones",
        beta_regularizer: object = None,
        gamma_regularizer: object = None,
        *,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **options: Unpack[LayerNormalizationOptions],
    ) -> None:
        super().__init__(name=name, dtype=dtype, **options)
        if axis != -1:
            raise NotImplementedError(
                f"LayerNormalization does not support axis={axis!r}; it normalizes the last, -1"
            )
        self.axis = axis
        self.epsilon = at_least_zero("epsilon", epsilon)
        self.center = flag("center", center)
        self.scale = flag("scale", scale)
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self._features: int | None = None

    def _check_input_shape(self, input_shape: Shape) -> None:
        """Raise ValueError unless the input is (batch, ..., I)."""
        if len(input_shape) < 2:
            raise ValueError(
                f"the input of layer {self.name!r} must be (batch, ..., features), "
                f"got shape {input_shape}"
            )
        require_features(self, input_shape, self._features)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Give the shape of the input; see `Layer.compute_output_shape`."""
        return input_shape

    def _create_weights(self, input_shape: Shape) -> None:
        self._features = require_features(self, input_shape, None)
        shape = (self._features,)
        if self.scale:
            self.add_weight("gamma", shape, self.gamma_initializer, self.gamma_regularizer)
        if self.center:
            self.add_weight("beta", shape, self.beta_initializer, self.beta_regularizer)

    def call(self, x: Array) -> Array:
        """Normalize x (batch, ..., I); see `Layer.call`."""
        return self._scaled(self._normalized(x)[0])

    def vjp(self, x: Array, *, wrt_input: bool) -> tuple[Array, Pullback]:
        """Compute as `call`, with the pullback; see `Layer.vjp`."""
        normalized, deviation = self._normalized(x)
        trained = self.trainable

        def pullback(dy: Array) -> tuple[Array | None, list[Array]]:
            gradients = []
            leading = tuple(range(dy.ndim - 1))
            if trained and self.scale:
                gradients.append((dy * normalized).sum(axis=leading))
            if trained and self.center:
                gradients.append(dy.sum(axis=leading))
            if not wrt_input:
                return None, gradients
            d = dy * self._parameters["gamma"] if self.scale else dy
            along = normalized * (d * normalized).mean(axis=-1, keepdims=True)
            return (d - d.mean(axis=-1, keepdims=True) - along) / deviation, gradients

        return self._scaled(normalized), pullback

    def _normalized(self, x: Array) -> tuple[Array, Array]:
        """Give x^ and sqrt(var(x) + epsilon)."""
        centred = x - x.mean(axis=-1, keepdims=True)
        deviation: Array = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + self.epsilon)
        return centred / deviation, deviation

    def _scaled(self, normalized: Array) -> Array:
        y = normalized * self._parameters["gamma"] if self.scale else normalized
        return y + self._parameters["beta"] if self.center else y
