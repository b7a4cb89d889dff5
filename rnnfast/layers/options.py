"""Options that layers share, as a type checker sees them.

Those with a single value are Keras's that are not offered yet, at the default where they change
nothing: `not_yet` refuses any other when the program runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypedDict

from numpy.typing import DTypeLike


class _Common(TypedDict, total=False):
    """Of every layer and cell."""

    trainable: bool
    activity_regularizer: None
    autocast: Literal[True]


class LayerOptions(_Common, total=False):
    """Of every layer."""

    input_shape: Sequence[int | None] | None
    batch_input_shape: Sequence[int | None] | None


class SampleOptions(LayerOptions, total=False):
    """Of layers whose `input_dim` says how long the last axis of a sample is."""

    input_dim: int | None


class RecurrentOptions(SampleOptions, total=False):
    """Of recurrent layers."""

    input_length: int | None
    unroll: Literal[False]


class _OneCell(TypedDict, total=False):
    """Of cells, and of recurrent layers over one."""

    kernel_constraint: None
    recurrent_constraint: None
    bias_constraint: None
    use_cudnn: Literal["auto"]
    implementation: Literal[2]


class CellLayerOptions(RecurrentOptions, _OneCell, total=False):
    """Of recurrent layers over one cell."""


class ConvLSTMOptions(LayerOptions, total=False):
    """Of `ConvLSTM2D`."""

    kernel_constraint: None
    recurrent_constraint: None
    bias_constraint: None
    unroll: Literal[False]


class CellOptions(_Common, _OneCell, total=False):
    """Of `SimpleRNNCell`: what `SimpleRNN` lists, but for what concerns sequences."""

    activation: str | None
    use_bias: bool
    kernel_initializer: object
    recurrent_initializer: object
    bias_initializer: object
    kernel_regularizer: object
    recurrent_regularizer: object
    bias_regularizer: object
    dropout: float
    recurrent_dropout: float
    weight_dropout: float
    zoneout: float | tuple[float, float]
    seed: int | None
    precision: str | None
    name: str | None
    dtype: DTypeLike | None


class LSTMCellOptions(CellOptions, total=False):
    """Of `LSTMCell`, likewise."""

    recurrent_activation: str | None
    unit_forget_bias: bool
    projection: int | None
    projection_initializer: object
    peephole: bool
    layer_norm: bool


class GRUCellOptions(CellOptions, total=False):
    """Of `GRUCell`, likewise."""

    recurrent_activation: str | None
    reset_after: bool
    layer_norm: bool


class DenseOptions(SampleOptions, total=False):
    """Of `Dense`."""

    kernel_constraint: None
    bias_constraint: None
    lora_rank: None
    lora_alpha: None
    quantization_config: None


class EmbeddingOptions(LayerOptions, total=False):
    """Of `Embedding`."""

    embeddings_constraint: None
    weights: None
    lora_rank: None
    lora_alpha: None
    quantization_config: None


class DropoutOptions(SampleOptions, total=False):
    """Of `Dropout`."""

    noise_shape: None


class AdditiveAttentionOptions(LayerOptions, total=False):
    """Of `AdditiveAttention`."""

    score_mode: Literal["dot"]


class BidirectionalOptions(RecurrentOptions, total=False):
    """Of `Bidirectional`."""

    weights: None


class LayerNormalizationOptions(SampleOptions, total=False):
    """Of `LayerNormalization`."""

    beta_constraint: None
    gamma_constraint: None
    rms_scaling: Literal[False]
