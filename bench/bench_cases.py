"""Our own times, to be followed from commit to commit: pytest bench --benchmark-autosave."""

from __future__ import annotations

import pytest

from rnnfast.bench import FIGURES, Case, Ours

THREADS = 2


@pytest.mark.parametrize("case", FIGURES, ids=str)
def test_case(benchmark, case: Case) -> None:
    benchmark.group = case.mode
    job = Ours(THREADS).prepare(case, case.inputs())
    benchmark(job.call)
    if benchmark.stats:
        benchmark.extra_info["gflops"] = case.flops / benchmark.stats.stats.median * 1e-9
