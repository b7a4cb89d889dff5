"""The shape of a model's input, given to its first layer."""

import re

import pytest

from rnnfast import layers

GIVEN = {
    "input_shape": (lambda: layers.LSTM(4, input_shape=(5, 3)), (None, 5, 3)),
    "a length that varies": (lambda: layers.GRU(4, input_shape=[None, 3]), (None, None, 3)),
    "batch_input_shape": (lambda: layers.LSTM(4, batch_input_shape=(2, 5, 3)), (2, 5, 3)),
    "input_dim": (lambda: layers.Dense(4, input_dim=8), (None, 8)),
    "input_dim of steps": (lambda: layers.SimpleRNN(4, input_dim=8), (None, None, 8)),
    "input_length": (lambda: layers.LSTM(4, input_dim=8, input_length=5), (None, 5, 8)),
    "of indices": (lambda: layers.Embedding(10, 4, input_length=7), (None, 7)),
    "indices alone": (lambda: layers.Embedding(10, 4, input_shape=(7,)), (None, 7)),
    "dropout": (lambda: layers.Dropout(0.5, input_shape=(3,)), (None, 3)),
    "masking": (lambda: layers.Masking(input_shape=(5, 3)), (None, 5, 3)),
    "each step": (
        lambda: layers.TimeDistributed(layers.Dense(4), input_shape=(5, 3)),
        (None, 5, 3),
    ),
    "cells": (lambda: layers.RNN(layers.GRUCell(4), input_shape=(5, 3)), (None, 5, 3)),
    "both ways": (lambda: layers.Bidirectional(layers.LSTM(4), input_dim=3), (None, None, 3)),
    "inside": (lambda: layers.Bidirectional(layers.LSTM(4, input_shape=(5, 3))), (None, 5, 3)),
    "inside each step": (
        lambda: layers.TimeDistributed(layers.Dense(4, input_dim=3)),
        (None, None, 3),
    ),
    "not given": (lambda: layers.LSTM(4), None),
    "given as nothing": (lambda: layers.LSTM(4, input_shape=None), None),
}


@pytest.mark.parametrize(("make", "shape"), GIVEN.values(), ids=GIVEN.keys())
def test_a_shape_is_kept_with_the_batch_axis(make, shape):
    assert make().batch_input_shape == shape


REFUSED = {
    "input_shape must be a tuple of lengths and None, got 5; (5,) has one axis": {"input_shape": 5},
    "input_shape must be a tuple of lengths and None, got 'ab'": {"input_shape": "ab"},
    "input_shape must be of lengths and None, got 2.5": {"input_shape": (2.5, 3)},
    "batch_input_shape must be of lengths and None, got -1": {"batch_input_shape": (-1, 3)},
    "input_dim must be of lengths and None, got True": {"input_dim": True},
    "LSTM takes one of input_shape and input_dim, got both": {
        "input_shape": (5, 3),
        "input_dim": 3,
    },
    "LSTM takes input_length beside input_dim; input_shape=(time, features)": {"input_length": 5},
}


@pytest.mark.parametrize(("message", "options"), REFUSED.items(), ids=REFUSED.keys())
def test_what_is_no_shape_is_refused(message, options):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        layers.LSTM(4, **options)


def test_a_length_without_steps_is_unknown():
    with pytest.raises(TypeError, match="Dense got an unexpected argument 'input_length'"):
        layers.Dense(4, input_length=5)
    with pytest.raises(ValueError, match="input_length must be a positive integer, got 0"):
        layers.Embedding(4, 5, input_length=0)
