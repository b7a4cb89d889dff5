"""Files of whole models, damaged at random: a model, or ValueError with the path; never more.

Nothing that a file says may be imported or run, and no memory be taken beyond what it holds.
"""

from __future__ import annotations

import json
import struct
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from random_calls import in_part
from rnnfast import Model, Sequential, layers, load_model, optimizers
from rnnfast.testing.bits import digest

LENGTH = struct.Struct("<Q")


@cache
def model() -> Model:
    x = layers.Input((None, 3))
    y, h, c = layers.LSTM(4, return_sequences=True, return_state=True)(x)
    y = layers.Bidirectional(layers.RNN([layers.GRUCell(2)], return_sequences=True))(y)
    after = layers.LSTM(4, dropout=0.1, kernel_regularizer="l2")(y, initial_state=[h, c])
    made = Model(x, layers.Dense(2, "softmax")(after))
    rate = optimizers.schedules.CosineDecay(0.1, 9)
    made.compile(optimizers.SGD(rate, momentum=0.5), "mse", metrics=["mae"])
    made.fit(np.ones((2, 3, 3)), np.ones((2, 2)), verbose=0)
    return made


@cache
def whole() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "whole.safetensors")
        model().save(path)
        return path.read_bytes()


def parts() -> tuple[dict[str, Any], dict[str, Any], bytes]:
    (length,) = LENGTH.unpack_from(whole())
    header = json.loads(whole()[LENGTH.size :][:length])
    note = json.loads(header["__metadata__"]["rnnfast"])
    return header, note, whole()[LENGTH.size + length :]


def packed(header: dict[str, Any], note: Any, numbers: bytes) -> bytes:
    header["__metadata__"]["rnnfast"] = json.dumps(note)
    text = json.dumps(header).encode()
    return LENGTH.pack(len(text)) + text + numbers


def load(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "damaged.safetensors")
        path.write_bytes(content)
        try:
            loaded = load_model(path)
        except ValueError as error:
            assert path.name in str(error), f"does not name the file: {error}"
            return
    assert isinstance(loaded, (Model, Sequential))
    assert loaded.count_params() <= model().count_params()


places = st.integers(0, len(whole()) + 8)


@in_part
@given(st.lists(st.tuples(places, st.binary(max_size=9)), min_size=1, max_size=4))
def test_bytes_written_over(edits):
    content = bytearray(whole())
    for place, written in edits:
        content[place : place + len(written)] = written
    load(bytes(content))


@in_part
@given(places, places, st.binary(max_size=64))
def test_pieces_cut_out_and_put_in(begin, end, put):
    load(whole()[:begin] + put + whole()[end:])


def values_in(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to every value within lists and dicts."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, one in inner:
        found.append((*way, key))
        if isinstance(one, (dict, list)):
            found += values_in(one, (*way, key))
    return found


ways = st.sampled_from(values_in(parts()[1]))
sizes = st.integers(-(2**65), 2**65) | st.integers(-2, 9) | st.just(10**400)
OURS = ["LSTM", "GRU", "Dense", "Adam", "SGD", "mse", "mae", "l2", "zeros", "tanh", "Model", "AUC"]
NOT_TO_BE_MADE = ["Layer", "Metric", "Optimizer", "LossFunctionWrapper", "Cell", "Merge"]
NOT_TO_BE_RUN = ["eval", "exec", "open", "print", "os.system", "builtins.eval", "__import__"]
names = st.sampled_from(OURS + NOT_TO_BE_MADE + NOT_TO_BE_RUN)
leaves = st.none() | st.booleans() | sizes | st.floats() | names | st.text(max_size=9)
anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=9), inner, max_size=3)
        | st.fixed_dictionaries(
            {"class_name": names, "config": st.dictionaries(names, inner, max_size=2)}
        )
    ),
    max_leaves=8,
)


@in_part
@given(st.dictionaries(ways, anything, min_size=1, max_size=3), st.booleans())
def test_other_values_in_the_configuration(changes, moved):
    header, note, numbers = parts()
    for way, value in changes.items():
        place: Any = note
        *path, last = way
        try:
            for key in path:
                place = place[key]
            if moved and isinstance(place, dict):
                place[str(value)[:20]] = place.pop(last)
            else:
                place[last] = value
        except (KeyError, IndexError, TypeError):  # within what another change took away
            continue
    load(packed(header, note, numbers))


@in_part
@given(anything)
def test_any_configuration(note):
    header, _, numbers = parts()
    load(packed(header, note, numbers))


def test_the_whole_file_is_loaded():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "again.safetensors")
        path.write_bytes(packed(*parts()))
        loaded = load_model(path)
    assert digest(loaded.get_weights()) == digest(model().get_weights())
    assert int(loaded.optimizer.iterations) == 1
