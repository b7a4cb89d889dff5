"""The character model: that it learns, repeats, streams, and says what is wrong."""

import re
import sys
from itertools import islice

import numpy as np
import pytest

import rnnfast
from rnnfast import utils
from rnnfast.examples import char_lm, text
from rnnfast.examples.sampling import Sampling
from rnnfast.examples.streaming import Stream, sample

SMALL = ["--units=8", "--embedding=4", "--seq-len=16", "--epochs=1", "--sample=40"]


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """A file with the beginning of Python's documentation."""
    path = tmp_path_factory.mktemp("text") / "story.txt"
    path.write_text(text.python_documentation()[:150_000], encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def short_story(story):
    path = story.with_name("short.txt")
    path.write_text(story.read_text(encoding="utf-8")[:4000], encoding="utf-8")
    return path


def model_and_symbols(cell, depth=1):
    utils.set_random_seed(1)
    return char_lm.build(cell, 20, 6, 10, depth, dropout=0.5), np.random.default_rng(0).integers(
        1, 20, 30
    )


@pytest.mark.slow
def test_beats_the_trigram_by_a_fifth_of_a_bit(story, tmp_path, capsys):
    """Everything as in the demo, on less text: the trigram sees the same characters."""
    picture = tmp_path / "curve.png"
    arguments = [
        *("--text", str(story), "--plot", str(picture)),
        *("--units=128", "--embedding=32", "--dropout=0", "--learning-rate=0.005"),
        *("--epochs=8", "--sample=300"),
    ]
    # The bits are the same on any number of threads; one waits for nobody on a busy machine.
    with rnnfast.num_threads(1):
        char_lm.main(arguments)
    shown = capsys.readouterr().out
    margin = re.search(r"([\d.]+) bits per character below the trigram; [\d,]+ characters", shown)
    assert margin, shown
    assert float(margin[1]) >= 0.2
    assert len(re.findall(r"training [\d.]+, validation [\d.]+, trigram [\d.]+", shown)) == 8
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("cell", char_lm.CELLS)
def test_a_seeded_run_repeats(cell, short_story, tmp_path, capsys):
    def run(seed):
        char_lm.main(
            [
                *SMALL,
                f"--text={short_story}",
                f"--cell={cell}",
                f"--seed={seed}",
                f"--plot={tmp_path / 'curve.svg'}",
            ]
        )
        shown = capsys.readouterr().out
        return re.sub(r"[\d,]+ characters(/s| per second)", "", shown)

    first = run(7)
    assert run(7) == first
    assert run(8) != first


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("cell", char_lm.CELLS)
def test_streaming_agrees_with_the_whole_sequence(cell, depth):
    model, symbols = model_and_symbols(cell, depth)
    stream = Stream(model)
    streamed = np.stack([stream.step(int(symbol)) for symbol in symbols])
    whole = model.predict(symbols[None], verbose=0)[0]
    np.testing.assert_allclose(streamed, whole, rtol=1e-5, atol=1e-6)


def test_temperature_zero_takes_the_likeliest_symbol():
    model, symbols = model_and_symbols("lstm")
    written = list(
        islice(sample(Stream(model), symbols, Sampling(0.0), np.random.default_rng(0)), 5)
    )
    read = list(symbols)
    for symbol in written:
        logits = model.predict(np.array([read]), verbose=0)[0, -1]
        assert symbol == 1 + np.argmax(logits[1:])
        read.append(symbol)


def test_samples_follow_the_softmax():
    model, symbols = model_and_symbols("gru")
    model.layers[-1].set_weights([w * 3 for w in model.layers[-1].get_weights()])
    symbols = symbols[:3]
    logits = model.predict(symbols[None], verbose=0)[0, -1].astype(float)
    logits[text.UNKNOWN] = -np.inf
    expected = np.exp(logits / 0.5) / np.exp(logits / 0.5).sum()
    rng = np.random.default_rng(0)
    draws = [next(sample(Stream(model), symbols, Sampling(0.5), rng)) for _ in range(1000)]
    share = np.bincount(draws, minlength=20) / 1000
    # Five standard deviations of a share of 1000 draws.
    assert np.abs(share - expected).max() < 5 * np.sqrt(0.25 / 1000)
    assert share[text.UNKNOWN] == 0


def test_validation_follows_training(short_story):
    corpus = char_lm.prepare(text.read_text(short_story), 16)
    assert (len(corpus.training), len(corpus.validation)) == (3600, 400)
    decoded = corpus.alphabet.decode(corpus.training)
    assert decoded == short_story.read_text(encoding="utf-8")[:3600]


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        (None, [], r"cannot read .*: No such file"),
        (b"caf\xe9" * 1000, [], "is not UTF-8"),
        (b"too short", [], r"too short: 9 characters, windows of 64 need 650 at least"),
        (b"", ["--seq-len=1"], "too short: 0 characters"),
        (b"a" * 999, ["--units=0"], "--units: must be an integer of at least 1, got '0'"),
        (b"a" * 999, ["--epochs=two"], "--epochs: must be an integer of at least 1, got 'two'"),
        (b"a" * 999, ["--temperature=-1"], "--temperature: must be a number of at least 0"),
        (b"a" * 999, ["--learning-rate=nan"], "--learning-rate: must be a number of at least 0"),
        (b"a" * 999, ["--seed=4294967296"], "at least 0 and at most 4294967295"),
        (b"a" * 999, ["--cell=elman"], "invalid choice: 'elman'"),
    ],
)
def test_what_is_wrong_is_said(content, arguments, message, tmp_path, capsys):
    path = tmp_path / "story.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SystemExit) as stopped:
        char_lm.main([f"--text={path}", *arguments])
    assert stopped.value.code == 2
    assert re.search(message, capsys.readouterr().err)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_training_that_fails_is_said_in_one_line(short_story):
    with pytest.raises(SystemExit, match="char_lm: the loss became"):
        char_lm.main([*SMALL, f"--text={short_story}", "--learning-rate=1e38", "--cell=rnn"])


def test_without_matplotlib_only_the_picture_is_missing(short_story, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    char_lm.main([*SMALL, f"--text={short_story}", f"--plot={tmp_path / 'curve.png'}"])
    assert re.search(r"no picture .*matplotlib.*rnnfast\[plot\]", capsys.readouterr().out)
    assert not (tmp_path / "curve.png").exists()


def test_a_picture_that_cannot_be_saved_is_said(short_story, tmp_path, capsys):
    char_lm.main([*SMALL, f"--text={short_story}", f"--plot={tmp_path / 'missing' / 'curve.png'}"])
    assert "no picture" in capsys.readouterr().out
    char_lm.main([*SMALL, f"--text={short_story}", f"--plot={tmp_path / 'curve.txt'}"])
    assert "no picture" in capsys.readouterr().out


def test_the_shortest_text_that_is_taken(tmp_path, capsys):
    path = tmp_path / "story.txt"
    path.write_text("ab" * 10)
    char_lm.main([f"--text={path}", *SMALL, "--seq-len=1", f"--plot={tmp_path / 'curve.png'}"])
    assert "trigram" in capsys.readouterr().out


# --- a model that is kept -------------------------------------------------------------------------

GENERATE = ["--generate", "--sample=30", "--prompt=the "]


def written(shown):
    """What the program has made of its prompt."""
    return re.search(r"--- a sample.*?---\n(.*)\n--- end", shown, re.S)[1]


@pytest.fixture(scope="module")
def kept(short_story, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    plot = f"--plot={path.with_suffix('.svg')}"
    char_lm.main([*SMALL, f"--text={short_story}", f"--save={path}", plot])
    return path


def test_a_model_that_was_kept_writes(kept, capsys):
    char_lm.main([f"--load={kept}", *GENERATE, "--temperature=0"])
    first = capsys.readouterr().out
    assert "--- a sample at temperature 0 ---" in first
    assert re.fullmatch(r"the \|.{30}", written(first), re.S)
    model, alphabet = char_lm.load(kept)
    read = list(alphabet.encode("the "))
    for _ in range(5):
        read.append(1 + np.argmax(model.predict(np.array([read]), verbose=0)[0, -1, 1:]))
    assert alphabet.decode(np.array(read[4:])) == written(first)[5:10]
    char_lm.main([f"--load={kept}", *GENERATE, "--temperature=2", "--top-k=1"])
    second = capsys.readouterr().out
    assert "at temperature 2, top-k 1 ---" in second
    assert written(second) == written(first)


def test_a_model_that_was_kept_goes_on_learning(kept, short_story, tmp_path, capsys):
    arguments = [f"--load={kept}", f"--text={short_story}", f"--plot={tmp_path / 'curve.svg'}"]
    before = char_lm.load(kept)[0].optimizer.iterations
    again = tmp_path / "again.safetensors"
    char_lm.main([*arguments, *SMALL, f"--save={again}"])
    assert "trigram" in capsys.readouterr().out
    assert char_lm.load(again)[0].optimizer.iterations > before > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--generate"], "--generate needs --load"),
        (["--load=missing.safetensors", "--generate"], "missing.safetensors"),
        (["--load=MODEL", "--generate", "--prompt="], "prompt must have one character"),
        (["--load=MODEL", "--generate", "--top-p=1.5"], "--top-p: must be a number of at least 0"),
    ],
)
def test_what_is_wrong_with_a_kept_model_is_said(arguments, message, kept, capsys):
    with pytest.raises(SystemExit) as stopped:
        char_lm.main([one.replace("MODEL", str(kept)) for one in arguments])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_an_alphabet_that_is_not_the_models_is_said(kept, tmp_path, capsys):
    path = tmp_path / "other.safetensors"
    path.write_bytes(kept.read_bytes())
    for content, message in (("[]", "holds no alphabet"), ('{"characters": "ab"}', "3 symbols")):
        path.with_suffix(".alphabet.json").write_text(content, encoding="utf-8")
        with pytest.raises(SystemExit):
            char_lm.main([f"--load={path}", *GENERATE])
        assert message in capsys.readouterr().err
