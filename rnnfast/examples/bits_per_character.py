"""What a person watches while the character model trains: bits per character."""

from __future__ import annotations

import math
import time

from rnnfast.callbacks import Callback
from rnnfast.callbacks.callback import Logs


class BitsPerCharacter(Callback):
    """Report each epoch in bits per character, and time the training.

    Parameters
    ----------
    trigram : float
        The trigram's bits per character on the validation text.
    characters : int
        Characters that an epoch trains on.
    """

    def __init__(self, trigram: float, characters: int) -> None:
        super().__init__()
        self.trigram = trigram
        self.training: list[float] = []
        self.validation: list[float] = []
        self._characters = characters
        self._seconds = 0.0

    @property
    def characters_per_second(self) -> float:
        """Rate of the training, validation left out."""
        return len(self.training) * self._characters / self._seconds

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Report the epoch before, whose progress bar is finished by now."""
        if epoch:
            self._report()
        self._began = time.perf_counter()

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Stop the clock: validation is not training."""
        self._seconds += time.perf_counter() - self._began

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the losses, in bits."""
        values = logs or {}
        self.training.append(values["loss"] / math.log(2))
        self.validation.append(values["val_loss"] / math.log(2))

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Report the last epoch."""
        self._report()

    def _report(self) -> None:
        print(
            f"bits per character: training {self.training[-1]:.3f}, "
            f"validation {self.validation[-1]:.3f}, trigram {self.trigram:.3f}",
            flush=True,
        )
