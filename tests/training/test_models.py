"""Sequential as a stack of layers: adding, building, weights, summary, errors."""

import numpy as np
import pytest

from rnnfast import Sequential, layers, utils


def make(*, with_input=False):
    stack = [layers.Embedding(10, 4), layers.LSTM(8), layers.Dense(3, "softmax", name="head")]
    return Sequential([layers.Input((None,)), *stack] if with_input else stack)


def test_without_an_input_the_weights_wait_for_data():
    model = make()
    assert not model.built
    assert model.get_weights() == []
    assert model.count_params() == 0
    with pytest.raises(AttributeError, match="no input shape yet"):
        _ = model.input_shape
    assert model.predict(np.zeros((2, 5)), verbose=0).shape == (2, 3)
    assert model.built
    assert model.input_shape == (None, 5)
    assert model.count_params() == 10 * 4 + (4 + 8 + 1) * 32 + 9 * 3
    assert len(model.get_weights()) == 1 + 3 + 2


def test_with_an_input_layers_build_as_they_are_added():
    model = Sequential()
    model.add(layers.Input((None, 3)))
    model.add(layers.GRU(4))
    assert model.built
    assert model.output_shape == (None, 4)
    model.add(layers.Dense(2))
    assert model.output_shape == (None, 2)
    assert [type(layer) for layer in model.layers] == [layers.GRU, layers.Dense]


def test_build_makes_the_weights():
    model = make()
    model.build((None, 7))
    assert model.built
    assert model.output_shape == (None, 3)


def test_any_length_of_time_after_a_build_by_data():
    model = make()
    assert model(np.zeros((2, 5))).shape == model(np.zeros((2, 9))).shape == (2, 3)


def test_an_input_shape_is_held():
    model = Sequential([layers.Input((5, 3)), layers.LSTM(4)])
    assert model(np.zeros((2, 5, 3))).shape == (2, 4)
    for shape in [(2, 6, 3), (2, 5, 4), (2, 5)]:
        with pytest.raises(ValueError, match=r"x must have the shape of the model's Input, \(None"):
            model(np.zeros(shape))
    with pytest.raises(ValueError, match="input_shape must be that of the model's Input"):
        model.build((None, 4, 3))


def test_pop_takes_the_last_layer_off():
    model = make(with_input=True)
    head = model.layers[-1]
    assert model.pop() is head
    assert model.output_shape == (None, 8)
    model.add(layers.Dense(5))
    assert model.output_shape == (None, 5)
    with pytest.raises(ValueError, match="no layers"):
        Sequential().pop()


def test_layers_cannot_be_changed_through_the_list():
    model = make()
    model.layers.clear()
    assert len(model.layers) == 3


def test_what_add_refuses():
    model = make()
    with pytest.raises(TypeError, match="made of layers, got 3"):
        model.add(3)
    with pytest.raises(TypeError, match="made of layers"):
        Sequential([layers.LSTM])
    with pytest.raises(ValueError, match="unique names, 'head' is taken"):
        model.add(layers.Dense(3, name="head"))
    with pytest.raises(ValueError, match=r"one dtype, .* got .* with float64"):
        model.add(layers.Dense(3, dtype="float64"))
    with pytest.raises(ValueError, match="Input must be the first"):
        model.add(layers.Input((3,)))
    with pytest.raises(ValueError, match="return_sequences=True"):
        Sequential([layers.Input((5, 3)), layers.LSTM(4), layers.LSTM(4)])


def test_arguments_that_are_not_there_yet():
    with pytest.raises(TypeError, match="unexpected argument 'foo'"):
        Sequential([], foo=1)
    with pytest.raises(NotImplementedError, match="show_trainable=True"):
        make().summary(show_trainable=True)
    with pytest.raises(TypeError, match="unexpected keyword argument 'foo'"):
        make().compile(foo=1)


def test_weights_come_back_as_they_were_set():
    first, second = make(with_input=True), make(with_input=True)
    second.set_weights(first.get_weights())
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    x = np.arange(10).reshape(2, 5)
    np.testing.assert_array_equal(first(x), second(x))
    with pytest.raises(ValueError, match="must be 6 arrays, got 1"):
        first.set_weights([np.zeros(3)])
    with pytest.raises(ValueError, match="not built yet"):
        make().set_weights(first.get_weights())


def test_a_model_without_layers_says_so():
    for call in (
        lambda: Sequential().predict(np.zeros((2, 3))),
        lambda: Sequential()(np.zeros((2, 3))),
        lambda: Sequential().build((None, 3)),
    ):
        with pytest.raises(ValueError, match=r"no layers; call add\(layer\)"):
            call()


def summary_of(model):
    printed = []
    model.summary(print_fn=printed.append)
    return printed[0]


SUMMARY = """\
Model: "tale"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━┓
┃ Layer (type)                         ┃ Output Shape                ┃         Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━┩
│ words (Embedding)                    │ (None, 5, 4)                │              40 │
├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤
│ memory (LSTM)                        │ (None, 8)                   │             416 │
├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤
│ head (Dense)                         │ (None, 3)                   │              27 │
└──────────────────────────────────────┴─────────────────────────────┴─────────────────┘
 Total params: 483 (1.89 KB)
 Trainable params: 483 (1.89 KB)
 Non-trainable params: 0 (0.00 B)"""


def test_summary(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    model = Sequential(
        [
            layers.Embedding(10, 4, name="words"),
            layers.LSTM(8, name="memory"),
            layers.Dense(3, name="head"),
        ],
        name="tale",
    )
    assert summary_of(model).count("│ ?") == summary_of(model).count("0 (unbuilt)") == 3
    model.build((None, 5))
    assert summary_of(model) == SUMMARY


def test_summary_counts_the_optimizer_once_it_has_state():
    model = Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("adam", "mse")
    assert "Optimizer" not in summary_of(model)
    model.fit(np.zeros((4, 2)), np.zeros((4, 1)), verbose=0)
    assert " Optimizer params: 8 " in summary_of(model)
    assert " Total params: 11 " in summary_of(model)


def test_summary_prints(capsys):
    make(with_input=True).summary()
    assert "Trainable params: 483" in capsys.readouterr().out


def test_a_wide_name_widens_the_table(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    model = Sequential([layers.Dense(3, name="x" * 70)])
    lines = summary_of(model).splitlines()
    assert len({len(line) for line in lines[1:-3]}) == 1
    assert "x" * 70 in lines[4]


def test_to_categorical():
    np.testing.assert_array_equal(utils.to_categorical([0, 2, 1]), np.eye(3)[[0, 2, 1]])
    assert utils.to_categorical([[1], [0]], 4).shape == (2, 4)
    assert utils.to_categorical([[1, 0]], 4).shape == (1, 2, 4)
    with pytest.raises(ValueError, match="classes from 0 to num_classes - 1 = 1, got 0 to 2"):
        utils.to_categorical([0, 2], 2)
    with pytest.raises(ValueError, match="num_classes must be given"):
        utils.to_categorical([])
    np.testing.assert_array_equal(utils.to_categorical([0.0, 1.0]), np.eye(2))
    with pytest.raises(ValueError, match=r"x must be class numbers, which are whole, got 1\.7"):
        utils.to_categorical([0, 1.7])
    with pytest.raises(TypeError, match=r"dtype <U1; .*np\.unique\(x, return_inv"):
        utils.to_categorical(["a", "b"])
    with pytest.raises(ValueError, match="num_classes must be a positive integer, got '3'"):
        utils.to_categorical([0, 1], "3")


def test_a_layer_of_integers_is_the_first():
    with pytest.raises(ValueError, match="which no layer gives: it must be the first"):
        Sequential([layers.Dense(3), layers.Embedding(4, 2, name="late")])


@pytest.mark.parametrize("dtype", ["float16", "float64", "int32"])
def test_an_input_has_the_dtype_of_the_first_layer(dtype):
    with pytest.raises(ValueError, match=f"takes float32, got Input with dtype='{dtype}'"):
        Sequential([layers.Input((5, 3), dtype=dtype), layers.LSTM(2)])
    Sequential([layers.Input((5,), dtype="int32"), layers.Embedding(4, 2)])
