"""Add and Concatenate on arrays: values, gradients, masks, messages."""

import numpy as np
import pytest

from rnnfast import layers
from rnnfast.layers.value import Value

F64 = {"dtype": "float64"}
A = np.arange(12.0).reshape(2, 3, 2)
B = 10 - A
MASK = np.array([[True, True, False], [True, False, False]])
OTHER = np.array([[True, False, False], [False, False, True]])


def test_arrays_are_added():
    add = layers.Add()
    assert (add([A, B]) == 10).all()
    assert add([A, B]).dtype == np.float32
    assert (add([A, B, B.tolist()]) == 20 - A).all()


@pytest.mark.parametrize("axis", [-1, 1, 2, -2])
def test_arrays_are_joined(axis):
    join = layers.Concatenate(axis, **F64)
    np.testing.assert_array_equal(join([A, B]), np.concatenate([A, B], axis))
    assert join.compute_output_shape([A.shape, B.shape]) == np.concatenate([A, B], axis).shape


def test_lengths_that_are_open_stay_so():
    assert layers.Add().compute_output_shape([(None, None, 3), (None, 5, 3)]) == (None, 5, 3)
    join = layers.Concatenate(1)
    assert join.compute_output_shape([(None, None, 3), (None, 5, 3)]) == (None, None, 3)
    assert join.compute_output_shape([(None, 4, None), (None, 5, 3)]) == (None, 9, 3)


@pytest.mark.parametrize("layer", [layers.Add(**F64), layers.Concatenate(1, **F64)])
def test_each_array_has_its_gradient(layer):
    rng = np.random.default_rng(0)
    values = [Value(A), Value(B), Value(A * B)]
    [(y, _)], pullback = layer.forward_vjp(values, [True] * 3)
    [(same, _)] = layer.forward(values)
    np.testing.assert_array_equal(y, same)
    dy = rng.standard_normal(y.shape)
    dx, gradients = pullback([dy])
    assert gradients == []
    for k, (value, one) in enumerate(zip(values, dx, strict=True)):
        direction = rng.standard_normal(value.array.shape)
        moved = list(values)
        moved[k] = Value(value.array + direction)
        change = layer.forward(moved)[0].array - y  # they are linear
        assert np.vdot(one, direction) == pytest.approx(np.vdot(dy, change), rel=1e-12)


@pytest.mark.parametrize(
    "layer, masks, wanted",
    [
        (layers.Add(**F64), [MASK, OTHER], MASK | OTHER),
        (layers.Add(**F64), [MASK, None], None),
        (layers.Concatenate(**F64), [MASK, OTHER], MASK | OTHER),
        (layers.Concatenate(**F64), [MASK, None], np.ones((2, 3), bool)),
        (layers.Concatenate(**F64), [None, None], None),
        (layers.Concatenate(1, **F64), [MASK, OTHER], np.concatenate([MASK, OTHER], 1)),
        (
            layers.Concatenate(1, **F64),
            [None, OTHER],
            np.concatenate([np.ones((2, 3), bool), OTHER], 1),
        ),
    ],
)
def test_masks(layer, masks, wanted):
    """Beside Keras in tests/hosts/test_keras_graphs.py."""
    [(_, got)] = layer.forward([Value(A, masks[0]), Value(B, masks[1])])
    if wanted is None:
        assert got is None
    else:
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: layers.Add(name="n")(A), TypeError, "layer 'n' takes a list of arrays, got nd"),
        (lambda: layers.Add(name="n")([A]), ValueError, "layer 'n' takes a list of at least 2"),
        (lambda: layers.Add(name="n")([A, B[:1]]), ValueError, "layer 'n' adds arrays of one"),
        (lambda: layers.Add(name="n")([A, B[0]]), ValueError, "layer 'n' adds arrays of one"),
        (lambda: layers.Add(name="n")([A, "b"]), TypeError, "must be an array of numbers, got str"),
        (
            lambda: layers.Concatenate(name="n")([A, B[:, :2]]),
            ValueError,
            r"layer 'n' joins arrays that differ along axis -1 alone, got shapes ..2, 3, 2",
        ),
        (
            lambda: layers.Concatenate(3, name="n")([A, B]),
            ValueError,
            "layer 'n' joins arrays of equally many axes along axis 3",
        ),
        (lambda: layers.Concatenate(0), ValueError, "axis"),
        (lambda: layers.Concatenate("last"), TypeError, "axis"),
    ],
)
def test_what_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
