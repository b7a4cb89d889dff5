"""The picture of a training."""

import sys

import numpy as np
import pytest

from rnnfast import Sequential, layers
from rnnfast.utils import plot_history

CURVES = {
    "loss": [3.0, 2.0, 1.5, 1.2],
    "accuracy": [0.1, 0.4, 0.5, 0.6],
    "val_loss": [3.0, 1.8, 1.9, 2.4],
    "val_accuracy": [0.2, 0.3, 0.4, 0.4],
}


def lines(axes):
    return {line.get_label(): line for line in axes.lines}


def points(line):
    return [*map(tuple, line.get_xydata().tolist())]


def test_a_pair_of_curves_in_each_axes():
    figure = plot_history(CURVES)
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "accuracy"]
    for axes in figure.axes:
        drawn = lines(axes)
        assert [*drawn] == ["training", "validation", "best epoch: 2"]
        assert [text.get_text() for text in axes.get_legend().get_texts()] == [*drawn]
        assert drawn["training"].get_color() != drawn["validation"].get_color()
        assert drawn["validation"].get_linestyle() == "--"
        assert points(drawn["training"]) == [*enumerate(CURVES[axes.get_ylabel()], start=1)]
        assert points(drawn["validation"]) == [
            *enumerate(CURVES[f"val_{axes.get_ylabel()}"], start=1)
        ]
        assert [*drawn["best epoch: 2"].get_xdata()] == [2, 2]


def test_the_best_epoch_without_validation_is_that_of_the_training_loss():
    (axes,) = plot_history({"loss": [1.0, 0.5, 0.7]}).axes
    assert [*lines(axes)] == ["training", "best epoch: 2"]
    (axes,) = plot_history({"words": [1.0, 0.5]}).axes
    assert [*lines(axes)] == ["training"]


def test_validation_of_every_other_epoch_stands_where_it_was():
    (axes,) = plot_history({"loss": [4.0, 3.0, 2.0, 1.0, 0.5], "val_loss": [3.0, 2.0]}).axes
    assert points(lines(axes)["validation"]) == [(2, 3.0), (4, 2.0)]
    assert "best epoch: 4" in lines(axes)


def test_the_history_of_a_model_is_numbered_as_it_was_trained(tmp_path):
    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(np.ones((4, 1)), np.ones(4), epochs=7, initial_epoch=4, verbose=0)
    for suffix, begin in [("png", b"\x89PNG"), ("svg", b"<?xml")]:
        path = tmp_path / f"curve.{suffix}"
        (axes,) = plot_history(history, path).axes
        assert path.read_bytes().startswith(begin)
    assert [*lines(axes)["training"].get_xdata()] == [5, 6, 7]


def test_what_to_draw_is_chosen():
    assert len(plot_history(CURVES, metrics=[]).axes) == 2
    for metrics in ("accuracy", ["accuracy"]):
        (axes,) = plot_history(CURVES, metrics=metrics).axes
        assert axes.get_ylabel() == "accuracy"
        assert "best epoch: 2" in lines(axes)
    with pytest.raises(ValueError, match=r"'acuracy'.*mean 'accuracy'\?; there are loss, a"):
        plot_history(CURVES, metrics="acuracy")


@pytest.mark.parametrize("history", [{}, {"loss": []}])
def test_nothing_to_draw(history):
    with pytest.raises(ValueError, match="no epoch to draw; call fit first"):
        plot_history(history)


def test_files_that_cannot_be_written(tmp_path):
    with pytest.raises(OSError, match="missing"):
        plot_history(CURVES, tmp_path / "missing" / "curve.png")
    with pytest.raises(ValueError, match="txt"):
        plot_history(CURVES, tmp_path / "curve.txt")


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install 'rnnfast\[plot\]'"):
        plot_history(CURVES)
