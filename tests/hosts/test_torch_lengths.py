"""Sequences of different lengths as torch packs them, and its own padding and unpadding."""

from __future__ import annotations

import numpy as np
import pytest

from rnnfast.bench import Case, Shape
from rnnfast.bench.agreement import require_agreement
from rnnfast.bench.behaviour.variants import prepare
from rnnfast.bench.peers.torch_packed import TorchPacked


@pytest.mark.parametrize("mode", ["training", "inference"])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn_tanh", "rnn_relu"])
def test_packed_sequences_agree(mode, cell):
    lengths = np.array([3, 14, 1, 9, 14, 6, 2])
    case = Case(mode, cell, Shape(14, len(lengths), 5, 19))
    inputs = case.inputs()
    own = prepare(case, inputs, {"lengths": lengths})
    peer = TorchPacked(2, lengths).prepare(case, inputs)
    ours, theirs = own.results(own.call()), peer.results(peer.call())
    assert theirs.keys() <= ours.keys()
    require_agreement("torch-packed", inputs, ours, theirs)
    with pytest.raises(ValueError, match="torch-packed"):
        shorter = prepare(case, inputs, {"lengths": np.minimum(lengths, 5)})
        require_agreement("torch-packed", inputs, shorter.results(shorter.call()), theirs)
