"""A whole model, one step at a time: what its session adds to the kernel and a matrix product.

floor      a step of the LSTM, packed, and h @ kernel + bias in NumPy
session    `model.prepack().session().step(x_t)`
predict    `model.predict(x_t)` of the same layers, stateful
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from rnnfast import Sequential, layers

from ..agreement import require_agreement
from ..peers import Ours
from ..timing import Call
from .ratios import BoundedRatio, medians

__all__ = ["beside_their_kernels"]

_I, _H, _OUT = 64, 64, 8
_MICROSECONDS = 30.0  # of a session's step


def beside_their_kernels(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare a step of a model's session with what it is made of, and with `predict`.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    rounds : int
        Turns of each.

    Returns
    -------
    list of BoundedRatio
    """
    lstm, dense = layers.LSTM(_H, stateful=True), layers.Dense(_OUT)
    model = Sequential([layers.Input(batch_shape=(1, 1, _I)), lstm, dense])
    x = np.random.default_rng(0).standard_normal((1, 1, _I)).astype(np.float32)
    session, cell = model.prepack().session(), lstm.prepack()
    kernel, bias = dense.get_weights()
    state = cell.step(x[:, 0])
    inputs = {"x": x, "w_hh": cell.weights().layers[0][0].w_hh}
    wanted = {"y": state[0] @ kernel + bias}
    for name, y in (("session", session.step(x[:, 0])), ("predict", model.predict(x, verbose=0))):
        require_agreement(name, inputs, wanted, {"y": y})

    def floor() -> Any:
        h, _ = cell.step(x[:, 0], state)
        return h @ kernel + bias

    calls: dict[str, Call] = {
        "floor": floor,
        "session": partial(session.step, x[:, 0]),
        "predict": partial(model.predict, x, verbose=0),
    }
    times = medians(calls, rounds)
    own = times["session"]
    about = f"LSTM H={_H} and Dense, one step at a time"
    of_floor = f"a session's time / the floor's ({times['floor'] * 1e6:.1f} us), {about}"
    of_predict = f"predict's time ({times['predict'] * 1e6:.0f} us) / a session's, {about}"
    return [
        BoundedRatio(f"us of a session's step, {about}", own * 1e6, "at most", _MICROSECONDS),
        BoundedRatio(of_floor, own / times["floor"], "at most", 5.0),
        BoundedRatio(of_predict, times["predict"] / own, "at least", 5.0),
    ]
