"""compile, fit, evaluate and predict, with the arguments and defaults of Keras 3."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from rnnfast.callbacks.callback import Callback, Logs
from rnnfast.callbacks.history import History
from rnnfast.files.destination import Filepath
from rnnfast.metrics import Metric
from rnnfast.optimizers import Optimizer
from rnnfast.training import model_file
from rnnfast.training.judges import Choices
from rnnfast.training.reducer import Reducer
from rnnfast.training.run import Run
from rnnfast.training.structure import Structure
from rnnfast.training.summary import describe
from rnnfast.training.trainer import Trainer
from rnnfast.utils.known_keywords import known_keywords
from rnnfast.utils.options import refuse

_Value = TypeVar("_Value")

# Keras arguments whose other values mean nothing here, with Keras's defaults.
_NOT_HERE: Mapping[str, object] = {
    "run_eagerly": False,
    "steps_per_execution": 1,
    "jit_compile": "auto",
    "auto_scale_loss": True,
}
_SUMMARY_NOT_YET: Mapping[str, object] = {
    "line_length": None,
    "positions": None,
    "expand_nested": False,
    "show_trainable": False,
    "layer_range": None,
}


class _OfTrainer(Generic[_Value]):
    """An attribute of a model that its trainer keeps."""

    def __set_name__(self, model_class: type, name: str) -> None:
        self._name = name

    def __get__(self, model: Model, model_class: type) -> _Value:
        try:
            value: _Value = getattr(model._trainer, self._name)
        except AttributeError:
            raise AttributeError(
                f"{model_class.__name__!r} object has no attribute {self._name!r}"
            ) from None
        return value

    def __set__(self, model: Model, value: _Value) -> None:
        setattr(model._trainer, self._name, value)


class Model(Structure):
    """Layers that have a trainer.

    Parameters
    ----------
    name : str
        Of the model.

    Attributes
    ----------
    compiled : bool
        Whether `compile` has been called.
    optimizer : Optimizer
        As compiled.
    loss : Loss, list or dict of Loss, or None
        As compiled.
    metrics : list of Metric
        As compiled.
    stop_training : bool
        A callback sets it to end `fit` after the running batch.
    history : History
        Of the last `fit`.
    choices : Choices
        Losses and metrics as compiled, not yet dealt to outputs.
    run : Run or None
        What a running `fit` depends on, which `BackupAndRestore` saves.
    """

    compiled = _OfTrainer[bool]()
    optimizer = _OfTrainer[Optimizer]()
    loss = _OfTrainer[Any]()
    metrics = _OfTrainer[list[Metric]]()
    stop_training = _OfTrainer[bool]()
    history = _OfTrainer[History]()
    run = _OfTrainer[Run | None]()
    choices = _OfTrainer[Choices]()

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._trainer = Trainer()

    def summary(
        self, *, print_fn: Callable[[str], object] | None = None, **options: object
    ) -> None:
        """Print a table of the layers, as Keras prints it.

        Parameters
        ----------
        print_fn : callable, optional
            Gets the whole text; `print` by default.
        **options
            Keras arguments that are not offered yet, at Keras's defaults.

        Raises
        ------
        NotImplementedError
            For one of those at another value.
        TypeError
            For an argument that Keras does not have either.
        """
        refuse("summary", options, _SUMMARY_NOT_YET)
        state = list(self.optimizer.variables) if self.compiled and self.optimizer.built else []
        text = describe(self.name, self.layers, self._output_shapes(), state)
        (print if print_fn is None else print_fn)(text)

    # -------------------------------------------------------------------------------- files

    def save(self, filepath: Filepath, overwrite: bool = True) -> None:
        """Write the whole model to a safetensors file, which `rnnfast.load_model` reads.

        It holds layers, weights, and what `compile` was told, with the optimizer's state: training
        goes on where it was. The file is whole at any moment; see `save_weights`.

        Parameters
        ----------
        filepath : path
            Must end in `.safetensors`.
        overwrite : bool, default True
            Whether an existing file is replaced.

        Raises
        ------
        ValueError
            When the ending is another, or the model is not built.
        TypeError
            When a layer is made with a function, or is not rnnfast's: a file holds no code.
        FileExistsError
            When the file exists, or a link of this name, and `overwrite` is False.
        OSError
            When it cannot be written; one that was there has not changed.
        ImportError
            When safetensors is not installed.

        Warns
        -----
        UserWarning
            When losses, metrics or the optimizer are code of one's own: they are left out.
        """
        self._require_built("save")
        model_file.save(self, filepath, overwrite)

    # ----------------------------------------------------------------------------- training

    @known_keywords
    def compile(
        self,
        optimizer: object = "rmsprop",
        loss: object = None,
        loss_weights: object = None,
        metrics: object = None,
        weighted_metrics: object = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: str | bool = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Choose how to train.

        Parameters
        ----------
        optimizer : str or Optimizer, default "rmsprop"
            What `rnnfast.optimizers.get` takes.
        loss : str, Loss or callable, optional
            What `rnnfast.losses.get` takes; needed by `fit` and `evaluate`. For several outputs
            one for all, a list, or a dict by the names of the outputs.
        loss_weights : float, list or dict, optional
            What the losses of the outputs are multiplied with before they are added; 1.
        metrics : list of str, Metric or callable, optional
            What `rnnfast.metrics.get` takes, to be reported beside the loss. For several outputs a
            list of such, or a dict.
        weighted_metrics : list, optional
            Likewise, of metrics that `sample_weight` and `class_weight` count for.
        run_eagerly, steps_per_execution, jit_compile, auto_scale_loss
            Keras's, which mean nothing here, at their defaults.

        Raises
        ------
        ValueError
            When a name is unknown.
        TypeError
            When an argument is of none of these kinds.
        NotImplementedError
            For one of the last four at another value.
        """
        given = {
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
            "auto_scale_loss": auto_scale_loss,
        }
        refuse("compile", given, _NOT_HERE)
        self._trainer.compile(optimizer, loss, loss_weights, metrics, weighted_metrics)

    @known_keywords
    def fit(
        self,
        x: object = None,
        y: object = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Callback | Iterable[Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: object = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: object = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Iterable[int] = 1,
        reducer: Reducer | None = None,
    ) -> History:
        """Train the model.

        Parameters
        ----------
        x : array_like, list of sequences, or iterable of batches
            Inputs, samples along the first axis; for several inputs a list of such or a dict by
            their names. A list of arrays of different lengths holds sequences: each batch is
            padded to its longest, and no step of padding is computed with or counted. Anything
            else that can be iterated, such as a generator, gives batches (x, y) or
            (x, y, sample_weight).
        y : array_like or list of sequences
            Targets, one for each input; for several outputs a list or a dict.
        batch_size : int, optional
            Samples for each step, 32 by default; the last batch of an epoch may be short.
        epochs : int, default 1
            Number of the last epoch, counted from 1: of all passes when `initial_epoch` is 0.
        verbose : {"auto", 0, 1, 2}
            0 shows nothing, 1 a progress bar for each epoch, 2 a line for each epoch; "auto" is
            1, or 2 where tqdm is not installed.
        callbacks : Callback or iterable of Callback, optional
            Told of every moment of the training.
        validation_split : float, default 0.0
            Fraction of the samples, taken from the end before any shuffling, that is not trained
            on but evaluated after each epoch.
        validation_data : tuple (x, y) or (x, y, sample_weight), or iterable of batches, optional
            What to evaluate after each epoch; goes before `validation_split`.
        shuffle : bool, default True
            Whether each epoch sees the samples in a new random order.
        class_weight : dict of int to float, optional
            What the loss of a sample, or of each of its steps, is multiplied with, by its class;
            1 for classes not in it. For models with one output.
        sample_weight : array_like, optional
            What the loss of each sample (batch,), or of each step (batch, time), is multiplied
            with. For several outputs a list of such or a dict; one of samples is for all of them.
        initial_epoch : int, default 0
            Epochs already done, for training that is taken up again.
        steps_per_epoch : int, optional
            Batches of an epoch; the next one goes on where it ended, through as many passes over
            the data as it takes. By default all there are. A generator that ends, ends the
            training, with a warning.
        validation_steps : int, optional
            Batches of a validation, from the first on; by default all there are.
        validation_batch_size : int, optional
            Samples at a time in validation; by default `batch_size`.
        validation_freq : int or iterable of int, default 1
            After how many epochs to validate, or after which, counted from 1.
        reducer : Reducer, optional
            What takes means over processes that train together, such as `rnnfast.training.MPI()`;
            not in Keras. All of them call `fit` with the same arguments, and each sees its share
            of every batch.

        Returns
        -------
        History
            `history.history` holds the loss and the metrics of every epoch.

        Raises
        ------
        FloatingPointError
            When the loss becomes NaN or infinite; the weights are those before that step. When
            the validation loss does; the weights are those after that epoch's training. `history`
            holds the epochs before.
        ValueError
            When the model is not compiled, or shapes or lengths do not fit.
        TypeError
            When data are no arrays of numbers.
        """
        return self._trainer.fit(
            self,
            x,
            y,
            batch_size=batch_size,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_split=validation_split,
            validation_data=validation_data,
            shuffle=shuffle,
            class_weight=class_weight,
            sample_weight=sample_weight,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_batch_size=validation_batch_size,
            validation_freq=validation_freq,
            reducer=reducer,
        )

    @known_keywords
    def evaluate(
        self,
        x: object = None,
        y: object = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: object = None,
        steps: int | None = None,
        callbacks: Callback | Iterable[Callback] | None = None,
        return_dict: bool = False,
    ) -> float | list[float] | Logs:
        """Compute the loss and the metrics.

        Parameters
        ----------
        x, y
            Inputs and targets, or batches of both, as for `fit`.
        batch_size : int, optional
            Samples at a time, 32 by default.
        verbose : {"auto", 0, 1, 2}
            As in `fit`.
        sample_weight : array_like, optional
            As in `fit`.
        steps : int, optional
            Batches, from the first on; by default all there are.
        callbacks : Callback or iterable of Callback, optional
            Told of every moment of the evaluation.
        return_dict : bool, default False
            Whether the result is a dict by name.

        Returns
        -------
        float, list of float or dict
            The loss; with metrics or several outputs, a list of the loss and each of them.

        Raises
        ------
        ValueError, TypeError
            As in `fit`.
        """
        logs = self._trainer.evaluate(
            self,
            x,
            y,
            batch_size=batch_size,
            verbose=verbose,
            sample_weight=sample_weight,
            steps=steps,
            callbacks=callbacks,
        )
        return _listed(logs, return_dict)

    @known_keywords
    def predict(
        self,
        x: object,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Callback | Iterable[Callback] | None = None,
    ) -> Any:
        """Compute the model's output; it need not be compiled.

        Parameters
        ----------
        x
            Inputs, or batches of them, as for `fit`.
        batch_size : int, optional
            Samples at a time, 32 by default.
        verbose : {"auto", 0, 1, 2}
            As in `fit`.
        steps : int, optional
            Batches, from the first on; by default all there are.
        callbacks : Callback or iterable of Callback, optional
            Told of every moment of the prediction.

        Returns
        -------
        ndarray or list
            Outputs, samples along the first axis; a list of them where there are several. Of
            sequences of different lengths, whose every step has an output, a list of arrays.

        Raises
        ------
        ValueError, TypeError
            As in `fit`.
        """
        return self._trainer.predict(
            self, x, batch_size=batch_size, verbose=verbose, steps=steps, callbacks=callbacks
        )

    @known_keywords
    def train_on_batch(
        self,
        x: object,
        y: object = None,
        sample_weight: object = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> float | list[float] | Logs:
        """Take one optimizer step.

        Parameters
        ----------
        x, y, sample_weight, class_weight
            The batch, as for `fit`.
        return_dict : bool, default False
            Whether the result is a dict by name.

        Returns
        -------
        float, list of float or dict
            Loss and metrics of this batch, as from `evaluate`, before the step.

        Raises
        ------
        FloatingPointError, ValueError, TypeError
            As in `fit`.
        """
        logs = self._trainer.train_on_batch(self, x, y, sample_weight, class_weight)
        return _listed(logs, return_dict)

    @known_keywords
    def test_on_batch(
        self,
        x: object,
        y: object = None,
        sample_weight: object = None,
        return_dict: bool = False,
    ) -> float | list[float] | Logs:
        """Compute the loss and the metrics of one batch.

        Parameters
        ----------
        x, y, sample_weight
            The batch, as for `fit`.
        return_dict : bool, default False
            Whether the result is a dict by name.

        Returns
        -------
        float, list of float or dict
            As from `evaluate`.

        Raises
        ------
        ValueError, TypeError
            As in `fit`.
        """
        return _listed(self._trainer.test_on_batch(self, x, y, sample_weight), return_dict)

    def predict_on_batch(self, x: object) -> Any:
        """Compute the output for one batch, as the model does when it is called.

        Parameters
        ----------
        x : array_like
            The batch, as for `fit`.

        Returns
        -------
        ndarray or list of ndarray
            Outputs, samples along the first axis.

        Raises
        ------
        ValueError, TypeError
            As in `fit`.
        """
        return self(x)


def _listed(logs: Logs, as_dict: bool) -> float | list[float] | Logs:
    values = list(logs.values())
    if as_dict:
        return logs
    return values if len(values) > 1 else values[0]
