"""The recurrence of sb3-contrib's RecurrentPPO: its loop over episodes, and ours in one call."""

from __future__ import annotations

import copy
from typing import Any

from ..peers import Ours, Unable
from ..peers.peer import import_host
from ..timing import Call
from .ratios import BoundedRatio, medians

__all__ = ["beside_sb3s_loop"]

_T, _N, _I, _H = 128, 8, 64, 256
_STARTS = 0.03  # the share of steps at which an episode begins


def beside_sb3s_loop(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare an LSTM over sequences with episodes inside, forward and backward.

    Parameters
    ----------
    ours : Ours
        rnnfast; torch uses as many threads.
    rounds : int
        Turns of each.

    Returns
    -------
    list of BoundedRatio
        None if torch or sb3-contrib is not installed.
    """
    try:
        torch: Any = import_host("torch")
        import_host("sb3_contrib")
    except Unable:
        return []
    from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy

    from ...interop.sb3 import MlpLstmPolicy
    from ...interop.torch import swap

    torch.set_num_threads(ours.threads)
    torch.manual_seed(0)
    theirs = torch.nn.LSTM(_I, _H)
    own = copy.deepcopy(theirs)
    swap(own)
    x, starts = torch.randn(_N * _T, _I), (torch.rand(_N * _T) < _STARTS).float()
    states = (torch.randn(1, _N, _H), torch.randn(1, _N, _H))

    def training(policy: Any, lstm: Any) -> Call:
        def call() -> Any:
            y, _ = policy._process_sequence(x, states, starts, lstm)
            y.sum().backward()
            return y

        return call

    calls = {
        "theirs": training(RecurrentActorCriticPolicy, theirs),
        "own": training(MlpLstmPolicy, own),
    }
    torch.testing.assert_close(calls["own"](), calls["theirs"]())
    for mine, other in zip(own.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad, rtol=1e-3, atol=1e-3)
    times = medians(calls, rounds)
    about = f"sb3-contrib's time / ours, sequences with episodes, training {_T}/{_N}/{_H}"
    return [BoundedRatio(about, times["theirs"] / times["own"], "at least", 10.0)]
