"""What a callback may hear of, with Keras's names; every method does nothing unless overridden."""

from __future__ import annotations

from typing import Any

Logs = dict[str, Any]


class Callback:
    """Base class of callbacks: `keras.callbacks.Callback`.

    Override the methods whose moments matter. Setting `self.model.stop_training = True` ends
    `fit` after the running batch.

    Attributes
    ----------
    model : Sequential
        The model that is trained, evaluated or asked to predict.
    params : dict
        verbose, epochs, steps (batches of an epoch), samples, batch_size.
    """

    def __init__(self) -> None:
        self.model: Any = None
        self.params: dict[str, Any] = {}

    def set_params(self, params: dict[str, Any]) -> None:
        """Receive the attribute of this name, before anything else.

        Parameters
        ----------
        params : dict
            The attribute.
        """
        self.params = params

    def set_model(self, model: Any) -> None:
        """Receive the attribute of this name, before anything else.

        Parameters
        ----------
        model : Sequential
            The attribute.
        """
        self.model = model

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Hear that `fit` begins.

        Parameters
        ----------
        logs : dict, optional
            None.
        """

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Hear that `fit` ends.

        Parameters
        ----------
        logs : dict, optional
            Those of the last epoch.
        """

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Hear that an epoch begins.

        Parameters
        ----------
        epoch : int
            Its number, from 0.
        logs : dict, optional
            None.
        """

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Hear that an epoch ends, its validation included.

        Parameters
        ----------
        epoch : int
            Its number, from 0.
        logs : dict, optional
            Loss and metrics of the epoch, those of validation under names with `val_` before them.
        """

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Hear that a training step begins.

        Parameters
        ----------
        batch : int
            Its number, from 0.
        logs : dict, optional
            None.
        """

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Hear that a training step ends.

        Parameters
        ----------
        batch : int
            Its number, from 0.
        logs : dict, optional
            Loss and metrics, running means over the epoch so far.
        """

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Hear that `evaluate` or validation begins.

        Parameters
        ----------
        logs : dict, optional
            None.
        """

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Hear that `evaluate` or validation ends.

        Parameters
        ----------
        logs : dict, optional
            Loss and metrics.
        """

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Hear that an evaluation step begins.

        Parameters
        ----------
        batch : int
            Its number, from 0.
        logs : dict, optional
            None.
        """

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Hear that an evaluation step ends.

        Parameters
        ----------
        batch : int
            Its number, from 0.
        logs : dict, optional
            Loss and metrics, running means over the epoch so far.
        """

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Hear that `predict` begins.

        Parameters
        ----------
        logs : dict, optional
            None.
        """

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Hear that `predict` ends.

        Parameters
        ----------
        logs : dict, optional
            None.
        """

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Hear that a prediction step begins.

        Parameters
        ----------
        batch : int
            Its number, from 0.
        logs : dict, optional
            None.
        """

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Hear that a prediction step ends.

        Parameters
        ----------
        batch : int
            Its number, from 0.
        logs : dict, optional
            The result of the batch, as `outputs`.
        """
