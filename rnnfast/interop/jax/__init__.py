"""Recurrent layers for JAX on the kernels of rnnfast.

    rnn, lstm, gru, mgu, light_gru     the functions of rnnfast, of arrays of JAX
    kernel_calls                       how many passes the kernels have run

They are differentiable functions, under `jax.jit`, `grad`, `vmap`, `checkpoint`, `shard_map` and in
programs of several processes. float32 and float64 on the CPU run on the kernels, by XLA's foreign
function interface; everything else runs by the same equations in `jax.lax.scan`.

See also: docs/jax.md.
"""

from __future__ import annotations

from ._kernels import kernel_calls
from ._network import LSTMOutput, Output
from .functions import gru, light_gru, lstm, mgu, rnn

__all__ = ["LSTMOutput", "Output", "gru", "kernel_calls", "light_gru", "lstm", "mgu", "rnn"]
