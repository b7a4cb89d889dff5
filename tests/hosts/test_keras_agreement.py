"""Agreement with Keras: the same weights give the same outputs, losses and training."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import rnnfast
from keras_twins import TOLERANCE, assert_same_weights, keras, marks, with_same_weights
from rnnfast import Sequential, layers, losses, optimizers

pytestmark = marks

SAMPLES, STEPS, FEATURES, CLASSES, VOCABULARY = 37, 5, 3, 4, 11


@pytest.fixture
def rng():
    return np.random.default_rng(0)


# Each entry builds the same layers from either library's `layers` module.
RECURRENT = {
    "simple_rnn": lambda kit, **kw: kit.SimpleRNN(6, dtype="float64", **kw),
    "simple_rnn_relu": lambda kit, **kw: kit.SimpleRNN(6, "relu", dtype="float64", **kw),
    "simple_rnn_sigmoid": lambda kit, **kw: kit.SimpleRNN(6, "sigmoid", dtype="float64", **kw),
    "simple_rnn_no_bias": lambda kit, **kw: kit.SimpleRNN(6, use_bias=False, dtype="float64", **kw),
    "lstm": lambda kit, **kw: kit.LSTM(6, dtype="float64", **kw),
    "lstm_no_bias": lambda kit, **kw: kit.LSTM(6, use_bias=False, dtype="float64", **kw),
    "gru": lambda kit, **kw: kit.GRU(6, dtype="float64", **kw),
    "gru_no_bias": lambda kit, **kw: kit.GRU(6, use_bias=False, dtype="float64", **kw),
    "gru_reset_before": lambda kit, **kw: kit.GRU(6, reset_after=False, dtype="float64", **kw),
    "gru_reset_before_no_bias": lambda kit, **kw: kit.GRU(
        6, reset_after=False, use_bias=False, dtype="float64", **kw
    ),
}

ACTIVATIONS = (
    None,
    "linear",
    "relu",
    "leaky_relu",
    "relu6",
    "elu",
    "celu",
    "selu",
    "softplus",
    "softsign",
    "tanh",
    "hard_tanh",
    "sigmoid",
    "hard_sigmoid",
    "sparse_sigmoid",
)  # and "exponential", which grows beyond every number over these steps


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_activations_compute_and_train_the_same(rng, activation):
    def make(kit):
        kw = {"return_sequences": True, "dtype": "float64"}
        if activation in (None, "linear"):  # four layers would have no bound
            return [kit.LSTM(6, activation, "hard_sigmoid", dtype="float64")]
        return [
            kit.SimpleRNN(6, activation, **kw),
            kit.LSTM(6, activation, "hard_sigmoid", **kw),
            kit.GRU(6, "softsign", activation, **kw),
            kit.LSTM(6, "tanh", activation, dtype="float64"),
        ]

    ours, theirs = with_same_weights(rng, make, (STEPS, FEATURES))
    x, target = rng.standard_normal((SAMPLES, STEPS, FEATURES)), rng.standard_normal((SAMPLES, 6))
    x *= 0.1
    # Keras multiplies float64 in float32; layers of selu, of slopes up to 1.76, make 7e-6 of that.
    tolerance = {"rtol": 2e-5, "atol": 2e-5} if activation == "selu" else TOLERANCE
    np.testing.assert_allclose(
        ours.predict(x, verbose=0), theirs.predict(x, verbose=0), **tolerance
    )
    ours.compile(optimizer=optimizers.SGD(1e-3), loss="mse")
    theirs.compile(optimizer=keras.optimizers.SGD(1e-3), loss="mse")
    for model in (ours, theirs):
        model.fit(x, target, batch_size=SAMPLES, epochs=2, shuffle=False, verbose=0)
    assert_same_weights(ours, theirs)


@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("make", RECURRENT.values(), ids=RECURRENT.keys())
def test_recurrent_layers_compute_the_same(rng, make, return_sequences):
    ours, theirs = with_same_weights(
        rng, lambda kit: [make(kit, return_sequences=return_sequences)], (STEPS, FEATURES)
    )
    x = rng.standard_normal((SAMPLES, STEPS, FEATURES))
    got, wanted = ours.predict(x, verbose=0), theirs.predict(x, verbose=0)
    np.testing.assert_allclose(got, wanted, **TOLERANCE)


@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("make", RECURRENT.values(), ids=RECURRENT.keys())
def test_layers_that_go_backwards_compute_the_same(rng, make, return_sequences):
    ours, theirs = with_same_weights(
        rng,
        lambda kit: [make(kit, return_sequences=return_sequences, go_backwards=True)],
        (STEPS, FEATURES),
    )
    x = rng.standard_normal((SAMPLES, STEPS, FEATURES))
    got, wanted = ours.predict(x, verbose=0), theirs.predict(x, verbose=0)
    np.testing.assert_allclose(got, wanted, **TOLERANCE)


def both(kit, layer, **options):
    return kit.Bidirectional(layer, dtype="float64", **options)


BIDIRECTIONAL = {
    **{
        f"{cell} {mode} {all_steps}": lambda kit, cell=cell, mode=mode, all_steps=all_steps: [
            both(kit, RECURRENT[cell](kit, return_sequences=all_steps), merge_mode=mode)
        ]
        for cell in ("simple_rnn", "lstm", "gru", "gru_reset_before", "lstm_no_bias")
        for mode in ("concat", "sum", "mul", "ave")
        for all_steps in (False, True)
    },
    "two kinds": lambda kit: [
        both(
            kit,
            kit.LSTM(6, return_sequences=True, dtype="float64"),
            backward_layer=kit.GRU(6, return_sequences=True, go_backwards=True, dtype="float64"),
        )
    ],
}


@pytest.mark.parametrize("make", BIDIRECTIONAL.values(), ids=BIDIRECTIONAL.keys())
def test_bidirectional_layers_compute_and_train_the_same(rng, make):
    ours, theirs = with_same_weights(rng, make, (STEPS, FEATURES))
    x = rng.standard_normal((SAMPLES, STEPS, FEATURES))
    got, wanted = ours.predict(x, verbose=0), theirs.predict(x, verbose=0)
    np.testing.assert_allclose(got, wanted, **TOLERANCE)
    ours.compile(optimizers.SGD(0.05), "mse")
    theirs.compile(keras.optimizers.SGD(0.05), "mse")
    y = rng.standard_normal(wanted.shape)
    options = {"batch_size": 8, "epochs": 2, "shuffle": False, "verbose": 0}
    got, wanted = ours.fit(x, y, **options), theirs.fit(x, y, **options)
    np.testing.assert_allclose(got.history["loss"], wanted.history["loss"], **TOLERANCE)
    assert_same_weights(ours, theirs)


@pytest.mark.parametrize("make", RECURRENT.values(), ids=RECURRENT.keys())
def test_recurrent_layers_train_the_same(rng, make):
    ours, theirs = with_same_weights(
        rng,
        lambda kit: [
            make(kit, return_sequences=True, name="first"),
            make(kit, name="second"),
            kit.Dense(2, dtype="float64"),
        ],
        (STEPS, FEATURES),
    )
    x, y = rng.standard_normal((SAMPLES, STEPS, FEATURES)), rng.standard_normal((SAMPLES, 2))
    ours.compile(optimizers.SGD(0.05), "mse")
    theirs.compile(keras.optimizers.SGD(0.05), "mse")
    options = {"batch_size": 8, "epochs": 3, "shuffle": False, "verbose": 0}
    got, wanted = ours.fit(x, y, **options), theirs.fit(x, y, **options)
    np.testing.assert_allclose(got.history["loss"], wanted.history["loss"], **TOLERANCE)
    assert_same_weights(ours, theirs)


OPTIMIZERS = {
    "sgd": lambda kit: kit.SGD(0.05),
    "momentum": lambda kit: kit.SGD(0.05, momentum=0.9),
    "nesterov": lambda kit: kit.SGD(0.05, momentum=0.9, nesterov=True),
    "rmsprop": lambda kit: kit.RMSprop(),
    "adam": lambda kit: kit.Adam(),
    "clipnorm": lambda kit: kit.Adam(0.01, clipnorm=0.01),
    "clipvalue": lambda kit: kit.SGD(0.1, clipvalue=0.001),
    "global_clipnorm": lambda kit: kit.SGD(0.1, global_clipnorm=0.05),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_a_model_of_text_trains_the_same(rng, optimizer):
    ours, theirs = with_same_weights(
        rng,
        lambda kit: [
            kit.Embedding(VOCABULARY, 5, dtype="float64"),
            kit.LSTM(6, return_sequences=True, dtype="float64"),
            kit.GRU(6, dtype="float64"),
            kit.Dense(CLASSES, "softmax", dtype="float64"),
        ],
        (STEPS,),
    )
    x = rng.integers(VOCABULARY, size=(SAMPLES, STEPS))
    y = rng.integers(CLASSES, size=SAMPLES)
    ours.compile(optimizer(optimizers), "sparse_categorical_crossentropy", metrics=["accuracy"])
    theirs.compile(
        optimizer(keras.optimizers), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    options = {"batch_size": 8, "epochs": 4, "shuffle": False, "validation_split": 0.2}
    got = ours.fit(x, y, verbose=0, **options).history
    wanted = theirs.fit(x, y, verbose=0, **options).history
    assert got.keys() == wanted.keys()
    for name, values in wanted.items():
        np.testing.assert_allclose(got[name], values, **TOLERANCE, err_msg=name)
    assert_same_weights(ours, theirs)
    assert ours.evaluate(x, y, verbose=0) == pytest.approx(
        theirs.evaluate(x, y, verbose=0), rel=2e-6
    )


LOSSES = {
    "mse": ("linear", "mse", (3,), lambda rng, s: rng.standard_normal(s)),
    "sigmoid": ("sigmoid", "binary_crossentropy", (1,), lambda rng, s: rng.integers(2, size=s)),
    "flat targets": (
        "sigmoid",
        "binary_crossentropy",
        (1,),
        lambda rng, s: rng.integers(2, size=s[:-1]),
    ),
    "softmax": (
        "softmax",
        "categorical_crossentropy",
        (4,),
        lambda rng, s: np.eye(s[-1])[rng.integers(s[-1], size=s[:-1])],
    ),
    "tanh": ("tanh", "mse", (3,), lambda rng, s: rng.standard_normal(s)),
    "relu": ("relu", "mse", (3,), lambda rng, s: rng.standard_normal(s)),
    "softmax, mse": ("softmax", "mse", (3,), lambda rng, s: rng.standard_normal(s)),
}


@pytest.mark.parametrize("every_step", [False, True])
@pytest.mark.parametrize("head", LOSSES.values(), ids=LOSSES.keys())
def test_heads_train_the_same(rng, head, every_step):
    activation, loss, (units,), targets = head
    ours, theirs = with_same_weights(
        rng,
        lambda kit: [
            kit.GRU(6, return_sequences=every_step, dtype="float64"),
            kit.Dense(5, "tanh", dtype="float64", name="hidden"),
            kit.Dense(units, activation, dtype="float64"),
        ],
        (STEPS, FEATURES),
    )
    x = rng.standard_normal((SAMPLES, STEPS, FEATURES))
    y = targets(rng, (SAMPLES, STEPS, units) if every_step else (SAMPLES, units))
    for model, kit in ((ours, optimizers), (theirs, keras.optimizers)):
        model.compile(kit.Adam(0.01), loss)
    options = {"batch_size": 8, "epochs": 3, "shuffle": False, "verbose": 0}
    got, wanted = ours.fit(x, y, **options), theirs.fit(x, y, **options)
    np.testing.assert_allclose(got.history["loss"], wanted.history["loss"], **TOLERANCE)
    assert_same_weights(ours, theirs)


@pytest.mark.parametrize("name", ["SparseCategoricalCrossentropy", "BinaryCrossentropy"])
def test_losses_from_logits_train_the_same(rng, name):
    units = 1 if name == "BinaryCrossentropy" else CLASSES
    ours, theirs = with_same_weights(
        rng,
        lambda kit: [kit.LSTM(6, dtype="float64"), kit.Dense(units, dtype="float64")],
        (STEPS, FEATURES),
    )
    x = rng.standard_normal((SAMPLES, STEPS, FEATURES))
    y = rng.integers(max(units, 2), size=(SAMPLES, 1))
    ours.compile(optimizers.SGD(0.1), getattr(losses, name)(from_logits=True))
    theirs.compile(keras.optimizers.SGD(0.1), getattr(keras.losses, name)(from_logits=True))
    for model in (ours, theirs):
        model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    assert_same_weights(ours, theirs)


def test_float32_is_as_close_to_float64_as_keras_is(rng):
    def make(kit, dtype):
        return [kit.LSTM(32, dtype=dtype), kit.Dense(3, dtype=dtype)]

    x = rng.standard_normal((64, 20, 8))
    exact, theirs = with_same_weights(rng, lambda kit: make(kit, "float64"), (20, 8))
    keras.config.set_floatx("float32")
    theirs = keras.Sequential([keras.layers.Input((20, 8)), *make(keras.layers, "float32")])
    ours = Sequential([layers.Input((20, 8)), *make(layers, "float32")])
    for model in (ours, theirs):
        model.set_weights(exact.get_weights())
    wanted = exact.predict(x, verbose=0)
    errors = [
        np.abs(model.predict(x.astype(np.float32), verbose=0) - wanted).mean()
        for model in (ours, theirs)
    ]
    assert errors[0] <= 1.5 * errors[1]


LAYERS = ["SimpleRNN", "LSTM", "GRU", "RNN", "Bidirectional", "TimeDistributed"]
LAYERS += ["Dense", "Embedding", "Dropout", "Masking", "SpatialDropout1D", "Activation"]
LAYERS += ["LayerNormalization", "Flatten", "Reshape", "RepeatVector", "GlobalAveragePooling1D"]


@pytest.mark.parametrize("name", LAYERS)
def test_layers_know_every_argument_of_keras_and_its_default(name):
    theirs = inspect.signature(getattr(keras.layers, name).__init__).parameters
    cls = getattr(layers, name)
    ours = inspect.signature(cls.__init__).parameters
    positional = [
        argument
        for argument, parameter in ours.items()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ]
    assert positional == list(theirs)[: len(positional)]
    for argument, parameter in theirs.items():
        if argument == "self" or parameter.kind is parameter.VAR_KEYWORD:
            continue
        known = ours[argument].default if argument in ours else cls.not_yet[argument]
        assert known == parameter.default, argument


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
def test_cells_know_every_argument_of_keras_and_its_default(name):
    theirs = inspect.signature(getattr(keras.layers, f"{name}Cell").__init__).parameters
    cell = getattr(layers, f"{name}Cell")(3)
    ours = inspect.signature(cell.layer_class.__init__).parameters
    positional = [p.name for p in ours.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert positional == list(theirs)[: len(positional)]
    for argument, parameter in theirs.items():
        if argument == "self" or parameter.kind is parameter.VAR_KEYWORD:
            continue
        known = ours[argument].default if argument in ours else cell.layer_class.not_yet[argument]
        assert known == parameter.default, argument
    assert cell.state_size == getattr(keras.layers, f"{name}Cell")(3).state_size


@pytest.mark.parametrize("name", ["compile", "fit", "evaluate", "predict", "summary"])
def test_methods_know_every_argument_of_keras_and_its_default(name):
    theirs = inspect.signature(getattr(keras.Sequential, name)).parameters
    ours = inspect.signature(getattr(Sequential, name)).parameters
    model = Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    data = {"x": np.zeros((2, 2)), "y": np.zeros((2, 1))}
    given = {
        "compile": {},
        "fit": {**data, "verbose": 0},
        "evaluate": {**data, "verbose": 0},
        "predict": {"x": data["x"], "verbose": 0},
        "summary": {"print_fn": str},
    }[name]
    for argument, parameter in theirs.items():
        if argument == "self" or parameter.kind is parameter.VAR_KEYWORD:
            continue
        if argument in ours:
            assert ours[argument].default == parameter.default, argument
        else:
            getattr(model, name)(**given, **{argument: parameter.default})


def test_summaries_look_the_same():
    def lines(model):
        printed = []
        model.summary(print_fn=printed.append)
        return "\n".join(printed).rstrip().splitlines()[1:]

    def make(kit):
        return [kit.Embedding(100, 16), kit.LSTM(32), kit.Dense(10, name="dense")]

    ours = Sequential([layers.Input((None,)), *make(layers)])
    theirs = keras.Sequential([keras.layers.Input((None,)), *make(keras.layers)])
    for own, other, line, wanted in zip(
        ours.layers, theirs.layers, lines(ours)[3:8:2], lines(theirs)[3:8:2], strict=True
    ):
        assert line.split("│")[2:] == wanted.split("│")[2:]
        assert line.split("(")[1] == wanted.split("(")[1], (own, other)
    assert [len(line) for line in lines(ours)] == [len(line) for line in lines(theirs)]


INITIALIZERS = [
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_uniform",
    "lecun_normal",
    "random_normal",
    "random_uniform",
    "truncated_normal",
]


@pytest.mark.parametrize("name", INITIALIZERS)
def test_initializers_draw_from_the_same_distribution(name):
    shape = (200, 300)
    rnnfast.utils.set_random_seed(0)
    keras.utils.set_random_seed(0)
    ours = np.sort(rnnfast.initializers.get(name)(shape, np.float64).ravel())
    theirs = np.sort(
        keras.ops.convert_to_numpy(keras.initializers.get(name)(shape, "float64")).ravel()
    )
    # 60000 draws each: between the twentieths of a normal distribution, the quantiles of two such
    # samples differ by 0.012 of its width (one standard error), and by more where tails are thin.
    inner = slice(3000, -3000)
    np.testing.assert_allclose(ours[inner], theirs[inner], atol=0.05 * theirs.std())
