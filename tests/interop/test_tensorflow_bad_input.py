"""What TensorFlow is told where a call cannot run: words of ours, and the process goes on."""

import os
import re
import subprocess
import sys
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest
import tensorflow as tf

from rnnfast import _core
from rnnfast._check.cells import choose
from rnnfast.interop.tensorflow import recurrence
from rnnfast.interop.tensorflow._refusals import say_slower_way
from rnnfast.interop.tensorflow._registration import operations

T, B, I, H = 5, 3, 4, 6  # noqa: E741
Refused = tf.errors.InvalidArgumentError


def zeros(*shape):
    return np.zeros(shape, "f")


def call(function="lstm", **changes):
    cell = choose(function)
    G = cell.gates
    given = {
        "x": zeros(T, B, I),
        "weights": (zeros(G * H, I), zeros(G * H, H), zeros(G * H), None),
        "h0": None,
        "c0": None,
    } | changes
    return recurrence(cell, given.pop("x"), given.pop("weights"), **given)


MISFITS = {
    "w_ih must have shape (24, 4), got shape (24, 5)": {
        "weights": (zeros(24, 5), zeros(24, 6)),
    },
    "b_ih must have shape (24,), got shape (23,)": {
        "weights": (zeros(24, 4), zeros(24, 6), zeros(23)),
    },
    "w_ih must be there, got none": {"weights": (None, zeros(24, 6))},
    "x must have an input, got shape (5, 3, 0)": {"x": zeros(5, 3, 0)},
    "h0 must have shape (3, 6), got shape (1, 3, 6)": {"h0": zeros(1, 3, 6)},
    "c0 must be absent, got shape (3, 6)": {"function": "gru", "c0": zeros(3, 6)},
    "lengths must have shape (3,), got shape (4,)": {"lengths": [1, 2, 3, 4]},
    "lengths must be from 0 to T=5, got 6 for sequence 1": {"lengths": [1, 6, 3]},
    "lengths must be from 0 to T=5, got -1 for sequence 2": {"lengths": [1, 2, -1]},
    "resets must have shape (5, 3), got shape (3, 5)": {"resets": np.zeros((3, 5), bool)},
    "mask must have shape (3, 6), got shape (3, 5)": {"recurrent_mask": zeros(3, 5)},
    "kept_h and kept_c must be given together": {"kept_h": zeros(5, 3, 6)},
    "truncate must be at least 0, got -1": {"truncate": -1},
}


@pytest.mark.parametrize("changes", MISFITS.values(), ids=MISFITS)
def test_operands_that_do_not_fit_are_named(changes, request):
    def wrong():
        return call(**changes)

    message = re.escape(request.node.callspec.id)
    for function in (wrong, tf.function(wrong, autograph=False)):
        with pytest.raises(Refused, match=message):
            function()
    assert call()[0].shape == (T, B, H)


def test_axes_are_looked_at_once_they_are_known():
    graph = tf.function(lambda x: call(x=x))
    with pytest.raises(ValueError, match="must be rank 3 but is rank 2"):
        graph.get_concrete_function(tf.TensorSpec((T, I), tf.float32))
    with pytest.raises(Refused, match="w_hh must have 2 axes, got none"):
        call(weights=(zeros(24, 4), None))


def test_other_types_are_refused():
    with pytest.raises(TypeError, match="x must be float32 or float64, got float16; cast it"):
        call(x=zeros(T, B, I).astype(np.float16))
    with pytest.raises((TypeError, ValueError), match="float64"):
        call(h0=tf.zeros((B, H), tf.float64))


def saved():
    """The operands of a pass, and its tape."""
    none, shapes = tf.constant((), tf.float32), ((24, I), (24, H), (24,))
    operands = [tf.zeros((T, B, I)), none, none, *map(tf.zeros, shapes), none, none, none, none]
    operands += [tf.constant((), tf.int32), tf.constant((), tf.bool), none, none, none]
    words = _core.hosts.cell_words("lstm")
    y, h_n, c_n, tape = operations().rnnfast_forward_saving(*operands, cell=words)
    return operands, tape, (y, h_n, c_n)


def back(operands, tape, above, wanted=(True,) + (False,) * 9, count=1):
    return operations().rnnfast_backward(*operands, tape, *above, wanted=[*wanted], N=count)


def test_a_tape_that_is_none_is_refused():
    operands, tape, above = saved()
    damaged = tape.numpy()
    damaged[40] ^= 1
    for wrong in (tape[:-1], tape[1:], tape[:0], damaged, tf.zeros((1000,), tf.uint8)):
        with pytest.raises(Refused, match="rnnfast"):
            back(operands, wrong, above)
    assert back(operands, tf.identity(tape), above)[0].shape == (T, B, I)


def test_operands_of_another_pass_are_refused():
    operands, tape, (y, h_n, c_n) = saved()
    as_float64 = [tf.cast(o, tf.float64) if o.dtype == tf.float32 else o for o in operands]
    with pytest.raises(Refused, match="of another type than its operands"):
        back(as_float64, tape, [tf.cast(one, tf.float64) for one in (y, h_n, c_n)])
    with pytest.raises(
        Refused, match=re.escape("x must have shape (5, 3, 4), got shape (4, 3, 4)")
    ):
        back([operands[0][1:], *operands[1:]], tape, (y, h_n, c_n))
    with pytest.raises(Refused, match="h0 must be absent"):
        back([operands[0], h_n, *operands[2:]], tape, (y, h_n, c_n))
    with pytest.raises(Refused, match=re.escape("dh_n must have shape (3, 6), got shape (2, 6)")):
        back(operands, tape, (y, h_n[1:], c_n))


def test_gradients_of_what_is_absent_are_refused():
    operands, tape, above = saved()
    for wanted, count in (((True,) * 9, 9), ((True,) * 10, 9)):
        with pytest.raises(Refused, match="wanted must have 10 items"):
            back(operands, tape, above, wanted, count)
    with pytest.raises(Refused, match="h0 has no gradient, it is absent"):
        back(operands, tape, above, (True,) * 10, 10)


def test_a_cell_of_another_version_is_refused():
    operands, *_ = saved()
    words = _core.hosts.cell_words("lstm")
    for wrong in ([], words[:-1], [words[0] + 1, *words[1:]]):
        with pytest.raises(Refused, match="of another version"):
            operations().rnnfast_forward(*operands, cell=wrong)


def test_what_xla_cannot_compile_is_named():
    with pytest.raises(Refused, match="No registered 'RnnfastForward'"):
        tf.function(call, jit_compile=True)()


def test_a_tensorflow_without_the_interface_is_served_slower_and_this_is_said_once(monkeypatch):
    def missing(paths):
        raise RuntimeError("no library of TensorFlow here has TF_NewKernelBuilder")

    expected = call()
    monkeypatch.setattr(_core.hosts, "register_tensorflow", missing)
    for known in (operations, say_slower_way):
        known.cache_clear()
    try:
        with pytest.warns(UserWarning, match="numpy_function.*TF_NewKernelBuilder"):
            found = call()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            call()
    finally:
        monkeypatch.undo()
        operations.cache_clear()
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_functions_are_looked_for_in_loaded_libraries_alone():
    code = (
        "import rnnfast._core as core\n"
        "try: core.hosts.register_tensorflow(['/nowhere/libtensorflow.so'])\n"
        "except RuntimeError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "no library of TensorFlow here has TF_NewStatus\n"
