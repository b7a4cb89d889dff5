"""Recurrent policies of sb3-contrib in one call: its actions, values and gradients."""

import base64
import json
import zipfile

import numpy as np
import pytest
import torch

sb3_contrib = pytest.importorskip("sb3_contrib", reason="no package sb3_contrib of the extra hosts")
gymnasium = pytest.importorskip("gymnasium", reason="no package gymnasium of the extra hosts")

from gymnasium import spaces  # noqa: E402
from sb3_contrib import RecurrentPPO  # noqa: E402
from sb3_contrib.common.recurrent import policies  # noqa: E402
from sb3_contrib.common.recurrent.type_aliases import RNNStates  # noqa: E402

from rnnfast.interop import sb3 as ours  # noqa: E402
from rnnfast.interop.torch import _fallback, kernel_calls  # noqa: E402

# Of sb3 and gymnasium, about small rollouts and old environments.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("one_thread")]

ALIKE = {
    ours.MlpLstmPolicy: (policies.RecurrentActorCriticPolicy, spaces.Box(-1, 1, (5,))),
    ours.CnnLstmPolicy: (
        policies.RecurrentActorCriticCnnPolicy,
        spaces.Box(0, 255, (1, 36, 36), np.uint8),
    ),
    ours.MultiInputLstmPolicy: (
        policies.RecurrentMultiInputActorCriticPolicy,
        spaces.Dict({"a": spaces.Box(-1, 1, (5,)), "b": spaces.Discrete(3)}),
    ),
}
FORMS = [
    {},
    {"n_lstm_layers": 2},
    {"enable_critic_lstm": False, "shared_lstm": True},
    {"enable_critic_lstm": False},
    {"lstm_kwargs": {"bias": False}},
]
N, T, H = 3, 7, 6


@pytest.fixture
def one_thread():
    torch.set_num_threads(1)


def policy_of(kind, space, **form):
    torch.manual_seed(0)
    return kind(space, spaces.Discrete(2), lambda _: 1e-3, lstm_hidden_size=H, **form)


def sequences(policy, space, steps=T, starts=0.3):
    """What `evaluate_actions` takes: N sequences, some with episodes that begin inside."""
    space.seed(0)
    torch.manual_seed(1)
    seen = [space.sample() for _ in range(N * steps)]
    obs, _ = policy.obs_to_tensor(
        {name: np.stack([o[name] for o in seen]) for name in space.spaces}
        if isinstance(space, spaces.Dict)
        else np.stack(seen)
    )
    layers = policy.lstm_actor.num_layers
    states = [torch.randn(layers, N, H, requires_grad=True) for _ in range(4)]
    begins = (torch.rand(N * steps) < starts).float()
    return obs, torch.randint(2, (N * steps,)), states, begins


def evaluated(policy, obs, actions, states, begins):
    """Values, log-probabilities, entropies; then all gradients."""
    given = RNNStates(tuple(states[:2]), tuple(states[2:]))
    results = policy.evaluate_actions(obs, actions, given, begins)
    parameters = [*policy.parameters(), *states]
    loss = sum(r.sin().sum() for r in results)
    return results, torch.autograd.grad(loss, parameters, allow_unused=True)


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("kind", ALIKE, ids=lambda kind: kind.__name__)
@pytest.mark.usefixtures("by_our_kernels")
def test_values_log_probabilities_and_gradients_are_theirs(kind, form):
    theirs, space = ALIKE[kind]
    plain, own = policy_of(theirs, space, **form), policy_of(kind, space, **form)
    torch.testing.assert_close(own.state_dict(), plain.state_dict(), rtol=0, atol=0)
    for starts in (0.3, 0.0):
        given = sequences(plain, space, starts=starts)
        torch.testing.assert_close(
            evaluated(own, *given), evaluated(plain, *given), rtol=1e-4, atol=1e-6
        )


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_sequence_is_one_call(form):
    own = policy_of(ours.MlpLstmPolicy, spaces.Box(-1, 1, (5,)), **form)
    given = sequences(own, own.observation_space)
    lstms = 1 + (own.lstm_critic is not None)
    calls = kernel_calls()
    evaluated(own, *given)
    assert kernel_calls() == calls + 2 * lstms


@pytest.mark.usefixtures("by_our_kernels")
def test_actions_are_theirs():
    theirs, space = ALIKE[ours.MlpLstmPolicy]
    found = []
    for kind in (theirs, ours.MlpLstmPolicy):
        policy = policy_of(kind, space)
        obs, _, states, begins = sequences(policy, space, steps=1)
        given = RNNStates(tuple(states[:2]), tuple(states[2:]))
        torch.manual_seed(2)
        with torch.no_grad():
            actions, values, log_probs, after = policy(obs, given, begins)
        predicted, state = policy.predict(obs.numpy(), episode_start=begins.numpy())
        found.append((actions, values, log_probs, after, predicted, state))
    torch.testing.assert_close(found[1], found[0])


def test_what_has_no_resets_is_left_to_sb3(monkeypatch):
    monkeypatch.setattr(_fallback, "_said", set())  # what is said once, other tests wait for
    lstm = torch.nn.LSTM(5, H, bidirectional=True)
    x, begins = torch.randn(N * T, 5), (torch.rand(N * T) < 0.3).float()
    states = tuple(torch.zeros(2, N, H) for _ in "hc")
    y, _ = ours.MlpLstmPolicy._process_sequence(x, states, begins, lstm)
    want, _ = policies.RecurrentActorCriticPolicy._process_sequence(x, states, begins, lstm)
    torch.testing.assert_close(y, want)


def test_bfloat16_has_resets():
    lstm = ours.LSTM(5, H, dtype=torch.bfloat16)
    x, begins = torch.randn(N * T, 5, dtype=torch.bfloat16), (torch.rand(N * T) < 0.3).bfloat16()
    states = tuple(torch.zeros(1, N, H, dtype=torch.bfloat16) for _ in "hc")
    y, _ = ours.MlpLstmPolicy._process_sequence(x, states, begins, lstm)
    want, _ = policies.RecurrentActorCriticPolicy._process_sequence(x, states, begins, lstm)
    torch.testing.assert_close(y, want, rtol=0.03, atol=0.01)


class Hidden(gymnasium.ObservationWrapper):
    """CartPole without its velocities."""

    def __init__(self):
        super().__init__(gymnasium.make("CartPole-v1"))
        low, high = self.env.observation_space.low[::2], self.env.observation_space.high[::2]
        self.observation_space = spaces.Box(low, high)

    def observation(self, observation):
        return observation[::2]


def learned(policy, **more):
    model = RecurrentPPO(
        policy,
        Hidden(),
        n_steps=64,
        batch_size=32,
        n_epochs=2,
        seed=0,
        device="cpu",
        policy_kwargs={"lstm_hidden_size": 8},
        **more,
    )
    return model.learn(128)


def pickles_in(path):
    with zipfile.ZipFile(path) as file:
        described = json.loads(file.read("data"))
    parts = [part for part in described.values() if isinstance(part, dict)]
    found = [part[":serialized:"] for part in parts if ":serialized:" in part]
    assert found
    return map(base64.b64decode, found)


@pytest.mark.usefixtures("by_our_kernels")
def test_training_is_theirs_and_files_load_in_both(tmp_path):
    plain, own = learned("MlpLstmPolicy"), learned(ours.MlpLstmPolicy)
    want, got = plain.policy.state_dict(), own.policy.state_dict()
    torch.testing.assert_close(dict(got), dict(want), rtol=1e-3, atol=1e-5)
    path = tmp_path / "model.zip"
    own.save(path)
    theirs = RecurrentPPO.load(path, device="cpu")
    assert type(theirs.policy) is policies.RecurrentActorCriticPolicy
    assert type(theirs.policy.lstm_actor) is torch.nn.LSTM
    again = RecurrentPPO.load(
        path, device="cpu", custom_objects={"policy_class": ours.MlpLstmPolicy}
    )
    assert type(again.policy) is ours.MlpLstmPolicy
    for loaded in (theirs, again):
        torch.testing.assert_close(dict(loaded.policy.state_dict()), dict(got), rtol=0, atol=0)
    assert b"rnnfast" not in b"".join(pickles_in(path))
