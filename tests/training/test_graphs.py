"""Graphs of layers: gradients by central differences, and values that are let go."""

import tracemalloc

import numpy as np
import pytest

from graph_models import F64, FEATURES, GRAPHS, SEQUENCES, STEPS, data_for
from rnnfast import Model, Sequential, layers, losses
from rnnfast.layers.value import Value
from rnnfast.training.graph import between, chain
from rnnfast.training.objective import Objective, Target
from rnnfast.training.samples import Batch

SAMPLES = 4

# As in tests/layers/test_gradients.py.
STEP = 6e-6
TOLERANCE = 1e-8


def mse_of(outputs):
    return [Target(f"output {k}", losses.get("mse"), weight=1 + 0.5 * k) for k in range(outputs)]


def batch_of(model, inputs, targets):
    values = [Value(convert(x)) for convert, x in zip(model.input_converters, inputs, strict=True)]
    return Batch(values, targets, [None] * len(targets))


@pytest.mark.parametrize("make", GRAPHS.values(), ids=GRAPHS.keys())
def test_gradients_of_every_parameter(make):
    rng = np.random.default_rng(0)
    model = make(layers, Model)
    model.set_weights([0.7 * rng.standard_normal(w.shape) for w in model.get_weights()])
    batch = batch_of(model, *data_for(model, rng, SAMPLES))
    objective = Objective(model.graph, mse_of(len(model.outputs)))
    valued, pullback = objective.value_and_pullback(batch)
    gradients = pullback()
    assert valued.loss == objective.value(batch).loss
    assert len(gradients) == len(model.trained_parameters)
    for parameter, gradient in zip(model.trained_parameters, gradients, strict=True):
        assert gradient.shape == parameter.shape
        assert gradient.dtype == parameter.dtype
        before, direction = parameter.copy(), rng.standard_normal(parameter.shape)
        values = []
        for sign in (1, -1):
            parameter[...] = before + sign * STEP * direction
            values.append(objective.value(batch).loss)
        parameter[...] = before
        wanted = (values[0] - values[1]) / (2 * STEP)
        assert np.vdot(gradient, direction) == pytest.approx(wanted, rel=TOLERANCE, abs=TOLERANCE)


def test_a_frozen_layer_has_no_gradient_and_what_is_below_has():
    model = GRAPHS["frozen_between"](layers, Model)
    trained = {id(weight) for weight in model.trained_parameters}
    for name, is_trained in (("below", True), ("middle", False), ("aside", False), ("y", True)):
        assert all((id(w) in trained) is is_trained for w in model.get_layer(name).parameters)


def test_a_layer_that_is_called_twice_is_trained_once():
    model = GRAPHS["shared_layers"](layers, Model)
    assert [layer.name for layer in model.layers[:2]] == ["encoder", model.layers[1].name]
    assert len(model.trained_parameters) == len(model.parameters) == 4 + 1


def test_weights_that_no_loss_depends_on_have_zero_gradients():
    x = layers.Input((STEPS, FEATURES))
    a, b = layers.LSTM(3, **F64)(x), layers.Dense(2, **F64)(x)
    model = Model(x, [a, b])
    rng = np.random.default_rng(0)
    batch = batch_of(model, *data_for(model, rng, SAMPLES))
    objective = Objective(model.graph, [Target("a", losses.get("mse")), Target("b", None)])
    gradients = objective.value_and_pullback(batch)[1]()
    of_dense = [g for g, w in zip(gradients, model.parameters, strict=True) if 2 in w.shape]
    assert len(of_dense) == 2
    assert not any(gradient.any() for gradient in of_dense)
    assert [gradient.shape for gradient in gradients] == [w.shape for w in model.parameters]


def test_a_penalty_of_a_shared_layer_counts_once():
    """Also where the layer stands in the graph with and without its activation."""
    x, z = layers.Input((3,)), layers.Input((3,))
    shared = layers.Dense(4, "softmax", kernel_regularizer="l2", **F64)
    above = layers.Dense(4, "softmax", **F64)(shared(z))
    model = Model([x, z], {"a": shared(x), "b": above})
    model.compile("sgd", "categorical_crossentropy")
    rng = np.random.default_rng(0)
    y = np.eye(4)[[0, 1, 2, 3, 0]]
    data = [rng.standard_normal((5, 3)), rng.standard_normal((5, 3))]
    logs = model.evaluate(data, [y, y], verbose=0, return_dict=True)
    penalty = 0.01 * (shared.get_weights()[0] ** 2).sum()
    assert logs["loss"] == pytest.approx(logs["a_loss"] + logs["b_loss"] + penalty, rel=1e-12)


def test_a_graph_goes_through_a_thousand_layers():
    symbol = x = layers.Input((2,))
    for _ in range(1200):
        symbol = layers.Activation("linear")(symbol)
    graph = between([x], [symbol])
    assert len(graph.steps) == 1200
    value = Value(np.ones((1, 2), np.float32))
    assert graph.call([value])[0].array.tolist() == [[1, 1]]


def test_inference_lets_values_go():
    """Beside the input there are two values at a time, however many layers there are."""
    graph = chain([layers.Activation("relu", **F64) for _ in range(10)])
    value = Value(np.ones((1000, 100)))
    tracemalloc.start()
    graph.call([value])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3.5 * value.array.nbytes


def test_the_backward_pass_lets_go_of_what_it_has_used():
    """Beside what was saved there are a gradient and the one below it."""
    graph = chain([layers.Dropout(0.5, seed=0, **F64) for _ in range(10)])
    value = Value(np.ones((1000, 100)))
    graph = chain([layers.Dense(100, **F64), *graph.layers])
    graph.layers[0].build((None, 100))
    tracemalloc.start()
    _, pullback = graph.vjp([value])
    gradients = [np.ones((1000, 100))]
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    pullback(gradients)
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert gradients == []
    assert peak - before < 1.5 * value.array.nbytes
    assert after < 1.5 * value.array.nbytes  # the output


def test_two_outputs_that_are_one_result_are_two_arrays():
    x = layers.Input((STEPS, FEATURES))
    y, h = layers.GRU(4, return_state=True, **F64)(x)
    model = Model(x, [y, h])
    first, second = model(np.ones((2, STEPS, FEATURES)))
    np.testing.assert_array_equal(first, second)
    first[...] = 5
    assert not (second == 5).any()


def test_what_flows_through_a_model_is_not_the_users_array():
    x = np.ones((2, 3))
    model = Sequential([layers.Input((3,)), layers.Dropout(0.5, **F64)])
    model(x)[...] = 5
    assert (x == 1).all()


# ------------------------------------------------------------------------------- names and dicts


def two_by_name():
    a, b = layers.Input((3,), name="first"), layers.Input((3,), name="second")
    total = layers.Add(**F64)([a, b])
    both = layers.Concatenate(**F64)([a, b])
    return Model({"a": a, "b": b}, {"sum": total, "both": both}), a


def test_inputs_and_outputs_have_the_names_of_their_dicts():
    model, a = two_by_name()
    assert model.input_names == ["a", "b"]
    assert a.name == "first"  # it may be in another model
    assert model.output_names == ["sum", "both"]
    one, two = np.ones((2, 3)), np.full((2, 3), 2.0)
    for given in ({"b": two, "a": one}, [one, two], (one, two)):
        total, both = model(given)
        assert (total == 3).all()
        assert (both[:, 3:] == 2).all()
        np.testing.assert_array_equal(model.predict(given, verbose=0)[1], both)
    again = Model.from_config(model.get_config())
    assert (again.input_names, again.output_names) == (model.input_names, model.output_names)


def test_outputs_of_one_layer_are_numbered():
    x = layers.Input((3,))
    shared = layers.Dense(2, name="d")
    y = shared(x)
    model = Model(x, [y, shared(x), shared(x), y])
    assert model.output_names == ["d", "d_1", "d_2", "d_3"]


def test_symbols_say_what_they_are():
    x = layers.Input((None, 3))
    y, h, c = layers.LSTM(4, return_state=True, name="l", **SEQUENCES)(x)
    assert (y.shape, h.shape, c.shape) == ((None, None, 4), (None, 4), (None, 4))
    assert repr(h) == "<Symbol shape=(None, 4), dtype=float64, from=l>"
    model = Model(x, [y, c])
    assert model.output_shape == [(None, None, 4), (None, 4)]
    assert model.input_shape == (None, None, 3)


# ---------------------------------------------------------------------------------- bad graphs


def of_other_inputs():
    x, other = layers.Input((3,)), layers.Input((3,))
    Model(x, layers.Add()([layers.Dense(3)(x), other]))


def unused_input():
    x, other = layers.Input((3,)), layers.Input((3,), name="other")
    Model([x, other], layers.Dense(3)(x))


def input_twice():
    x = layers.Input((3,))
    Model([x, x], layers.Dense(3)(x))


def inputs_of_one_name():
    x, z = layers.Input((3,), name="x"), layers.Input((3,), name="x")
    Model([x, z], layers.Add()([x, z]))


def no_inputs():
    Model([], layers.Dense(3)(layers.Input((3,))))


def no_outputs():
    Model(layers.Input((3,)), [])


def input_that_is_none():
    x = layers.Input((3,))
    y = layers.Dense(3)(x)
    Model(y, layers.Dense(2)(y))


def output_that_is_none():
    Model(layers.Input((3,)), np.zeros(3))


def output_that_is_an_input():
    x = layers.Input((3,))
    Model(x, x)


def layers_of_one_name():
    x = layers.Input((3,))
    Model(x, layers.Dense(3, name="d")(layers.Dense(3, name="d")(x)))


def layers_of_two_dtypes():
    x = layers.Input((3,))
    Model(x, [layers.Dense(3)(x), layers.Dense(3, dtype="float64")(x)])


def dtypes_in_a_row():
    x = layers.Input((3,))
    layers.Dense(3, dtype="float64", name="d")(layers.Dense(3, name="below")(x))


def input_of_two_dtypes():
    x = layers.Input((3,), name="x")
    e = layers.Flatten()(layers.Embedding(4, 2, name="e")(x))
    Model(x, layers.Concatenate()([e, layers.Dense(3, name="d")(x)]))


def arrays_among_symbols():
    x = layers.Input((3,))
    layers.Add(name="add")([x, np.zeros((2, 3))])


def array_with_symbols_for_states():
    h = layers.Input((4,))
    layers.GRU(4, name="g")(np.zeros((2, 5, 3)), initial_state=h)


def symbol_with_arrays_for_states():
    layers.GRU(4, name="g")(layers.Input((5, 3)), initial_state=np.zeros((2, 4)))


def states_of_another_size():
    h = layers.Input((5,))
    layers.GRU(4, name="g")(layers.Input((5, 3)), initial_state=h)


def one_state_of_two():
    h = layers.Input((4,))
    layers.LSTM(4, name="l")(layers.Input((5, 3)), initial_state=[h])


def mask_with_a_symbol():
    layers.Dense(4, name="d")(layers.Input((5, 3)), mask=np.ones((2, 5), bool))


def mask_with_a_symbol_for_a_recurrence():
    layers.GRU(4, name="d")(layers.Input((5, 3)), mask=np.ones((2, 5), bool))


def mask_with_symbols_to_join():
    x = layers.Input((5, 3))
    layers.Add(name="d")([x, x], mask=np.ones((2, 5), bool))


def one_array_to_join():
    layers.Add(name="add")([layers.Input((3,))])


def no_list_to_join():
    layers.Concatenate(name="join")(layers.Input((3,)))


def shapes_to_add():
    layers.Add(name="add")([layers.Input((3,)), layers.Input((4,))])


def shapes_to_join():
    layers.Concatenate(name="join")([layers.Input((5, 3)), layers.Input((4, 3))])


def axes_to_join():
    layers.Concatenate(name="join")([layers.Input((5, 3)), layers.Input((3,))])


def axis_of_samples():
    layers.Concatenate(axis=0)


def axis_beyond():
    layers.Concatenate(axis=2, name="join")([layers.Input((3,)), layers.Input((3,))])


def symbols_as_data():
    x = layers.Input((3,))
    Model(x, layers.Dense(3)(x)).predict(x, verbose=0)


def lengths_that_differ():
    x, z = layers.Input((None, 3)), layers.Input((None, 3))
    model = Model([x, z], layers.Add(name="add")([x, z]))
    model([np.zeros((2, 1, 3)), np.zeros((2, 4, 3))])


def name_that_is_none():
    x = layers.Input((3,))
    Model(x, {1: layers.Dense(3)(x)})


REFUSED = {
    of_other_inputs: (
        ValueError,
        "outputs depend on <Input name=input.* which is none of the inputs",
    ),
    unused_input: (ValueError, "input 'other' leads to no output"),
    input_twice: (ValueError, "inputs must be one at least, each once"),
    inputs_of_one_name: (ValueError, "inputs must have names of their own, 'x' is there twice"),
    no_inputs: (ValueError, "inputs must be one at least"),
    no_outputs: (ValueError, "outputs must be one at least, got none"),
    input_that_is_none: (TypeError, r"inputs must be made by Input\(shape\), got <Symbol"),
    output_that_is_none: (TypeError, "outputs must be what layers have given .* got array"),
    output_that_is_an_input: (TypeError, "outputs must be what layers have given .* got <Input"),
    layers_of_one_name: (ValueError, "unique names, 'd' is there twice"),
    layers_of_two_dtypes: (ValueError, "one dtype, got float32 and float64"),
    dtypes_in_a_row: (ValueError, "'d' takes float64, layer 'below' gives float32"),
    input_of_two_dtypes: (ValueError, "take input 'x' must take one dtype, got 'e' with int.*'d'"),
    arrays_among_symbols: (TypeError, "'add' must get symbols alone or arrays alone, got ndarray"),
    array_with_symbols_for_states: (TypeError, "'g' must get symbols alone .* x as ndarray"),
    symbol_with_arrays_for_states: (TypeError, "'g' must get symbols alone .* got ndarray"),
    states_of_another_size: (ValueError, r"initial_state of layer 'g' .*\(None, 4\).*\(None, 5\)"),
    one_state_of_two: (ValueError, "initial_state of layer 'l' must be of shapes"),
    mask_with_a_symbol: (TypeError, "'d' takes no mask with symbols"),
    mask_with_a_symbol_for_a_recurrence: (TypeError, "'d' takes no mask with symbols"),
    mask_with_symbols_to_join: (TypeError, "'d' takes no mask with symbols"),
    one_array_to_join: (ValueError, "'add' takes a list of at least 2 arrays"),
    no_list_to_join: (TypeError, "'join' takes a list of arrays, got Input"),
    shapes_to_add: (ValueError, r"'add' adds arrays of one shape, got .*3.*4"),
    shapes_to_join: (ValueError, "'join' joins arrays that differ along axis -1 alone"),
    axes_to_join: (ValueError, "'join' joins arrays of equally many axes"),
    axis_of_samples: (ValueError, "axis must .*0"),
    axis_beyond: (ValueError, "'join' joins arrays of equally many axes along axis 2"),
    symbols_as_data: (TypeError, "has no numbers yet: give it to layers, and data to a Model"),
    lengths_that_differ: (ValueError, r"'add' adds arrays of one shape, got .*1, 3.*4, 3"),
    name_that_is_none: (ValueError, "name must be a non-empty string without '/', got 1"),
}


@pytest.mark.parametrize("make", REFUSED, ids=[make.__name__ for make in REFUSED])
def test_what_a_graph_refuses(make):
    error, message = REFUSED[make]
    with pytest.raises(error, match=message):
        make()


def test_a_layer_is_found_by_name_or_index():
    model = GRAPHS["two_outputs"](layers, Model)
    assert model.get_layer("last") is model.get_layer(
        index=model.layers.index(model.get_layer("last"))
    )
    with pytest.raises(ValueError, match=r"no layer 'lost' among \['h', "):
        model.get_layer("lost")
    with pytest.raises(ValueError, match="there are 4 layers, none has index 7"):
        model.get_layer(index=7)
    with pytest.raises(ValueError, match="needs a name or an index"):
        model.get_layer()


def test_sequential_refuses_a_layer_of_several_arrays():
    with pytest.raises(ValueError, match="'add' takes several arrays: connect it in a Model"):
        Sequential([layers.Add(name="add")])
