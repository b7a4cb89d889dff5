"""What every optimizer may be given beside its own numbers."""

from __future__ import annotations

from typing import Literal, TypedDict


class SharedOptions(TypedDict, total=False):
    """Arguments that all optimizers share; see `Optimizer`.

    Those with one value only are Keras's, and not supported at others yet.
    """

    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: Literal[False]
    ema_momentum: float
    ema_overwrite_frequency: None
    loss_scale_factor: None
    gradient_accumulation_steps: int | None
    name: str | None


class OptimizerOptions(SharedOptions, total=False):
    """The same for optimizers that do not decay weights by themselves."""

    weight_decay: float | None


NOT_YET: dict[str, object] = {
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
}
"""Of these, those that are refused at any other value."""
