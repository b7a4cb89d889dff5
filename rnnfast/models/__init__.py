"""Models of layers, and the file in which a model is kept."""

from rnnfast.models.functional import Model
from rnnfast.models.loading import load_model
from rnnfast.models.recurrent import find
from rnnfast.models.sequential import Sequential

__all__ = ["Model", "Sequential", "find", "load_model"]
