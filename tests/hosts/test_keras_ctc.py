"""The loss CTC, and what is read from the best path, beside Keras 3."""

import inspect
import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import pytest
import torch

import rnnfast
from rnnfast import losses

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

RNG = np.random.default_rng(5)
LOGITS = (2 * RNG.standard_normal((4, 9, 6))).astype(np.float32)
LABELS = np.array([[1, 2, 2, 5], [3, 0, 0, 0], [0, 0, 0, 0], [4, 4, 0, 0]])


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
@pytest.mark.parametrize("weights", [None, np.float32([1, 0, 2, 0.5])])
def test_value_and_gradient(reduction, weights):
    logits = torch.tensor(LOGITS, requires_grad=True)
    wanted = keras.losses.CTC(reduction=reduction)(LABELS, logits, sample_weight=weights)
    wanted.backward()
    value, grad = losses.CTC(reduction).value_and_grad(LABELS, LOGITS, weights)
    assert value == pytest.approx(wanted.item(), rel=1e-6)
    np.testing.assert_allclose(grad, logits.grad.numpy(), atol=1e-5)


def test_arguments_and_configuration():
    assert list(inspect.signature(keras.losses.CTC).parameters) == list(
        inspect.signature(losses.CTC).parameters
    )
    assert losses.CTC().get_config() == {
        key: value for key, value in keras.losses.CTC().get_config().items() if key != "dtype"
    }


def test_labels_of_the_best_path():
    lengths = np.array([9, 4, 0, 7], np.int32)
    labels, _ = keras.ops.ctc_decode(torch.tensor(LOGITS), torch.tensor(lengths))
    found = rnnfast.ctc_decode(LOGITS, lengths, batch_first=True)
    for row, one in enumerate(np.asarray(labels)[0]):
        np.testing.assert_array_equal(found.labels[row], one[one >= 0])
