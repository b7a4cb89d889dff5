"""Texts as numbers of their words: Keras's legacy `Tokenizer`, of which each can read the other's.

Words are numbered from 1 on by how often they occur, equal counts in the order in which they came
first; 0 is no word, for padding. With a word for the unknown, `oov_token`, that is number 1 and
the others follow. With `num_words` only numbers below it are given: `num_words - 1` words.

Source: `keras.preprocessing.text` of Keras 2, which Keras 3 keeps as `keras._legacy`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast._check.options import flag
from rnnfast.utils.bag_of_words import bag_of_words, weight_of
from rnnfast.utils.hyperparameters import require_positive
from rnnfast.utils.known_attributes import KnownAttributes
from rnnfast.utils.words import Splitter

PUNCTUATION = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
"""What separates words by default, beside the space; the apostrophe does not."""

TABLES = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
"""What `get_config` holds as JSON of its own."""


class Tokenizer(KnownAttributes):
    """Numbers words, or characters, and turns texts into these numbers and back.

    A text is a string, or a list of words, which is taken as it is but for `lower`.

    Parameters
    ----------
    num_words : int, optional
        Bound of the numbers that are given, the most frequent words having the least; all by
        default. `word_index` knows all words nevertheless.
    filters : str
        Characters that separate words as `split` does; by default punctuation, tabs and newlines.
    lower : bool, default True
        Whether texts become lower case.
    split : str, default " "
        What separates words.
    char_level : bool, default False
        Whether every character is a word, whatever `filters` and `split` are.
    oov_token : str, optional
        Word that stands for those without a number; by default they are left out.
    analyzer : callable, optional
        Gives the words of a text in place of `filters`, `lower` and `split`. It is not part of
        `get_config`.

    Attributes
    ----------
    word_index : dict of str to int
        Number of every word.
    index_word : dict of int to str
        The reverse.
    word_counts : Counter of str
        How often each word has occurred.
    word_docs : Counter of str
        In how many texts.
    index_docs : Counter of int
        The same by the numbers of the words.
    document_count : int
        Texts seen so far.

    Raises
    ------
    ValueError
        When `num_words` is no positive integer.
    TypeError
        When a flag is not True or False, or `oov_token` no string.

    Examples
    --------
    >>> from rnnfast.utils import Tokenizer
    >>> tokenizer = Tokenizer(oov_token="?")
    >>> tokenizer.fit_on_texts(["The sea, the sea!", "The sky."])
    >>> tokenizer.word_index
    {'?': 1, 'the': 2, 'sea': 3, 'sky': 4}
    >>> tokenizer.texts_to_sequences(["the red sky"])
    [[2, 1, 4]]
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = PUNCTUATION,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Callable[[Any], Iterable[str]] | None = None,
    ) -> None:
        if oov_token is not None and not isinstance(oov_token, str):
            raise TypeError(f"oov_token must be a word or None, got {oov_token!r}")
        self.num_words = None if num_words is None else require_positive("num_words", num_words)
        self.filters = filters
        self.lower = flag("lower", lower)
        self.split = split
        self.char_level = flag("char_level", char_level)
        self.oov_token = oov_token
        self.analyzer = analyzer
        self.document_count = 0
        self.word_counts: Counter[str] = Counter()
        self.word_docs: Counter[str] = Counter()
        self.index_docs: Counter[int] = Counter()
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    def fit_on_texts(self, texts: Iterable[Any]) -> None:
        """Count the words of texts, beside those of earlier calls, and number all of them anew.

        Parameters
        ----------
        texts : iterable of str or list of str
            The texts.

        Raises
        ------
        TypeError
            When `texts` is one string, or one of them is no text; nothing is counted then.
        """
        documents = 0
        counts: Counter[str] = Counter()
        docs: Counter[str] = Counter()
        for words in map(list, self._splitter.words_of_all(texts)):
            documents += 1
            counts.update(words)
            docs.update(dict.fromkeys(words, 1))
        self.document_count += documents
        self.word_counts.update(counts)
        self.word_docs.update(docs)
        frequent = sorted(self.word_counts, key=self.word_counts.__getitem__, reverse=True)
        unknown = [] if self.oov_token is None else [self.oov_token]
        self.word_index = {word: index for index, word in enumerate([*unknown, *frequent], 1)}
        self.index_word = {index: word for word, index in self.word_index.items()}
        for word, count in self.word_docs.items():
            self.index_docs[self.word_index[word]] = count

    def fit_on_sequences(self, sequences: Iterable[Iterable[int]]) -> None:
        """Count numbers instead of words: what `sequences_to_matrix` needs for "tfidf".

        Parameters
        ----------
        sequences : iterable of iterable of int
            A sequence of numbers for each text.
        """
        for sequence in sequences:
            self.index_docs.update(dict.fromkeys(sequence, 1))
            self.document_count += 1

    def texts_to_sequences(self, texts: Iterable[Any]) -> list[list[int]]:
        """Give the numbers of the words of each text.

        Parameters
        ----------
        texts : iterable of str or list of str
            The texts.

        Returns
        -------
        list of list of int
            For each text. Words without a number are left out, or have that of `oov_token`.

        Raises
        ------
        TypeError
            When `texts` is one string, or one of them is no text.
        ValueError
            When no text was ever seen.
        """
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[Any]) -> Iterator[list[int]]:
        """Do as `texts_to_sequences`, text by text.

        Parameters
        ----------
        texts : iterable of str or list of str
            The texts.

        Yields
        ------
        list of int
            The numbers of the words of a text.
        """
        self._require_words()
        numbers = {word: index for word, index in self.word_index.items() if self._is_given(index)}
        unknown = self._unknown
        for words in self._splitter.words_of_all(texts):
            found = (numbers.get(word, unknown) for word in words)
            yield [index for index in found if index is not None]

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """Give the words of each sequence of numbers, with spaces between them.

        Parameters
        ----------
        sequences : iterable of iterable of int
            Numbers. Those without a word are left out, or become `oov_token`.

        Returns
        -------
        list of str
            For each sequence.

        Raises
        ------
        ValueError
            When no text was ever seen.
        """
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Iterable[int]]) -> Iterator[str]:
        """Do as `sequences_to_texts`, sequence by sequence.

        Parameters
        ----------
        sequences : iterable of iterable of int
            Numbers.

        Yields
        ------
        str
            The words of a sequence.
        """
        self._require_words()
        words = {index: word for index, word in self.index_word.items() if self._is_given(index)}
        unknown = None if self._unknown is None else self.index_word[self._unknown]
        for sequence in sequences:
            found = (words.get(index, unknown) for index in sequence)
            yield " ".join(word for word in found if word is not None)

    def texts_to_matrix(self, texts: Iterable[Any], mode: str = "binary") -> NDArray[np.float64]:
        """Give a row of numbers for each text: a bag of words.

        Parameters
        ----------
        texts : iterable of str or list of str
            The texts.
        mode : {"binary", "count", "tfidf", "freq"}
            See `sequences_to_matrix`.

        Returns
        -------
        ndarray of float64, shape (texts, words)
            See `sequences_to_matrix`.

        Raises
        ------
        TypeError, ValueError
            As `texts_to_sequences` and `sequences_to_matrix`.
        """
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(
        self, sequences: Iterable[Iterable[int]], mode: str = "binary"
    ) -> NDArray[np.float64]:
        """Give a row for each sequence, with a place for each number.

        Parameters
        ----------
        sequences : iterable of iterable of int
            Numbers; those from `num_words` on are left out.
        mode : {"binary", "count", "tfidf", "freq"}
            What stands at the place of a number that occurs c times: 1; c;
            `(1 + log c) log(1 + document_count / (1 + index_docs))`; c as a share of the sequence.

        Returns
        -------
        ndarray of float64, shape (sequences, words)
            As many columns as `num_words`, by default one more than there are words.

        Raises
        ------
        ValueError
            When `mode` is none of these, a number is negative, or nothing was counted before.
        """
        weight = weight_of(mode)
        if self.num_words is None:
            self._require_words()
        if mode == "tfidf" and not self.document_count:
            raise ValueError(
                "mode='tfidf' needs counts of documents; call fit_on_texts or fit_on_sequences"
            )
        columns = self.num_words or len(self.word_index) + 1
        return bag_of_words(sequences, columns, weight, self.document_count, self.index_docs)

    def get_config(self) -> dict[str, Any]:
        """Give arguments and counts, the latter as JSON of their own, which is Keras's form.

        Returns
        -------
        dict
            Of plain values, without `analyzer`.
        """
        return {
            "num_words": self.num_words,
            "filters": self.filters,
            "lower": self.lower,
            "split": self.split,
            "char_level": self.char_level,
            "oov_token": self.oov_token,
            "document_count": self.document_count,
            **{name: json.dumps(getattr(self, name)) for name in TABLES},
        }

    def to_json(self, **options: Any) -> str:
        """Give all of it but `analyzer` as JSON, which Keras's `tokenizer_from_json` reads too.

        Parameters
        ----------
        **options
            Of `json.dumps`.

        Returns
        -------
        str
            What `rnnfast.utils.tokenizer_from_json` takes.
        """
        return json.dumps(
            {"class_name": type(self).__name__, "config": self.get_config()}, **options
        )

    @property
    def _unknown(self) -> int | None:
        """The number of what has none."""
        return None if self.oov_token is None else self.word_index.get(self.oov_token)

    def _is_given(self, index: int) -> bool:
        return self.num_words is None or index < self.num_words

    def _require_words(self) -> None:
        if not self.word_index and not self.document_count:
            raise ValueError("no words are known yet; call fit_on_texts with the training texts")

    @property
    def _splitter(self) -> Splitter:
        return Splitter(self.filters, self.lower, self.split, self.char_level, self.analyzer)
