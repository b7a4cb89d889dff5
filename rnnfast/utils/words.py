"""Texts as words: what `Tokenizer` counts and numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple


class Splitter(NamedTuple):
    """How texts become words; see `Tokenizer` for the meaning of each field."""

    filters: str
    lower: bool
    split: str
    char_level: bool
    analyzer: Callable[[Any], Iterable[str]] | None

    def words_of_all(self, texts: Iterable[Any]) -> Iterator[Iterable[str]]:
        """Give the words of each text.

        Raises
        ------
        TypeError
            When `texts` is one string, or one of them is no text.
        """
        # Characters one by one are as good as one text where every character is a word.
        if isinstance(texts, str) and not self.char_level:
            raise TypeError("texts must be a list of texts, got a single string; pass [text]")
        for place, text in enumerate(texts):
            if isinstance(text, list):
                yield [_string(word, place).lower() for word in text] if self.lower else text
            elif self.char_level:
                _string(text, place)
                yield text.lower() if self.lower else text
            elif self.analyzer is not None:
                yield self.analyzer(text)
            else:
                yield self._parted(_string(text, place))

    def _parted(self, text: str) -> list[str]:
        if self.lower:
            text = text.lower()
        text = text.translate({ord(mark): self.split for mark in self.filters})
        return [word for word in text.split(self.split) if word]


def _string(value: Any, place: int) -> str:
    if not isinstance(value, str):
        raise TypeError(
            f"texts must be strings or lists of words, got {value!r} of type "
            f"{type(value).__name__} in texts[{place}]"
        )
    return value
