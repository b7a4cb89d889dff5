"""Train one model in several processes, each with a share of every batch.

    torchrun --nproc-per-node=2 -m rnnfast.examples.torch_distributed
    python -m rnnfast.examples.torch_distributed        the same in one process

torch's DistributedDataParallel averages the gradients, over gloo. Shares are of one size, so that
the average is the gradient of the whole batch: any number of processes that divides the batch ends
with the same parameters, up to rounding. float64 makes that easy to see.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rnnfast.examples.command_line import Option, add_options, needs_host, number

with needs_host():
    import torch
    from torch import Tensor, distributed

    from rnnfast.interop.torch import GRU


class Adder(torch.nn.Module):  # type: ignore[misc]  # torch is not looked into
    """Sequences `(B, T, 2)` to one number each, `(B, 1)`.

    Parameters
    ----------
    units : int
        Hidden units of the recurrent layer.
    """

    def __init__(self, units: int) -> None:
        super().__init__()
        self.recurrent = GRU(2, units, batch_first=True)
        self.total = torch.nn.Linear(units, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the numbers."""
        y, _ = self.recurrent(x)
        return self.total(y[:, -1])


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    parser = _parser()
    options = parser.parse_args(argv)
    processes = int(os.environ.get("WORLD_SIZE", "1"))  # from torchrun
    if options.batch_size % processes:
        parser.error(
            f"argument --batch-size: must be a multiple of the {processes} processes, "
            f"got {options.batch_size}"
        )
    if "WORLD_SIZE" not in os.environ:
        _run(options, 0, 1)
        return
    distributed.init_process_group("gloo")
    try:
        _run(options, distributed.get_rank(), processes)
        distributed.barrier()  # nobody leaves the group while another is still at work
    finally:
        distributed.destroy_process_group()


def draw_batch(batch_size: int, steps: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw sequences of pairs: a number and whether it counts. Wanted is the mean of what counts.

    Parameters
    ----------
    batch_size, steps : int
        Number of sequences and steps in each.
    generator : torch.Generator
        Where chance comes from.

    Returns
    -------
    x : float64 Tensor (batch_size, steps, 2)
        The sequences.
    wanted : float64 Tensor (batch_size, 1)
        What to make of each.
    """
    numbers = torch.rand(batch_size, steps, dtype=torch.float64, generator=generator)
    counts = torch.rand(numbers.shape, dtype=torch.float64, generator=generator).round()
    return torch.stack([numbers, counts], 2), (numbers * counts).mean(1, keepdim=True)


def train(
    model: torch.nn.Module, options: argparse.Namespace, rank: int, processes: int
) -> list[float]:
    """Train on this process's share of every batch.

    Parameters
    ----------
    model : torch.nn.Module
        Sequences to numbers, trained in place.
    options : argparse.Namespace
        Steps, batch_size, seq_len, learning_rate and seed.
    rank, processes : int
        Which of how many processes this is.

    Returns
    -------
    list of float
        The loss on this process's share in each step.
    """
    # All processes draw the whole batch from one seed, and take turns at its sequences.
    generator = torch.Generator().manual_seed(options.seed)
    optimizer = torch.optim.SGD(model.parameters(), options.learning_rate, momentum=0.9)
    losses = []
    from tqdm import tqdm

    for _ in tqdm(range(options.steps), unit=" steps", disable=rank > 0):
        x, wanted = draw_batch(options.batch_size, options.seq_len, generator)
        share = slice(rank, None, processes)
        loss = torch.nn.functional.mse_loss(model(x[share]), wanted[share])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.item()))
    return losses


def _run(options: argparse.Namespace, rank: int, processes: int) -> None:
    torch.manual_seed(options.seed)
    model = Adder(options.units).double()
    trained: Any = model
    if distributed.is_initialized():
        trained = torch.nn.parallel.DistributedDataParallel(model)
    losses = train(trained, options, rank, processes)
    if rank:
        return
    print(f"processes: {processes}; loss {losses[0]:.6f} at first, {losses[-1]:.6f} at last")
    if options.save is not None:
        _save(model, options.save)


def _save(model: torch.nn.Module, path: Path) -> None:
    try:
        with path.open("wb") as file:
            torch.save(model.state_dict(), file)
    except OSError as error:
        raise SystemExit(
            f"torch_distributed: cannot write {path}: {error.strerror or error}"
        ) from error
    print(f"parameters saved in {path}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="torch_distributed",
        description="Train one model in several processes; start it with torchrun, or alone.",
    )
    parser.add_argument(
        "--save", type=Path, metavar="FILE", help="where to save the parameters (default: nowhere)"
    )
    count = number(int, 1)
    options: tuple[Option, ...] = (
        ("--steps", count, 100, "steps of the training"),
        ("--batch-size", count, 16, "sequences in a step, over all processes"),
        ("--seq-len", count, 20, "steps of a sequence"),
        ("--units", count, 32, "hidden units of the recurrent layer"),
        ("--learning-rate", number(float, 0), 0.1, "step size of SGD"),
        ("--seed", number(int, 0, 2**32 - 1), 0, "of weights and data"),
    )
    add_options(parser, options)
    return parser


if __name__ == "__main__":
    main()
