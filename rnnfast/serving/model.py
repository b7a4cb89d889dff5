"""A model to be served: layers packed once, shared by all its streams."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .._check import DType, options
from ..weights import StackWeights, read_weights
from ..weights.sources import stack_of
from ._stack import ServedStack
from .pool import Pool
from .session import Session


class Model:
    """Layers packed for the kernels, of which any number of streams may be taken.

    It never changes, so that any number of threads may share it, and can be pickled.

    Parameters
    ----------
    weights : StackWeights
        Layers in one direction, forward: a stream has no end from which another could begin.
    precision : {"float32", "float64", "bfloat16", "float16", "int8"}, optional
        What weights are kept in; their own by default.

    Attributes
    ----------
    weights : StackWeights
        What it was made of.
    precision : str
        What its weights are kept in.
    input_size : int
        I, the inputs of a step.
    output_size : int
        R, the width of a result: H, the hidden units, unless h is projected.
    dtype : numpy.dtype
        The dtype of inputs and results.
    nbytes : int
        Memory of the packed weights.

    Raises
    ------
    ValueError
        If weights are of the reverse direction, or of both, or are not kept in a precision, as
        int8 does not keep all cells.
    """

    __slots__ = ("_stack",)

    def __init__(self, weights: StackWeights, precision: str | None = None) -> None:
        if not isinstance(weights, StackWeights):
            raise TypeError(f"weights must be StackWeights, got {type(weights).__name__}")
        self._stack = ServedStack(weights, precision)

    @property
    def weights(self) -> StackWeights:
        """What it was made of."""
        return self._stack.weights

    @property
    def precision(self) -> str:
        """What its weights are kept in."""
        return self._stack.precision

    @property
    def input_size(self) -> int:
        """I, the inputs of a step."""
        return self._stack.input_size

    @property
    def output_size(self) -> int:
        """R, the width of a result: H, the hidden units, unless h is projected."""
        return self._stack.output_size

    @property
    def dtype(self) -> DType:
        """The dtype of inputs and results."""
        return self._stack.dtype

    @property
    def nbytes(self) -> int:
        """Memory of the packed weights."""
        return self._stack.core.nbytes

    def session(self) -> Session:
        """Return a new stream, with a state of zero.

        Returns
        -------
        Session
            Its steps allocate nothing: all memory is taken here.

        Raises
        ------
        MemoryError
            If there is none.
        """
        return Session(self._stack)

    def pool(self, capacity: int) -> Pool:
        """Return a pool of streams, none of which is open yet.

        Parameters
        ----------
        capacity : int
            How many may be open at once.

        Returns
        -------
        Pool
            Its steps allocate nothing: all memory is taken here.

        Raises
        ------
        ValueError
            If `capacity` is less than 1.
        TypeError
            If it is no integer.
        MemoryError
            If there is no memory for so many.
        """
        return Pool(self._stack, options.count("capacity", capacity))

    def __repr__(self) -> str:
        """Show what it was made of."""
        kept = "" if self.precision == self.dtype.name else f" in {self.precision}"
        return f"<Model{kept} of {self.weights!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the weights: packed ones depend on the processor."""
        return Model, (self.weights, self.precision)


def load(
    weights: StackWeights | Mapping[str, Any] | str | os.PathLike[str] | object,
    precision: str | None = None,
    sparse: bool | None = None,
) -> Model:
    """Load a model to be served.

    Parameters
    ----------
    weights : str, path, StackWeights, torch.nn.Module or state_dict
        A safetensors file that `rnnfast.weights.save_weights` has written, or its contents: layers
        of an RNN, LSTM, GRU, MGU or light GRU, each in one direction, forward. Or a module of
        PyTorch with one recurrent layer, or its `state_dict`.
    precision : {"float32", "float64", "bfloat16", "float16", "int8"}, optional
        What weights are kept in: as they are, by default. float32 arrays may be multiplied with
        weights in half as many bytes, or a quarter; inputs, states and results stay float32.
        bfloat16 has 8 significant bits, and inputs and h are rounded to it where they meet weights;
        float16 has 11, and they are not. int8 has whole numbers with a scale for each row, of
        weights, inputs and h, as `rnnfast.prepack` says: for cells that keep h within -1 and 1,
        in which a state must begin.
    sparse : bool, optional
        Whether blocks of `w_hh` that are all zero are skipped, as for `rnnfast.prepack`; by
        default as the weights say. Of an LSTM or GRU, in float32 or float64.

    Returns
    -------
    Model
        `model.session()` is one stream, `model.pool(capacity)` many.

    Raises
    ------
    ValueError
        If the file is damaged, weights are of the reverse direction, or of both, are not kept in a
        precision, or not sparse.
    TypeError
        If `weights` are nothing of this.
    OSError
        If there is no file to read.
    ImportError
        For a file, when safetensors is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> import rnnfast
    >>> weights = rnnfast.weights.StackWeights("gru", np.zeros((12, 3)), np.zeros((12, 4)))
    >>> session = rnnfast.load(weights).session()
    >>> for x_t in np.ones((5, 3)):
    ...     y_t = session.step(x_t)
    >>> y_t.shape
    (4,)
    """
    if isinstance(weights, (str, os.PathLike)):
        stack: StackWeights | None = read_weights(weights)
    else:
        stack = stack_of(weights)
    if stack is None:
        raise TypeError(
            "weights must be a path, StackWeights, or a module or state_dict of PyTorch, got "
            f"{type(weights).__name__}; Prepacked.weights() gives those of a packed cell"
        )
    if sparse is not None:
        stack = StackWeights(**{**stack.arguments(), "sparse": sparse})
    return Model(stack, precision)
