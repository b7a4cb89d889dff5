"""Weights files damaged at random: read whole, or refused with every weight as it was."""

from __future__ import annotations

import json
import struct
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from random_calls import in_part
from rnnfast import Sequential, layers
from rnnfast.testing.bits import digest

# Of safetensors: the length of the header, the header as JSON, the numbers.
LENGTH = struct.Struct("<Q")


@cache
def model() -> Sequential:
    return Sequential([layers.Input((None, 3)), layers.LSTM(4), layers.Dense(2)])


@cache
def whole() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "whole.safetensors")
        model().save_weights(path)
        return path.read_bytes()


@cache
def good_weights() -> tuple[np.ndarray, ...]:
    return tuple(model().get_weights())


def parts() -> tuple[dict, bytes]:
    (length,) = LENGTH.unpack_from(whole())
    return json.loads(whole()[LENGTH.size :][:length]), whole()[LENGTH.size + length :]


def packed(header: object, numbers: bytes) -> bytes:
    text = json.dumps(header).encode()
    return LENGTH.pack(len(text)) + text + numbers


def load(content: bytes) -> None:
    """Load a file, which may fail as files do; then nothing has changed."""
    model().set_weights(good_weights())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "damaged.safetensors")
        path.write_bytes(content)
        try:
            with np.errstate(over="ignore"):
                model().load_weights(path)
        except (ValueError, OSError) as error:
            assert path.name in str(error), f"does not name the file: {error}"
            assert digest(model().get_weights()) == digest(good_weights())
            return
    loaded = model().get_weights()
    assert [a.shape for a in loaded] == [a.shape for a in good_weights()]
    assert all(a.dtype == np.float32 for a in loaded)


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


@in_part
@given(st.integers(0, 2**64 - 1) | st.integers(0, 2 * len(whole())))
def test_any_length_of_the_header(length):
    load(LENGTH.pack(length) + whole()[LENGTH.size :])


@in_part
@given(st.binary(max_size=200))
def test_any_bytes(content):
    load(content)


sizes = st.integers(-(2**65), 2**65) | st.integers(-2, 200)
leaves = st.none() | st.booleans() | sizes | st.floats() | st.text(max_size=9)
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
# With the bytes of a number.
WIDTHS = {
    **{"BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1, "F4": 0.5},
    **{"BF16": 2, "F16": 2, "I16": 2, "U16": 2, "F32": 4, "I32": 4, "U32": 4},
    **{"F64": 8, "I64": 8, "U64": 8, "C64": 8, "X9": 4},
}
dtypes = st.sampled_from(sorted(WIDTHS))
entries = {
    "dtype": dtypes | anything,
    "shape": st.lists(sizes, max_size=4) | anything,
    "data_offsets": st.lists(sizes, min_size=2, max_size=2) | anything,
}


@in_part
@given(data=st.data())
def test_any_entry_of_the_header(data):
    header, numbers = parts()
    for _ in range(data.draw(st.integers(1, 3))):
        tensor = data.draw(st.sampled_from(sorted(header)))
        field = data.draw(st.sampled_from(["dtype", "shape", "data_offsets", "name", "all"]))
        if field == "name":
            header[data.draw(st.text(max_size=20))] = header.pop(tensor)
        elif field == "all" or not isinstance(header[tensor], dict):
            header[tensor] = data.draw(anything)
        else:
            header[tensor][field] = data.draw(entries[field])
    load(packed(header, numbers))


@in_part
@given(anything, st.binary(max_size=64))
def test_any_header(header, numbers):
    load(packed(header, numbers))


@in_part
@given(dtypes, st.binary(min_size=1, max_size=1))
def test_every_type_of_number(dtype, byte):
    """A file that is well formed, and holds other numbers than it should."""
    header, at = {}, 0
    for name, entry in parts()[0].items():
        if name != "__metadata__":
            size = int(np.prod(entry["shape"]) * WIDTHS[dtype])
            header[name] = {**entry, "dtype": dtype, "data_offsets": [at, at + size]}
            at += size
    load(packed(header, byte * at))


def test_the_whole_file_is_loaded():
    model().set_weights([np.zeros_like(a) for a in good_weights()])
    header, numbers = parts()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "again.safetensors")
        path.write_bytes(packed(header, numbers))
        model().load_weights(path)
    assert digest(model().get_weights()) == digest(good_weights())
