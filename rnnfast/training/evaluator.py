"""compile, evaluate and predict, with the arguments and defaults of Keras 3."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping

from rnnfast import losses, optimizers
from rnnfast import metrics as metrics_module
from rnnfast.callbacks.callback import Callback, Logs
from rnnfast.callbacks.callback_list import CallbackList
from rnnfast.callbacks.progress import make_progress
from rnnfast.layers.layer import Array, Layer, Shape
from rnnfast.layers.recurrence import is_stateful
from rnnfast.training import data, loops
from rnnfast.training.objective import Objective
from rnnfast.utils.hyperparameters import require_positive
from rnnfast.utils.numbers import as_numbers
from rnnfast.utils.options import refuse

_DEFAULT_BATCH_SIZE = 32

# Keras arguments still to come, with Keras's defaults.
_COMPILE_NOT_YET: Mapping[str, object] = {
    "loss_weights": None,
    "weighted_metrics": None,
    "run_eagerly": False,
    "steps_per_execution": 1,
    "jit_compile": "auto",
    "auto_scale_loss": True,
}
_EVALUATE_NOT_YET: Mapping[str, object] = {"sample_weight": None, "steps": None}
_PREDICT_NOT_YET: Mapping[str, object] = {"steps": None}


class Evaluator(ABC):
    """What a chain of layers needs in order to be judged and used.

    Attributes
    ----------
    optimizer : Optimizer
        As compiled.
    loss : Loss or None
        As compiled.
    metrics : list of Metric
        As compiled.
    """

    compiled = False

    # ------------------------------------------------------------------ what a model provides

    @property
    @abstractmethod
    def layers(self) -> list[Layer]:
        """The layers from first to last."""

    @property
    @abstractmethod
    def parameters(self) -> list[Array]:
        """All weights, in the layout computed with."""

    @abstractmethod
    def build_for(self, x: Array) -> None:
        """Build the model for a batch if it is not built, and check that the batch fits."""

    @abstractmethod
    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Give the shape of the result for inputs of a shape."""

    # ------------------------------------------------------------------------------- compile

    def compile(
        self,
        optimizer: object = "rmsprop",
        loss: object = None,
        *,
        metrics: Iterable[object] | None = None,
        **options: object,
    ) -> None:
        """Choose how to train.

        Parameters
        ----------
        optimizer : str or Optimizer, default "rmsprop"
            What `rnnfast.optimizers.get` takes.
        loss : str or Loss, optional
            What `rnnfast.losses.get` takes; needed by `fit` and `evaluate`.
        metrics : iterable of str or Metric, optional
            What `rnnfast.metrics.get` takes, to be reported beside the loss.
        **options
            Keras arguments that are not offered yet, at Keras's defaults.

        Raises
        ------
        ValueError
            When a name is unknown.
        TypeError
            When an argument is of none of these kinds, or unknown.
        NotImplementedError
            For a Keras argument that is not offered yet.
        """
        refuse("compile", options, _COMPILE_NOT_YET)
        if isinstance(metrics, (str, Mapping)):
            raise TypeError(f"metrics must be a list, such as ['accuracy'], got {metrics!r}")
        self.optimizer = optimizers.get(optimizer)
        self.loss = None if loss is None else losses.get(loss)
        self.metrics = [metrics_module.get(metric) for metric in metrics or ()]
        self.compiled = True

    # -------------------------------------------------------------------- evaluate, predict

    def evaluate(
        self,
        x: object = None,
        y: object = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        *,
        callbacks: Callback | Iterable[Callback] | None = None,
        return_dict: bool = False,
        **options: object,
    ) -> float | list[float] | Logs:
        """Compute the loss and the metrics.

        Parameters
        ----------
        x, y : array_like
            Inputs and targets, samples along the first axis.
        batch_size : int, optional
            Samples at a time, 32 by default.
        verbose : {"auto", 0, 1, 2}
            As in `fit`.
        callbacks : Callback or iterable of Callback, optional
            Told of every moment of the evaluation.
        return_dict : bool, default False
            Whether the result is a dict by name.
        **options
            Keras arguments that are not offered yet, at Keras's defaults.

        Returns
        -------
        float, list of float or dict
            The loss; with metrics, a list of the loss and each of them.

        Raises
        ------
        ValueError, TypeError, NotImplementedError
            As in `fit`.
        """
        refuse("evaluate", options, _EVALUATE_NOT_YET)
        objective = self._objective("evaluate")
        inputs, targets = self._arrays("x", x, "y", y)
        size = self._batch_size(batch_size, len(inputs))
        listeners = self._listen(as_list(callbacks), verbose, len(inputs), size, epochs=1)
        logs = loops.evaluate(self, objective, inputs, targets, size, listeners)
        if return_dict:
            return logs
        values = list(logs.values())
        return values if self.metrics else values[0]

    def predict(
        self,
        x: object,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        *,
        callbacks: Callback | Iterable[Callback] | None = None,
        **options: object,
    ) -> Array:
        """Compute the model's output; it need not be compiled.

        Parameters
        ----------
        x : array_like
            Inputs, samples along the first axis.
        batch_size : int, optional
            Samples at a time, 32 by default.
        verbose : {"auto", 0, 1, 2}
            As in `fit`.
        callbacks : Callback or iterable of Callback, optional
            Told of every moment of the prediction.
        **options
            Keras arguments that are not offered yet, at Keras's defaults.

        Returns
        -------
        ndarray
            Outputs, samples along the first axis.

        Raises
        ------
        ValueError, TypeError, NotImplementedError
            As in `fit`.
        """
        refuse("predict", options, _PREDICT_NOT_YET)
        inputs = self._inputs("x", x)
        size = self._batch_size(batch_size, len(inputs))
        listeners = self._listen(as_list(callbacks), verbose, len(inputs), size, epochs=1)
        return loops.predict(self, inputs, size, listeners)

    # ------------------------------------------------------------------------------- helpers

    def _objective(self, caller: str) -> Objective:
        if not self.compiled:
            raise ValueError(f"call compile(optimizer, loss) before {caller}")
        if self.loss is None:
            raise ValueError(f"{caller} needs a loss; pass one to compile, such as loss='mse'")
        return Objective(self._require_layers(), self.loss)

    def _require_layers(self) -> list[Layer]:
        if not self.layers:
            raise ValueError("the model has no layers; call add(layer) first")
        return self.layers

    def _inputs(self, name: str, x: object) -> Array:
        first = self._require_layers()[0]
        array = as_numbers(name, x)
        self.build_for(array)
        return first.convert_input(array)

    def _arrays(self, x_name: str, x: object, y_name: str, y: object) -> tuple[Array, Array]:
        inputs = self._inputs(x_name, x)
        targets = data.as_targets(y_name, y, self.layers[-1].dtype)
        data.check_samples(x_name, inputs, y_name, targets)
        return inputs, targets

    def _batch_size(self, batch_size: int | None, *samples: int) -> int:
        """Give the batch size; for stateful layers it must part the samples evenly."""
        size = _DEFAULT_BATCH_SIZE
        if batch_size is not None:
            size = require_positive("batch_size", batch_size)
        stateful = [layer for layer in self.layers if is_stateful(layer)]
        if stateful and len({rows for count in samples for rows in data.rows(count, size)}) > 1:
            raise ValueError(
                f"layer {stateful[0].name!r} is stateful, so that all batches must have as many "
                f"sequences: batch_size must divide the number of samples, got {size} for "
                f"{' and '.join(map(str, samples))} samples"
            )
        return size

    def _listen(
        self,
        callbacks: list[Callback],
        verbose: int | str,
        samples: int,
        batch_size: int,
        epochs: int,
    ) -> CallbackList:
        return CallbackList(
            callbacks + make_progress(verbose),
            self,
            verbose=verbose,
            epochs=epochs,
            steps=data.count_batches(samples, batch_size),
            samples=samples,
            batch_size=batch_size,
        )


def as_list(callbacks: Callback | Iterable[Callback] | None) -> list[Callback]:
    """Give the callbacks that a user passed as a list."""
    if callbacks is None:
        return []
    return [callbacks] if isinstance(callbacks, Callback) else list(callbacks)
