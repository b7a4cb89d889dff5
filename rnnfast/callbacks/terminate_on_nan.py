"""The end of a training whose loss is no number."""

from __future__ import annotations

import math

from rnnfast._check.options import flag
from rnnfast.callbacks.callback import Callback, Logs


class TerminateOnNaN(Callback):
    """Stop quietly when the loss is NaN or infinite: `keras.callbacks.TerminateOnNaN`.

    Without it `fit` raises `FloatingPointError`. The step that gave such a loss is not taken
    either way, so that the weights are finite.

    Parameters
    ----------
    raise_error : bool, default False
        Whether to raise at once instead: no other callback hears of the end.

    Raises
    ------
    RuntimeError
        With `raise_error`, when the loss is NaN or infinite.
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = flag("raise_error", raise_error)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Look at the loss."""
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"the loss became {loss} in batch {batch}")
        if self.writes:
            print(f"Batch {batch}: Invalid loss, terminating training", flush=True)
        self.model.stop_training = True
