"""Every memory that a call asks for is refused in turn: MemoryError, and the next call works."""

from __future__ import annotations

from pathlib import Path

import pytest

from refused_memory import count_refusals

# Prints the number of refusals. A call may do without what it was refused, as without a thread.
PROGRAM = """
import numpy as np
import rnnfast
from rnnfast.testing.bits import digest
from rnnfast.testing.plans import forced_plan

look_at_extension()
rng = np.random.default_rng(0)
T, B, I, H = 12, 5, 3, 9  # little enough for no block to be kept from call to call
GATES = {"lstm": 4, "gru": 3, "rnn": 1}

def weights(cell, layers=1, directions=1):
    shapes = lambda i: [(GATES[cell] * H, i), (GATES[cell] * H, H), (GATES[cell] * H,)]
    inputs = [I] * directions + [directions * H] * (layers - 1) * directions
    made = [[0.3 * rng.standard_normal(s) for s in shapes(i)] for i in inputs]
    return made[0] if len(made) == 1 else [list(of) for of in zip(*made)]

x = rng.standard_normal((T, B, I))
lengths = np.arange(B) * T // B + 1
lengths[0] = T
resets = rng.random((T, B)) < 0.1

def gradients(vjp, *arguments, **options):
    out, pullback = vjp(*arguments, **options)
    found = pullback(dy=np.ones_like(out.y))
    return [*out, *(g for g in found if isinstance(g, np.ndarray))]

def losses_and_gradient(*arguments, **options):
    losses, pullback = rnnfast.ctc_loss_vjp(*arguments, **options)
    return [losses, pullback(np.ones(B))]

lstm, gru, two, both = weights("lstm"), weights("gru"), weights("lstm", 2), weights("gru", 1, 2)
packed = rnnfast.prepack("lstm", *lstm)
calls = {
    "forward": lambda: rnnfast.lstm(x, *lstm, lengths=lengths, resets=resets),
    "gradients": lambda: gradients(rnnfast.gru_vjp, x, *gru, lengths=lengths),
    "checkpoints": lambda: gradients(rnnfast.lstm_vjp, x, *lstm, checkpoint=True),
    "by sample": lambda: gradients(rnnfast.lstm_vjp, x, *lstm, lengths=lengths, per_sample=True),
    "ctc": lambda: losses_and_gradient(x, [[1, 2, 2]] * B, lengths=lengths),
    "noise": lambda: gradients(
        rnnfast.lstm_vjp, x, *lstm, seed=1, zoneout=(0.1, 0.1), recurrent_dropout=0.2
    ),
    "trace": lambda: list(rnnfast.lstm_trace(x, *lstm, lengths=lengths)),
    "layers": lambda: gradients(rnnfast.lstm_vjp, x, *two),
    "directions": lambda: rnnfast.gru(x, *both, bidirectional=True, lengths=lengths),
    "prepacking": lambda: rnnfast.prepack("lstm", *lstm)(x),
    "packed": lambda: packed(x, lengths=lengths),
    "step": lambda: packed.step(x[0]),
}
plans = [
    {"partition": "rows", "threads": 2}, {"partition": "units", "threads": 2},
    {"pipelines": True, "threads": 2},
]
total = 0
for (name, call), plan in itertools.product(calls.items(), plans):
    want = digest(call())
    def planned():
        with forced_plan(**plan):
            return call()
    for n in itertools.count():
        got, refusals = attempt(planned, n)
        total += refusals
        assert got is None or digest(got) == want, (name, plan, n)
        if not refusals:
            break
    assert digest(call()) == want, (name, plan)
print(total)
"""


@pytest.mark.timing  # as of what measures memory: sanitizers have a malloc of their own
def test_each_allocation_may_be_refused(tmp_path: Path) -> None:
    assert count_refusals(tmp_path, PROGRAM) > 300
