"""Summaries that copy words: the first line of a docstring from the rest of it.

An encoder reads the rest of a docstring of Python's standard library, a decoder with attention
writes the first line. Half of what it should name is in no vocabulary, so that a pointer-generator
(See, Liu and Manning, 2017) also copies what it looks at: `pointer_generator` has the equations.

The modules of the test are not trained on. Beside it stand the same network without copying, and
the first sentence of what was read. With some 2000 docstrings to learn from none of them is good:
the score, ROUGE-L, is printed as it is.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from rnnfast import callbacks, optimizers
from rnnfast.examples import summaries
from rnnfast.examples.command_line import Option, add_options, number
from rnnfast.examples.rouge import rouge_l
from rnnfast.examples.summaries import Documented
from rnnfast.examples.summarizer import CopyingSummarizer, Summarizer
from rnnfast.examples.vocabulary import Vocabulary
from rnnfast.utils import set_random_seed

_LONGEST_FIRST_LINE = 20
_SHOWN = 4


def train(
    summarizer: Summarizer,
    training: Sequence[Documented],
    validation: Sequence[Documented],
    options: argparse.Namespace,
) -> None:
    """Train until the validation loss has not fallen for two epochs, and take the best weights."""
    optimizer = optimizers.Adam(options.learning_rate, clipnorm=1.0)
    summarizer.model.compile(optimizer, "sparse_categorical_crossentropy")
    summarizer.model.fit(
        *summarizer.arrays(training),
        batch_size=options.batch,
        epochs=options.epochs,
        validation_data=summarizer.arrays(validation),
        callbacks=[callbacks.EarlyStopping(patience=2, restore_best_weights=True)],
    )
    summarizer.pack()


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    options = _parser().parse_args(argv)
    set_random_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    modules = summaries.docstrings_by_module()
    known, test = summaries.split_by_module(rng, modules, 0.12)
    known, test = known[: options.docstrings], test[: options.docstrings]
    cut = len(known) // 10
    validation, training = known[:cut], known[cut:]
    vocabulary = Vocabulary.of_commonest(
        (text.first + text.rest[: options.read] for text in training), options.vocabulary
    )
    lacked = np.mean([word not in vocabulary for text in test for word in text.first])
    print(
        f"{len(training)} docstrings to train on, {len(validation)} to stop by, {len(test)} of "
        f"other modules to test with; the vocabulary lacks {lacked:.0%} of their words"
    )
    written = {"lead sentence": [summaries.lead_sentence(text.rest) for text in test]}
    for name, kind in (("generated", Summarizer), ("generated or copied", CopyingSummarizer)):
        print(f"\n{name}:")
        set_random_seed(options.seed)
        summarizer = kind(
            vocabulary, 2 * options.units, options.embedding, options.read, options.dropout
        )
        train(summarizer, training, validation, options)
        written[name] = [
            summarizer.write(text, options.width, _LONGEST_FIRST_LINE) for text in test
        ]
    for k in rng.permutation(len(test))[:_SHOWN]:
        print(f"\n{'reference':>20}  {' '.join(test[k].first)}")
        for name, lines in written.items():
            print(f"{name:>20}  {' '.join(lines[k][:_LONGEST_FIRST_LINE])}")
    print(f"\nROUGE-L on {len(test)} docstrings of modules that were not trained on")
    for name, lines in written.items():
        scores = [rouge_l(line, text.first) for line, text in zip(lines, test, strict=True)]
        print(f"{name:>20}  {np.mean(scores):.3f}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="summarize",
        description="Write first lines of docstrings from the rest, with and without copying.",
    )
    count = number(int, 1)
    options: tuple[Option, ...] = (
        ("--units", count, 64, "hidden units of either direction; the decoder has twice as many"),
        ("--embedding", count, 64, "width of a word's vector"),
        ("--vocabulary", count, 2000, "words that can be generated"),
        ("--read", count, 60, "words that are read of a docstring"),
        ("--docstrings", count, 100_000, "of each part at most"),
        ("--epochs", count, 20, "passes over the training docstrings at most"),
        ("--batch", count, 32, "docstrings for each step of the optimizer"),
        ("--learning-rate", number(float, 0), 0.002, "Adam's"),
        ("--dropout", number(float, 0, 1), 0.3, "before a word is chosen"),
        ("--width", count, 4, "of the beam"),
        ("--seed", number(int, 0, 2**32 - 1), 0, "of weights, and of which modules are the test"),
    )
    add_options(parser, options)
    return parser


if __name__ == "__main__":
    main()
