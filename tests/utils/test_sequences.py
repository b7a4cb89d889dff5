"""Sequences of one length, samples first or time first."""

import numpy as np
import pytest

import rnnfast
from rnnfast.utils import initial_weights, pad_ragged, pad_sequences, sequence_mask

RAGGED = [[1], [2, 3], [], [4, 5, 6]]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, [[0, 0, 1], [0, 2, 3], [0, 0, 0], [4, 5, 6]]),
        ({"padding": "post"}, [[1, 0, 0], [2, 3, 0], [0, 0, 0], [4, 5, 6]]),
        ({"maxlen": 2}, [[0, 1], [2, 3], [0, 0], [5, 6]]),
        ({"maxlen": 2, "truncating": "post"}, [[0, 1], [2, 3], [0, 0], [4, 5]]),
        ({"maxlen": 4, "value": -1}, [[-1, -1, -1, 1], [-1, -1, 2, 3], [-1] * 4, [-1, 4, 5, 6]]),
    ],
)
def test_padding_and_truncating(options, wanted):
    padded = pad_sequences(RAGGED, **options)
    np.testing.assert_array_equal(padded, wanted)
    assert padded.dtype == np.int32


def test_steps_of_any_shape_and_dtype():
    first = np.arange(6.0).reshape(3, 2)
    padded = pad_sequences([first, first[:1] + 0.5], dtype="float32", value=-2.5)
    assert padded.dtype == np.float32
    np.testing.assert_array_equal(padded[0], first)
    np.testing.assert_array_equal(padded[1], [[-2.5, -2.5], [-2.5, -2.5], [0.5, 1.5]])
    words = pad_sequences([["a"], ["long", "er"]], dtype=object, value="<pad>")
    assert words.tolist() == [["<pad>", "a"], ["long", "er"]]


def test_no_sequences_or_empty_ones():
    assert pad_sequences([], maxlen=3).shape == (0, 3)
    assert pad_sequences([[], []]).shape == (2, 0)
    assert pad_sequences(iter([[1]])).shape == (1, 1)


@pytest.mark.parametrize(
    ("sequences", "options", "error", "message"),
    [
        (
            RAGGED,
            {"padding": "before"},
            ValueError,
            "padding must be 'pre' or .* got 'before'",
        ),
        (RAGGED, {"truncating": "pst"}, ValueError, "did you mean 'post'"),
        (RAGGED, {"maxlen": 0}, ValueError, "maxlen must be a positive integer, got 0"),
        ([], {}, ValueError, "maxlen must be given"),
        ([1, 2], {}, TypeError, r"sequences\[0\] must be a sequence, .* got 1 of type int"),
        (["ab"], {}, TypeError, r"sequences\[0\] must be a sequence"),
        (
            [[1], [0.5]],
            {},
            ValueError,
            r"sequences\[1\] must hold .* can, got 0.5; .*float64",
        ),
        ([[2**40]], {}, ValueError, "numbers that int32 can, got 1099511627776"),
        ([[np.nan]], {}, ValueError, "numbers that int32 can, got nan"),
        (RAGGED, {"value": 0.5}, ValueError, "value must hold numbers that int32 can, got 0.5"),
        (RAGGED, {"value": "x"}, ValueError, "value must be numbers for dtype int32"),
        ([["a"]], {}, ValueError, "dtype=object takes strings"),
        ([[[1]], [[1, 2]]], {}, ValueError, r"one shape: \(1,\) in sequences\[0\], \(2,\) in s"),
        ([[[1], [1, 2]]], {}, ValueError, r"all steps of sequences\[0\] must have one shape"),
    ],
)
def test_what_cannot_be_padded(sequences, options, error, message):
    with pytest.raises(error, match=message):
        pad_sequences(sequences, **options)


def test_ragged_sequences_run_as_if_alone():
    rng = np.random.default_rng(0)
    sequences = [rng.standard_normal((steps, 3)) for steps in (4, 0, 7, 1)]
    x, lengths = pad_ragged(sequences)
    assert x.shape == (7, 4, 3)
    np.testing.assert_array_equal(lengths, [4, 0, 7, 1])
    weights = initial_weights("lstm", 3, 5, dtype=np.float64, seed=0)
    y, h_n, _ = rnnfast.lstm(x, **weights, lengths=lengths)
    for b, sequence in enumerate(sequences):
        alone = rnnfast.lstm(sequence[:, None], **weights)
        np.testing.assert_array_equal(y[: lengths[b], b], alone.y[:, 0])
        np.testing.assert_array_equal(h_n[b], alone.h_n[0])
    mask = sequence_mask(lengths, len(x))
    assert mask.shape == (7, 4)
    np.testing.assert_array_equal(mask.sum(axis=0), lengths)
    np.testing.assert_array_equal(y != 0, np.broadcast_to(mask[..., None], y.shape))


def test_ragged_symbols_and_lists():
    x, lengths = pad_ragged([[3, 4], [], [5]])
    np.testing.assert_array_equal(x, [[3, 0, 5], [4, 0, 0]])
    assert x.dtype.kind == "i"
    np.testing.assert_array_equal(lengths, [2, 0, 1])
    assert pad_ragged([[], []]).x.shape == (0, 2)


@pytest.mark.parametrize(
    ("sequences", "error", "message"),
    [
        ([], ValueError, "one sequence at least"),
        ([[1.0], ["a"]], TypeError, r"sequences\[1\] must be an array of numbers"),
        ([1.0], ValueError, r"sequences\[0\] must have an axis of steps"),
        ([[[1.0]], [[1.0, 2.0]]], ValueError, r"one shape: \(1,\) in sequences\[0\], \(2,\) in"),
        ([[[1.0], [1.0, 2.0]]], ValueError, r"all steps of sequences\[0\] must have one shape"),
        ([[], [1.0], [2]], TypeError, r"float64 in sequences\[1\], int64 in sequences\[2\]"),
    ],
)
def test_what_is_not_ragged_but_wrong(sequences, error, message):
    with pytest.raises(error, match=message):
        pad_ragged(sequences)


def test_a_mask_is_as_long_as_the_longest_or_longer():
    np.testing.assert_array_equal(sequence_mask([2, 0]), [[True, False], [True, False]])
    assert sequence_mask(np.array([1], np.uint8), 5).sum() == 1
    for lengths, steps, error, message in (
        ([1, 3], 2, ValueError, "from 0 to steps = 2, got 1 to 3"),
        ([-1], None, ValueError, "from 0 to steps"),
        ([[1]], None, ValueError, r"lengths must be \(B,\)"),
        ([1.0], None, TypeError, "lengths must be integers, got float64"),
    ):
        with pytest.raises(error, match=message):
            sequence_mask(lengths, steps)
