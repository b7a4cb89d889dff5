"""A tokenizer as JSON, and back: the form is Keras's, so that each library reads the other's."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from rnnfast.utils.tokenizer import TABLES, Tokenizer


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """Make a tokenizer from what `to_json` gave, ours or Keras's.

    Parameters
    ----------
    json_string : str
        The JSON.

    Returns
    -------
    Tokenizer
        One of the same arguments and counts, without an `analyzer`.

    Raises
    ------
    ValueError
        When this is no JSON of a tokenizer.
    """
    try:
        config = dict(json.loads(json_string)["config"])
        tables = {name: _table(config.pop(name), name) for name in TABLES}
        documents = int(config.pop("document_count"))
        tokenizer = Tokenizer(**config)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"json_string must be what Tokenizer.to_json gives, got {json_string!r:.60}: {error!r}"
        ) from error
    tokenizer.document_count = documents
    tokenizer.word_counts = Counter(tables["word_counts"])
    tokenizer.word_docs = Counter(tables["word_docs"])
    tokenizer.index_docs = Counter(tables["index_docs"])
    tokenizer.word_index = tables["word_index"]
    tokenizer.index_word = tables["index_word"]
    return tokenizer


def _table(text: str, name: str) -> dict[Any, Any]:
    """Read one of the tables; in JSON every key is a string."""
    key = int if name.startswith("index_") else str
    value = str if name == "index_word" else int
    return {key(k): value(v) for k, v in json.loads(text).items()}
