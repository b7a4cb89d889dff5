"""Recurrent policies for sb3-contrib whose sequences are one call, whatever episodes begin in them.

    model = RecurrentPPO(rnnfast.interop.sb3.MlpLstmPolicy, env)

    h_t, c_t = lstm(x_t, (1 - s_t) h_{t-1}, (1 - s_t) c_{t-1}),   s_t = 1 where an episode begins

sb3-contrib calls its LSTM once for each step of such a sequence; here s is what the LSTM of rnnfast
takes as `resets`. Numbers, arguments and parameters are those of sb3-contrib.

See also: docs/pytorch.md.
"""

from __future__ import annotations

import copy
import copyreg
from typing import Any

from sb3_contrib.common.recurrent.policies import (
    RecurrentActorCriticCnnPolicy,
    RecurrentActorCriticPolicy,
    RecurrentMultiInputActorCriticPolicy,
)
from torch import Tensor

from .torch import LSTM, swap
from .torch._fallback import reason_for_torch

__all__ = ["CnnLstmPolicy", "MlpLstmPolicy", "MultiInputLstmPolicy"]


class _SavedAsTheirs(type(RecurrentActorCriticPolicy)):  # type: ignore[misc]  # sb3-contrib is not looked into
    """The class of our policies, which pickle as those that they derive from.

    ``RecurrentPPO.save`` pickles the class of its policy: its files then load without rnnfast.
    """


def _reduce(policy: Any) -> tuple[Any, tuple[Any]]:
    theirs = next(base for base in policy.__mro__ if type(base) is not _SavedAsTheirs)
    return copy.copy, (theirs,)  # of a class, which is itself


copyreg.pickle(_SavedAsTheirs, _reduce)


class MlpLstmPolicy(
    RecurrentActorCriticPolicy,  # type: ignore[misc]  # as above
    metaclass=_SavedAsTheirs,
):
    """`sb3_contrib`'s ``MlpLstmPolicy`` on rnnfast; its arguments are the same.

    What ``RecurrentPPO.save`` writes names sb3-contrib's policy, and loads without rnnfast. To go
    on with this one: ``RecurrentPPO.load(path, custom_objects={"policy_class": MlpLstmPolicy})``.

    Examples
    --------
    >>> model = RecurrentPPO(MlpLstmPolicy, "CartPole-v1")
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        swap(self)

    @staticmethod
    def _process_sequence(
        features: Tensor, lstm_states: tuple[Tensor, Tensor], episode_starts: Tensor, lstm: Any
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Run an LSTM over sequences, from a state of zeros where an episode begins.

        Parameters
        ----------
        features : Tensor, shape (N * T, I)
            N sequences of T steps, one after another.
        lstm_states : (Tensor, Tensor), shapes (L, N, H)
            h and c before them.
        episode_starts : Tensor, shape (N * T,)
            1 where an episode begins, 0 elsewhere.
        lstm : torch.nn.LSTM
            The policy's, or its critic's.

        Returns
        -------
        Tensor, shape (N * T, H)
            The sequences of h.
        (Tensor, Tensor), shapes (L, N, H)
            h and c after them.
        """
        count = lstm_states[0].shape[1]
        in_one_call = len(features) == count or not episode_starts.any()
        if in_one_call or not _takes_resets(lstm, features):
            by_sb3: tuple[Tensor, tuple[Tensor, Tensor]] = (
                RecurrentActorCriticPolicy._process_sequence(
                    features, lstm_states, episode_starts, lstm
                )
            )
            return by_sb3
        x = features.reshape(count, -1, lstm.input_size).transpose(0, 1)
        starts = episode_starts.reshape(count, -1).transpose(0, 1)
        y, states = lstm(x, lstm_states, resets=starts != 0)
        return y.transpose(0, 1).flatten(0, 1), states


def _takes_resets(lstm: Any, x: Tensor) -> bool:
    """Return whether a module has `resets` for its state, as sb3-contrib's loop would have it."""
    return (
        isinstance(lstm, LSTM)
        and not lstm.bidirectional
        and not lstm.batch_first
        and reason_for_torch(x, lstm.weight_hh_l0) is None
    )


class CnnLstmPolicy(MlpLstmPolicy, RecurrentActorCriticCnnPolicy):  # type: ignore[misc]
    """`sb3_contrib`'s ``CnnLstmPolicy`` on rnnfast; see `MlpLstmPolicy`."""


class MultiInputLstmPolicy(
    MlpLstmPolicy,
    RecurrentMultiInputActorCriticPolicy,  # type: ignore[misc]  # as above
):
    """`sb3_contrib`'s ``MultiInputLstmPolicy`` on rnnfast; see `MlpLstmPolicy`."""
