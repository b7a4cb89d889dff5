"""Texts and padding beside Keras's: the same numbers, and each reads the other's JSON."""

import importlib
import inspect
import json

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from keras_twins import keras
from rnnfast.utils import Tokenizer, pad_sequences, tokenizer_from_json

# Keras keeps it under a name that the package does not import by itself.
legacy = importlib.import_module("keras.src.legacy.preprocessing.text")

# Few characters, so that words meet again: letters whose case folds oddly among them.
LETTERS = st.text("abAB ß\u0130é\u4e2d,.-'\t\n\U0001f40d", max_size=12)
WORDS = st.lists(st.text("aBßé ", max_size=3), max_size=5)
TEXTS = st.lists(LETTERS | st.text(max_size=8) | WORDS, max_size=5)
MODES = ["binary", "count", "tfidf", "freq"]


@st.composite
def options(draw):
    return {
        "num_words": draw(st.none() | st.integers(1, 6)),
        "lower": draw(st.booleans()),
        "char_level": draw(st.booleans()),
        "oov_token": draw(st.none() | st.sampled_from(["<oov>", "a", ""])),
        "filters": draw(st.sampled_from(["", ",.", "ab", legacy.Tokenizer().filters])),
        "split": draw(st.sampled_from([" ", "-", "ab"])),
        "analyzer": draw(st.none() | st.just(list)),
    }


def twins(chosen, *texts):
    both = Tokenizer(**chosen), legacy.Tokenizer(**chosen)
    for tokenizer in both:
        for some in texts:
            tokenizer.fit_on_texts(some)
    return both


def unordered(tokenizer):
    """The JSON read back, tables too. Keras's order of documents follows the hash of strings."""
    config = json.loads(tokenizer.to_json())["config"]
    for name in ("word_docs", "index_docs"):
        config[name] = json.loads(config[name])
    return config


@given(options(), TEXTS.filter(bool), TEXTS, TEXTS)
def test_tokenizers_agree(chosen, first, second, others):
    ours, theirs = twins(chosen, first, second)
    assert unordered(ours) == unordered(theirs)
    sequences = ours.texts_to_sequences(others)
    assert sequences == theirs.texts_to_sequences(others)
    numbers = [*sequences, [0, 1, 2, 5, 9]]
    assert ours.sequences_to_texts(numbers) == theirs.sequences_to_texts(numbers)
    for tokenizer in (ours, theirs):
        tokenizer.fit_on_sequences(numbers)
    assert unordered(ours) == unordered(theirs)
    for mode in MODES if theirs.word_index or chosen["num_words"] else []:
        np.testing.assert_allclose(
            ours.sequences_to_matrix(numbers, mode),
            theirs.sequences_to_matrix(numbers, mode),
            rtol=1e-15,
        )


@given(options(), TEXTS.filter(bool), TEXTS)
def test_each_reads_what_the_other_wrote(chosen, texts, others):
    ours, theirs = twins(chosen, texts)
    chosen["analyzer"] = None  # JSON has no functions
    read = tokenizer_from_json(theirs.to_json())
    # Read in, the order is the same for both: then the JSON is, byte for byte.
    assert read.to_json() == theirs.to_json()
    assert legacy.tokenizer_from_json(ours.to_json()).to_json() == ours.to_json()
    ours.analyzer = None
    assert read.texts_to_sequences(others) == ours.texts_to_sequences(others)


@st.composite
def ragged(draw):
    step = draw(st.sampled_from([(), (2,), (2, 1)]))
    numbers = st.integers(-9, 9)
    lengths = draw(st.lists(st.integers(0, 5), min_size=1, max_size=4))
    arrays = [
        np.array(
            draw(st.lists(numbers, min_size=(n := length * int(np.prod(step))), max_size=n)), int
        ).reshape(length, *step)
        for length in lengths
    ]
    return [array.tolist() for array in arrays] if draw(st.booleans()) else arrays


@given(
    ragged(),
    st.none() | st.integers(1, 6),
    st.sampled_from(["int32", "float32", "int64", np.float64, object]),
    st.sampled_from(["pre", "post"]),
    st.sampled_from(["pre", "post"]),
    st.sampled_from([0.0, -1, 3.0]),
)
def test_padding_agrees(sequences, maxlen, dtype, padding, truncating, value):
    arguments = sequences, maxlen, dtype, padding, truncating, value
    ours, theirs = pad_sequences(*arguments), keras.utils.pad_sequences(*arguments)
    np.testing.assert_array_equal(ours, theirs)
    assert ours.dtype == theirs.dtype


@pytest.mark.parametrize("dtype", [object, "U3", str])
def test_padded_strings_agree(dtype):
    arguments = [["a"], ["long", "er"]], None, dtype, "post", "pre", "<pad>"
    ours, theirs = pad_sequences(*arguments), keras.utils.pad_sequences(*arguments)
    np.testing.assert_array_equal(ours, theirs)
    assert ours.dtype == theirs.dtype


def test_arguments_have_the_same_order_and_defaults():
    for ours, theirs in (
        (pad_sequences, keras.utils.pad_sequences),
        (Tokenizer, legacy.Tokenizer),
        (tokenizer_from_json, legacy.tokenizer_from_json),
    ):
        wanted = inspect.signature(theirs).parameters.values()
        got = inspect.signature(ours).parameters.values()
        assert [(p.name, p.default) for p in got] == [
            (p.name, p.default) for p in wanted if p.kind is not p.VAR_KEYWORD
        ]
    public = {name for name in dir(legacy.Tokenizer) if not name.startswith("_")}
    assert public <= set(dir(Tokenizer))
