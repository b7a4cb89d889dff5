"""First values of weights beside those of torch's modules: the same shapes and distribution."""

import numpy as np
import pytest
import torch

from rnnfast.utils import initial_weights

MODULES = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


@pytest.mark.parametrize(("cell", "module"), MODULES.items())
def test_first_values_are_distributed_as_torchs(cell, module):
    torch.manual_seed(0)
    theirs = module(50, 64)
    for name, own in initial_weights(cell, 50, 64, seed=0).items():
        other = getattr(theirs, f"{name.replace('w_', 'weight_').replace('b_', 'bias_')}_l0")
        other = other.detach().numpy()
        assert own.shape == other.shape
        assert own.dtype == other.dtype
        # Two samples of one distribution: Kolmogorov and Smirnov's distance, of probability 1e-6.
        both = np.sort(np.concatenate([own.ravel(), other.ravel()]))
        below = [np.searchsorted(np.sort(one.ravel()), both, "right") for one in (own, other)]
        distance = np.abs(below[0] - below[1]).max() / own.size
        assert distance < 2.7 * np.sqrt(2 / own.size)
