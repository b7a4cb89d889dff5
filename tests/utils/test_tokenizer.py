"""Texts as numbers and back: fixed examples of what Keras gives, and what is wrong."""

import json
import re

import numpy as np
import pytest

from rnnfast.utils import Tokenizer, tokenizer_from_json

TEXTS = ["The cat sat on the mat.", "The dog ate my homework!", "A cat, a dog; the end"]


def fitted(texts=TEXTS, **options):
    tokenizer = Tokenizer(**options)
    tokenizer.fit_on_texts(texts)
    return tokenizer


def test_words_are_numbered_by_frequency_then_by_first_occurrence():
    tokenizer = fitted()
    words = ["the", "cat", "dog", "a", "sat", "on", "mat", "ate", "my", "homework", "end"]
    assert tokenizer.word_index == {word: i for i, word in enumerate(words, 1)}
    assert tokenizer.index_word == dict(enumerate(words, 1))
    assert tokenizer.word_counts["the"] == 4
    assert tokenizer.word_docs["the"] == 3
    assert tokenizer.index_docs[1] == 3
    assert tokenizer.word_docs["a"] == tokenizer.index_docs[4] == 1
    assert tokenizer.document_count == 3


def test_further_texts_number_all_words_anew():
    tokenizer = fitted()
    tokenizer.fit_on_texts(["homework homework homework homework"])
    assert list(tokenizer.word_index)[:2] == ["homework", "the"]
    assert tokenizer.document_count == 4
    assert tokenizer.word_index == fitted([*TEXTS, "homework " * 4]).word_index


def test_texts_become_numbers_and_words_again():
    tokenizer = fitted()
    assert tokenizer.texts_to_sequences(["the MAT, unseen", "", "..."]) == [[1, 7], [], []]
    assert tokenizer.sequences_to_texts([[1, 7], [], [0, 99]]) == ["the mat", "", ""]
    assert list(tokenizer.texts_to_sequences_generator(iter(["cat"]))) == [[2]]
    assert list(tokenizer.sequences_to_texts_generator(np.array([[2, 3]]))) == ["cat dog"]


def test_only_numbers_below_num_words_are_given():
    tokenizer = fitted(num_words=3)
    assert len(tokenizer.word_index) == 11
    assert tokenizer.texts_to_sequences(["the cat and the dog"]) == [[1, 2, 1]]
    assert tokenizer.sequences_to_texts([[1, 2, 3]]) == ["the cat"]


def test_a_token_stands_for_words_without_a_number():
    tokenizer = fitted(num_words=3, oov_token="<oov>")
    assert tokenizer.word_index["<oov>"] == 1
    assert tokenizer.texts_to_sequences(["the cat and the dog"]) == [[2, 1, 1, 2, 1]]
    assert tokenizer.sequences_to_texts([[2, 3, 99]]) == ["the <oov> <oov>"]


def test_characters():
    tokenizer = fitted(["Abba", "b"], char_level=True)
    assert tokenizer.word_index == {"b": 1, "a": 2}
    assert tokenizer.texts_to_sequences(["bA!"]) == [[1, 2]]
    by_characters = Tokenizer(char_level=True)
    by_characters.fit_on_texts("Abba")
    assert by_characters.word_index == {"a": 1, "b": 2}
    assert by_characters.document_count == 4


def test_lists_of_words_are_taken_as_they_are():
    tokenizer = fitted([["New York", "is"], "is big"])
    assert tokenizer.word_index == {"is": 1, "new york": 2, "big": 3}
    assert tokenizer.texts_to_sequences([["NEW YORK"], "new york"]) == [[2], []]
    assert fitted([["New", "new"]], lower=False).word_index == {"New": 1, "new": 2}


def test_what_separates_words():
    assert fitted(["a-b_c"], filters="-").word_index == {"a": 1, "b_c": 2}
    assert fitted(["a,B,,c d"], split=",", lower=False).word_index == {"a": 1, "B": 2, "c d": 3}
    assert fitted(["x1y"], analyzer=lambda text: re.findall("[a-z]", text)).word_index == {
        "x": 1,
        "y": 2,
    }


@pytest.mark.parametrize(
    ("mode", "row"),
    [
        ("binary", [0, 1, 1, 0]),
        ("count", [0, 2, 1, 0]),
        ("freq", [0, 0.5, 0.25, 0]),
        ("tfidf", [0, (1 + np.log(2)) * np.log(1 + 3 / 4), np.log(1 + 3 / 3), 0]),
    ],
)
def test_bags_of_words(mode, row):
    tokenizer = fitted(num_words=4)
    matrix = tokenizer.sequences_to_matrix([[1, 2, 1, 9], []], mode)
    np.testing.assert_allclose(matrix, [row, np.zeros(4)], rtol=1e-15)
    texts = tokenizer.texts_to_matrix(["the cat the", ""], mode)
    np.testing.assert_array_equal(texts > 0, matrix > 0)
    assert fitted().texts_to_matrix(["the"]).shape == (1, 12)


def test_numbers_alone_can_be_counted():
    tokenizer = Tokenizer(num_words=4)
    tokenizer.fit_on_sequences([[1, 1, 2], [1]])
    assert tokenizer.document_count == 2
    assert tokenizer.index_docs == {1: 2, 2: 1}
    row = tokenizer.sequences_to_matrix([[2]], "tfidf")[0]
    np.testing.assert_allclose(row, [0, 0, np.log(1 + 2 / 2), 0], rtol=1e-15)


def test_json_brings_everything_back():
    tokenizer = fitted(num_words=5, oov_token="?", lower=False, filters="!", split="_")
    again = tokenizer_from_json(tokenizer.to_json())
    assert vars(again) == vars(tokenizer)
    assert again.to_json(indent=1) == tokenizer.to_json(indent=1)
    again.fit_on_texts(["a new one"])  # counting goes on
    assert again.document_count == tokenizer.document_count + 1


def test_json_has_the_form_of_keras():
    given = json.loads(fitted(["b a b"], num_words=9).to_json())
    assert given == {
        "class_name": "Tokenizer",
        "config": {
            "num_words": 9,
            "filters": '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n',
            "lower": True,
            "split": " ",
            "char_level": False,
            "oov_token": None,
            "document_count": 1,
            "word_counts": '{"b": 2, "a": 1}',
            "word_docs": '{"b": 1, "a": 1}',
            "index_docs": '{"1": 1, "2": 1}',
            "index_word": '{"1": "b", "2": "a"}',
            "word_index": '{"b": 1, "a": 2}',
        },
    }


def damaged(**changes):
    whole = json.loads(fitted().to_json())
    whole["config"].update(changes)
    return json.dumps(whole)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"config": {}}',
        None,
        damaged(word_index='["the"]'),
        damaged(word_counts="{"),
        damaged(index_word='{"one": "the"}'),
        damaged(num_words=-1),
        damaged(analyser=None),
        damaged(document_count=None),
    ],
)
def test_json_of_something_else_is_refused(text):
    with pytest.raises(ValueError, match=r"json_string must be what Tokenizer\.to_json gives"):
        tokenizer_from_json(text)


@pytest.mark.parametrize("convert", ["fit_on_texts", "texts_to_sequences", "texts_to_matrix"])
@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("a text", r"texts must be a list of texts, got a single string; pass \[text\]"),
        (["a", None], r"got None of type NoneType in texts\[1\]"),
        (["a", float("nan")], r"got nan of type float in texts\[1\]"),
        ([b"a"], r"got b'a' of type bytes in texts\[0\]"),
        ([["a", 1]], r"got 1 of type int in texts\[0\]"),
    ],
)
def test_what_is_no_text_is_refused_and_nothing_counted(convert, texts, message):
    tokenizer = fitted()
    before = tokenizer.to_json()
    with pytest.raises(TypeError, match=message):
        getattr(tokenizer, convert)(texts)
    assert tokenizer.to_json() == before


def test_bytes_are_no_characters():
    with pytest.raises(TypeError, match="of type bytes"):
        fitted([b"ab"], char_level=True, lower=False)


def test_what_was_never_fitted_says_so():
    tokenizer = Tokenizer()
    for call in (
        lambda: tokenizer.texts_to_sequences(["a"]),
        lambda: tokenizer.sequences_to_texts([[1]]),
        lambda: tokenizer.sequences_to_matrix([[1]]),
    ):
        with pytest.raises(ValueError, match="call fit_on_texts"):
            call()
    with pytest.raises(ValueError, match="fit_on_sequences"):
        Tokenizer(num_words=3).sequences_to_matrix([[1]], "tfidf")


def test_wrong_arguments_are_said():
    with pytest.raises(ValueError, match="num_words must be a positive integer, got 0"):
        Tokenizer(num_words=0)
    with pytest.raises(TypeError, match="oov_token must be a word or None, got 1"):
        Tokenizer(oov_token=1)
    with pytest.raises(TypeError, match="lower must be True or False"):
        Tokenizer(lower="yes")
    with pytest.raises(ValueError, match=r"mode must be .* got 'tf-idf'; did you mean 'tfidf'\?"):
        fitted().sequences_to_matrix([[1]], "tf-idf")
    with pytest.raises(ValueError, match="numbers from 0 on, got -1"):
        fitted().sequences_to_matrix([[-1]])
    with pytest.raises(AttributeError, match="did you mean 'oov_token'"):
        fitted().oov_tokne = "?"
