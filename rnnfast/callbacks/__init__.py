"""Callbacks with Keras's names: told of every moment of `fit`, `evaluate` and `predict`."""

from rnnfast.callbacks.callback import Callback
from rnnfast.callbacks.history import History
from rnnfast.callbacks.progress import ProgressBar, ProgressLines

__all__ = ["Callback", "History", "ProgressBar", "ProgressLines"]
