"""The programs on Keras's API, each small: what they say beside their baselines.

`digits`, `forecast`, `moving_digits` and `text_classifier` take data or baselines from scikit-learn
and statsmodels.
"""

import itertools
import re
import sys

import numpy as np
import pytest

import rnnfast
from rnnfast.examples import (
    classifier,
    digits,
    docstrings,
    forecast,
    moving_digits,
    stacked,
    text_classifier,
)

SKIP = "no package {} of the extra examples"


@pytest.fixture(autouse=True)
def one_thread():
    """One thread waits for nobody on a busy machine."""
    with rnnfast.num_threads(1):
        yield


def needs(package):
    try:
        __import__(package)
    except ImportError:
        pytest.skip(SKIP.format(package))


def run(program, capsys, *arguments):
    program.main(arguments)
    return capsys.readouterr().out


def percents(shown):
    return [float(number) for number in re.findall(r"([\d.]+)%", shown)]


# --- classifier -----------------------------------------------------------------------------------


def test_an_lstm_remembers_what_was_marked(tmp_path, capsys):
    picture = tmp_path / "classifier.png"
    small = "--steps=8", "--units=64", "--sequences=4000", "--test-sequences=500"
    shown = run(classifier, capsys, *small, f"--plot={picture}")
    lstm, regression, chance = percents(shown[shown.index("accuracy on 500") :])
    assert chance == 25
    assert lstm > 90 > 75 > regression > chance
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_symbol_marked_last_is_the_class():
    x, kinds = classifier.marked(50, 9, np.random.default_rng(0))
    assert x.shape == (50, 9, 5)
    for sequence, kind in zip(x, kinds, strict=True):
        last = np.flatnonzero(sequence[:, -1])[-1]
        np.testing.assert_array_equal(sequence[last, :-1], np.eye(4)[kind])
    np.testing.assert_array_equal(x[..., :-1].sum(axis=2), 1)


# --- stacked --------------------------------------------------------------------------------------


def test_logits_need_a_loss_that_knows(capsys):
    shown = run(stacked, capsys, "--sequences=1500", "--noise=0.5", "--test-sequences=500")
    warned = re.findall("warning: .*", shown)
    assert len(warned) == 1
    assert "CategoricalCrossentropy(from_logits=True)" in warned[0]
    wrong, right, commonest = percents(shown)
    assert right > 95
    assert wrong < 50
    assert commonest < 20


def test_what_is_heard_is_a_melody_from_anywhere():
    melodies = np.random.default_rng(0).standard_normal((10, 8, 16)).astype(np.float32)
    x, sources = stacked.heard(melodies, 40, 0.0, np.random.default_rng(1))
    for sequence, source in zip(x, sources, strict=True):
        turned = [np.roll(melodies[source], -start, axis=0) for start in range(8)]
        assert any(np.array_equal(sequence, one) for one in turned)


# --- forecast -------------------------------------------------------------------------------------


def test_networks_beat_the_naive_forecast_one_year_ahead(tmp_path, capsys):
    needs("statsmodels")
    picture = tmp_path / "forecast.png"
    shown = run(forecast, capsys, "--epochs=20", f"--plot={picture}")
    errors = {
        name.strip(): float(error)
        for name, error in re.findall(r"^ *([\w ]+): 1 year ahead +([\d.]+),", shown, re.MULTILINE)
    }
    assert errors.keys() == {"seasonal naive", "last year", "SimpleRNN", "LSTM", "GRU"}
    assert all(errors[cell] < 0.8 * errors["seasonal naive"] for cell in forecast.CELLS)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_windows_are_followed_by_their_years():
    years = np.arange(1700.0, 1800)
    known, ahead, first = forecast.windows(years, years, 20)
    assert (known.shape, ahead.shape) == ((70, 20), (70, 11))
    np.testing.assert_array_equal(first, ahead[:, 0])
    np.testing.assert_array_equal(known[:, -1] + 1, first)
    assert ahead[-1, -1] == years[-1]


def test_forecasts_go_on_from_forecasts():
    class Sum:
        def predict(self, x, verbose):
            return x.sum(axis=1)

    x = np.array([[[1.0], [1.0]], [[2.0], [0.0]]])
    np.testing.assert_array_equal(forecast.go_on(Sum(), x, 4), [[2, 3, 5, 8], [2, 2, 4, 6]])


# --- text_classifier ------------------------------------------------------------------------------


def test_topics_are_told_apart(tmp_path, capsys):
    needs("sklearn")
    picture = tmp_path / "topics.png"
    small = "--texts=800", "--units=16", "--embedding=32", "--maxlen=30", "--epochs=12"
    shown = run(text_classifier, capsys, *small, f"--plot={picture}")
    commonest, plain, tuned, lstm = percents(shown[shown.index("accuracy on the 160") :])
    assert commonest < 35
    assert min(plain, tuned) > 60
    assert lstm > commonest + 15
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_docstrings_have_the_topics_of_their_modules(tmp_path):
    (tmp_path / "tkinter" / "test").mkdir(parents=True)
    (tmp_path / "queue.py").write_text('"""One two three four five."""\ndef f():\n    "too short"')
    (tmp_path / "tkinter" / "ttk.py").write_text(
        'class Tk:\n    """A  window\n    with a title bar."""\n'
        'async def g():\n    "One two three four five."\n'
    )
    (tmp_path / "tkinter" / "test" / "test_ttk.py").write_text('"""No text for a topic at all."""')
    texts, topics = docstrings.labelled_docstrings(np.random.default_rng(0), tmp_path)
    names = [list(docstrings.TOPICS)[topic] for topic in topics]
    assert dict(zip(texts, names, strict=True)) == {
        "One two three four five.": "concurrency",  # the first of two that have it
        "A window with a title bar.": "windows",
    }
    with pytest.raises(FileNotFoundError, match="no sources of Python's standard library in"):
        docstrings.labelled_docstrings(np.random.default_rng(0), tmp_path / "tkinter")


def test_this_python_has_texts_of_all_topics():
    texts, topics = docstrings.labelled_docstrings(np.random.default_rng(0))
    assert len(set(texts)) == len(texts) > 3000
    assert np.bincount(topics, minlength=len(docstrings.TOPICS)).min() > 200


# --- digits ---------------------------------------------------------------------------------------


def test_digits_are_read_row_by_row(tmp_path, capsys):
    needs("sklearn")
    picture = tmp_path / "digits.png"
    shown = run(digits, capsys, "--units=24", "--epochs=12", f"--plot={picture}")
    lstm, regression = percents(shown)
    assert lstm > 93
    assert regression > 93
    assert picture.read_bytes().startswith(b"\x89PNG")


# --- moving_digits --------------------------------------------------------------------------------


def test_motion_is_predicted_and_told(tmp_path, capsys):
    needs("sklearn")
    picture = tmp_path / "moving.png"
    small = "--sequences=1500", "--test-sequences=200", "--steps=6", "--filters=8", "--epochs=6"
    shown = run(moving_digits, capsys, *small, f"--plot={picture}")
    network, copy = map(float, re.search(r"ConvLSTM2D ([\d.]+), .* frame ([\d.]+)", shown).groups())
    assert network < 0.6 * copy
    lstm, regression, chance = percents(shown[shown.index("accuracy: LSTM") :])
    assert chance == 12.5
    assert lstm > 95 > 50 > regression
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_films_go_their_way_and_come_in_again():
    images = np.random.default_rng(0).random((3, 8, 8))
    films, ways = moving_digits.moving(images, 20, 9, np.random.default_rng(1))
    assert films.shape == (20, 9, 16, 16, 1)
    for film, way in zip(films[..., 0], ways, strict=True):
        assert np.isclose(film[0].sum(), images.sum(axis=(1, 2)), rtol=1e-5).any()
        for before, after in itertools.pairwise(film):
            wanted = np.roll(before, moving_digits.DIRECTIONS[way], axis=(0, 1))
            np.testing.assert_array_equal(after, wanted)
    assert len(set(map(tuple, moving_digits.DIRECTIONS))) == 8


# --- all ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "program", [classifier, digits, forecast, moving_digits, stacked, text_classifier]
)
def test_wrong_options_are_said(program, capsys):
    with pytest.raises(SystemExit) as stopped:
        program.main(["--epochs=0"])
    assert stopped.value.code == 2
    assert "--epochs: must be an integer of at least 1, got '0'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("program", "package"),
    [
        (digits, "sklearn"),
        (moving_digits, "sklearn"),
        (text_classifier, "sklearn"),
        (forecast, "statsmodels"),
    ],
)
def test_what_to_install_is_said(program, package, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SystemExit, match=rf"needs {package}.*: pip install 'rnnfast\[examples\]'"):
        program.main([])
