"""Optimizers: steps worked by hand, clipping, state, what is refused."""

import math

import numpy as np
import pytest

from rnnfast import optimizers
from rnnfast.optimizers import SGD, Adam, AdamW, RMSprop, global_norm


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
    # AMSGrad: the second mean of squares, 0.9 * 0.4 + 0.1 * 0.01, is below the first.
    first = 0.01 * 2.0 / (2.0 + 1e-7 / math.sqrt(0.1))
    m = 0.9 * 0.2 + 0.1 * 0.1
    second = 0.01 * math.sqrt(1 - 0.9**2) / (1 - 0.9**2) * m / (math.sqrt(0.4) + 1e-7)
    largest = Adam(0.01, beta_2=0.9, amsgrad=True)
    assert after(largest, 2.0, 0.1) == pytest.approx(1 - first - second, rel=1e-12)


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
    "adamw": lambda **o: AdamW(0.01, 0.1, **o),
    "decayed": lambda **o: RMSprop(0.01, weight_decay=0.1, **o),
    "accumulated": lambda **o: Adam(0.02, gradient_accumulation_steps=2, **o),
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
    w = trained(optimizer, (7, 5), dtype=np.float32, steps=4)
    np.testing.assert_allclose(
        w, trained(OPTIMIZERS[name](), (7, 5), steps=4), rtol=1e-4, atol=1e-5
    )
    assert all(state.dtype == np.float32 for state in optimizer.variables[2:])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_minimises_a_quadratic(name):
    w = np.array([3.0, -2.0])
    optimizer = OPTIMIZERS[name]()
    for _ in range(1000):
        optimizer.apply([2 * w], [w])
    assert np.abs(w).max() < 0.05
    assert optimizer.iterations == 1000 // (optimizer.gradient_accumulation_steps or 1)


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


def test_numbers_set_later_are_honoured():
    optimizer = SGD(1.0)
    optimizer.clipvalue = 0.5
    optimizer.weight_decay = 0.25
    optimizer.momentum = 0.5
    # w = 0.75 - 0.5 = 0.25; v = -0.75, w = 0.75 * 0.25 - 0.75
    assert after(optimizer, 1.0, 1.0) == 0.75 * 0.25 - 0.75


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lr", "no attribute 'lr'; did you mean 'learning_rate'"),
        ("momentun", "did you mean 'momentum'"),
        ("gradient_accumulation_steps", "gradient_accumulation_steps"),
        ("iterations", "iterations"),
    ],
)
def test_what_cannot_be_set_is_refused(name, message):
    with pytest.raises(AttributeError, match=message):
        setattr(SGD(), name, 2)


def test_what_would_need_other_states_is_refused_once_they_are_made():
    optimizer, w = SGD(1.0), np.ones(1)
    optimizer.apply([w], [w])
    optimizer.momentum = 0.5
    w[:] = 1.0
    with pytest.raises(ValueError, match=r"built to keep \(\) and would now keep \('momentum',\)"):
        optimizer.apply([w], [w])
    assert w == 1.0


def test_weight_decay_by_hand():
    assert after(SGD(0.5, weight_decay=0.25), 2.0) == 1.0 - 0.125 - 1.0
    # Beside the gradient: clipping, momentum and the mean of squares know nothing of it.
    for make in (SGD, RMSprop, Adam):
        plain = after(make(0.1, clipvalue=1.0), 3.0)
        assert after(make(0.1, clipvalue=1.0, weight_decay=0.5), 3.0) == pytest.approx(plain - 0.05)
    assert after(AdamW(0.1), 3.0) == pytest.approx(after(Adam(0.1), 3.0) - 0.1 * 0.004)


def test_a_gradient_that_is_the_parameter_itself_is_taken_before_decay():
    w = np.array([2.0])
    SGD(0.5, weight_decay=0.25).apply([w], [w])
    assert w == 2.0 - 0.25 - 1.0


def test_excluded_parameters_do_not_decay():
    def step(w, **excluded):
        optimizer = SGD(0.5, weight_decay=0.5)
        optimizer.exclude_from_weight_decay(**excluded)
        optimizer.apply({"kernel": np.zeros(1), "bias": np.zeros(1)}, w)
        return float(w["kernel"][0]), float(w["bias"][0])

    def new():
        return {"kernel": np.ones(1), "bias": np.ones(1)}

    w = new()
    assert step(w, var_list=[w["kernel"]]) == (1.0, 0.75)
    assert step(new(), var_names=["bias", "gamma"]) == (0.75, 1.0)
    assert step(new()) == (0.75, 0.75)


def test_the_last_name_of_a_parameter_is_the_one_excluded():
    optimizer, w = SGD(0.5, weight_decay=0.5), {"bias": {"kernel": [np.ones(1)]}}
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.apply({"bias": {"kernel": [np.zeros(1)]}}, w)
    assert w["bias"]["kernel"][0] == 0.75


def test_what_cannot_be_excluded_is_refused():
    optimizer, w = SGD(weight_decay=0.5), np.ones(1)
    with pytest.raises(TypeError, match=r"must be a list of strings, got 'bias'; give \['bias'\]"):
        optimizer.exclude_from_weight_decay(var_names="bias")
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    with pytest.raises(ValueError, match=r"trainable_variables\[0\] has no name .* by var_list"):
        optimizer.apply([w], [w])
    optimizer.exclude_from_weight_decay(var_list=[np.ones(1)])
    with pytest.raises(ValueError, match=r"var_list\[0\] is none of trainable_variables"):
        optimizer.apply([w], [w])
    assert w == 1.0
    assert not optimizer.built
    optimizer.exclude_from_weight_decay(var_list=[w])
    optimizer.apply([w], [w])
    with pytest.raises(ValueError, match="before the first update"):
        optimizer.exclude_from_weight_decay(var_list=[w])


def test_accumulation_makes_an_update_of_the_mean_gradient():
    optimizer, w = SGD(1.0, clipvalue=2.0, gradient_accumulation_steps=3), np.zeros(2)
    seen = []
    for gradient in ([1.0, 3.0], [2.0, 6.0], [3.0, 9.0], [4.0, 1.0]):
        optimizer.apply([np.array(gradient)], [w])
        seen.append((list(w), optimizer.iterations))
    assert seen == [([0, 0], 0), ([0, 0], 0), ([-2, -2], 1), ([-2, -2], 1)]


def test_global_norm_of_nested_gradients():
    assert global_norm([np.array([3.0]), {"w": (np.array([[4.0]]), None)}, None]) == 5.0
    assert global_norm([]) == 0.0


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: SGD("fast"), TypeError, "learning_rate"),
        (lambda: SGD(-1.0), ValueError, "learning_rate"),
        (lambda: SGD(math.nan), ValueError, "learning_rate"),
        (lambda: SGD(lambda: 0.1), TypeError, "a LearningRateSchedule of"),
        (lambda: SGD(momentum=1.5), ValueError, "momentum"),
        (lambda: Adam(beta_1=1.0), ValueError, "beta_1"),
        (lambda: Adam(beta_2=-0.1), ValueError, "beta_2"),
        (lambda: Adam(epsilon=0.0), ValueError, "epsilon"),
        (lambda: RMSprop(rho=2), ValueError, "rho"),
        (lambda: Adam(clipnorm=0.0), ValueError, "clipnorm"),
        (lambda: Adam(clipnorm=1.0, clipvalue=1.0), ValueError, "only one of"),
        (lambda: Adam(weight_decay=-0.1), ValueError, "weight_decay"),
        (
            lambda: AdamW(weight_decay=None),
            ValueError,
            "weight_decay must be a number, .* use Adam",
        ),
        (lambda: SGD(gradient_accumulation_steps=1), ValueError, "at least 2, got 1"),
        (lambda: SGD(gradient_accumulation_steps=2.5), ValueError, "at least 2, got 2.5"),
        (lambda: Adam(use_ema=True), NotImplementedError, "use_ema"),
        (lambda: Adam(lr=0.1), TypeError, "'lr'; did you mean 'learning_rate'"),
        (lambda: Adam(betta_1=0.1), TypeError, "'betta_1'; did you mean 'beta_1'"),
        (lambda: SGD(weightdecay=0.1), TypeError, "did you mean 'weight_decay'"),
    ],
)
def test_bad_argument_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_keras_defaults_that_change_nothing_are_taken():
    Adam(weight_decay=None, use_ema=False, ema_momentum=0.99, gradient_accumulation_steps=None)


@pytest.mark.parametrize(
    ("identifier", "cls"),
    [
        ("sgd", SGD),
        ("SGD", SGD),
        ("rmsprop", RMSprop),
        ("RMSprop", RMSprop),
        ("adam", Adam),
        ("adamw", AdamW),
        ("AdamW", AdamW),
        (Adam, Adam),
        ({"class_name": "Adam", "config": {"learning_rate": 0.5}}, Adam),
    ],
)
def test_get(identifier, cls):
    assert type(optimizers.get(identifier)) is cls


def test_get_refuses_what_is_no_optimizer():
    with pytest.raises(ValueError, match="known are adam, adamw, rmsprop, sgd"):
        optimizers.get("adagrad")
