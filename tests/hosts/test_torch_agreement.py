"""Agreement with PyTorch in float64, and error beside PyTorch's in float32."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rnnfast.testing.cells import CELLS_BY_NAME, Cell
from rnnfast.testing.gradients import assert_gradients
from rnnfast.testing.random import Problem, random_problem

MODULES = {
    "rnn_tanh": (torch.nn.RNN, {"nonlinearity": "tanh"}),
    "rnn_relu": (torch.nn.RNN, {"nonlinearity": "relu"}),
    "lstm": (torch.nn.LSTM, {}),
    "gru": (torch.nn.GRU, {}),
}
CELLS = tuple(CELLS_BY_NAME[name] for name in MODULES)

Arrays = dict[str, np.ndarray]


@pytest.fixture(scope="module", autouse=True)
def one_thread_each() -> None:
    """Keep torch's idle threads from spinning on the cores that ours are to run on."""
    torch.set_num_threads(1)


def by_torch(cell: Cell, arguments: Arrays, cotangents: Arrays, reverse: bool) -> Arrays:
    """Outputs and gradients, under our names, of torch's module given our arguments."""
    steps = [0] if reverse else []
    kind, options = MODULES[cell.name]
    w_ih, w_hh = arguments["w_ih"], arguments["w_hh"]
    module = kind(w_ih.shape[1], w_hh.shape[1], dtype=torch.from_numpy(w_ih).dtype, **options)
    parameters = {
        "w_ih": module.weight_ih_l0,
        "w_hh": module.weight_hh_l0,
        "b_ih": module.bias_ih_l0,
        "b_hh": module.bias_hh_l0,
    }
    with torch.no_grad():
        for name, parameter in parameters.items():
            if name in arguments:
                parameter.copy_(torch.from_numpy(arguments[name]))
            else:
                parameter.zero_()
    inputs = {
        name: torch.from_numpy(arguments[name]).requires_grad_() for name in ("x", *cell.states)
    }
    states = tuple(inputs[state][None] for state in cell.states)
    y, final = module(inputs["x"].flip(steps), states if len(states) > 1 else states[0])
    finals = final if len(states) > 1 else (final,)
    outputs = dict(zip(cell.outputs, (y.flip(steps), *(f[0] for f in finals)), strict=True))
    sum(
        (torch.from_numpy(cotangents[f"d{name}"]) * o).sum() for name, o in outputs.items()
    ).backward()
    leaves = {name: leaf for name, leaf in {**parameters, **inputs}.items() if name in arguments}
    return {
        **{name: output.detach().numpy() for name, output in outputs.items()},
        **{f"d{name}": leaf.grad.numpy() for name, leaf in leaves.items()},
    }


def by_us(cell: Cell, arguments: Arrays, cotangents: Arrays, reverse: bool) -> Arrays:
    out, pullback = cell.vjp(arguments, reverse=reverse)
    gradients = pullback(**cotangents)._asdict()
    present = {f"d{name}": g for name, g in gradients.items() if g is not None}
    return {**out._asdict(), **present}


def widened(arrays: Arrays) -> Arrays:
    return {name: a.astype(np.float64) for name, a in arrays.items()}


def relative(got: np.ndarray, want: np.ndarray) -> float:
    return float(np.linalg.norm(got - want) / np.linalg.norm(want)) if want.any() else 0.0


@pytest.mark.parametrize("seed", range(100))
def test_float64(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, CELLS)
    arguments = widened(problem.with_all_states(problem.arguments(rng)))
    cotangents = widened(problem.cotangents(rng))
    ours = by_us(problem.cell, arguments, cotangents, problem.reverse)
    theirs = by_torch(problem.cell, arguments, cotangents, problem.reverse)
    assert ours.keys() == theirs.keys()
    for name, want in theirs.items():
        assert relative(ours[name], want) < 1e-11, name


@pytest.mark.parametrize("seed", range(20))
def test_the_oracle_and_its_complex_step(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, CELLS)
    cell, reverse = problem.cell, problem.reverse
    arguments = widened(problem.with_all_states(problem.arguments(rng)))
    cotangents = widened(problem.cotangents(rng))
    theirs = by_torch(cell, arguments, cotangents, reverse)
    for name, got in zip(cell.outputs, cell.reference(arguments, reverse=reverse), strict=True):
        assert relative(got, theirs[name]) < 1e-13, name
    gradients = {name: theirs[f"d{name}"] for name in arguments}
    assert_gradients(cell, arguments, cotangents, gradients, rng, reverse=reverse)


def test_float32_errs_no_more_than_torch() -> None:
    """Root mean square over all results of the relative error against float64, as a ratio.

    A relu that flips between float32 and float64 would compare luck, not arithmetic: it is the
    one cell left out.
    """
    smooth = tuple(cell for cell in CELLS if cell.name != "rnn_relu")
    ratios = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        problem = Problem(
            smooth[rng.integers(len(smooth))],
            np.float32,
            T=int(rng.integers(1, 41)),
            B=int(rng.integers(1, 49)),
            I=int(rng.integers(1, 161)),
            H=int(rng.integers(1, 161)),
            reverse=bool(rng.integers(2)),
        )
        arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
        call = (problem.cell, arguments, cotangents, problem.reverse)
        exact = by_torch(problem.cell, widened(arguments), widened(cotangents), problem.reverse)
        ours, theirs = (
            np.sqrt(np.mean([relative(results[name], want) ** 2 for name, want in exact.items()]))
            for results in (by_us(*call), by_torch(*call))
        )
        ratios.append(ours / theirs)
    assert np.median(ratios) <= 1.0, f"median {np.median(ratios):.2f}"
    assert max(ratios) <= 4.0, f"worst {max(ratios):.2f}, seed {int(np.argmax(ratios))}"
