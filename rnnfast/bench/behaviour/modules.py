"""PyTorch's modules, and the same ones after `swap`: whole steps of training, and single calls."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ... import _core
from ..peers import Ours, Unable
from ..peers.peer import import_host
from ..timing import Call
from .ratios import BoundedRatio, medians

__all__ = ["beside_torchs_modules", "both"]

_PROGRAMS = (("lstm", 1.6), ("gru", 2.5), ("rnn", 2.5))
_STEPS = 50
_EMBEDDING, _UNITS, _DEPTH = 64, 256, 2
_SEQ_LEN, _BATCH_SIZE = 100, 32
_T, _B, _H = 200, 32, 128  # of packed sequences
_UNITS_OF_A_STEP = 64


def beside_torchs_modules(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare models in PyTorch before and after `rnnfast.interop.torch.swap`.

    Parameters
    ----------
    ours : Ours
        rnnfast; torch uses as many threads.
    rounds : int
        Turns of each.

    Returns
    -------
    list of BoundedRatio
        None if torch is not installed.
    """
    try:
        torch = import_host("torch")
    except Unable:
        return []
    torch.set_num_threads(ours.threads)
    looks: tuple[Callable[[Any, int], list[BoundedRatio]], ...] = (
        _programs,
        _packed_sequences,
        _cells,
        _overhead,
    )
    return [ratio for look in looks for ratio in look(torch, rounds)]


def both(torch: Any, module: Any) -> tuple[Any, Any]:
    """Return a module, and a copy of it that is swapped.

    Parameters
    ----------
    torch : module
        PyTorch.
    module : torch.nn.Module
        One of torch's own.

    Returns
    -------
    tuple of torch.nn.Module
        RuntimeError if anything of it was left.
    """
    from ...interop.torch import swap

    swapped = copy.deepcopy(module)
    report = swap(swapped)
    if not report.swapped or report.left:
        raise RuntimeError(f"not swapped: {report}")
    return module, swapped


def _programs(torch: Any, rounds: int) -> list[BoundedRatio]:
    """Return steps of training of a character model, and how far its losses are apart."""
    from ...examples import char_lm, text, torch_swap

    corpus = char_lm.prepare(text.python_documentation(), _SEQ_LEN)
    batches = torch_swap.draw_batches(corpus.training, _STEPS, _BATCH_SIZE, _SEQ_LEN, seed=0)
    found = []
    for cell, bound in _PROGRAMS:
        torch.manual_seed(0)
        model = torch_swap.CharacterModel(cell, len(corpus.alphabet), _EMBEDDING, _UNITS, _DEPTH)
        models = dict(zip(("theirs", "own"), both(torch, model), strict=True))
        steps: dict[str, Call] = {}
        losses = {}
        for name, one in models.items():
            step = partial(torch_swap.step, one, torch.optim.Adam(one.parameters(), 2e-3))
            losses[name] = [step(*batch) for batch in batches]
            steps[name] = partial(step, *batches[0])
        apart = max(abs(a - b) / a for a, b in zip(losses["theirs"], losses["own"], strict=True))
        times = medians(steps, rounds)
        about = f"character model, {cell}"
        ratio = times["theirs"] / times["own"]
        found += [
            BoundedRatio(f"torch's time / ours, {about}", ratio, "at least", bound),
            BoundedRatio(
                f"relative difference of losses x 1e4, {about}", 1e4 * apart, "at most", 1.0
            ),
        ]
    return found


def _packed_sequences(torch: Any, rounds: int) -> list[BoundedRatio]:
    """Return training steps of an LSTM on a PackedSequence, lengths uniform in 20 .. 200."""
    lengths = torch.from_numpy(np.random.default_rng(1).integers(20, _T, _B, endpoint=True))
    padded = torch.randn(_T, _B, _H)
    packed = torch.nn.utils.rnn.pack_padded_sequence(padded, lengths, enforce_sorted=False)

    def training(module: Any) -> Call:
        def call() -> None:
            y, _ = module(packed)
            y.data.sum().backward()

        return call

    modules = both(torch, torch.nn.LSTM(_H, _H))
    theirs, own = map(training, modules)
    for call in (theirs, own):
        call()
    gradients = [[weight.grad for weight in module.parameters()] for module in modules]
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-3, atol=1e-3)
    times = medians({"theirs": theirs, "own": own}, rounds)
    about = f"torch's time / ours, PackedSequence, LSTM training {_T}/{_B}/{_H}"
    return [BoundedRatio(about, times["theirs"] / times["own"], "at least", 8.0)]


def _cells(torch: Any, rounds: int) -> list[BoundedRatio]:
    """Return single steps of a cell in inference, frozen and not."""
    from ...interop.torch import freeze

    found = []
    for kind in ("LSTMCell", "GRUCell"):
        x, h = torch.randn(1, _UNITS_OF_A_STEP), torch.randn(1, _UNITS_OF_A_STEP)
        state = (h, h.clone()) if kind == "LSTMCell" else h

        def inference(module: Any, x: Any = x, state: Any = state) -> Call:
            def call() -> Any:
                with torch.inference_mode():
                    return module(x, state)

            return call

        module = getattr(torch.nn, kind)(_UNITS_OF_A_STEP, _UNITS_OF_A_STEP)
        theirs, own = both(torch, module)
        _, frozen = both(torch, module)
        freeze(frozen)
        modules = {"theirs": theirs, "own": own, "frozen": frozen}
        steps = {name: inference(one) for name, one in modules.items()}
        for step in steps.values():
            torch.testing.assert_close(step(), steps["theirs"]())
        times = medians(steps, rounds)
        for name, said, bound in (("own", "", 1.3), ("frozen", " frozen", 2.0)):
            about = f"torch's time / ours, {kind}{said} B=1 H={_UNITS_OF_A_STEP}"
            found.append(BoundedRatio(about, times["theirs"] / times[name], "at least", bound))
    return found


def _overhead(torch: Any, rounds: int) -> list[BoundedRatio]:
    """Return what one layer's module takes beyond the calls of the kernels, in microseconds."""
    from ...interop.torch import _call

    _, lstm = both(torch, torch.nn.LSTM(_UNITS_OF_A_STEP, _UNITS_OF_A_STEP))
    x = torch.randn(1, 1, _UNITS_OF_A_STEP)
    arrays = [weight.detach().numpy() for weight in lstm.parameters()]
    cell = _call.Call("lstm", ("w_ih", "w_hh", "b_ih", "b_hh")).core_cell().core
    weights = (*arrays, None, None, None)
    packed = _core.pack(cell, weights)
    y, h_n, c_n, dx = (np.empty(x.shape, np.float32) for _ in range(4))
    of_weights = tuple(np.empty_like(array) for array in arrays)
    dy, sequence, nothing = np.ones_like(y), x.numpy(), (None,) * 5
    upstream = torch.from_numpy(dy)

    def kernels_of_inference() -> None:
        packed.forward(sequence, *nothing, y, h_n, c_n)

    def inference() -> None:
        with torch.no_grad():
            lstm(x)

    def nothing_of_inference() -> None:
        with torch.no_grad():
            pass

    def kernels_of_training() -> None:
        tape = _core.forward_saving(cell, sequence, weights, *nothing, y, h_n, c_n, None)
        gradients = (*of_weights, None, None, None)
        tape.backward(sequence, weights, None, None, 0, dy, None, None, dx, gradients, None, None)

    def training() -> None:
        lstm.zero_grad()
        lstm(x)[0].backward(upstream)

    def nothing_of_training() -> None:
        lstm.zero_grad()

    calls: dict[str, Call] = {
        call.__name__: call
        for call in (
            kernels_of_inference,
            inference,
            nothing_of_inference,
            kernels_of_training,
            training,
            nothing_of_training,
        )
    }
    kernels_of_inference()
    torch.testing.assert_close(lstm(x)[0].detach(), torch.from_numpy(y))
    times = medians(calls, rounds)
    found = []
    for mode, bound in (("inference", 8.0), ("training", 30.0)):
        of_kernels, of_nothing = times[f"kernels_of_{mode}"], times[f"nothing_of_{mode}"]
        microseconds = 1e6 * (times[mode] - of_kernels - of_nothing)
        about = f"us of an LSTM's module beyond the kernels', {mode} 1/1/{_UNITS_OF_A_STEP}"
        found.append(BoundedRatio(about, microseconds, "at most", bound))
    return found
