"""Optimizers: steps worked by hand, clipping, state, what is refused."""

import math

import numpy as np
import pytest

from rnnfast import optimizers
from rnnfast.optimizers import SGD, Adam, RMSprop


def after(optimizer, *gradients, start=1.0):
    """The parameter after steps with these gradients, all scalar."""
    w = np.array([start])
    for gradient in gradients:
        optimizer.apply([np.array([gradient])], [w])
    return w[0]


def test_sgd_by_hand():
    assert after(SGD(0.1), 2.0) == pytest.approx(0.8)
    # v = -0.2; v = 0.5 * -0.2 - 0.4 = -0.5
    assert after(SGD(0.1, momentum=0.5), 2.0, 4.0) == pytest.approx(1 - 0.2 - 0.5)
    # w += 0.5 v - 0.1 g: -0.1 - 0.2, then -0.25 - 0.4
    assert after(SGD(0.1, momentum=0.5, nesterov=True), 2.0, 4.0) == pytest.approx(1 - 0.3 - 0.65)


def test_rmsprop_by_hand():
    velocity = 0.1 * 4.0
    step = 0.01 * 2.0 / math.sqrt(velocity + 1e-7)
    assert after(RMSprop(0.01), 2.0) == pytest.approx(1 - step, rel=1e-12)
    assert after(RMSprop(0.01, momentum=0.5), 2.0) == pytest.approx(1 - step, rel=1e-12)
    later = 0.01 * 3.0 / math.sqrt(0.9 * velocity + 0.1 * 9.0 + 1e-7)
    moved = 1 - step - (0.5 * step + later)
    assert after(RMSprop(0.01, momentum=0.5), 2.0, 3.0) == pytest.approx(moved, rel=1e-12)
    deviation = math.sqrt(velocity - 0.2**2 + 1e-7)
    centered = 1 - 0.01 * 2.0 / deviation
    assert after(RMSprop(0.01, centered=True), 2.0) == pytest.approx(centered, rel=1e-12)


def test_adam_by_hand():
    # The bias corrections cancel in the first step, but for epsilon.
    step = 0.01 * 2.0 / (2.0 + 1e-7 / math.sqrt(0.001))
    assert after(Adam(0.01), 2.0) == pytest.approx(1 - step, rel=1e-12)
    m = 0.9 * 0.2 + 0.1 * 1.0
    v = 0.999 * 0.004 + 0.001 * 1.0
    second = 0.01 * math.sqrt(1 - 0.999**2) / (1 - 0.9**2) * m / (math.sqrt(v) + 1e-7)
    assert after(Adam(0.01), 2.0, 1.0) == pytest.approx(1 - step - second, rel=1e-12)
    largest = 0.01 * math.sqrt(1 - 0.9**2) / (1 - 0.9**2) * m / (math.sqrt(0.4) + 1e-7)
    first = 0.01 * 2.0 / (2.0 + 1e-7 / math.sqrt(0.1))
    fast = Adam(0.01, beta_2=0.9, amsgrad=True)
    slower = 0.9 * 0.4 + 0.1 * 1.0
    expected = 1 - first - largest * math.sqrt(0.4) / max(math.sqrt(slower), math.sqrt(0.4))
    assert after(fast, 2.0, 1.0) == pytest.approx(expected, rel=1e-6)


def test_clipnorm_scales_each_gradient():
    w, b = np.zeros(2), np.zeros(1)
    SGD(1.0, clipnorm=1.0).apply([np.array([3.0, 4.0]), np.array([0.5])], [w, b])
    np.testing.assert_allclose(w, [-0.6, -0.8])
    np.testing.assert_allclose(b, [-0.5])


def test_global_clipnorm_scales_all_gradients_together():
    w, b = np.zeros(2), np.zeros(1)
    SGD(1.0, global_clipnorm=1.3).apply([np.array([3.0, 4.0]), np.array([12.0])], [w, b])
    np.testing.assert_allclose(w, [-0.3, -0.4])
    np.testing.assert_allclose(b, [-1.2])


def test_clipvalue_clips_each_element():
    w = np.zeros(3)
    SGD(1.0, clipvalue=2.0).apply([np.array([3.0, -4.0, 1.0])], [w])
    np.testing.assert_array_equal(w, [-2.0, 2.0, -1.0])


@pytest.mark.parametrize("kind", ["clipnorm", "global_clipnorm", "clipvalue"])
def test_clipping_leaves_gradients_alone_and_short_ones_untouched(kind):
    gradient = np.array([0.3, 100.0])
    SGD(1.0, **{kind: 1.0}).apply([gradient], [np.zeros(2)])
    np.testing.assert_array_equal(gradient, [0.3, 100.0])
    w = np.zeros(2)
    short = np.array([0.3, 0.4])
    SGD(1.0, **{kind: 1.0}).apply([short], [w])
    np.testing.assert_array_equal(w, -short)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("kind", ["clipnorm", "global_clipnorm"])
def test_clipping_does_not_hide_a_gradient_that_is_not_finite(kind, bad):
    w = np.zeros(2)
    with np.errstate(invalid="ignore"):
        SGD(1.0, **{kind: 1.0}).apply([np.array([bad, 0.5])], [w])
    assert np.isnan(w[0])


OPTIMIZERS = {
    "sgd": lambda **o: SGD(0.1, **o),
    "momentum": lambda **o: SGD(0.1, momentum=0.9, **o),
    "nesterov": lambda **o: SGD(0.1, momentum=0.9, nesterov=True, **o),
    "rmsprop": lambda **o: RMSprop(0.01, **o),
    "rmsprop_all": lambda **o: RMSprop(0.01, momentum=0.9, centered=True, **o),
    "adam": lambda **o: Adam(0.01, **o),
    "amsgrad": lambda **o: Adam(0.01, amsgrad=True, **o),
}


def trained(optimizer, shape, order="C", dtype=np.float64, steps=3):
    rng = np.random.default_rng(0)
    w = np.array(rng.normal(size=shape), dtype, order=order)
    for _ in range(steps):
        optimizer.apply([rng.normal(size=shape).astype(dtype)], [w])
    return w


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_pieces_agree_with_elements(name):
    """A parameter of several pieces moves as each of its elements alone."""
    w = trained(OPTIMIZERS[name](clipvalue=1.0), (300, 401))
    flat = trained(OPTIMIZERS[name](clipvalue=1.0), (300 * 401, 1, 1)).reshape(w.shape)
    np.testing.assert_array_equal(w, flat)
    fortran = trained(OPTIMIZERS[name](clipvalue=1.0), (300, 401), order="F")
    np.testing.assert_array_equal(w, fortran)


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (1, 40000), (20000,)])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_any_shape(name, shape):
    w = trained(OPTIMIZERS[name](global_clipnorm=1.0), shape)
    assert w.shape == shape
    assert np.isfinite(w).all()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_float32_stays_float32(name):
    optimizer = OPTIMIZERS[name]()
    w = trained(optimizer, (7, 5), dtype=np.float32)
    np.testing.assert_allclose(w, trained(OPTIMIZERS[name](), (7, 5)), rtol=1e-4, atol=1e-5)
    assert all(state.dtype == np.float32 for state in optimizer.variables[2:])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_minimises_a_quadratic(name):
    w = np.array([3.0, -2.0])
    optimizer = OPTIMIZERS[name]()
    for _ in range(1000):
        optimizer.apply([2 * w], [w])
    assert np.abs(w).max() < 0.05
    assert optimizer.iterations == 1000


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_variables_restore_the_state(name):
    rng = np.random.default_rng(1)
    gradients = rng.normal(size=(6, 4))
    first, w = OPTIMIZERS[name](), np.ones(4)
    for gradient in gradients[:3]:
        first.apply([gradient], [w])
    saved, halfway = [v.copy() for v in first.variables], w.copy()
    for gradient in gradients[3:]:
        first.apply([gradient], [w])
    second = type(first).from_config(first.get_config())
    assert not second.built
    second.build([halfway])
    for variable, value in zip(second.variables, saved, strict=True):
        variable[...] = value
    for gradient in gradients[3:]:
        second.apply([gradient], [halfway])
    np.testing.assert_array_equal(halfway, w)


def test_learning_rate_can_be_set():
    optimizer = SGD(0.5)
    optimizer.learning_rate = 0.25
    assert optimizer.learning_rate == 0.25
    assert after(optimizer, 1.0) == 0.75


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: SGD("fast"), TypeError, "learning_rate"),
        (lambda: SGD(-1.0), ValueError, "learning_rate"),
        (lambda: SGD(math.nan), ValueError, "learning_rate"),
        (lambda: SGD(lambda: 0.1), NotImplementedError, "schedules"),
        (lambda: SGD(momentum=1.5), ValueError, "momentum"),
        (lambda: Adam(beta_1=1.0), ValueError, "beta_1"),
        (lambda: Adam(beta_2=-0.1), ValueError, "beta_2"),
        (lambda: Adam(epsilon=0.0), ValueError, "epsilon"),
        (lambda: RMSprop(rho=2), ValueError, "rho"),
        (lambda: Adam(clipnorm=0.0), ValueError, "clipnorm"),
        (lambda: Adam(clipnorm=1.0, clipvalue=1.0), ValueError, "only one of"),
        (lambda: Adam(weight_decay=0.1), NotImplementedError, "weight_decay"),
        (lambda: Adam(use_ema=True), NotImplementedError, "use_ema"),
        (lambda: Adam(lr=0.1), TypeError, "lr"),
    ],
)
def test_bad_argument_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_keras_defaults_that_change_nothing_are_taken():
    Adam(weight_decay=None, use_ema=False, ema_momentum=0.99, gradient_accumulation_steps=None)


@pytest.mark.parametrize(
    ("grads", "variables", "error", "message"),
    [
        ([np.zeros(3)], [np.zeros(2)], ValueError, r"grads\[0\].*\(2,\)"),
        ([np.zeros(2, np.float32)], [np.zeros(2)], ValueError, r"grads\[0\] must be float64"),
        ([], [np.zeros(2)], ValueError, "one entry for each of trainable_variables, got 0 and 1"),
        ([np.zeros(2)], [np.zeros(2, int)], TypeError, r"trainable_variables\[0\].*int64"),
        ([np.zeros(2)], [[0.0, 0.0]], TypeError, "got list"),
    ],
)
def test_bad_input_is_named(grads, variables, error, message):
    with pytest.raises(error, match=message):
        SGD().apply(grads, variables)


def test_parameters_may_not_change_between_calls():
    optimizer = SGD()
    optimizer.apply([np.zeros(2)], [np.zeros(2)])
    with pytest.raises(ValueError, match=r"first saw it, .*call compile with a new optimizer"):
        optimizer.apply([np.zeros(3)], [np.zeros(3)])
    with pytest.raises(ValueError, match=r"the 1 arrays .* got 2; .*call compile with a new"):
        optimizer.apply([np.zeros(2)] * 2, [np.zeros(2)] * 2)


@pytest.mark.parametrize(
    ("identifier", "cls"),
    [
        ("sgd", SGD),
        ("SGD", SGD),
        ("rmsprop", RMSprop),
        ("RMSprop", RMSprop),
        ("adam", Adam),
        (Adam, Adam),
        ({"class_name": "Adam", "config": {"learning_rate": 0.5}}, Adam),
    ],
)
def test_get(identifier, cls):
    assert type(optimizers.get(identifier)) is cls


def test_get_refuses_what_is_no_optimizer():
    with pytest.raises(ValueError, match="known are adam, rmsprop, sgd"):
        optimizers.get("adamw")
