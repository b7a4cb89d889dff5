"""Have rnnfast run the recurrent layers of a Keras model, or Keras again, in place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

from .._models import require_model
from .._report import Report
from ._backends import backend
from ._cells import plan
from ._fallback import CannotRun
from ._hook import cells_of, hook, hooked, unhook
from .layers import GRU, LSTM

_LOOPS = (
    keras.layers.RNN.inner_loop,
    keras.layers.LSTM.inner_loop,
    keras.layers.GRU.inner_loop,
)


def swap(model: keras.Layer) -> Report:
    """Have rnnfast run every recurrent layer of a model.

    Layers stay the objects that they are, of their classes: only `inner_loop` of each is another.
    Files saved with the model, its copies and clones, are plain Keras. What has been compiled of
    the model is made anew when it is next needed; what the caller has compiled is not known here.

    Parameters
    ----------
    model : keras.Model or keras.Layer
        Changed in place; may itself be a recurrent layer, built or not.

    Returns
    -------
    Report
        What was swapped, and what was left and why.

    Raises
    ------
    TypeError
        For anything else.

    Examples
    --------
    >>> model = keras.Sequential([keras.Input((None, 8)), keras.layers.LSTM(16, name="lstm")])
    >>> print(swap(model))
    lstm: LSTM
    """
    report = Report({}, {})
    for name, layer in _recurrent(model):
        if type(layer) in (LSTM, GRU):
            report.left[name] = "it is rnnfast's already"
            continue
        try:
            _require(layer)
        except CannotRun as left:
            report.left[name] = str(left)
            continue
        hook(layer)
        report.swapped[name] = type(layer).__name__
    _forget_compiled(model)
    return report


def swap_back(model: keras.Layer) -> Report:
    """Have Keras run every recurrent layer of a model again.

    Parameters
    ----------
    model : keras.Model or keras.Layer
        Changed in place.

    Returns
    -------
    Report
        What was swapped back; layers with options that Keras lacks are left.

    Raises
    ------
    TypeError
        For anything else.
    """
    report = Report({}, {})
    for name, layer in _recurrent(model):
        if hooked(layer):
            unhook(layer)
            report.swapped[name] = type(layer).__name__
        elif type(layer) in (LSTM, GRU):
            report.left[name] = "Keras lacks it"
    _forget_compiled(model)
    return report


@contextmanager
def plain(model: keras.Layer) -> Iterator[keras.Layer]:
    """Have Keras run a model within a ``with`` block, as for an export.

    Parameters
    ----------
    model : keras.Model or keras.Layer
        Swapped or not; afterwards it is as it was before.

    Yields
    ------
    keras.Model or keras.Layer
        The model itself.

    Raises
    ------
    TypeError
        For anything else.
    """
    layers = [layer for _, layer in _recurrent(model) if hooked(layer)]
    swap_back(model)
    try:
        yield model
    finally:
        for layer in layers:
            swap(layer)
        _forget_compiled(model)


def _recurrent(model: Any) -> Iterator[tuple[str, Any]]:
    """Yield the recurrent layers of a model and their names, told apart where they are alike."""
    require_model(model, keras.Layer, "a keras.Model or keras.Layer")
    seen: dict[str, int] = {}
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.RNN):
            seen[layer.name] = seen.get(layer.name, 0) + 1
            number = seen[layer.name]
            yield (layer.name if number == 1 else f"{layer.name} ({number})"), layer


def _require(layer: Any) -> None:
    """Raise `CannotRun` unless the kernels can run a layer, whatever it is given."""
    if backend() is None:
        raise CannotRun(f"the backend {keras.backend.backend()}")
    if type(layer).inner_loop not in _LOOPS or ("inner_loop" in vars(layer) and not hooked(layer)):
        raise CannotRun("an inner_loop of its own")
    if getattr(layer, "use_cudnn", None) is True:
        raise CannotRun("use_cudnn=True")
    for cell in cells_of(layer.cell):
        plan(cell)


def _forget_compiled(model: Any) -> None:
    """Have the functions of a model, and of those inside of it, made anew."""
    for part in model._flatten_layers():
        if isinstance(part, keras.Model):
            part.train_function = part.test_function = part.predict_function = None
            if keras.backend.backend() == "tensorflow" and part.compiled:
                part.jit_compile = part.jit_compile  # Keras says so where it is no more
