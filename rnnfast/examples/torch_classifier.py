"""Tell waveforms apart with PyTorch, many to one: python -m rnnfast.examples.torch_classifier.

A sequence is a sine, square, triangle or sawtooth wave of random frequency and phase, under noise.
Two LSTM layers read it, batch first and from explicit initial states; a Linear layer looks at
their last step. The classifier is made in the two ways that there are, which learn the same:

    from rnnfast.interop.torch import LSTM      in place of torch.nn.LSTM
    swap(model)                                 of a model made with torch.nn.LSTM
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from typing import Any

from rnnfast.examples.command_line import Option, add_options, needs_host, number

with needs_host():
    import torch
    from torch import Tensor

    from rnnfast.interop.torch import LSTM, swap

WAVEFORMS: dict[str, Callable[[Tensor], Tensor]] = {
    "sine": lambda turns: torch.sin(2 * math.pi * turns),
    "square": lambda turns: torch.where(turns % 1 < 0.5, 1.0, -1.0),
    "triangle": lambda turns: 4 * (turns % 1 - 0.5).abs() - 1,
    "sawtooth": lambda turns: 2 * (turns % 1) - 1,
}
"""Each a function of the time in turns."""


class Classifier(torch.nn.Module):  # type: ignore[misc]  # torch is not looked into
    """Sequences `(B, T, 1)` to the logits `(B, 4)` of the waveforms.

    Parameters
    ----------
    lstm : type
        torch.nn.LSTM, or the one that takes its place.
    units : int
        Hidden units of each layer.
    depth : int
        Number of layers.
    """

    def __init__(self, lstm: Any, units: int, depth: int) -> None:
        super().__init__()
        self.units, self.depth = units, depth
        self.lstm = lstm(1, units, depth, batch_first=True)
        self.logits = torch.nn.Linear(units, len(WAVEFORMS))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        h0 = torch.zeros(self.depth, len(x), self.units, dtype=x.dtype)
        c0 = torch.zeros_like(h0)
        y, _ = self.lstm(x, (h0, c0))
        return self.logits(y[:, -1])


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    options = _parser().parse_args(argv)
    generator = torch.Generator().manual_seed(options.seed)
    made = [
        waves(count, options.seq_len, options.noise, generator)
        for count in (options.sequences, options.test_sequences)
    ]
    training, test = made

    torch.manual_seed(options.seed)
    model = Classifier(LSTM, options.units, options.layers)
    _report("rnnfast's LSTM", model, training, test, options)

    torch.manual_seed(options.seed)
    model = Classifier(torch.nn.LSTM, options.units, options.layers)
    print(f"swapped: {swap(model)}")
    _report("torch's LSTM, swapped", model, training, test, options)


def waves(
    count: int, steps: int, noise: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Make waves at random.

    Parameters
    ----------
    count, steps : int
        Number of sequences and steps in each.
    noise : float
        Standard deviation of what is added; the waves are between -1 and 1.
    generator : torch.Generator
        Where chance comes from.

    Returns
    -------
    x : float32 Tensor (count, steps, 1)
        The sequences.
    kinds : int64 Tensor (count,)
        Which of `WAVEFORMS` each is.
    """
    # From two to six turns in a sequence: enough of each to see, and steps enough in each.
    frequency = (2 + 4 * torch.rand(count, 1, generator=generator)) / steps
    turns = frequency * torch.arange(steps) + torch.rand(count, 1, generator=generator)
    kinds = torch.randint(len(WAVEFORMS), (count,), generator=generator)
    of_all = torch.stack([waveform(turns) for waveform in WAVEFORMS.values()])
    x = of_all[kinds, torch.arange(count)]
    x = x + noise * torch.randn(x.shape, generator=generator)
    return x.unsqueeze(2), kinds


def train(
    model: torch.nn.Module,
    x: Tensor,
    kinds: Tensor,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
) -> None:
    """Train a classifier in place.

    Parameters
    ----------
    model : torch.nn.Module
        Sequences to logits.
    x, kinds : Tensor
        See `waves`.
    epochs, batch_size : int
        Passes over the data and sequences in a step.
    learning_rate : float
        Adam's step size.
    seed : int
        Of the order of the sequences.
    """
    optimizer = torch.optim.Adam(model.parameters(), learning_rate)
    generator = torch.Generator().manual_seed(seed)
    from tqdm import tqdm

    for _ in tqdm(range(epochs), unit=" epochs"):
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            loss = torch.nn.functional.cross_entropy(model(x[rows]), kinds[rows])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()


def accuracy(model: torch.nn.Module, x: Tensor, kinds: Tensor) -> float:
    """Return the share of sequences that a classifier takes for what they are.

    Parameters
    ----------
    model : torch.nn.Module
        Sequences to logits.
    x, kinds : Tensor
        See `waves`.

    Returns
    -------
    float
        Between 0 and 1.
    """
    model.eval()
    with torch.no_grad():
        right = model(x).argmax(1) == kinds
    return float(right.double().mean())


def _report(
    title: str,
    model: Classifier,
    training: tuple[Tensor, Tensor],
    test: tuple[Tensor, Tensor],
    options: argparse.Namespace,
) -> None:
    train(
        model,
        *training,
        epochs=options.epochs,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        seed=options.seed,
    )
    print(
        f"{title}: accuracy {accuracy(model, *training):.1%} in training, "
        f"{accuracy(model, *test):.1%} on {len(test[0])} other sequences"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="torch_classifier", description="Tell noisy waveforms apart with PyTorch and rnnfast."
    )
    count, real = number(int, 1), number(float, 0)
    options: tuple[Option, ...] = (
        ("--epochs", count, 10, "passes over the training data"),
        ("--sequences", count, 2000, "sequences to train on"),
        ("--test-sequences", count, 1000, "sequences to test on"),
        ("--seq-len", count, 64, "steps of a sequence"),
        ("--noise", real, 0.3, "standard deviation of the noise"),
        ("--units", count, 64, "hidden units of each layer"),
        ("--layers", count, 2, "number of LSTM layers"),
        ("--batch-size", count, 50, "sequences in a step"),
        ("--learning-rate", real, 5e-3, "Adam's step size"),
        ("--seed", number(int, 0, 2**32 - 1), 0, "of data, weights and order"),
    )
    add_options(parser, options)
    return parser


if __name__ == "__main__":
    main()
