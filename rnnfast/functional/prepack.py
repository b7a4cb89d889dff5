"""Weights packed once, to be run many times: inference and streaming."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, overload

from .._check import Array
from . import documentation
from .gru import GRUOutput
from .light_gru import LightGRUOutput
from .lstm import LSTMOutput
from .mgu import MGUOutput
from .options import PackOptions, Weights
from .prepacked import Prepacked, packing
from .rnn import RNNOutput

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ..weights import StackWeights


@overload
def prepack(
    cell: Literal["rnn"],
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    **options: Unpack[PackOptions],
) -> Prepacked[RNNOutput, Array]: ...
@overload
def prepack(
    cell: Literal["lstm"],
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    **options: Unpack[PackOptions],
) -> Prepacked[LSTMOutput, tuple[Array, Array]]: ...
@overload
def prepack(
    cell: Literal["gru"],
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    **options: Unpack[PackOptions],
) -> Prepacked[GRUOutput, Array]: ...
@overload
def prepack(
    cell: Literal["mgu"],
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    **options: Unpack[PackOptions],
) -> Prepacked[MGUOutput, Array]: ...
@overload
def prepack(
    cell: Literal["light_gru"],
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    **options: Unpack[PackOptions],
) -> Prepacked[LightGRUOutput, Array]: ...
@overload
def prepack(
    cell: str,
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    **options: Unpack[PackOptions],
) -> Prepacked[Any, Any]: ...
@overload
def prepack(
    cell: StackWeights | Mapping[str, Any] | object, **options: Unpack[PackOptions]
) -> Prepacked[Any, Any]: ...
@packing
def prepack(
    cell: Any,
    w_ih: Weights | None = None,
    w_hh: Weights | None = None,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    **options: Unpack[PackOptions],
) -> Prepacked[Any, Any]:
    """Copy and pack weights once, for many calls.

    Layers stack as for the functions: each of `w_ih`, `w_hh`, `b_ih`, `b_hh` may be a sequence of
    arrays, layer by layer, and of each layer, if `bidirectional`, forward before reverse.

    Parameters
    ----------
    cell : str, StackWeights, torch.nn.Module or state_dict
        The kind of cell, by the name of its function: "rnn", "lstm", "gru" and so on. G is the
        number of its gates. Or weights as a whole, in place of the arrays below: a description of
        `rnnfast.weights`, a module of PyTorch with one recurrent layer, or its `state_dict`, of
        which options say what it does not: `nonlinearity`.
    w_ih : array_like, shape (G*H, I)
        Input weights in the gate order of that function.
    w_hh : array_like, shape (G*H, H)
        Recurrent weights.
    b_ih, b_hh : array_like, shape (G*H,), optional
        Biases, each zero by default.

    Returns
    -------
    Prepacked
        `cell(x, state)` runs sequences and `cell.step(x_t, state)` single steps, if there is one
        direction, forward.

    Raises
    ------
    ValueError
        If a shape does not fit, an option is unknown or of another kind of cell, the type of the
        arrays cannot hold a number like `clip`, or `precision` cannot hold a weight.
    TypeError
        If an array is not float32 or float64 (on a GPU: or float16 or bfloat16), not of the dtype
        of `w_ih`, not of a type that `precision` goes with, or given beside weights as a whole.
    MemoryError
        If the copies do not fit into memory.

    Examples
    --------
    >>> import numpy as np
    >>> import rnnfast
    >>> cell = rnnfast.prepack("gru", np.zeros((12, 3)), np.zeros((12, 4)))
    >>> h = None
    >>> for x_t in np.ones((5, 2, 3)):
    ...     h = cell.step(x_t, h)
    >>> h.shape
    (2, 4)
    """
    if isinstance(cell, str):
        return Prepacked(cell, w_ih, w_hh, b_ih, b_hh, **options)  # type: ignore[arg-type]  # None is refused
    from ..weights.sources import arguments_of  # which few need

    whole = arguments_of(cell)
    if whole is None:
        raise TypeError(
            f"cell must be the name of a kind of cell, StackWeights, a torch.nn.Module or a "
            f"state_dict, got {type(cell).__name__}; layers of Keras are described by "
            f"rnnfast.interop.keras.find"
        )
    for name, array in (("w_ih", w_ih), ("w_hh", w_hh), ("b_ih", b_ih), ("b_hh", b_hh)):
        if array is not None:
            raise TypeError(f"{name} must be left out, cell has weights: a {type(cell).__name__}")
    return Prepacked(**{**whole, **options})


if prepack.__doc__:  # unlike under python -OO
    prepack.__doc__ = documentation.of_pack(prepack)
