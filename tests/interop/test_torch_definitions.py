"""PyTorch's own definitions of its recurrent modules: what its tests run, on our modules."""

import copy
import pickle
import re

import pytest
import torch
from torch.nn.utils.rnn import PackedSequence
from torch.testing._internal.common_modules import ModuleErrorEnum, module_db
from torch.testing._internal.common_utils import noncontiguous_like

from rnnfast.interop import torch as ours

SEQUENCES = ("RNN", "LSTM", "GRU")
NAMES = (*SEQUENCES, *(f"{name}Cell" for name in SEQUENCES))
INFOS = {info.module_cls: info for info in module_db}
# Of the largest number of a tensor, or of 1, the size of what arrives from above. Inputs are up to
# 9 and fill the gates, where 1 - tanh(x)**2 cancels: in float32, torch itself is off by some 6e-6.
BOUNDS = {torch.float32: 2e-5, torch.float64: 1e-13}

# Of torch's own module.
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")

every_module = pytest.mark.parametrize("name", NAMES)
every_dtype = pytest.mark.parametrize("dtype", BOUNDS, ids=str)
every_mode = pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])


def definitions(name, dtype, training):
    """The inputs that torch defines for a module, packed sequences among them."""
    torch.manual_seed(4)
    info = INFOS[getattr(torch.nn, name)]
    more = {"with_packed_sequence": True} if name in ("RNN", "GRU") else {}
    found = [
        *info.module_inputs_func(
            info, device="cpu", dtype=dtype, requires_grad=True, training=training, **more
        )
    ]
    assert found
    return found


def twins(name, definition, dtype, training):
    """Torch's module and ours, with the same state."""
    given = definition.constructor_input
    theirs, own = (
        getattr(library, name)(*given.args, **given.kwargs).to(dtype).train(training)
        for library in (torch.nn, ours)
    )
    own.load_state_dict(theirs.state_dict())
    return theirs, own


def flat(values):
    """The tensors in arguments or results."""
    if isinstance(values, PackedSequence):
        return [values.data]
    if isinstance(values, torch.Tensor):
        return [values]
    return [tensor for value in values for tensor in flat(value)]


def mapped(function, values):
    """Arguments with each tensor or packed sequence changed."""
    if isinstance(values, (PackedSequence, torch.Tensor)):
        return function(values)
    return tuple(mapped(function, value) for value in values)


def assert_close(got, want):
    for a, b in zip(got, want, strict=True):
        bound = BOUNDS[b.dtype] * max(1.0, b.abs().max().item())
        torch.testing.assert_close(a, b, rtol=0, atol=bound)


def ran(module, args, kwargs):
    """Results, by our kernels if the module is ours."""
    before = ours.kernel_calls()
    results = module(*args, **kwargs)
    is_own = type(module).__module__.startswith("rnnfast")
    assert (ours.kernel_calls() > before) == is_own
    return results


def pulled(results, module, args):
    """Gradients of the parameters and of the arguments."""
    loss = sum((t.square() + t).sum() for t in flat(results))
    leaves = [t for t in flat(args) if t.requires_grad]
    assert leaves
    return torch.autograd.grad(loss, [*module.parameters(), *leaves])


@every_module
@every_dtype
@every_mode
def test_results_and_gradients(name, dtype, training):
    for definition in definitions(name, dtype, training):
        args, kwargs = definition.forward_input.args, definition.forward_input.kwargs
        theirs, own = twins(name, definition, dtype, training)
        assert repr(own) == repr(theirs)
        want, got = (ran(module, args, kwargs) for module in (theirs, own))
        assert type(got) is type(want)
        assert_close(flat(got), flat(want))
        assert_close(pulled(got, own, args), pulled(want, theirs, args))
        with torch.no_grad():
            without = ran(own, args, kwargs)
        assert_close(flat(without), flat(want))


@every_module
@every_dtype
@every_mode
def test_references(name, dtype, training):
    seen = 0
    for definition in definitions(name, dtype, training):
        args, kwargs = definition.forward_input.args, definition.forward_input.kwargs
        # torch lists it with packed sequences, too, but it takes tensors alone.
        if definition.reference_fn is None or isinstance(args[0], PackedSequence):
            continue
        seen += 1
        _, own = twins(name, definition, dtype, training)
        want = definition.reference_fn(own, *args, **kwargs)
        assert_close(flat(own(*args, **kwargs)), flat(want))
    assert seen


@every_module
@every_dtype
def test_inputs_of_any_layout(name, dtype):
    for definition in definitions(name, dtype, True):
        args = definition.forward_input.args
        if isinstance(args[0], PackedSequence):  # whose data torch has contiguous
            continue
        theirs, own = twins(name, definition, dtype, True)
        strided = mapped(noncontiguous_like, args)
        assert not any(t.is_contiguous() for t in flat(strided))
        want, got = theirs(*args), own(*strided)
        assert_close(flat(got), flat(want))
        assert_close(pulled(got, own, strided), pulled(want, theirs, args))


@every_module
def test_gradients_of_many_at_once(name):
    for definition in definitions(name, torch.float64, True):
        args = definition.forward_input.args
        found = []
        for module in twins(name, definition, torch.float64, True):
            y = flat(ran(module, args, {}))[0]
            torch.manual_seed(5)
            above = torch.randn(3, *y.shape, dtype=y.dtype)
            leaves = [*module.parameters(), *(t for t in flat(args) if t.requires_grad)]
            found.append(
                torch.autograd.grad(y, leaves, above, is_grads_batched=True, allow_unused=True)
            )
        assert_close(*([g for g in of if g is not None] for of in reversed(found)))


class With(torch.nn.Module):
    """A model around a module, for torch.fx to trace."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, input, hx=None):
        return self.module(input, hx)


@every_module
def test_symbolic_traces(name):
    for definition in definitions(name, torch.float64, True):
        args = definition.forward_input.args
        traced = [
            torch.fx.symbolic_trace(With(module))
            for module in twins(name, definition, torch.float64, True)
        ]
        assert str(traced[1].graph) == str(traced[0].graph)
        want, got = (flat(of(*args)) for of in traced)
        assert_close(got, want)


@every_module
def test_weights_that_are_written_to_past_autograd(name):
    for definition in definitions(name, torch.float64, False):
        args = definition.forward_input.args
        theirs, own = twins(name, definition, torch.float64, False)
        with torch.no_grad():
            ran(own, args, {})
            for module in (theirs, own):
                for weight in module.parameters():
                    weight.data[weight.data.abs() < 0.1] = 0
            assert_close(flat(ran(own, args, {})), flat(theirs(*args)))


@every_module
@every_mode
def test_copies_and_conversions(name, training):
    for definition in definitions(name, torch.float32, training):
        args = definition.forward_input.args
        theirs, own = twins(name, definition, torch.float32, training)
        want = own(*args)
        for other in (copy.deepcopy(own), pickle.loads(pickle.dumps(own))):
            assert type(other) is type(own)
            assert other.training is training
            assert repr(other) == repr(own)
            for a, b in zip(flat(want), flat(ran(other, args, {})), strict=True):
                assert torch.equal(a, b)
        wide = mapped(lambda t: t.to(torch.float64), args)
        assert_close(
            flat(ran(own.to(torch.float64), wide, {})),
            flat(theirs.to(torch.float64)(*wide)),
        )


@every_module
@every_dtype
@every_mode
def test_errors(name, dtype, training):
    torch.manual_seed(4)
    info = INFOS[getattr(torch.nn, name)]
    found = [
        *info.module_error_inputs_func(
            info, device="cpu", dtype=dtype, requires_grad=False, training=training
        )
    ]
    assert found
    for definition in found:
        made, given = (
            definition.module_error_input.constructor_input,
            definition.module_error_input.forward_input,
        )
        said = []
        for library in (torch.nn, ours):
            module_class = getattr(library, name)
            if definition.error_on is ModuleErrorEnum.CONSTRUCTION_ERROR:
                with pytest.raises(definition.error_type) as caught:
                    module_class(*made.args, **made.kwargs)
            else:
                module = module_class(*made.args, **made.kwargs)
                with pytest.raises(definition.error_type) as caught:
                    module(*given.args, **given.kwargs)
            assert re.search(definition.error_regex, str(caught.value))
            said.append((type(caught.value), str(caught.value)))
        assert said[0] == said[1]
