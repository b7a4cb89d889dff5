"""A callback for skorch: rnnfast runs the recurrent modules of a net.

    net = skorch.NeuralNetClassifier(Module, callbacks=[rnnfast.interop.skorch.Swap()])

See also: docs/pytorch.md.
"""

from __future__ import annotations

import warnings
from typing import Any

import skorch

from .torch import Report, swap
from .torch._classes import is_swapped

__all__ = ["Swap"]


class Swap(skorch.callbacks.Callback):  # type: ignore[misc]  # skorch is not looked into
    """Swap the recurrent modules of a net when its training begins.

    They stay so: predictions run on the kernels as well. skorch tells its callbacks of training
    alone; a net that is only loaded, by ``initialize`` and ``load_params``, is swapped by
    ``rnnfast.interop.torch.swap(net.module_)``. Files of ``save_params`` are the same with and
    without. A pickle of the whole net has this callback in it, and asks for rnnfast.

    Attributes
    ----------
    report_ : Report
        What was swapped, and what was left and why, by the names of modules in the net.

    Examples
    --------
    >>> net = skorch.NeuralNetRegressor(Module, callbacks=[Swap()])
    """

    def initialize(self) -> Swap:
        """Forget the net before, as skorch asks for."""
        self.report_ = Report({}, {})
        return self

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Swap the net's modules."""
        modules = {f"{name}_": getattr(net, f"{name}_") for name in net._modules}
        for prefix, module in modules.items():
            for mine, found in zip(self.report_, swap(module), strict=True):
                mine.update({f"{prefix}.{name}".rstrip("."): what for name, what in found.items()})
        if not any(is_swapped(part) for module in modules.values() for part in module.modules()):
            warnings.warn(f"rnnfast runs no module of this net: {self.report_}", stacklevel=2)
