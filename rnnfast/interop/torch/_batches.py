"""Gradients that arrive many at once: of `vmap`, and of the older one behind `is_grads_batched`.

They are taken one after the other: what differs between them may be anything, weights as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import torch
from torch import Tensor

Tensors: TypeAlias = Sequence[Tensor | None]


def one_by_one(pull: Callable[[Tensors], Tensors], above: Tensors) -> Tensors:
    """Return `pull(above)`, where `torch.autograd.grad(..., is_grads_batched=True)` may be at work.

    That batches tensors in a way of its own, of which neither autograd functions nor `torch.func`
    know: `jacobian` and `hessian` with `vectorize`, and `gradcheck` use it.
    """
    if not any(map(_is_batched, above)):
        return pull(above)
    return _from_level(_innermost_level(), pull, above)


def _from_level(level: int, pull: Callable[[Tensors], Tensors], above: Tensors) -> Tensors:
    """As `one_by_one`, where tensors may be batched at this level and those around it."""
    if not any(map(_is_batched, above)):
        return pull(above)
    # A tensor that is batched at other levels alone gets an axis of one here.
    unbatched = [
        torch._remove_batch_dim(one, level, 1, 0) if _is_batched(one) else one for one in above
    ]
    batched = [i for i, one in enumerate(above) if _is_batched(one)]
    count = max(_not_none(unbatched[i]).shape[0] for i in batched)
    results = []
    for n in range(count):
        element = list(unbatched)
        for i in batched:
            of_all = _not_none(unbatched[i])
            element[i] = of_all[min(n, of_all.shape[0] - 1)]
        results.append(_from_level(level - 1, pull, element))
    return [
        None if stacked is None else torch._add_batch_dim(stacked, 0, level)
        for stacked in stack(results)
    ]


def stack(results: Sequence[Tensors]) -> list[Tensor | None]:
    """Return the tensors of several results, each stacked; None where there are none."""
    return [
        None if of_all[0] is None else torch.stack([_not_none(one) for one in of_all])
        for of_all in zip(*results, strict=True)
    ]


def element_by_element(
    function: Callable[..., Any], count: int, in_dims: Sequence[Any], arguments: Sequence[Any]
) -> tuple[Any, Any]:
    """Return the results for each of `count` elements, stacked, as `torch.func.vmap` wants them."""
    results = [function(*map(partial(_element, i), arguments, in_dims)) for i in range(count)]
    form = type(results[0])
    stacked = form(stack(results))
    return stacked, form(None if of_all is None else 0 for of_all in stacked)


def _element(i: int, argument: Any, dims: Any) -> Any:
    if isinstance(argument, Tensor):
        return argument if dims is None else argument.select(dims, i)
    if isinstance(argument, list) and isinstance(dims, (list, tuple)):
        return [_element(i, *one) for one in zip(argument, dims, strict=True)]
    return argument


class OneByOne(torch.autograd.Function):  # type: ignore[misc]  # torch is not looked into
    """An autograd function of which `vmap` takes one element after the other."""

    @classmethod
    def vmap(cls, info: Any, in_dims: tuple[Any, ...], *arguments: Any) -> tuple[Any, Any]:
        """Return results stacked along their first axis."""
        return element_by_element(cls.apply, info.batch_size, in_dims, arguments)


def _is_batched(tensor: Tensor | None) -> bool:
    return tensor is not None and bool(torch._C._functorch.is_legacy_batchedtensor(tensor))


def _innermost_level() -> int:
    level: int = torch._C._vmapmode_increment_nesting() - 1
    torch._C._vmapmode_decrement_nesting()
    return level


def _not_none(tensor: Tensor | None) -> Tensor:
    assert tensor is not None
    return tensor
