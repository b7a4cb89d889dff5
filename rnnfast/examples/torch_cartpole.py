"""Balance a pole without seeing its speed: python -m rnnfast.examples.torch_cartpole.

CartPole tells where cart and pole are and, as a rule, how fast they move. Here it keeps the speeds
to itself, so that a policy has to remember. sb3-contrib's RecurrentPPO learns it twice from one
seed: with its own policy, which calls its LSTM once for each step of every sequence in which an
episode begins, and with `rnnfast.interop.sb3.MlpLstmPolicy`, which calls it once.

Both take the same actions, until rounding makes one of them another: from then on they see other
episodes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import Any

from rnnfast.examples.command_line import Option, add_options, needs_host, number

with needs_host():
    import gymnasium
    import numpy as np
    import torch
    from sb3_contrib import RecurrentPPO
    from stable_baselines3.common.env_util import make_vec_env

    from rnnfast.interop.sb3 import MlpLstmPolicy


class WithoutSpeeds(gymnasium.ObservationWrapper):  # type: ignore[misc]  # not looked into
    """CartPole's positions: of the cart, and the pole's angle."""

    def __init__(self) -> None:
        super().__init__(gymnasium.make("CartPole-v1"))
        bounds = self.env.observation_space
        self.observation_space = gymnasium.spaces.Box(bounds.low[::2], bounds.high[::2])

    def observation(self, observation: Any) -> Any:
        """Leave the speeds out."""
        return observation[::2]


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    options = _parser().parse_args(argv)
    policies = {"sb3-contrib": "MlpLstmPolicy", "rnnfast": MlpLstmPolicy}
    print(
        f"{options.environments} environments, {options.steps} steps a rollout, an LSTM of "
        f"{options.units} units for each of actor and critic, threads: {torch.get_num_threads()}"
    )
    runs = {name: learn(policy, options, name) for name, policy in policies.items()}
    print(f"{'rollout':>7}" + "".join(f"  {'steps, ' + name:>18}" for name in runs))
    for i, lengths in enumerate(zip(*(lengths for lengths, _ in runs.values()), strict=True)):
        print(f"{i + 1:7}" + "".join(f"  {length:18.1f}" for length in lengths))
    slow, fast = (seconds for _, seconds in runs.values())
    print(f"sb3-contrib {slow:.1f} s, rnnfast {fast:.1f} s, ratio {slow / fast:.2f}")


def learn(policy: Any, options: argparse.Namespace, title: str) -> tuple[list[float], float]:
    """Train a policy.

    Parameters
    ----------
    policy : str or type
        As RecurrentPPO takes it.
    options : argparse.Namespace
        Of the program.
    title : str
        What the progress bar says.

    Returns
    -------
    list of float
        How long the pole stood, in the mean of the last episodes, after each rollout.
    float
        Seconds, of playing and learning.
    """
    from tqdm import tqdm

    model = RecurrentPPO(
        policy,
        make_vec_env(WithoutSpeeds, options.environments, seed=options.seed),
        learning_rate=options.learning_rate,
        n_steps=options.steps,
        batch_size=options.steps * options.environments // 4,
        policy_kwargs={"lstm_hidden_size": options.units},
        seed=options.seed,
        device="cpu",
    )
    lengths = []
    began = time.perf_counter()
    for i in tqdm(range(options.rollouts), desc=title, unit=" rollouts"):
        model.learn(options.steps * options.environments, reset_num_timesteps=i == 0)
        lengths.append(float(np.mean([episode["l"] for episode in model.ep_info_buffer])))
    return lengths, time.perf_counter() - began


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="torch_cartpole",
        description="Learn to balance a pole from positions alone, by sb3-contrib's RecurrentPPO.",
    )
    count = number(int, 1)
    options: tuple[Option, ...] = (
        ("--rollouts", count, 10, "rollouts, each followed by learning"),
        ("--steps", number(int, 4), 128, "steps of a rollout"),
        ("--environments", count, 8, "played at once"),
        ("--units", count, 64, "hidden units"),
        ("--learning-rate", number(float, 0), 1e-3, "Adam's step size"),
        ("--seed", number(int, 0, 2**32 - 1), 0, "of weights, actions and environments"),
    )
    add_options(parser, options)
    return parser


if __name__ == "__main__":
    main()
