"""The trigram: its formula against a naive evaluation, normalisation, tuning."""

from collections import Counter

import numpy as np
import pytest

from rnnfast.examples import text
from rnnfast.examples.kneser_ney import HIGHEST_DISCOUNTS, KneserNeyTrigram, tuned_trigram

SIZE = 6
DISCOUNTS = np.array([[0.3, 0.8, 1.1], [0.6, 1.0, 1.4], [0.7, 1.2, 1.9]])


def some_text(length=400, used=5, seed=0):
    """Symbols that depend on the one before; the highest of the alphabet is never used."""
    rng = np.random.default_rng(seed)
    likely = rng.dirichlet(np.full(used, 0.5), size=used)
    symbols = [0]
    while len(symbols) < length:
        symbols.append(rng.choice(used, p=likely[symbols[-1]]))
    return np.array(symbols)


def naive_probability(symbols, discounts, history, w):
    """The formula of the file's header, read aloud with dictionaries."""
    grams = Counter(zip(*(symbols[k:].tolist() for k in range(3)), strict=False))
    tables = [grams]
    for _ in range(2):
        tables.insert(0, Counter(gram[1:] for gram in tables[0]))

    def p(order, h):
        if order == 0:
            return 1 / SIZE
        counts = {gram[-1]: c for gram, c in tables[order - 1].items() if gram[:-1] == h}
        lower = p(order - 1, h[1:])
        if not counts:
            return lower
        d = [0, *discounts[order - 1]]
        taken = sum(d[min(c, 3)] for c in counts.values())
        count = counts.get(w, 0)
        return (count - d[min(count, 3)] + taken * lower) / sum(counts.values())

    return p(3, history)


def test_agrees_with_the_formula():
    symbols = some_text()
    model = KneserNeyTrigram(symbols, SIZE, DISCOUNTS)
    for history in [(0, 1), (1, 0), (2, 2), (4, 3), (5, 1), (1, 5), (5, 5)]:
        expected = [naive_probability(symbols, DISCOUNTS, history, w) for w in range(SIZE)]
        np.testing.assert_allclose(model.probabilities(*history), expected, rtol=1e-12)


@pytest.mark.parametrize(
    "discounts", [DISCOUNTS, np.full((3, 3), 0.02), HIGHEST_DISCOUNTS + np.zeros((3, 1))]
)
@pytest.mark.parametrize("length", [3, 10, 400])
def test_probabilities_are_positive_and_sum_to_one_after_every_history(discounts, length):
    model = KneserNeyTrigram(some_text(length), SIZE, discounts)
    for history in np.ndindex(SIZE, SIZE):
        probabilities = model.probabilities(*history)
        assert probabilities.min() > 0
        assert probabilities.sum() == pytest.approx(1, abs=1e-14)


def test_bits_are_those_of_the_probabilities():
    symbols = some_text()
    model = KneserNeyTrigram(symbols[:300], SIZE, DISCOUNTS)
    bits = [-np.log2(model.probabilities(*symbols[t - 2 : t])[symbols[t]]) for t in range(300, 400)]
    assert model.bits_per_symbol(symbols[300:], symbols[298:300]) == pytest.approx(np.mean(bits))


def test_tuning_saves_bits_and_keeps_the_bounds():
    symbols = some_text(4000)
    training, rest = symbols[:3000], symbols[3000:]
    tuned = tuned_trigram(training, SIZE)
    assert (tuned.discounts > 0).all()
    assert (tuned.discounts <= HIGHEST_DISCOUNTS).all()
    untuned = KneserNeyTrigram(training, SIZE, np.full((3, 3), 0.02))
    before = training[-2:]
    assert tuned.bits_per_symbol(rest, before) < untuned.bits_per_symbol(rest, before)


def test_tuning_repeats():
    symbols = some_text(1000)
    first, second = tuned_trigram(symbols, SIZE), tuned_trigram(symbols.copy(), SIZE)
    np.testing.assert_array_equal(first.discounts, second.discounts)


def test_noise_cannot_be_compressed_and_a_cycle_can():
    noise = np.random.default_rng(0).integers(0, 4, 20000)
    model = tuned_trigram(noise[:10000], 4)
    assert model.bits_per_symbol(noise[10000:], noise[9998:10000]) == pytest.approx(2, abs=0.02)
    cycle = np.resize([0, 1, 2], 3000)
    assert tuned_trigram(cycle, 4).bits_per_symbol(cycle[1500:], cycle[1498:1500]) < 0.01


def test_real_text_with_characters_that_training_lacks():
    whole = text.python_documentation()[:60000] + "\N{SNAKE}" * 10
    training, validation = text.split(whole)
    alphabet = text.Alphabet(training)
    symbols = alphabet.encode(training)
    model = tuned_trigram(symbols, len(alphabet))
    bits = model.bits_per_symbol(alphabet.encode(validation), symbols[-2:])
    assert 2.0 < bits < 3.5
    assert model.probabilities(*symbols[-2:]).sum() == pytest.approx(1, abs=1e-12)
    assert model.probabilities(text.UNKNOWN, text.UNKNOWN).sum() == pytest.approx(1, abs=1e-12)


def test_a_large_alphabet_needs_no_table_of_its_cube():
    rng = np.random.default_rng(0)
    symbols = rng.integers(0, 20000, 3000)
    model = tuned_trigram(symbols, 20001)
    assert model.probabilities(*symbols[:2]).sum() == pytest.approx(1, abs=1e-9)
