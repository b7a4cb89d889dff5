"""Drop-in for PyTorch: the recurrent modules of `torch.nn` on the kernels of rnnfast.

    from rnnfast.interop.torch import LSTM      in place of torch.nn.LSTM
    rnnfast.interop.torch.swap(model)           every recurrent module of a model, in place
    rnnfast.interop.torch.freeze(model)         to serve it: nobody writes to its weights
    rnnfast.interop.torch.prepack_quantized     a module that torch has quantized, for NumPy arrays
    rnnfast.interop.torch.state_dict(weights)   of `rnnfast.weights`, for `load_state_dict`

The modules are subclasses of torch's: constructors, parameters, checkpoints, hooks and error
messages are theirs. What runs is one operator for all layers of a module, registered as
`torch.ops.rnnfast.forward` with gradients of any order, shapes and `vmap`. float32, float64 and
bfloat16 on the CPU run here, and on CUDA devices, where float16 does as well, if the extension for
them is there; anything else is handed to torch, and said once.

Written for torch 2.4 and later. See also: docs/pytorch.md.
"""

from __future__ import annotations

from .._report import Report
from ._kernels import kernel_calls
from ._weights import state_dict
from .cells import GRUCell, LSTMCell, RNNCell
from .freeze import freeze, unfreeze
from .layers import GRU, LSTM, RNN
from .quantized import prepack_quantized
from .swap import swap, swap_back

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "GRUCell",
    "LSTMCell",
    "RNNCell",
    "Report",
    "freeze",
    "kernel_calls",
    "prepack_quantized",
    "state_dict",
    "swap",
    "swap_back",
    "unfreeze",
]
