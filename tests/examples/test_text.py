"""Text of the character model: joining, reading, symbols, windows."""

import numpy as np
import pytest

from rnnfast.examples import text


def test_topics_are_joined_in_order_and_each_paragraph_once():
    topics = {"b": "second\n\n  quoted\n  words", "a": "first\n\nquoted words\n\nlast of a"}
    assert text.join_topics(topics) == "first\n\nquoted words\n\nlast of a\n\nsecond"


def test_python_documentation_is_there_and_repeats_no_paragraph():
    whole = text.python_documentation()
    assert len(whole) > 300_000
    training, validation = text.split(whole)
    seen = {" ".join(paragraph.split()) for paragraph in training.split("\n\n")}
    for paragraph in validation.split("\n\n")[1:]:
        assert " ".join(paragraph.split()) not in seen


def test_symbols_and_characters_convert_into_each_other():
    alphabet = text.Alphabet("hello wörld \N{SNAKE}")
    assert len(alphabet) == len(set("hello wörld \N{SNAKE}")) + 1
    symbols = alphabet.encode("wörld\N{SNAKE}")
    assert symbols.min() > text.UNKNOWN
    assert alphabet.decode(symbols) == "wörld\N{SNAKE}"


def test_a_character_that_training_did_not_see_is_unknown():
    alphabet = text.Alphabet("bd")
    np.testing.assert_array_equal(alphabet.encode("abcde"), [0, 1, 0, 2, 0])
    unknown = "\N{REPLACEMENT CHARACTER}"
    assert alphabet.decode(alphabet.encode("abz")) == f"{unknown}b{unknown}"
    assert len(alphabet.encode("")) == 0


def test_split_is_by_position():
    assert text.split("0123456789") == ("012345678", "9")
    assert text.split("0123", validation=0.5) == ("01", "23")


@pytest.mark.parametrize(("symbols", "windows"), [(7, 2), (6, 1), (4, 1), (3, 0)])
def test_windows_predict_one_symbol_ahead(symbols, windows):
    x, y = text.windows(np.arange(symbols), 3)
    assert x.shape == y.shape == (windows, 3)
    np.testing.assert_array_equal(y, x + 1)
    np.testing.assert_array_equal(x.ravel(), np.arange(3 * windows))


@pytest.mark.parametrize("symbols", [2, 9, 10, 11, 100, 101, 102])
def test_equal_windows_leave_next_to_nothing_out(symbols):
    x, y = text.equal_windows(np.arange(symbols), 10)
    assert x.shape[1] <= 10
    assert symbols - 1 - x.size < len(x)
    np.testing.assert_array_equal(y, x + 1)


def test_read_text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("naïve\r\ntext".encode())
    assert text.read_text(path) == "naïve\ntext"


def test_unreadable_files_are_named(tmp_path):
    with pytest.raises(text.TextError, match=r"cannot read .*missing\.txt: No such file"):
        text.read_text(tmp_path / "missing.txt")
    with pytest.raises(text.TextError, match="cannot read"):
        text.read_text(tmp_path)
    latin = tmp_path / "latin.txt"
    latin.write_bytes(b"na\xefve")
    with pytest.raises(text.TextError, match=r"latin\.txt is not UTF-8.*0xef at offset 2.*iconv"):
        text.read_text(latin)
