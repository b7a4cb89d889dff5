"""Train a character model on English text and let it write: python -m rnnfast.examples.char_lm.

The text is the documentation inside CPython, or a file of one's own. An embedding, recurrent
layers and a Dense layer learn to predict the next character of the first 90 %; the last 10 % is
for validation. Bits per character are shown beside those of an interpolated modified Kneser-Ney
trigram (Chen and Goodman 1999) with discounts tuned on the training text.

With ``--save`` the model is kept, and its alphabet beside it; ``--load`` goes on training it, or
lets it write, for as long as one likes::

    python -m rnnfast.examples.char_lm --save english.safetensors
    python -m rnnfast.examples.char_lm --load english.safetensors --generate --top-p 0.9

Both models predict the same validation characters. The network reads them in windows that start
from a zero state, so that its figure is, if anything, too high; the trigram always sees its
whole context.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rnnfast import Sequential, layers, losses, optimizers, utils
from rnnfast.examples import text
from rnnfast.examples.bits_per_character import BitsPerCharacter
from rnnfast.examples.command_line import Option, add_options, add_text_and_cell, number
from rnnfast.examples.kept_model import load, save
from rnnfast.examples.kneser_ney import tuned_trigram
from rnnfast.examples.loss_curve import save_loss_curve
from rnnfast.examples.sampling import Sampling
from rnnfast.examples.writing import write
from rnnfast.layers.cell_layer import CellLayer

CELLS = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.SimpleRNN}

# Long enough that the zero state at its start costs next to nothing.
_VALIDATION_WINDOW = 1024


class Corpus(NamedTuple):
    """A text as symbols: what to train on and, after it, what to validate on."""

    alphabet: text.Alphabet
    training: text.Symbols
    validation: text.Symbols


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    parser = _parser()
    options = parser.parse_args(argv)
    if options.generate and not options.load:
        parser.error("--generate needs --load, the file of a model that --save has written")
    sampling = Sampling(options.temperature, options.top_k, options.top_p)
    utils.set_random_seed(options.seed)
    try:
        loaded = load(options.load) if options.load else None
        if options.generate and loaded is not None:
            model, alphabet = loaded
            write(model, alphabet, options.prompt, sampling, options.sample, options.seed)
            return
        whole = text.read_text(options.text) if options.text else text.python_documentation()
        corpus = prepare(whole, options.seq_len, None if loaded is None else loaded[1])
    except (text.TextError, ValueError, OSError) as error:
        parser.error(str(error))

    model = loaded[0] if loaded else _compiled(corpus, options)
    print(
        f"{len(corpus.training):,} characters to train on, {len(corpus.validation):,} to "
        f"validate on, alphabet of {len(corpus.alphabet)}; {_described(model)}"
    )
    try:
        report = train(model, corpus, options.seq_len, options.batch_size, options.epochs)
    except FloatingPointError as error:
        raise SystemExit(f"char_lm: {error}") from error

    margin = report.trigram - report.validation[-1]
    print(
        f"{abs(margin):.3f} bits per character {'below' if margin >= 0 else 'above'} the trigram; "
        f"{report.characters_per_second:,.0f} characters per second in training"
    )
    prompt = corpus.alphabet.decode(corpus.validation[: options.seq_len])
    write(model, corpus.alphabet, prompt, sampling, options.sample, options.seed)
    _plot(options.plot, report)
    if options.save:
        save(model, corpus.alphabet, options.save)
        print(f"model saved in {options.save}")


def prepare(whole: str, seq_len: int, alphabet: text.Alphabet | None = None) -> Corpus:
    """Split a text and turn it into symbols of the training part's alphabet.

    Parameters
    ----------
    whole : str
        The text.
    seq_len : int
        Characters in a training window.
    alphabet : Alphabet, optional
        That of a model which is there; by default the training part's.

    Returns
    -------
    Corpus
        Symbols for training and validation.

    Raises
    ------
    TextError
        When the text is too short for ten windows.
    """
    shortest = 10 * (seq_len + 1)
    if len(whole) < shortest:
        raise text.TextError(
            f"the text is too short: {len(whole)} characters, windows of {seq_len} need "
            f"{shortest} at least; give a longer text or a smaller --seq-len"
        )
    training, validation = text.split(whole)
    alphabet = alphabet or text.Alphabet(training)
    return Corpus(alphabet, alphabet.encode(training), alphabet.encode(validation))


def build(
    cell: str,
    symbols: int,
    embedding: int,
    units: int,
    depth: int,
    dropout: float,
    precision: str | None = None,
) -> Sequential:
    """Make the model: symbols `(B, T)` to the logits `(B, T, symbols)` of the next ones.

    Parameters
    ----------
    cell : {"lstm", "gru", "rnn"}
        The kind of recurrent layer.
    symbols : int
        Size of the alphabet.
    embedding : int
        Length of the vector that stands for a symbol.
    units : int
        Hidden units of each recurrent layer.
    depth : int
        Number of recurrent layers.
    dropout : float
        Share of each recurrent layer's results that training sets to zero.
    precision : {"bfloat16"}, optional
        What products of the recurrent layers are taken in; by default float32.

    Returns
    -------
    Sequential
        The model, not yet compiled.
    """
    model = Sequential([layers.Input((None,)), layers.Embedding(symbols, embedding)])
    for _ in range(depth):
        model.add(CELLS[cell](units, return_sequences=True, precision=precision))
        model.add(layers.Dropout(dropout))
    model.add(layers.Dense(symbols))
    return model


def train(
    model: Sequential, corpus: Corpus, seq_len: int, batch_size: int, epochs: int
) -> BitsPerCharacter:
    """Fit a compiled model, beside a trigram.

    Parameters
    ----------
    model : Sequential
        See `build`.
    corpus : Corpus
        The text.
    seq_len : int
        Characters in a training window.
    batch_size : int
        Windows in a step.
    epochs : int
        Passes over the training text.

    Returns
    -------
    BitsPerCharacter
        Bits per character of each epoch and of the trigram.
    """
    x, y = text.windows(corpus.training, seq_len)
    x_val, y_val = text.equal_windows(corpus.validation, _VALIDATION_WINDOW)
    trigram = tuned_trigram(corpus.training, len(corpus.alphabet))
    before = np.concatenate([corpus.training[-1:], corpus.validation[:1]])
    report = BitsPerCharacter(trigram.bits_per_symbol(y_val.ravel(), before), x.size)
    model.fit(
        x,
        y,
        batch_size=batch_size,
        epochs=epochs,
        validation_data=(x_val, y_val),
        callbacks=[report],
    )
    return report


def _compiled(corpus: Corpus, options: argparse.Namespace) -> Sequential:
    model = build(
        options.cell,
        len(corpus.alphabet),
        options.embedding,
        options.units,
        options.layers,
        options.dropout,
        options.precision,
    )
    model.compile(
        optimizers.Adam(options.learning_rate, global_clipnorm=1.0),
        losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


def _described(model: Sequential) -> str:
    recurrent = [layer for layer in model.layers if isinstance(layer, CellLayer)]
    named = " + ".join(f"{type(layer).__name__} of {layer.units} units" for layer in recurrent)
    return f"{named}, {model.count_params():,} weights"


def _plot(path: Path, report: BitsPerCharacter) -> None:
    try:
        save_loss_curve(path, report.training, report.validation, report.trigram)
    except ImportError:
        print(f"no picture {path}: matplotlib is missing, pip install 'rnnfast[plot]'")
    except (OSError, ValueError) as error:
        print(f"no picture {path}: {error}")
    else:
        print(f"loss curve saved in {path}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="char_lm", description="Train a character model on English text and let it write."
    )
    add_text_and_cell(parser, CELLS)
    count, real = number(int, 1), number(float, 0)
    options: tuple[Option, ...] = (
        ("--units", count, 512, "hidden units of each recurrent layer"),
        ("--layers", count, 1, "number of recurrent layers"),
        ("--embedding", count, 64, "length of a character's vector"),
        ("--dropout", number(float, 0, 0.99), 0.3, "share of hidden units left out in training"),
        ("--epochs", count, 8, "passes over the training text"),
        ("--batch-size", count, 16, "windows in a step"),
        ("--seq-len", count, 64, "characters in a window"),
        ("--learning-rate", real, 2e-3, "Adam's step size"),
        ("--seed", number(int, 0, 2**32 - 1), 0, "of weights, order and sample"),
        ("--sample", count, 600, "characters to write"),
        ("--temperature", real, 0.7, "daring of the sample, 0 for none"),
        ("--top-k", number(int, 0), 0, "draw from so many likeliest characters, 0 for all"),
        ("--top-p", number(float, 0, 1), 1.0, "draw from the likeliest with this share together"),
        ("--plot", Path, Path("char_lm.png"), "where to save the loss curve"),
        ("--save", Path, None, "where to keep the model, a .safetensors file"),
        ("--load", Path, None, "a model that --save has kept, to go on with"),
    )
    add_options(parser, options)
    parser.add_argument(
        "--generate", action="store_true", help="only let the model of --load write"
    )
    parser.add_argument(
        "--precision", choices=("float32", "bfloat16"), help="of the products of recurrent layers"
    )
    parser.add_argument(
        "--prompt", default="The ", help="what it goes on from, with --generate (default: The )"
    )
    return parser


if __name__ == "__main__":
    main()
