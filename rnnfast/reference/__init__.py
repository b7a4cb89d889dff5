"""The equations of every cell in plain NumPy, written independently of the kernels: the oracle.

Each function takes the arguments of its namesake in `rnnfast` and computes in whatever type the
arrays have: float32, float64, ``longdouble``, and their complex counterparts, so that a complex
step differentiates straight through. Slow on purpose: nothing here is rearranged for speed.
"""

from .ctc import collapse, ctc_loss, ctc_loss_over_paths
from .gru import gru
from .light_gru import light_gru
from .lstm import lstm
from .mgu import mgu
from .rnn import rnn

__all__ = ["collapse", "ctc_loss", "ctc_loss_over_paths", "gru", "light_gru", "lstm", "mgu", "rnn"]
