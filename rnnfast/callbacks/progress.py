"""What `fit`, `evaluate` and `predict` show while they run.

`ProgressBar` draws with tqdm; `ProgressLines` prints one line when an epoch is over. Both listen
to the same few moments of a pass over the data, gathered in `Progress`. They count samples, or
steps where nobody knows how many samples there are.
"""

from __future__ import annotations

import time
import warnings
from abc import abstractmethod
from typing import Any

from rnnfast.callbacks.callback import Callback, Logs


def make_progress(verbose: int | str) -> list[Callback]:
    """Choose what to show.

    Parameters
    ----------
    verbose : {"auto", 0, 1, 2}
        0 shows nothing, 1 a bar, 2 a line for each epoch; "auto" is 1, or 2 without tqdm.

    Raises
    ------
    ValueError
        When `verbose` is none of these.
    ImportError
        When a bar is wanted and tqdm is not installed.
    """
    if verbose not in ("auto", 0, 1, 2):
        raise ValueError(f"verbose must be 'auto', 0, 1 or 2, got {verbose!r}")
    if verbose == 0:
        return []
    if verbose == 2:
        return [ProgressLines()]
    try:
        return [ProgressBar()]
    except ImportError:
        if verbose == "auto":
            return [ProgressLines()]
        raise


class Progress(Callback):
    """Turns the events of Keras's callbacks into: begin, advance, finish."""

    def __init__(self) -> None:
        super().__init__()
        self._fitting = False

    @abstractmethod
    def _begin(self, title: str) -> None:
        """Start a pass over the data."""

    @abstractmethod
    def _advance(self, count: int, logs: Logs) -> None:
        """Note that so many samples, or steps, are done."""

    @abstractmethod
    def _exclude(self, seconds: float) -> None:
        """Leave time that went into validation out of the rate."""

    @abstractmethod
    def _finish(self, logs: Logs) -> None:
        """End the pass."""

    @property
    def _unit(self) -> str:
        return "steps" if self.params["samples"] is None else "samples"

    def _step_done(self, batch: int, logs: Logs | None) -> None:
        samples, size = self.params["samples"], self.params["batch_size"]
        count = 1 if samples is None else min(size, samples - batch * size)
        self._advance(count, logs or {})

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """From here on, evaluation is validation and stays silent."""
        self._fitting = True

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start a pass."""
        self._begin(f"Epoch {epoch + 1}/{self.params['epochs']}")

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Advance."""
        self._step_done(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """End the pass, with the values of validation."""
        self._finish(logs or {})

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Start a pass, or take the time of a validation."""
        self._test_began = time.perf_counter()
        if not self._fitting:
            self._begin("Evaluate")

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Advance."""
        if not self._fitting:
            self._step_done(batch, logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """End the pass."""
        if self._fitting:
            self._exclude(time.perf_counter() - self._test_began)
        else:
            self._finish(logs or {})

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Start a pass."""
        self._begin("Predict")

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Advance."""
        self._step_done(batch, None)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """End the pass."""
        self._finish({})


class ProgressBar(Progress):
    """A bar per epoch: loss, metrics, samples per second and the time left.

    Without the number of samples it counts steps, and without that of steps it tells no time left.
    In a notebook that has ipywidgets it is one of theirs.

    Raises
    ------
    ImportError
        When tqdm is not installed.
    """

    def __init__(self) -> None:
        super().__init__()
        try:
            with warnings.catch_warnings():
                # A notebook without ipywidgets has the terminal's bar, which is good enough.
                warnings.simplefilter("ignore")
                from tqdm.auto import tqdm
        except ImportError as error:
            raise ImportError(
                "verbose=1 draws a progress bar with tqdm; "
                "run `pip install tqdm`, or pass verbose=2 or verbose=0"
            ) from error
        self._tqdm: Any = tqdm
        self._bar: Any = None

    def _begin(self, title: str) -> None:
        self._bar = self._tqdm(total=self.params[self._unit], desc=title, unit=f" {self._unit}")

    def _advance(self, count: int, logs: Logs) -> None:
        self._bar.set_postfix_str(_format(logs), refresh=False)
        self._bar.update(count)

    def _exclude(self, seconds: float) -> None:
        # tqdm takes a bar that was last drawn before it started for one that was never drawn.
        self._bar.start_t += seconds
        self._bar.last_print_t += seconds

    def _finish(self, logs: Logs) -> None:
        self._bar.set_postfix_str(_format(logs), refresh=False)
        self._bar.close()


class ProgressLines(Progress):
    """A printed line per epoch: steps, seconds, samples per second, loss and metrics."""

    def _begin(self, title: str) -> None:
        self._title = title
        self._count = 0
        self._began = time.perf_counter()

    def _advance(self, count: int, logs: Logs) -> None:
        self._count += count

    def _exclude(self, seconds: float) -> None:
        self._began += seconds

    def _finish(self, logs: Logs) -> None:
        seconds = time.perf_counter() - self._began
        rate = self._count / max(seconds, 1e-9)
        values = f" - {_format(logs)}" if logs else ""
        print(f"{self._title} - {seconds:.1f}s - {rate:,.0f} {self._unit}/s{values}", flush=True)


def _format(logs: Logs) -> str:
    return " - ".join(f"{name}: {_format_number(value)}" for name, value in logs.items())


def _format_number(value: float) -> str:
    return f"{value:.4f}" if value == 0 or abs(value) >= 1e-3 else f"{value:.4e}"
