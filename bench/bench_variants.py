"""What options cost, followed from commit to commit: pytest bench --benchmark-autosave.

`python -m rnnfast.bench.behaviour --only variants packed` holds each against the plain cell, and
torch's packed sequences against ours.
"""

from __future__ import annotations

import numpy as np
import pytest

from rnnfast.bench import Case, Ours, Shape
from rnnfast.bench.behaviour.variants import VARIANTS, Variant, prepare

THREADS = 2
CASES = [Case("training", cell, Shape.of("200/32/128")) for cell in ("lstm", "gru", "rnn_tanh")]


@pytest.mark.parametrize("variant", [v for v in VARIANTS if "training" in v.modes], ids=str)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_variant(benchmark, case: Case, variant: Variant) -> None:
    benchmark.group = str(case)
    Ours(THREADS)
    options = variant.options(np.random.default_rng(1), case.shape)
    benchmark(prepare(case, case.inputs(), options).call)
