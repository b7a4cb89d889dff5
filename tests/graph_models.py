"""Graphs of layers, made with the layers of rnnfast or of Keras: `GRAPHS[name](kit, Model)`.

Inputs are sequences `x` and `z`, some of their steps zero, and `words`, where 0 is no word. Layers
with weights have the same names in both libraries.
"""

STEPS, FEATURES, VOCABULARY = 5, 3, 7
F64 = {"dtype": "float64"}
SEQUENCES = {"return_sequences": True, "dtype": "float64"}


def x_of(kit, name="x"):
    return kit.Input((STEPS, FEATURES), name=name)


def words_of(kit):
    return kit.Input((STEPS,), dtype="int32", name="words")


def two_inputs(kit, model):
    x, words = x_of(kit), words_of(kit)
    a = kit.LSTM(4, name="a", **F64)(x)
    embedded = kit.Embedding(VOCABULARY, 4, mask_zero=True, name="e", **F64)(words)
    b = kit.GRU(3, name="b", **F64)(embedded)
    return model([x, words], kit.Dense(2, name="y", **F64)(kit.Concatenate(**F64)([a, b])))


def two_outputs(kit, model):
    x = x_of(kit)
    h = kit.LSTM(5, name="h", **SEQUENCES)(x)
    steps = kit.Dense(2, name="steps", **F64)(h)
    last = kit.Dense(3, "tanh", name="last", **F64)(kit.GRU(4, name="g", **F64)(h))
    return model(x, [steps, last])


def shared_layers(kit, model):
    x, z = x_of(kit), x_of(kit, "z")
    encoder = kit.LSTM(4, name="encoder", **F64)
    top = kit.Dense(2, name="top", **F64)
    a, b = encoder(x), encoder(z)
    return model([x, z], kit.Add(**F64)([top(a), top(kit.Add(**F64)([a, b]))]))


def encoder_and_decoder(kit, model):
    x, z = x_of(kit), x_of(kit, "z")
    _, h, c = kit.LSTM(4, return_state=True, name="encoder", **F64)(x)
    steps = kit.LSTM(4, name="decoder", **SEQUENCES)(z, initial_state=[h, c])
    return model([x, z], kit.Dense(2, name="y", **F64)(steps))


def states_and_results(kit, model):
    x = x_of(kit)
    y, h = kit.GRU(4, return_state=True, name="g", **SEQUENCES)(x)
    again = kit.GRU(4, name="again", **F64)(y, initial_state=h)
    return model(x, kit.Dense(2, name="y", **F64)(kit.Add(**F64)([again, h])))


def bidirectional_states(kit, model):
    x, z = x_of(kit), x_of(kit, "z")
    inner = kit.LSTM(3, return_state=True, **F64)
    y, fh, fc, bh, bc = kit.Bidirectional(inner, name="both", **F64)(x)
    h = kit.Concatenate(**F64)([fh, bh])
    c = kit.Concatenate(**F64)([fc, bc])
    steps = kit.LSTM(6, name="decoder", **SEQUENCES)(z, initial_state=[h, c])
    top = kit.Dense(6, name="top", **F64)(y)
    return model([x, z], [kit.Dense(2, name="y", **F64)(steps), top])


def directions_apart(kit, model):
    x = x_of(kit)
    inner = kit.GRU(4, **SEQUENCES)
    f, b = kit.Bidirectional(inner, merge_mode=None, name="both", **F64)(x)
    return model(x, kit.SimpleRNN(3, name="top", **F64)(kit.Concatenate(**F64)([b, f])))


def one_direction_used(kit, model):
    x = x_of(kit)
    inner = kit.GRU(4, **F64)
    _, b = kit.Bidirectional(inner, merge_mode=None, name="both", **F64)(x)
    return model(x, kit.Dense(3, name="top", **F64)(b))


def masks_joined(kit, model):
    x, z = x_of(kit), x_of(kit, "z")
    a = kit.GRU(4, name="a", **SEQUENCES)(kit.Masking(**F64)(x))
    b = kit.LSTM(4, name="b", **SEQUENCES)(kit.Masking(**F64)(z))
    both = kit.Concatenate(**F64)([kit.Add(**F64)([a, b]), a])
    return model([x, z], kit.GRU(3, name="top", **F64)(both))


def one_mask_of_two(kit, model):
    x, z = x_of(kit), x_of(kit, "z")
    a = kit.GRU(4, name="a", **SEQUENCES)(kit.Masking(**F64)(x))
    b = kit.LSTM(4, name="b", **SEQUENCES)(z)
    added = kit.LSTM(3, name="added", **F64)(kit.Add(**F64)([a, b]))
    joined = kit.LSTM(3, name="joined", **F64)(kit.Concatenate(**F64)([a, b]))
    return model([x, z], kit.Add(**F64)([added, joined]))


def one_after_another(kit, model):
    x, words = x_of(kit), words_of(kit)
    embedded = kit.Embedding(VOCABULARY, FEATURES, mask_zero=True, name="e", **F64)(words)
    longer = kit.Concatenate(axis=1, **F64)([kit.Masking(**F64)(x), embedded])
    return model([x, words], kit.LSTM(3, name="y", **F64)(longer))


def masked_outputs(kit, model):
    words = words_of(kit)
    h = kit.Embedding(VOCABULARY, 4, mask_zero=True, name="e", **F64)(words)
    steps = kit.LSTM(3, name="steps", **SEQUENCES)(h)
    last = kit.GRU(2, name="last", **F64)(h)
    return model(words, [steps, last])


def frozen_between(kit, model):
    x = x_of(kit)
    below = kit.Dense(4, "tanh", name="below", **F64)(x)
    middle = kit.LSTM(4, trainable=False, name="middle", **F64)(below)
    aside = kit.GRU(4, trainable=False, name="aside", **F64)(x)
    return model(x, kit.Dense(2, name="y", **F64)(kit.Add(**F64)([middle, aside])))


def output_taken_on(kit, model):
    x = x_of(kit)
    h = kit.GRU(4, name="h", **SEQUENCES)(x)
    return model(x, [h, kit.Dense(2, name="y", **F64)(kit.LSTM(3, name="l", **F64)(h))])


def taken_twice(kit, model):
    x = x_of(kit)
    h = kit.GRU(4, name="h", **F64)(x)
    return model(x, kit.Concatenate(**F64)([h, kit.Add(**F64)([h, h])]))


def stacked_cells(kit, model):
    x, z = x_of(kit), x_of(kit, "z")
    cells = [kit.GRUCell(3, **F64), kit.GRUCell(2, **F64)]
    _, first, second = kit.RNN(cells, return_state=True, name="encoder", **F64)(x)
    cells = [kit.GRUCell(3, **F64), kit.GRUCell(2, **F64)]
    top = kit.RNN(cells, name="decoder", **F64)(z, initial_state=[first, second])
    return model([x, z], top)


GRAPHS = {
    make.__name__: make
    for make in (
        two_inputs,
        two_outputs,
        shared_layers,
        encoder_and_decoder,
        states_and_results,
        bidirectional_states,
        directions_apart,
        one_direction_used,
        masks_joined,
        one_mask_of_two,
        one_after_another,
        masked_outputs,
        frozen_between,
        output_taken_on,
        taken_twice,
        stacked_cells,
    )
}


def data_for(model, rng, samples):
    """Data for a model of ours: a list of inputs and one of targets."""
    inputs = []
    for name in model.input_names:
        if name == "words":
            words = rng.integers(1, VOCABULARY, (samples, STEPS))
            for row, length in zip(words, rng.integers(1, STEPS + 1, samples), strict=True):
                row[length:] = 0
            inputs.append(words)
        else:
            x = rng.standard_normal((samples, STEPS, FEATURES))
            x[rng.random((samples, STEPS)) < 0.3] = 0
            x[:, 0] = 1  # at least one step is there
            inputs.append(x)
    shapes = model.output_shape if len(model.outputs) > 1 else [model.output_shape]
    targets = [rng.standard_normal((samples, *shape[1:])) for shape in shapes]
    return inputs, targets
