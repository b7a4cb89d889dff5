"""The functions of rnnfast on tensors: results and gradients of the functions on arrays."""

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_array_equal

import rnnfast
from rnnfast.interop import tensorflow as ours
from rnnfast.testing.cells import CELLS, is_weight
from rnnfast.testing.random import Problem

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tensorflow.md"


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_they_are_those_of_arrays(cell, batch_first):
    rng = np.random.default_rng(1)
    problem = Problem(cell, np.float32, states=cell.states)
    arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
    options = {"lengths": [5, 2, 0], "batch_first": batch_first, **cell.options}
    if batch_first:
        arguments["x"] = arguments["x"].swapaxes(0, 1).copy()
        cotangents["dy"] = cotangents["dy"].swapaxes(0, 1).copy()
    results, pullback = cell.vjp(arguments, lengths=[5, 2, 0], batch_first=batch_first)
    gradients = pullback(**cotangents)
    variables = {name: tf.Variable(a) if is_weight(name) else a for name, a in arguments.items()}
    watched = {name: a for name, a in variables.items() if is_weight(name)}
    with tf.GradientTape() as tape:
        found = getattr(ours, cell.function)(**variables, **options)
        loss = sum(tf.reduce_sum(r * d) for r, d in zip(found, cotangents.values(), strict=True))
    assert type(found) is type(results)
    for one, other in zip(results, found, strict=True):
        assert_array_equal(one, other)
    for name, gradient in tape.gradient(loss, watched).items():
        assert_array_equal(getattr(gradients, name), gradient)


def test_a_state_goes_on_where_a_call_ended():
    x, w = tf.random.normal((6, 2, 3)), tf.random.normal((16, 3))
    weights = w, tf.random.normal((16, 4))
    whole = ours.lstm(x, *weights)
    first = ours.lstm(x[:4], *weights)
    assert_array_equal(whole.h_n, ours.lstm(x[4:], *weights, state=first.state).h_n)
    with pytest.raises(ValueError, match="state and h0 say the same, pass one of them"):
        ours.lstm(x, *weights, state=first.state, h0=first.h_n)
    with pytest.raises(ValueError, match="forget_gate must be"):
        ours.lstm(x, *weights, forget_gate="none at all")
    with pytest.raises(TypeError, match="takes no 'recurrent_dropout'; a Keras layer has it"):
        ours.lstm(x, *weights, recurrent_dropout=0.5)
    with pytest.raises(TypeError, match="takes no 'bidirectional'; call it once more"):
        ours.lstm(x, *weights, bidirectional=True)
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'lenghts'.*lengths"):
        ours.lstm(x, *weights, lenghts=[6, 6])
    with pytest.raises(TypeError, match="batch_first"):
        ours.lstm(x, *weights, batch_first=1)


def test_help_tells_the_options_and_their_defaults():
    for function in (ours.rnn, ours.lstm, ours.gru, ours.mgu, ours.light_gru):
        same = inspect.signature(getattr(rnnfast, function.__name__)).parameters
        for name, parameter in inspect.signature(function).parameters.items():
            assert name == "truncate" or parameter.default == same[name].default
        assert f"As of `rnnfast.{function.__name__}`" in function.__doc__


def test_programs_of_the_page(tmp_path):
    """One after another, as a reader would go on in the same session, with Keras on TensorFlow."""
    programs = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    page = tmp_path / "page.py"  # where AutoGraph finds it
    page.write_text("\n".join([*programs, "assert kernel_calls() > 0"]), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", page],
        cwd=tmp_path,
        env={**os.environ, "KERAS_BACKEND": "tensorflow", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_what_an_operation_costs_is_measured():
    from rnnfast.bench.hosts import tensorflow as bench

    calls = ours.kernel_calls()
    ratio = bench.cost_of_an_operation(rounds=1)
    assert ours.kernel_calls() > calls
    assert np.isfinite(ratio.measured)
