"""Drawing from logits: temperature, top-k, top-p and what is left of the others."""

import numpy as np
import pytest

from rnnfast.examples.sampling import Sampling

LOGITS = np.log(np.array([0.1, 0.4, 0.2, 0.3], np.float32))


@pytest.mark.parametrize(
    ("sampling", "wanted"),
    [
        (Sampling(), [0.1, 0.4, 0.2, 0.3]),
        (Sampling(temperature=0.5), np.square([0.1, 0.4, 0.2, 0.3]) / 0.3),
        (Sampling(temperature=0), [0, 1, 0, 0]),
        (Sampling(top_k=2), [0, 4 / 7, 0, 3 / 7]),
        (Sampling(top_k=9), [0.1, 0.4, 0.2, 0.3]),
        (Sampling(top_p=0.0), [0, 1, 0, 0]),
        (Sampling(top_p=0.39), [0, 1, 0, 0]),
        (Sampling(top_p=0.69), [0, 4 / 7, 0, 3 / 7]),
        (Sampling(top_p=0.71), [0, 4 / 9, 2 / 9, 3 / 9]),
        (Sampling(top_p=0.999), [0.1, 0.4, 0.2, 0.3]),
        (Sampling(top_k=3, top_p=0.5), [0, 4 / 7, 0, 3 / 7]),  # 4/9 alone is less than a half
        (Sampling(temperature=0.5, top_p=0.5), [0, 1, 0, 0]),  # 16/30 at that temperature
    ],
)
def test_what_each_symbol_gets(sampling, wanted):
    np.testing.assert_allclose(sampling.probabilities(LOGITS), wanted, atol=1e-6)


def test_a_symbol_that_must_not_come_gets_nothing():
    logits = np.append(-np.inf, LOGITS).astype(np.float32)
    for sampling in (Sampling(), Sampling(0.0), Sampling(top_k=5), Sampling(top_p=0.9999)):
        assert sampling.probabilities(logits)[0] == 0


def test_of_equals_the_first_are_kept():
    equal = np.zeros(4)
    np.testing.assert_allclose(Sampling(top_k=2).probabilities(equal), [0.5, 0.5, 0, 0])
    np.testing.assert_allclose(Sampling(0.0).probabilities(equal), [1, 0, 0, 0])


def test_large_logits_do_not_overflow():
    found = Sampling(temperature=0.01).probabilities(np.array([1e4, 9e3, -1e4], np.float32))
    np.testing.assert_array_equal(found, [1, 0, 0])


def test_draws_follow_the_probabilities():
    rng = np.random.default_rng(0)
    sampling = Sampling(temperature=0.7, top_k=3)
    draws = [sampling.draw(LOGITS, rng) for _ in range(4000)]
    share = np.bincount(draws, minlength=4) / 4000
    # Five standard deviations of a share of 4000 draws.
    assert np.abs(share - sampling.probabilities(LOGITS)).max() < 5 * np.sqrt(0.25 / 4000)
    assert share[0] == 0
