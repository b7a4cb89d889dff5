"""The programs in PyTorch, eager, with the loop that its tutorials have.

    for x, y in loader:
        optimizer.zero_grad(); loss_of(model(x), y).backward(); optimizer.step()

Texts come in two ways, both common: packed, which is what a mask computes, and padded, where the
LSTM reads the padding as well.

Where losses are compared, the second bias of `torch.nn.LSTM` rests, since Keras has one, and
epsilon is what Keras's is, step by step (see `rnnfast.optimizers.Adam`).
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from itertools import count
from time import perf_counter, process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import programs

__all__ = ["ByHand"]

Array = NDArray[Any]

_EPSILON = 1e-7  # Keras's


class ByHand:
    """Programs in PyTorch.

    Parameters
    ----------
    way : {"packed", "padded"}
        How texts of different lengths are read.
    threads : int
        Of everyone.
    """

    def __init__(self, way: str, threads: int) -> None:
        self._torch = importlib.import_module("torch")
        self._torch.set_num_threads(threads)
        self._packs = way == "packed"

    def prepare(self, program: str, sizes: dict[str, Any], weights: list[Array]) -> list[Array]:
        """Make a program ready.

        Parameters
        ----------
        program : str
            Name of the function of `programs`.
        sizes : dict
            Its arguments.
        weights : list of ndarray
            To begin with, in Keras's order and layout.

        Returns
        -------
        list of ndarray
            The same.
        """
        torch = self._torch
        self._program = getattr(programs, program)(**sizes)
        x, y = self._program.data()
        classes = y.argmax(axis=-1) if y.dtype.kind == "f" else y
        if program == "text_classifier" and self._packs:
            x = _padded_behind(x)
        self._data = torch.from_numpy(x), torch.from_numpy(classes)
        self._model = _MODELS[program](torch, self._program.sizes, sizes, self._packs)
        _set_weights(torch, self._model, weights)
        is_char_lm = program == "char_lm"
        self._norm = 1.0 if is_char_lm else None
        rate = 2e-3 if is_char_lm else 1e-3
        self._optimizer = torch.optim.Adam(self._model.parameters(), lr=rate)
        self._loss_of = torch.nn.CrossEntropyLoss()
        return weights

    def losses(self, epochs: int) -> list[float]:
        """Train on batches in order, as Keras does; see `Fitted.losses`."""
        self._model.lstm.bias_hh_l0.requires_grad_(False)
        steps = count(1)

        def prepare_step() -> None:
            for group in self._optimizer.param_groups:
                group["eps"] = _EPSILON / math.sqrt(1 - group["betas"][1] ** next(steps))

        return [self._pass(shuffle=False, prepare_step=prepare_step) for _ in range(epochs)]

    def epoch(self) -> float:
        """Train for one epoch, in random order; see `Fitted.epoch`."""
        began = perf_counter()
        self._pass(shuffle=True)
        return perf_counter() - began

    def processor_time(self) -> float:
        """Return the seconds of processor time that this process has had."""
        return process_time()

    def _pass(self, shuffle: bool, prepare_step: Callable[[], None] = lambda: None) -> float:
        torch, model = self._torch, self._model
        dataset = torch.utils.data.TensorDataset(*self._data)
        loader = torch.utils.data.DataLoader(
            dataset, batch_size=self._program.batch_size, shuffle=shuffle
        )
        total = 0.0
        for x, y in loader:
            self._optimizer.zero_grad()
            loss = self._loss_of(model(x).flatten(0, -2), y.flatten())
            loss.backward()
            if self._norm is not None:
                torch.nn.utils.clip_grad_norm_(model.parameters(), self._norm)
            prepare_step()
            self._optimizer.step()
            total += loss.item() * len(x)
        return total / len(dataset)


def _classifier(torch: Any, sizes: dict[str, int], given: dict[str, Any], packs: bool) -> Any:
    class Classifier(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.lstm = torch.nn.LSTM(sizes["features"], sizes["units"], batch_first=True)
            self.dense = torch.nn.Linear(sizes["units"], sizes["classes"])

        def forward(self, x: Any) -> Any:
            _, (h, _) = self.lstm(x)
            return self.dense(h[-1])

    return Classifier()


def _text_classifier(torch: Any, sizes: dict[str, int], given: dict[str, Any], packs: bool) -> Any:
    class TextClassifier(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.embedding = torch.nn.Embedding(sizes["words"], sizes["embedding"], padding_idx=0)
            self.lstm = torch.nn.LSTM(sizes["embedding"], sizes["units"], batch_first=True)
            self.dense = torch.nn.Linear(sizes["units"], sizes["classes"])

        def forward(self, x: Any) -> Any:
            embedded = self.embedding(x)
            if packs:
                embedded = torch.nn.utils.rnn.pack_padded_sequence(
                    embedded, (x != 0).sum(1), batch_first=True, enforce_sorted=False
                )
            _, (h, _) = self.lstm(embedded)
            return self.dense(h[-1])

    return TextClassifier()


def _char_lm(torch: Any, sizes: dict[str, int], given: dict[str, Any], packs: bool) -> Any:
    class CharLM(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.embedding = torch.nn.Embedding(sizes["symbols"], sizes["embedding"])
            self.lstm = torch.nn.LSTM(sizes["embedding"], sizes["units"], batch_first=True)
            self.dropout = torch.nn.Dropout(given.get("dropout", 0.3))
            self.dense = torch.nn.Linear(sizes["units"], sizes["symbols"])

        def forward(self, x: Any) -> Any:
            y, _ = self.lstm(self.embedding(x))
            return self.dense(self.dropout(y))

    return CharLM()


_MODELS = {"classifier": _classifier, "text_classifier": _text_classifier, "char_lm": _char_lm}


def _padded_behind(x: Array) -> Array:
    """Bring what is not padding to the front."""
    order = np.argsort(x == 0, axis=1, kind="stable")
    behind: Array = np.take_along_axis(x, order, axis=1)
    return behind


def _set_weights(torch: Any, model: Any, weights: list[Array]) -> None:
    *tables, kernel, recurrent, bias, dense, dense_bias = weights
    lstm = model.lstm
    with torch.no_grad():
        for table in tables:
            model.embedding.weight.copy_(torch.from_numpy(table))
        for parameter, values in (
            (lstm.weight_ih_l0, kernel.T),
            (lstm.weight_hh_l0, recurrent.T),
            (lstm.bias_ih_l0, bias),
            (lstm.bias_hh_l0, np.zeros_like(bias)),
            (model.dense.weight, dense.T),
            (model.dense.bias, dense_bias),
        ):
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(values)))
