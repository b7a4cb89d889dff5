"""A program run by `compile` and `fit`, Keras's or ours: their names are the same.

Where losses are compared, Keras's optimizer is given the gradient of an embedding as one array. On
TensorFlow it comes as slices, in which a word stands as often as in the batch, and Adam of Keras
3.15 adds the squares of these in place of squaring their sum, unlike on its other backends: losses
of `text_classifier` with 60 words are 3e-4 apart after five epochs.
"""

from __future__ import annotations

import importlib
import os
from time import perf_counter, process_time
from typing import Any

from numpy.typing import NDArray

from . import programs

__all__ = ["Fitted"]

Array = NDArray[Any]


class Fitted:
    """Programs on one kit.

    Parameters
    ----------
    kit : {"keras", "rnnfast"}
        What they import.
    threads : int
        Of everyone.
    """

    def __init__(self, kit: str, threads: int) -> None:
        if kit == "keras":
            _choose_tensorflow(threads)
        self._kit = importlib.import_module(kit)
        if kit == "rnnfast":
            self._kit.set_num_threads(threads)
        self._model: Any = None
        self._program: programs.Program
        self._data: tuple[Array, Array]

    def prepare(
        self, program: str, sizes: dict[str, Any], weights: list[Array] | None = None
    ) -> list[Array]:
        """Make a program ready.

        Parameters
        ----------
        program : str
            Name of the function of `programs`.
        sizes : dict
            Its arguments.
        weights : list of ndarray, optional
            To begin with, in Keras's order and layout; by default the model's own.

        Returns
        -------
        list of ndarray
            The weights that it begins with.
        """
        self._program = getattr(programs, program)(**sizes)
        self._data = self._program.data()
        self._kit.utils.set_random_seed(0)
        self._model = self._program.make(self._kit)
        if weights is not None:
            self._model.set_weights(weights)
        own: list[Array] = self._model.get_weights()
        return own

    def losses(self, epochs: int) -> list[float]:
        """Train on batches in order.

        Parameters
        ----------
        epochs : int
            Passes.

        Returns
        -------
        list of float
            The loss of each.
        """
        if self._kit.__name__ == "keras":
            _take_whole_gradients(self._model.optimizer)
        x, y = self._data
        fitted = self._model.fit(
            x, y, batch_size=self._program.batch_size, epochs=epochs, shuffle=False, verbose=0
        )
        return [float(loss) for loss in fitted.history["loss"]]

    def epoch(self) -> float:
        """Train for one epoch, in random order.

        Returns
        -------
        float
            Seconds, from the epoch's beginning to its end as callbacks hear of them.
        """
        x, y = self._data
        clock = _clock(self._kit)
        self._model.fit(x, y, batch_size=self._program.batch_size, verbose=0, callbacks=[clock])
        seconds: float = clock.seconds
        return seconds

    def processor_time(self) -> float:
        """Return the seconds of processor time that this process has had."""
        return process_time()


def _clock(kit: Any) -> Any:
    class Clock(kit.callbacks.Callback):  # type: ignore[misc]
        seconds = 0.0

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.seconds -= perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.seconds += perf_counter()

    return Clock()


def _take_whole_gradients(optimizer: Any) -> None:
    """Have an optimizer of Keras take slices as arrays."""
    tensorflow = importlib.import_module("tensorflow")
    apply = optimizer.apply

    def apply_whole(grads: Any, trainable_variables: Any = None) -> None:
        apply([tensorflow.convert_to_tensor(one) for one in grads], trainable_variables)

    optimizer.apply = apply_whole


def _choose_tensorflow(threads: int) -> None:
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    tensorflow = importlib.import_module("tensorflow")
    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
