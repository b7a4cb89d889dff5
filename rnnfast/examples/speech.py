"""Speech recognition in small: phonemes read from sound, trained on what was said but not on when.

    features (T, 16) -> Bidirectional(LSTM) -> Dense, a class a frame -> CTC -> labels (S,)

Utterances are made up (`rnnfast.examples.phonemes`). The network gives, for each frame, logits of
the phonemes and of the blank, and the loss sums over all ways to read the labels from them: nobody
has to say which frame belongs to which phoneme. Labels are read back from the best path, or by a
search over prefixes, of which the likeliest stay in a beam.

Beside it stands a recognizer that was told of every frame what it is: the nearest of the phonemes'
mean frames, of which those count that last for a while, as long as does best on the training
utterances.

The label error rate is the number of labels that must be put in, taken out or replaced, over the
number of labels.

Source: Graves, Fernandez, Gomez and Schmidhuber, Connectionist temporal classification: labelling
unsegmented sequence data with recurrent neural networks, 2006.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast import Sequential, callbacks, ctc_decode, layers, losses, optimizers, utils
from rnnfast.examples.command_line import Option, add_options, number
from rnnfast.examples.phonemes import CHANNELS, NAMES, PAUSE, Utterance, corpus
from rnnfast.examples.picture import save_picture

Labels = NDArray[np.intp]


def edit_distance(one: Sequence[int] | Labels, other: Sequence[int] | Labels) -> int:
    """Count the labels to put in, take out or replace to make one sequence of another.

    Parameters
    ----------
    one, other : sequence of int
        Labels.

    Returns
    -------
    int
        How many at least.
    """
    distances = np.arange(len(other) + 1)
    for label in one:
        replaced = distances[:-1] + (np.asarray(other) != label)
        taken_out = distances + 1
        taken_out[1:] = np.minimum(taken_out[1:], replaced)
        # Put in any number of labels after the cheapest place before.
        places = np.arange(len(other) + 1)
        distances = np.minimum.accumulate(taken_out - places) + places
    return int(distances[-1])


def label_error_rate(read: Sequence[Labels], said: Sequence[Utterance]) -> float:
    """Compare what was read with what was said.

    Parameters
    ----------
    read : sequence of ndarray of int
        Labels of each utterance.
    said : sequence of Utterance
        The utterances.

    Returns
    -------
    float
        Edits, over the number of labels that were said.
    """
    edits = sum(edit_distance(one, of.labels) for one, of in zip(read, said, strict=True))
    return edits / sum(len(of.labels) for of in said)


class NearestMeans:
    """The recognizer that knows what every frame of its training utterances is.

    Parameters
    ----------
    utterances : sequence of Utterance
        To learn from.
    """

    def __init__(self, utterances: Sequence[Utterance]) -> None:
        features = np.concatenate([one.features for one in utterances])
        classes = np.concatenate([one.classes for one in utterances])
        missing = np.full(CHANNELS, np.inf)  # what is never said is never near
        self._means = np.array(
            [
                features[classes == k].mean(axis=0) if k in classes else missing
                for k in range(len(NAMES))
            ]
        )
        self._shortest = 1
        rates = {}
        for shortest in range(1, 8):
            self._shortest = shortest
            rates[shortest] = label_error_rate([self.read(one) for one in utterances], utterances)
        self._shortest = min(rates, key=rates.__getitem__)

    def read(self, utterance: Utterance) -> Labels:
        """Return the classes of frames, but for those that do not last.

        Parameters
        ----------
        utterance : Utterance
            Of which the features are looked at.

        Returns
        -------
        ndarray of int
            The labels.
        """
        distances = ((utterance.features[:, None] - self._means) ** 2).sum(axis=-1)
        classes = distances.argmin(axis=1)
        begins = np.flatnonzero(np.append(True, classes[1:] != classes[:-1]))
        lasts = np.diff(np.append(begins, len(classes))) >= self._shortest
        found: Labels = classes[begins[lasts & (classes[begins] != PAUSE)]]
        return found


def build(units: int) -> Sequential:
    """Make the network.

    Parameters
    ----------
    units : int
        Of the LSTM, in each direction.

    Returns
    -------
    Sequential
        From features to logits.
    """
    return Sequential(
        [
            layers.Input((None, CHANNELS)),
            layers.Bidirectional(layers.LSTM(units, return_sequences=True)),
            layers.Dense(len(NAMES)),
        ]
    )


def recognize(
    model: Sequential, utterances: Sequence[Utterance], beam_width: int | None = None
) -> list[Labels]:
    """Read the labels of utterances.

    Parameters
    ----------
    model : Sequential
        The network.
    utterances : sequence of Utterance
        Of which the features are looked at.
    beam_width : int, optional
        Prefixes that a search keeps; by default the labels are those of the best path.

    Returns
    -------
    list of ndarray of int
        Labels of each.
    """
    logits = model.predict([one.features for one in utterances], verbose=0)
    return [ctc_decode(one[:, None], beam_width=beam_width).labels[0] for one in logits]


def train(
    model: Sequential,
    training: Sequence[Utterance],
    held_out: Sequence[Utterance],
    epochs: int,
    learning_rate: float,
) -> None:
    """Fit the network to what was said, and show how well it reads after each epoch.

    Parameters
    ----------
    model : Sequential
        Is trained.
    training, held_out : sequence of Utterance
        To learn from, and to read for the figures that are shown.
    epochs : int
        Passes over the training utterances.
    learning_rate : float
        At first; it falls to a tenth by a cosine.
    """
    steps = epochs * -(-len(training) // 32)
    rate = optimizers.schedules.CosineDecay(learning_rate, steps, alpha=0.1)
    model.compile(optimizers.Adam(rate, global_clipnorm=1.0), losses.CTC())

    def show(epoch: int, logs: dict[str, float]) -> None:
        rate = label_error_rate(recognize(model, held_out), held_out)
        print(f"epoch {epoch + 1:3}: loss {logs['loss']:6.2f}, label error {rate:6.1%}", flush=True)

    model.fit(
        [one.features for one in training],
        [one.labels for one in training],
        epochs=epochs,
        verbose=0,
        callbacks=[callbacks.LambdaCallback(on_epoch_end=show)],
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    options = _parser().parse_args(argv)
    utils.set_random_seed(options.seed)
    training = corpus(options.utterances, options.seed, options.noise)
    held_out = corpus(max(options.utterances // 4, 1), options.seed + 1, options.noise)
    frames = sum(len(one.features) for one in training)
    print(f"{len(training)} utterances, {frames:,} frames, {len(held_out)} held out")

    model = build(options.units)
    train(model, training, held_out, options.epochs, options.learning_rate)

    nearest = NearestMeans(training)
    found = {
        "nearest mean, told of every frame": [nearest.read(one) for one in held_out],
        "CTC, best path": recognize(model, held_out),
        f"CTC, beam of {options.beam}": recognize(model, held_out, options.beam),
    }
    print("\nlabel error of held-out utterances")
    for name, read in found.items():
        print(f"{name:36}{label_error_rate(read, held_out):8.1%}")
    example, found_there = held_out[0], list(found.values())[-1][0]
    print(f"\nsaid  {_spelled(example.labels)}\nread  {_spelled(found_there)}")
    save_picture(options.plot, lambda figure: draw(figure, model, example, found_there), (9.0, 6.0))


def draw(figure: Any, model: Sequential, utterance: Utterance, read: Labels) -> None:
    """Draw features, the probability of each label, and what was said and read.

    Parameters
    ----------
    figure : matplotlib Figure
        Is drawn on.
    model : Sequential
        The network.
    utterance : Utterance
        What it hears.
    read : ndarray of int
        The labels that were read from it.
    """
    top, bottom = figure.subplots(2, 1, sharex=True)
    top.imshow(utterance.features.T, aspect="auto", origin="lower", cmap="magma")
    top.set(ylabel="channel", title=f"said  {_spelled(utterance.labels)}")
    logits = np.asarray(model.predict(utterance.features[None], verbose=0)[0], np.float64)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares = powers / powers.sum(axis=1, keepdims=True)
    frames = np.arange(len(shares))
    bottom.plot(frames, shares[:, 0], color="lightgray", label="blank")
    for label in np.unique(np.concatenate([utterance.labels, read])):
        (line,) = bottom.plot(frames, shares[:, label])
        best = shares.argmax(axis=1) == label
        for first in np.flatnonzero(best & ~np.append(False, best[:-1])):
            last = first + int(np.argmin(np.append(best[first:], False)))
            peak = first + int(shares[first:last, label].argmax())
            bottom.annotate(
                NAMES[label],
                (peak, shares[peak, label]),
                (0, 3),
                color=line.get_color(),
                textcoords="offset points",
                ha="center",
            )
    edges = np.flatnonzero(np.diff(utterance.classes)) + 0.5
    for axes in (top, bottom):
        for edge in edges:
            axes.axvline(edge, color="gray", linewidth=0.6, linestyle=":")
    bottom.set(xlabel="frame", ylabel="probability", ylim=(0, 1.15))
    bottom.set_title(f"read  {_spelled(read)}")
    bottom.legend(frameon=False, fontsize="small", loc="center right")


def _spelled(labels: Labels) -> str:
    return " ".join(NAMES[label] for label in labels)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="speech", description="Read phonemes from sound: a bidirectional LSTM with CTC."
    )
    count = number(int, 1)
    options: tuple[Option, ...] = (
        ("--utterances", count, 2000, "to train on; a quarter as many are held out"),
        ("--units", count, 48, "of the LSTM, in each direction"),
        ("--epochs", count, 20, "passes over the training utterances"),
        ("--learning-rate", number(float, 0), 0.01, "of Adam, at first"),
        ("--noise", number(float, 0), 0.2, "standard deviation in each channel"),
        ("--beam", count, 16, "prefixes that the search keeps"),
        ("--seed", number(int, 0, 2**32 - 2), 0, "of weights and utterances"),
        ("--plot", Path, Path("speech.png"), "where to save the picture"),
    )
    add_options(parser, options)
    return parser


if __name__ == "__main__":
    main()
