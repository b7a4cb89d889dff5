"""Translation: dates, decoding, steps on packed weights, and the program."""

import datetime
import re

import numpy as np
import pytest

from rnnfast.examples import dates, decoding, translate
from rnnfast.examples.encoder_decoder import ATTENTIONS, EncoderDecoder
from rnnfast.examples.vocabulary import BOUNDARY, UNKNOWN, Vocabulary, padded, shifted

SMALL = ["--units=8", "--embedding=6", "--pairs=60", "--test=20", "--epochs=1", "--beams=3"]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


# ------------------------------------------------------------------------------------- dates


def test_no_day_is_in_both_lists(rng):
    training, test = dates.pairs(rng, 5000, 500)
    days = [{pair.iso for pair in pairs} for pairs in (training, test)]
    assert not days[0] & days[1]
    assert all(dates.FIRST <= datetime.date.fromisoformat(day) <= dates.LAST for day in days[0])
    assert len({pair.words for pair in training}) > 4800


def test_every_way_of_writing_a_date(rng):
    written = {dates.write(rng, datetime.date(2003, 2, 21)) for _ in range(3000)}
    assert len(written) > 300
    for words in (
        "twenty-first-Feb-two thousand and three",
        "2003/02/21",
        "21.2.'03",
        "FRIDAY, 21ST OF FEBRUARY 2003",
        "on friday the 21 of feb. 03",
    ):
        assert words in written
    assert dates._year(1987) == "nineteen eighty-seven"
    assert [dates._in_words(n) for n in (3, 12, 20, 28, 31)] == [
        "third",
        "twelfth",
        "twentieth",
        "twenty-eighth",
        "thirty-first",
    ]


@pytest.mark.parametrize(
    ("words", "iso"),
    [
        ("Tuesday, 3rd of March 1987", "1987-03-03"),
        ("march 3 87", "1987-03-03"),
        ("the 21 of FEB., '03", "2003-02-21"),
        ("3.12.29", "2029-12-03"),
        ("1999/1/31", "1999-01-31"),
        ("the third of March, nineteen eighty-seven", ""),
    ],
)
def test_the_baseline_reads_the_usual_ways(words, iso):
    assert dates.by_patterns(words) == iso


# ---------------------------------------------------------------------------------- decoding


def chain(*tables):
    """A step whose t-th distribution depends on the symbol before."""

    def step(symbols, state):
        (t,) = state
        logits = np.array([tables[int(k)][s] for k, s in zip(t, symbols, strict=True)])
        return np.log(logits), (t + 1,)

    return step


def always(distribution):
    return {symbol: distribution for symbol in range(len(distribution))}


def test_a_beam_finds_what_greed_misses():
    # After 1 comes a fair coin, after 2 a certain end: 0.6 * 0.5 < 0.4 * 1.
    first = {0: [1e-9, 0.6, 0.4]}
    then = {1: [0.2, 0.4, 0.4], 2: [1.0, 1e-9, 1e-9]}
    last = always([1.0, 1e-9, 1e-9])
    step = chain(first, then, last, last)
    begin = (np.zeros(1, int),)
    assert decoding.greedy(step, begin, 0, 4) == [[1, 1]]
    assert decoding.beam(step, begin, 0, 4, width=2) == [2]
    assert decoding.beam(step, begin, 0, 4, width=1) == [1, 1]


def test_a_beam_finds_the_best_of_all_sequences(rng):
    tables = [{s: rng.dirichlet(np.ones(4)) for s in range(4)} for _ in range(3)]
    tables.append(always([1.0, 0.0, 0.0, 0.0]))

    def score(sequence):
        probability = 1.0
        for t, (before, after) in enumerate(zip((0, *sequence), (*sequence, 0), strict=True)):
            probability *= tables[t][before][after]
        return np.log(probability) / (len(sequence) + 1)

    every = [()] + [(*a,) for n in (1, 2, 3) for a in np.ndindex(*[4] * n) if 0 not in a]
    with np.errstate(divide="ignore"):
        found = decoding.beam(chain(*tables), (np.zeros(1, int),), 0, 4, width=64)
    assert tuple(found) == max(every, key=score)


def test_a_sequence_that_does_not_end_is_cut(rng):
    step = chain(*[always([0.1, 0.2, 0.7])] * 4)
    assert decoding.greedy(step, (np.zeros(2, int),), 0, 4) == [[2] * 4] * 2
    assert len(decoding.beam(step, (np.zeros(1, int),), 0, 4, width=1)) == 4


# ------------------------------------------------------------------------------------- steps


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_single_steps_give_what_the_model_gives(attention, rng):
    pairs, _ = dates.pairs(rng, 6, 1)
    translator = translate.Translator(pairs, 8, 5, attention)
    weights = [rng.standard_normal(w.shape) for w in translator.model.get_weights()]
    translator.model.set_weights(weights)
    read = translator.read([pair.words for pair in pairs])
    previous, _ = shifted([translator.target.encode(pair.iso) for pair in pairs])
    wanted = translator.model.predict([read, previous], verbose=0)
    wanted_weights = translator.weights.predict([read, previous], verbose=0)
    served = translator.served()
    memory, state = served._steps.read(read)
    for t, symbols in enumerate(previous.T):
        logits, state = served._step(memory, symbols, state)
        found = np.exp(decoding.log_softmax(logits))
        np.testing.assert_allclose(found, wanted[:, t], rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(state[2], wanted_weights[:, t], rtol=1e-4, atol=1e-6)
    # Alone, without padding, a text is translated as among others; so is it in a beam of one.
    together = served.greedy([pair.words for pair in pairs])
    assert [served.greedy([pair.words])[0] for pair in pairs] == together
    assert [served.beam(pair.words, 1) for pair in pairs] == together


def test_an_encoder_decoder_says_what_is_wrong():
    with pytest.raises(ValueError, match="attention must be one of"):
        EncoderDecoder(5, 5, 8, 4, "dot")
    with pytest.raises(ValueError, match="units must be even, got 7"):
        EncoderDecoder(5, 5, 7, 4, "luong")


def test_a_vocabulary(rng):
    words = Vocabulary.of_commonest([["b", "a", "b"], ["c", "a"]], 2)
    assert words.tokens == ["a", "b"]
    assert len(words) == 5
    assert words.encode(["b", "d", "a"]) == [4, UNKNOWN, 3]
    assert words.decode([4, UNKNOWN, 3]) == ["b", "?", "a"]
    np.testing.assert_array_equal(padded([[3, 4], [5]]), [[3, 4], [5, 0]])
    previous, following = shifted([[3, 4], [5]])
    np.testing.assert_array_equal(previous, [[BOUNDARY, 3, 4], [BOUNDARY, 5, 0]])
    np.testing.assert_array_equal(following, [[3, 4, BOUNDARY], [5, BOUNDARY, 0]])


# ------------------------------------------------------------------------------- the program


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_the_program_runs(attention, tmp_path, capsys):
    picture = tmp_path / "map.png"
    translate.main([*SMALL, f"--attention={attention}", f"--plot={picture}"])
    shown = capsys.readouterr().out
    assert f"{attention}, greedy" in shown
    assert "four regular expressions" in shown
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
@pytest.mark.parametrize("attention", ATTENTIONS)
def test_nearly_all_dates_are_translated(attention, tmp_path, capsys):
    translate.main([f"--attention={attention}", f"--plot={tmp_path / 'map.svg'}"])
    shown = capsys.readouterr().out
    rates = [float(rate) for rate in re.findall(r"(?:greedy|beam of 4)\s+([\d.]+)", shown)]
    assert len(rates) == 2
    assert min(rates) > 0.98


@pytest.mark.parametrize("option", ["--units=0", "--attention=dot", "--epochs=no", "--width=0"])
def test_bad_options(option, capsys):
    with pytest.raises(SystemExit):
        translate.main([option])
    assert option.partition("=")[0] in capsys.readouterr().err
