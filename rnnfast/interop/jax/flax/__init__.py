"""Drop-in for Flax: `nnx.RNN` and `linen.RNN` on the kernels of rnnfast.

    swap(model)                     nnx: every RNN of a model, in place; `swap_back` undoes it
    with intercept():               linen: every RNN that is called meanwhile
        y = model.apply(variables, x)

`Bidirectional` of either calls two RNNs, and they run here. Parameters, states, checkpoints, random
numbers and error messages are Flax's. Its LSTM, GRU, MGU and simple cells run on the kernels in
float32 and float64 on the CPU; anything else is handed to Flax, and said once.

Written for Flax 0.12. See also: docs/flax.md.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..._report import Report
    from ._linen import intercept
    from ._nnx import RNN, swap, swap_back

__all__ = ["RNN", "Report", "intercept", "swap", "swap_back"]

# Either half of Flax is large: a user of one need not load the other.
_WHERE = {
    "RNN": "._nnx",
    "Report": "..._report",
    "intercept": "._linen",
    "swap": "._nnx",
    "swap_back": "._nnx",
}


if not TYPE_CHECKING:  # or a checker would take any name for one that exists

    def __getattr__(name: str) -> object:
        """Load what was not needed before: PEP 562."""
        if name in _WHERE:
            return getattr(importlib.import_module(_WHERE[name], __name__), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
