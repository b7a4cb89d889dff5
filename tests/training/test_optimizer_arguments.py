"""What `apply` takes: gradients and parameters nested in lists and names, checked before use."""

from typing import NamedTuple

import numpy as np
import pytest

import rnnfast
from rnnfast.optimizers import SGD, Adam
from rnnfast.optimizers.nested import leaves


class Weights(NamedTuple):
    w_ih: object
    w_hh: object
    b_ih: object = None


def ones(*shape):
    return np.ones(shape or (2,))


@pytest.mark.parametrize(
    ("grads", "variables"),
    [
        (ones(), ones()),
        ([ones(), ones()], (ones(), ones())),
        ([None, ones()], [None, ones()]),
        ([[ones()], (ones(), [ones()])], ([ones()], [ones(), (ones(),)])),
        ({"b": 5 * ones(), "a": ones()}, {"a": ones()}),
        ({"a": {"b": ones(), "c": None}}, {"a": {"b": ones()}}),
        (Weights(ones(), ones()), Weights(ones(), ones())),
        (Weights(ones(), ones(), 7 * ones()), {"w_hh": ones()}),
        (Weights([ones(), ones()], None), {"w_ih": [ones(), ones()], "b_ih": None}),
    ],
)
def test_each_parameter_finds_its_gradient(grads, variables):
    SGD(0.25).apply(grads, variables)
    assert list(leaves(variables))
    for _, variable in leaves(variables):
        np.testing.assert_array_equal(variable, 0.75)


def test_gradients_of_a_stack_and_a_head_by_name():
    rng = np.random.default_rng(0)

    def normal(*shape):
        return rng.normal(size=shape)

    stack = {"w_ih": [normal(12, 2), normal(12, 3)], "w_hh": [normal(12, 3), normal(12, 3)]}
    head = {"kernel": normal(3, 1)}
    out, pullback = rnnfast.lstm_vjp(normal(5, 4, 2), stack["w_ih"], stack["w_hh"])
    grads = pullback(np.ones_like(out.y))
    before = [w.copy() for _, w in leaves([stack, head])]
    SGD(0.5).apply([grads, {"kernel": ones(3, 1)}], [stack, head])
    given = [*grads.w_ih, *grads.w_hh, ones(3, 1)]
    for (_, after), w, gradient in zip(leaves([stack, head]), before, given, strict=True):
        np.testing.assert_array_equal(after, w - 0.5 * gradient)


READ_ONLY = ones()
READ_ONLY.flags.writeable = False

BAD = [
    ([ones(3)], [ones(2)], ValueError, r"grads\[0\] must be float64 of shape \(2,\)"),
    ([ones().astype(np.float32)], [ones()], ValueError, r"grads\[0\] must be float64"),
    ([1.0], [ones()], TypeError, r"grads\[0\] must be a NumPy array, got float"),
    ([], [ones()], ValueError, "one entry for each of trainable_variables, got 0 and 1"),
    ([[ones()]], [[ones()] * 2], ValueError, r"grads\[0\] must have one entry for each"),
    ([ones()], [ones().astype(int)], TypeError, r"trainable_variables\[0\].*got int64"),
    ([ones()], [[0.0, 0.0]], TypeError, r"grads\[0\] must be nested like .*a list, got a ndarray"),
    ([[1.0]], [[0.0]], TypeError, r"trainable_variables\[0\]\[0\] must be .* got float"),
    ([ones()], [READ_ONLY], ValueError, r"trainable_variables\[0\] is read-only"),
    ([ones(), None], [ones(), ones()], ValueError, r"grads\[1\] is None, but trainable_v"),
    ({"a": [None]}, {"a": [ones()]}, ValueError, r"grads\['a'\]\[0\] is None"),
    (Weights(ones(), None), {"w_hh": ones()}, ValueError, r"grads\['w_hh'\] is None"),
    ([ones()], [None], ValueError, r"trainable_variables\[0\] is None, but grads\[0\] is given"),
    ({"w_ih": ones()}, {"w_hi": ones()}, ValueError, "'w_hi', .* did you mean 'w_ih'.*; got"),
    (Weights(ones(), ones()), [ones()] * 3, TypeError, "got Weights of w_ih, w_hh, b_ih"),
    ([ones()], {"w": ones()}, TypeError, "like trainable_variables, dict of w, got a list"),
    (iter([ones()]), [ones()], TypeError, "a list, got a list_iterator"),
]


@pytest.mark.parametrize(("grads", "variables", "error", "message"), BAD)
def test_bad_input_is_named(grads, variables, error, message):
    optimizer = SGD()
    with pytest.raises(error, match=message):
        optimizer.apply(grads, variables)
    assert not optimizer.built


@pytest.mark.parametrize("bad", range(4))
def test_nothing_changes_where_one_of_many_is_wrong(bad):
    optimizer = Adam(gradient_accumulation_steps=2, weight_decay=0.5)
    variables, grads = [ones(), ones()], [ones(), ones()]
    optimizer.apply(grads, variables)
    before = optimizer.get_state()
    if bad == 0:
        variables[1].flags.writeable = False
    else:
        grads[1] = [None, ones(3), np.ones(2, np.float32)][bad - 1]
    with pytest.raises((ValueError, TypeError), match=r"\[1\]"):
        optimizer.apply(grads, variables)
    for variable in variables:
        np.testing.assert_array_equal(variable, 1.0)
    for name, array in optimizer.get_state().items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)


def test_parameters_may_not_change_between_calls():
    optimizer = SGD()
    optimizer.apply([ones()], [ones()])
    with pytest.raises(ValueError, match=r"first saw it, .*call compile with a new optimizer"):
        optimizer.apply([ones(3)], [ones(3)])
    with pytest.raises(ValueError, match=r"the 1 arrays .* got 2; .*call compile with a new"):
        optimizer.apply([ones()] * 2, [ones()] * 2)


def test_names_may_not_change_places_between_calls():
    optimizer = SGD()
    grads = {"a": ones(), "b": ones()}
    optimizer.build({"a": ones(), "b": ones()})
    with pytest.raises(ValueError, match=r"variables\['b'\] stands where .*variables\['a'\]"):
        optimizer.apply(grads, {"b": ones(), "a": ones()})
