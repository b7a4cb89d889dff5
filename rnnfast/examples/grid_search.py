"""The hidden size by cross-validation: scikit-learn's grid search over recurrent networks.

Handwritten digits, 8 rows of 8 pixels (scikit-learn has them), are read row by row. For each hidden
size the samples are cut into folds, and each fold is predicted by a network that was trained on
the others: the mean is the accuracy to expect, the bar how far folds differ. Size costs time, so
the one chosen is the smallest whose mean is within one standard error of the best (Breiman et al.,
Classification and regression trees, 1984). Beside it stand, over the same folds, whoever always
gives the same digit, and a logistic regression on all 64 pixels at once.

    python -m rnnfast.examples.grid_search --units 4 8 16 32 64 --jobs 2

What has been held out from all of this is predicted once, at the end, by the network chosen.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnnfast.examples.command_line import Option, add_options, number
from rnnfast.examples.picture import save_picture

Array = NDArray[np.float64]
CELLS = ("gru", "light_gru", "lstm", "rnn")


class Found(NamedTuple):
    """Accuracies over the folds: of every size (sizes, folds), and of the baselines (folds,)."""

    units: list[int]
    scores: Array
    baselines: dict[str, Array]
    seconds: Array

    @property
    def means(self) -> Array:
        """Of every size."""
        return np.asarray(self.scores.mean(axis=1))

    @property
    def errors(self) -> Array:
        """Standard errors of the means."""
        return np.asarray(self.scores.std(axis=1, ddof=1) / np.sqrt(self.scores.shape[1]))

    @property
    def chosen(self) -> int:
        """The smallest size within one standard error of the best."""
        best = int(self.means.argmax())
        enough = self.means >= self.means[best] - self.errors[best]
        return min(units for units, good in zip(self.units, enough, strict=True) if good)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    options = _parser().parse_args(argv)
    try:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise SystemExit("grid_search: needs scikit-learn, pip install scikit-learn") from error

    from rnnfast.interop.sklearn import RNNClassifier

    digits = load_digits()
    x, y = digits.images[: options.samples] / 16, digits.target[: options.samples]
    x, held_out, y, wanted = train_test_split(x, y, test_size=0.2, random_state=options.seed)
    model = RNNClassifier(
        cell=options.cell,
        epochs=options.epochs,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        random_state=options.seed,
    )
    print(f"{len(x)} digits in {options.folds} folds, {len(held_out)} held out; {options.cell}")
    found = search(model, x, y, sorted({*options.units}), options)
    _report(found)
    model.set_params(units=found.chosen).fit(x, y)
    print(f"chosen: {found.chosen} units, {model.score(held_out, wanted):.3f} of what was held out")
    save_picture(options.plot, lambda figure: _draw(figure, found))


def search(
    model: Any, x: Array, y: NDArray[np.int64], units: list[int], options: argparse.Namespace
) -> Found:
    """Cross-validate every size and the baselines over the same folds.

    Parameters
    ----------
    model : RNNClassifier
        Of which the sizes are tried.
    x : ndarray, shape (samples, T, I)
        Sequences.
    y : ndarray, shape (samples,)
        Their classes.
    units : list of int
        The sizes.
    options : argparse.Namespace
        folds, jobs and seed.

    Returns
    -------
    Found
        The accuracies.
    """
    from sklearn.dummy import DummyClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    folds = StratifiedKFold(options.folds, shuffle=True, random_state=options.seed)
    grid = GridSearchCV(
        model, {"units": units}, cv=folds, n_jobs=options.jobs, refit=False, verbose=1
    )
    results = grid.fit(x, y).cv_results_
    flat = x.reshape(len(x), -1)
    regression = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return Found(
        units,
        np.stack([results[f"split{k}_test_score"] for k in range(options.folds)], axis=1),
        {
            "the same digit": cross_val_score(DummyClassifier(), flat, y, cv=folds),
            "logistic regression": cross_val_score(regression, flat, y, cv=folds),
        },
        np.asarray(results["mean_fit_time"]),
    )


def _report(found: Found) -> None:
    width = max(map(len, found.baselines))
    print(f"{'':{width}}  accuracy  standard error")
    for name, scores in found.baselines.items():
        error = scores.std(ddof=1) / np.sqrt(len(scores))
        print(f"{name:{width}}  {scores.mean():8.3f}  {error:14.3f}")
    for units, mean, error, seconds in zip(
        found.units, found.means, found.errors, found.seconds, strict=True
    ):
        name = f"{units} units"
        print(f"{name:{width}}  {mean:8.3f}  {error:14.3f}  {seconds:.1f}s a fit")


def _draw(figure: Any, found: Found) -> None:
    axes = figure.subplots()
    axes.errorbar(
        found.units,
        found.means,
        found.errors,
        marker="o",
        capsize=3,
        label="network, mean of folds",
    )
    for name, line in zip(found.baselines, (":", "--"), strict=True):
        axes.axhline(found.baselines[name].mean(), color="gray", linestyle=line, label=name)
    axes.axvline(found.chosen, color="C1", alpha=0.5, label=f"chosen: {found.chosen}")
    axes.set_xscale("log", base=2)
    axes.set_xticks(found.units, [str(units) for units in found.units])
    axes.minorticks_off()
    axes.set_xlabel("hidden units")
    axes.set_ylabel("accuracy")
    axes.set_ylim(0, 1.02)
    axes.legend(frameon=False, loc="center", bbox_to_anchor=(0.7, 0.4))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="grid_search", description="Choose the hidden size by cross-validation."
    )
    count = number(int, 1)
    parser.add_argument(
        "--units",
        type=count,
        nargs="+",
        default=[2, 4, 8, 16, 32, 64],
        metavar="N",
        help="hidden sizes to try (default: 2 4 8 16 32 64)",
    )
    parser.add_argument(
        "--cell", choices=CELLS, default="gru", help="recurrent layer (default: gru)"
    )
    options: tuple[Option, ...] = (
        ("--samples", number(int, 100, 1797), 1797, "digits to use"),
        ("--folds", number(int, 2), 5, "folds of the cross-validation"),
        ("--epochs", count, 20, "passes over the data in each fit"),
        ("--batch-size", count, 32, "digits in a step"),
        ("--learning-rate", number(float, 0), 0.01, "step size of Adam"),
        ("--jobs", count, 1, "fits at a time, each in a process of its own"),
        ("--seed", number(int, 0, 2**32 - 1), 0, "of weights, order and folds"),
        ("--plot", Path, Path("grid_search.png"), "picture of the accuracies"),
    )
    add_options(parser, options)
    return parser


if __name__ == "__main__":
    main()
