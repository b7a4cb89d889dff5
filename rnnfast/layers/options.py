"""Options that layers share, as a type checker sees them.

Those with a single value are Keras's that are not offered yet, at the default where they change
nothing: `not_yet` refuses any other when the program runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypedDict


class LayerOptions(TypedDict, total=False):
    """Of every layer."""

    trainable: bool
    input_shape: Sequence[int | None] | None
    batch_input_shape: Sequence[int | None] | None
    activity_regularizer: None
    autocast: Literal[True]


class SampleOptions(LayerOptions, total=False):
    """Of layers whose `input_dim` says how long the last axis of a sample is."""

    input_dim: int | None


class RecurrentOptions(SampleOptions, total=False):
    """Of recurrent layers."""

    input_length: int | None
    unroll: Literal[False]


class CellLayerOptions(RecurrentOptions, total=False):
    """Of recurrent layers over one cell."""

    kernel_constraint: None
    recurrent_constraint: None
    bias_constraint: None
    use_cudnn: Literal["auto"]
    implementation: Literal[2]


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


class BidirectionalOptions(RecurrentOptions, total=False):
    """Of `Bidirectional`."""

    weights: None


class LayerNormalizationOptions(SampleOptions, total=False):
    """Of `LayerNormalization`."""

    beta_constraint: None
    gamma_constraint: None
    rms_scaling: Literal[False]
