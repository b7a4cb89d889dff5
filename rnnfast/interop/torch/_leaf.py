"""What torch's tools make of modules not its own: `torch.fx`, quantization, TorchScript.

They ask for the class of a module, or the name of the Python module that it comes from.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import Module

from ._fallback import say_once

_CALL = Module.__call__


class LeafModule(Module):  # type: ignore[misc]  # torch is not looked into
    """A module that `torch.fx` takes as a whole, and that says so if it is not quantized."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the module; under `torch.fx`, make it a node of the graph, as torch's own."""
        if Module.__call__ is _CALL:
            if self._compiled_call_impl is None:  # what it does then, half a microsecond sooner
                return self._call_impl(*args, **kwargs)
        else:  # patched: as `torch.fx` does while it traces
            tracer = _tracer_of(args, kwargs)
            if tracer is not None:

                def as_a_leaf(*args: Any, **kwargs: Any) -> Any:
                    path = tracer.path_of_module(self)
                    return tracer.create_proxy("call_module", path, args, kwargs)

                return tracer.call_module(self, as_a_leaf, args, kwargs)
        return Module.__call__(self, *args, **kwargs)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; `torch.ao.quantization` sets `qconfig` of every module it looks at."""
        if name == "qconfig":
            say_once(
                "torch.ao.quantization does not know the modules of rnnfast and leaves them in "
                f"floating point, {type(self).__name__} among them; for torch's to be quantized, "
                "call rnnfast.interop.torch.swap_back(model) before",
                "quantization",
            )
        super().__setattr__(name, value)

    def __prepare_scriptable__(self) -> Any:
        """Refuse what `torch.jit.script` asks for: a module whose `forward` it can compile."""
        raise NotImplementedError(
            f"torch.jit.script cannot compile rnnfast's {type(self).__name__}; call "
            "rnnfast.interop.torch.swap_back(model) before, or use torch.jit.trace or torch.export"
        )


def _tracer_of(*arguments: Any) -> Any:
    """Return the tracer of symbolic arguments; None where all are real."""
    for leaf in torch.utils._pytree.tree_leaves(arguments):
        if isinstance(leaf, torch.fx.Proxy):
            return leaf.tracer
    return None
