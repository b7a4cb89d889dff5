"""Summaries: the data, the score, copying and its gradient, steps, and the program."""

import numpy as np
import pytest

from rnnfast.examples import decoding, summaries, summarize
from rnnfast.examples.pointer_generator import PointerGenerator, mix
from rnnfast.examples.rouge import longest_common_subsequence, rouge_l
from rnnfast.examples.summaries import Documented, words
from rnnfast.examples.summarizer import CopyingSummarizer, Summarizer
from rnnfast.examples.vocabulary import UNKNOWN, Vocabulary

SMALL = ["--units=8", "--embedding=6", "--vocabulary=50", "--docstrings=30", "--epochs=1"]

# Central differences in float64, as in tests/layers/test_gradients.py.
STEP, TOLERANCE = 6e-6, 1e-8

TEXTS = [
    Documented(words("the frobnicator opens a file . it returns the frobnicator"), ["open", "a"]),
    Documented(words("close a quux"), words("close the quux frobnicator")),
]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


# -------------------------------------------------------------------------------------- data


def test_docstrings_are_found_by_module(tmp_path):
    (tmp_path / "pack" / "test").mkdir(parents=True)
    doc = "Open a File.\n\n    Its name is f.name, and it is opened for reading.\n    "
    source = f'class A:\n    """{doc}"""\n    def f(self):\n        """No rest here."""\n'
    (tmp_path / "pack" / "one.py").write_text(source)
    (tmp_path / "pack" / "test" / "two.py").write_text(source.replace("Open", "Test"))
    (tmp_path / "three.py").write_text(f'raise SystemExit("not run")\nclass B:\n    """{doc}"""\n')
    (tmp_path / "four.py").write_text("this is no Python")
    found = summaries.docstrings_by_module(tmp_path)
    assert list(found) == ["pack"]  # of equal ones the first
    [(rest, first)] = found["pack"]
    assert first == ["open", "a", "file", "."]
    assert rest[:4] == ["its", "name", "is", "f.name"]
    with pytest.raises(FileNotFoundError, match="no sources"):
        summaries.docstrings_by_module(tmp_path / "pack" / "none")


def test_modules_are_in_one_part_alone(rng):
    modules = {name: [Documented([name], [name])] * k for k, name in enumerate("abcdefgh", 1)}
    others, drawn = summaries.split_by_module(rng, modules, 0.3)
    assert len(others) + len(drawn) == 36
    assert 0.3 * 36 <= len(drawn) < 0.3 * 36 + 8
    assert not {text.first[0] for text in others} & {text.first[0] for text in drawn}


def test_the_lead_sentence():
    assert summaries.lead_sentence(TEXTS[0].rest) == TEXTS[0].rest[:6]
    assert summaries.lead_sentence(TEXTS[1].rest) == TEXTS[1].rest


def test_rouge():
    assert longest_common_subsequence("abcbdab", "bdcaba") == 4
    assert rouge_l(words("police kill the gunman"), words("police killed the gunman")) == 0.75
    assert rouge_l(words("the gunman kill police"), words("police killed the gunman")) == 0.5
    assert rouge_l(words("a b"), words("a b c d")) == pytest.approx(2 / 3)
    assert rouge_l([], ["a"]) == rouge_l([], []) == 0


# ----------------------------------------------------------------------------------- copying


def test_the_mixture():
    vocabulary, a = np.array([[[0.2, 0.3, 0.5]]]), np.array([[[0.1, 0.2, 0.7]]])
    p, source = np.array([[[0.75]]]), np.array([[4, 1, 4]])
    found = mix(vocabulary, p, a, source, copied=2)
    np.testing.assert_allclose(found, [[[0.15, 0.225 + 0.05, 0.375, 0, 0.25 * 0.8]]])


def test_gradients_of_copying(rng):
    layer = PointerGenerator(3, dtype="float64")
    x = [rng.random((2, 4, 5)), rng.random((2, 4, 1)), rng.random((2, 4, 6))]
    source = rng.integers(8, size=(2, 6)).astype(float)
    y, pullback = layer.vjp([*x, source], wrt_input=True)
    assert y.shape == layer.compute_output_shape([one.shape for one in [*x, source]]) == (2, 4, 8)
    dy = rng.standard_normal(y.shape)
    (*dx, of_source), gradients = pullback(dy)
    assert (of_source, gradients) == (None, [])
    for array, gradient in zip(x, dx, strict=True):
        before, direction = array.copy(), rng.standard_normal(array.shape)
        found = []
        for sign in (1, -1):
            array[...] = before + sign * STEP * direction
            found.append(np.vdot(dy, layer.call([*x, source])))
        array[...] = before
        wanted = (found[0] - found[1]) / (2 * STEP)
        assert np.vdot(gradient, direction) == pytest.approx(wanted, rel=TOLERANCE, abs=TOLERANCE)


def test_copying_takes_four_arrays():
    with pytest.raises(ValueError, match="P_vocabulary"):
        PointerGenerator(3)([np.ones((1, 2, 3)), np.ones((1, 2, 1))])


def summarizer(kind, rng, longest=7):
    vocabulary = Vocabulary.of_commonest([words("the a file . close opens")], 6)
    made = kind(vocabulary, units=8, width=5, longest=longest, dropout=0.2)
    made.model.set_weights([rng.standard_normal(w.shape) for w in made.model.get_weights()])
    made.pack()
    return made


def test_what_only_a_source_has_is_a_target_where_it_can_be_copied(rng):
    made = summarizer(CopyingSummarizer, rng)
    size = len(made.vocabulary)
    (read, _, places), following = made.arrays(TEXTS)
    frobnicator = read[0] == UNKNOWN  # and "it"
    assert places[0, frobnicator].tolist() == [size, size + 1]
    assert places[1, 2] == size  # quux, in its own docstring
    assert following[1, 2] == size
    assert following[1, 3] == UNKNOWN  # which the source lacks
    assert made._words(TEXTS[1], [size]) == ["quux"]


@pytest.mark.parametrize("kind", [Summarizer, CopyingSummarizer])
def test_single_steps_give_what_the_model_gives(kind, rng):
    made = summarizer(kind, rng)
    for text in TEXTS:
        x, _ = made.arrays([text])
        wanted = made.model.predict(x, verbose=0)[0]
        wanted[:, UNKNOWN] = 0  # is never written
        wanted /= wanted.sum(axis=-1, keepdims=True)
        memory, state = made._steps.read(x[0])
        for t, symbol in enumerate(x[1][0]):
            logits, state = made._step(memory, text, np.array([symbol]), state)
            found = np.exp(decoding.log_softmax(logits))[0]
            np.testing.assert_allclose(found, wanted[t], rtol=1e-4, atol=1e-6)
        assert len(made.write(text, width=3, longest=5)) <= 5


def test_copying_is_learnt(rng):
    """Each line is the second word of its text, and no vocabulary has it."""
    names = [f"w{k}" for k in range(300)]
    texts = [Documented(["name", name, *rng.choice(names, 3)], [name]) for name in names]
    made = CopyingSummarizer(Vocabulary(["name"]), units=16, width=8, longest=5, dropout=0.0)
    made.model.compile("adam", "sparse_categorical_crossentropy")
    made.model.optimizer.learning_rate = 0.01
    made.model.fit(*made.arrays(texts[:250]), epochs=12, verbose=0)
    made.pack()
    right = [made.write(text, width=2, longest=3) == text.first for text in texts[250:]]
    assert np.mean(right) > 0.9


# ------------------------------------------------------------------------------- the program


def test_the_program_runs(capsys, monkeypatch):
    found = summaries.docstrings_by_module()
    few = {name: found[name] for name in ("asyncio", "email", "logging") if name in found}
    monkeypatch.setattr(summaries, "docstrings_by_module", lambda: few)
    summarize.main(SMALL)
    shown = capsys.readouterr().out
    for name in ("lead sentence", "generated", "generated or copied"):
        assert shown.count(name) >= 2
    assert "ROUGE-L on 30 docstrings" in shown


@pytest.mark.parametrize("option", ["--units=0", "--dropout=2", "--epochs=no"])
def test_bad_options(option, capsys):
    with pytest.raises(SystemExit):
        summarize.main([option])
    assert option.partition("=")[0] in capsys.readouterr().err
