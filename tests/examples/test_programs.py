"""Small programs: that they run, show what they promise, and say what is wrong; and their list."""

import importlib
import json
import re
import subprocess
import sys

import numpy as np
import pytest

import rnnfast
from rnnfast.examples import (
    compare_cells,
    custom_loop,
    from_equations,
    look_inside,
    music,
    privacy,
    private_training,
    vanishing_gradients,
)
from rnnfast.examples.__main__ import main as list_programs
from rnnfast.examples.__main__ import programs

HOSTS = ("torch_", "jax_", "flax_")  # tests/interop runs them


@pytest.fixture(autouse=True)
def one_thread():
    """One thread waits for nobody on a busy machine."""
    with rnnfast.num_threads(1):
        yield


def test_the_list_is_of_all_programs(capsys):
    list_programs()
    shown = capsys.readouterr().out
    for name in ("char_lm", "custom_loop", "from_equations", "torch_swap", "vanishing_gradients"):
        assert re.search(rf"^  {name} +\w.*\w$", shown, re.M), shown


def test_the_list_needs_nothing_of_what_programs_import():
    code = (
        "import sys, rnnfast.examples.__main__ as m; m.main();"
        "assert not {'torch', 'matplotlib'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("name", [n for n, _ in programs() if not n.startswith(HOSTS)])
def test_every_program_answers_help(name, capsys):
    with pytest.raises(SystemExit) as stopped:
        importlib.import_module(f"rnnfast.examples.{name}").main(["--help"])
    assert stopped.value.code == 0
    assert f"usage: {name}" in capsys.readouterr().out


@pytest.mark.parametrize("module", [custom_loop, from_equations, vanishing_gradients])
def test_without_matplotlib_only_the_picture_is_missing(module, monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    small = {
        custom_loop: ["--songs=5", "--epochs=1", "--units=4"],
        from_equations: ["--updates=3"],
        vanishing_gradients: ["--steps=5", "--updates=5", "--units=4"],
    }
    module.main([*small[module], f"--plot={tmp_path / 'picture.png'}"])
    assert re.search(r"no picture .*matplotlib.*rnnfast\[plot\]", capsys.readouterr().out)


# --- from_equations -------------------------------------------------------------------------------


@pytest.mark.parametrize("nonlinearity", from_equations.NONLINEARITIES)
def test_the_equations_train_a_network_below_the_threshold(nonlinearity, tmp_path, capsys):
    picture = tmp_path / "curve.png"
    from_equations.main([f"--nonlinearity={nonlinearity}", "--threshold=0.02", f"--plot={picture}"])
    shown = capsys.readouterr().out
    after, baseline = re.search(r"updates ([\d.]+); ([\d.]+) for whoever", shown).groups()
    assert float(after) <= 0.02 < 0.25 < float(baseline)
    assert float(re.search(r"differ by (\S+) at most", shown)[1]) < 1e-14
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_threshold_that_is_not_reached_is_said(tmp_path, capsys):
    from_equations.main(["--updates=2", f"--plot={tmp_path / 'curve.svg'}"])
    assert "0.001 was not reached" in capsys.readouterr().out


def equations(weights, x, d, transposed=True):
    """The docstring's derivation for tanh, step by step."""
    w_xh, w_hh, b_h, w_hy, b_y = weights
    h = [np.zeros((x.shape[1], len(w_hh)))]
    for x_t in x:
        h.append(np.tanh(x_t @ w_xh.T + h[-1] @ w_hh.T + b_h))
    dw_xh, dw_hh, db_h, dw_hy, db_y = (np.zeros_like(w) for w in weights)
    da = np.zeros_like(h[0])
    for t in reversed(range(len(x))):
        dy = 2 * (h[t + 1] @ w_hy.T + b_y - d[t]) / d.size
        dh = dy @ w_hy + (da @ w_hh if transposed else 0)
        da = (1 - h[t + 1] ** 2) * dh
        dw_hy, db_y = dw_hy + dy.T @ h[t + 1], db_y + dy.sum(0)
        dw_xh, dw_hh, db_h = dw_xh + da.T @ x[t], dw_hh + da.T @ h[t], db_h + da.sum(0)
    return dw_xh, dw_hh, db_h, dw_hy, db_y


@pytest.mark.parametrize("transposed", [True, False])
def test_the_derivation_is_what_is_computed(transposed):
    rng = np.random.default_rng(1)
    x, d = from_equations.changes(rng, 7, 3)
    shapes = ((4, 1), (4, 4), (4,), (1, 4), (1,))
    weights = from_equations.Weights(*(rng.standard_normal(shape) for shape in shapes))
    truncate = None if transposed else 1
    _, found = from_equations.loss_and_gradients(weights, x, d, "tanh", truncate)
    for one, other in zip(found, equations(weights, x, d, transposed), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-14)


# --- vanishing_gradients --------------------------------------------------------------------------


def test_gradients_vanish_and_explode_as_the_literature_has_it(tmp_path, capsys):
    picture = tmp_path / "norms.png"
    vanishing_gradients.main([f"--plot={picture}"])
    shown = capsys.readouterr().out
    found = re.findall(r"^(\w[^\n]*?)  +(\S+) +([\d.]+)$", shown, re.M)
    factor = {name: float(value) for name, _, value in found}
    assert factor["LSTM, forget bias 1"] > factor["LSTM, forget bias 0"] + 0.15
    assert factor["RNN"] < 1 < factor["RNN, 1.5 W_hh"]
    assert factor["gradients clipped to 1"] < 0.5 < factor["gradients as they are"]
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("cell", vanishing_gradients.GATES)
def test_the_norm_at_a_step_is_that_of_a_difference(cell):
    case = vanishing_gradients.Case(cell, 5, seed=0, forget_bias=1.0)
    rng = np.random.default_rng(0)
    x, u = rng.standard_normal((6, 1, 8)), rng.standard_normal(5)
    norms = case.gradient_norms(x, u)
    function = getattr(rnnfast, cell)
    start = function(x[:2], **case.weights)
    step = 1e-6

    def loss(h):
        named = {"c0": start.c_n} if cell == "lstm" else {}
        return float((function(x[2:], **case.weights, h0=h, **named).h_n @ u)[0])

    slope = [
        (loss(start.h_n + step * e) - loss(start.h_n - step * e)) / (2 * step) for e in np.eye(5)
    ]
    assert norms[2] == pytest.approx(np.linalg.norm(slope), rel=1e-6)


# --- custom_loop ----------------------------------------------------------------------------------


def test_a_loop_of_ones_own_beats_the_frequencies(tmp_path, capsys):
    picture = tmp_path / "curves.png"
    custom_loop.main(["--songs=100", "--units=32", "--learning-rate=0.02", f"--plot={picture}"])
    rows = re.findall(r"^ +\d+((?: +[\d.]+){4})$", capsys.readouterr().out, re.M)
    assert len(rows) == 20
    training, validation, frequencies, norm = map(float, rows[-1].split())
    assert max(training, validation) < frequencies / 2
    assert 0 < norm < 1
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_gradients_of_the_loop_are_those_of_the_loss():
    """A step of plain descent changes the loss by what its gradients say, padding and all."""
    data = [song.astype(np.float32) for song in music.songs(np.random.default_rng(3), 6)]
    assert len({len(song) for song in data}) > 1

    class Noting(rnnfast.optimizers.SGD):
        def apply(self, grads, trainable_variables):
            self.seen = grads

    weights, noting = custom_loop.first_weights(8, 0), Noting()
    custom_loop.train(weights, data, noting, 6, np.random.default_rng(0))
    gradients = {**noting.seen["lstm"]._asdict(), **noting.seen["head"]}
    arrays = {**weights["lstm"], **weights["head"]}
    rng = np.random.default_rng(1)
    for name, array in arrays.items():
        direction = rng.standard_normal(array.shape).astype(np.float32)
        before, losses = array.copy(), []
        for sign in (1, -1):
            array[...] = before + sign * 1e-2 * direction
            losses.append(custom_loop.evaluate(weights, data) / music.KEYS)
        array[...] = before
        slope = float((gradients[name] * direction).sum())
        assert (losses[0] - losses[1]) / 2e-2 == pytest.approx(slope, rel=0.02, abs=2e-4), name


def test_songs_are_of_different_lengths_and_only_their_chords_are_drawn():
    songs = music.songs(np.random.default_rng(0), 20, shortest=3, longest=5)
    assert {len(song) for song in songs} == {12, 16, 20}
    for song in songs:
        assert set(np.unique(song)) == {0, 1}
        assert (song[0] == songs[0][0]).all()  # all begin with the same chord
        assert song[:, 12:].sum(axis=1).tolist() == [1] * len(song)


def test_compare_cells_shows_who_remembers(capsys, tmp_path):
    """Ten steps are enough to tell gates from none, and few enough for seconds."""
    plot = tmp_path / "cells.png"
    sizes = ["--steps", "10", "--units", "16", "--epochs", "3", "--learning-rate", "0.01"]
    compare_cells.main([*sizes, "--plot", str(plot)])
    shown = capsys.readouterr().out
    table = {line[:16].strip(): line[16:].split() for line in shown.splitlines()[-5:]}
    adding, copying = (
        {cell: float(table[cell][k]) for cell in (*compare_cells.CELLS, "guessing")} for k in (0, 1)
    )
    assert adding["guessing"] == pytest.approx(1 / 6, rel=0.01)
    assert copying["guessing"] == pytest.approx(10 * np.log(8) / 30, rel=0.01)
    assert max(adding["GRU"], adding["LSTM"]) < 0.1 * adding["guessing"]
    for cell in compare_cells.CELLS:  # it has learned where the blanks are
        assert copying[cell] < 1.5 * copying["guessing"]
    assert plot.stat().st_size > 10_000


def test_the_tasks_of_memory_are_what_they_say():
    x, y = compare_cells.adding(np.random.default_rng(0), 50, 11)
    assert (x[:, :5, 1].sum(axis=1) == 1).all() and (x[:, 5:, 1].sum(axis=1) == 1).all()
    np.testing.assert_allclose(y[:, 0], [row[row[:, 1] == 1, 0].sum() for row in x], rtol=1e-6)
    x, y = compare_cells.copy(np.random.default_rng(0), 50, 7)
    shown = x.argmax(axis=-1)
    assert x.shape == (50, 27, 10) and (x.sum(axis=-1) == 1).all()
    np.testing.assert_array_equal(y[:, -10:], shown[:, :10])
    assert (shown[:, 16] == 9).all() and (y[:, :-10] == 8).all() and (shown[:, 17:] == 8).all()


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_look_inside_makes_a_page(capsys, tmp_path, cell):
    read, page = tmp_path / "text.txt", tmp_path / "page.html"
    read.write_text("Some (words) & 'more'.\nAnd <so> on 12.\n" * 60, encoding="utf-8")
    sizes = ["--units", "8", "--epochs", "1", "--characters", "200", "--cell", cell]
    look_inside.main([*sizes, "--text", str(read), "--page", str(page)])
    assert "open it in a browser" in capsys.readouterr().out
    written = page.read_text(encoding="utf-8")
    assert written.count("<i>") == 200 and "<so>" not in written and "&lt;" in written
    data = json.loads(re.search(r"const data = (.*), letters", written)[1])
    names = {"lstm": [*"ifgoch"], "gru": [*"rznh"], "rnn": ["h"]}[cell]
    assert data["names"] == names and np.shape(data["values"]) == (len(names), 8, 200)
    assert np.abs(data["values"]).max() <= 100


def test_what_a_unit_does_is_told_by_the_text():
    of_text = look_inside.properties("aB (c\n1) D")
    np.testing.assert_array_equal(of_text["capitals"], [0, 1, 0, 0, 0, 0, 0, 0, 0, 1])
    np.testing.assert_array_equal(of_text["brackets"], [0, 0, 0, 1, 1, 1, 1, 0, 0, 0])
    np.testing.assert_array_equal(of_text["place in the line"], [0, 1, 2, 3, 4, 5, 0, 1, 2, 3])
    values = np.stack([np.zeros(10), -3 * of_text["digits"] + 1], axis=1)
    assert look_inside.rank(values, of_text)[0] == (1, "digits", pytest.approx(-1))


# --- private_training -----------------------------------------------------------------------------


def test_the_attack_works_but_for_privacy(capsys, tmp_path):
    picture = tmp_path / "attacks.png"
    small = ["--sequences=300", "--sampling=0.2", "--updates=80", "--plain-updates=300"]
    private_training.main([*small, f"--plot={picture}"])
    shown = capsys.readouterr().out
    table = dict(re.findall(r"^(\w[\w: ]*?)  +([\d.]+(?:  [-+][\d.]+ \+- [\d.]+)?)$", shown, re.M))
    private, plain = ([float(n.strip("+")) for n in table[name].replace("+-", " ").split()]
                      for name in ("private", "not private"))  # fmt: skip
    assert abs(private[1]) < 2.5 * private[2]
    assert plain[1] > 0.15 > 3 * plain[2]
    best, last_step = float(table["best possible: the mean"]), float(table["the last step alone"])
    assert 1 / 3 < last_step + 0.1 < private[0] <= best
    assert picture.read_bytes().startswith(b"\x89PNG")


# TensorFlow Privacy's tutorial on 60000 digits, batches of 256, at delta 1e-5.
@pytest.mark.parametrize(
    ("noise", "epochs", "published"), [(1.3, 15, 1.19), (1.1, 60, 3.01), (0.7, 45, 7.10)]
)
def test_epsilon_is_as_published(noise, epochs, published):
    found = privacy.epsilon(256 / 60000, noise, epochs * 60000 // 256, 1e-5)
    assert found == pytest.approx(published, abs=0.03)


def test_epsilon_of_all_sequences_is_that_of_the_gaussian():
    found = privacy.epsilon(1.0, 3.0, 10, 1e-6)
    want = min(10 * a / (2 * 9) + np.log(1e6) / (a - 1) for a in privacy.ORDERS)
    assert found == pytest.approx(want)
    assert privacy.epsilon(0.1, 0.0, 1, 1e-5) == np.inf


def test_gradients_of_a_sequence_are_those_it_has_alone():
    rng = np.random.default_rng(0)
    data = private_training.draw_data(rng, 6, 9, 0.5)
    weights = private_training.first_weights(5, 0)
    together = private_training.sample_gradients(weights, data)
    for b in range(6):
        alone = private_training.sample_gradients(weights, data.some(np.array([b])))
        for part, named in alone.items():
            for name, g in named.items():
                np.testing.assert_allclose(together[part][name][b], g[0], rtol=1e-4, atol=1e-6)
    direction = rng.standard_normal(weights["lstm"]["w_hh"].shape).astype(np.float32)
    losses = []
    for sign in (1, -1):
        weights["lstm"]["w_hh"] += np.float32(sign * 1e-2) * direction
        losses.append(private_training.each_loss(weights, data))
        weights["lstm"]["w_hh"] -= np.float32(sign * 1e-2) * direction
    slopes = np.tensordot(together["lstm"]["w_hh"], direction, axes=2)
    np.testing.assert_allclose((losses[0] - losses[1]) / 2e-2, slopes, rtol=0.05, atol=1e-3)


def test_no_sequence_moves_a_private_sum_by_more_than_the_bound():
    rng = np.random.default_rng(1)
    sizes = np.array([1e-3, 0.1, 1.0, 50.0])[:, None]
    gradients = {"a": {"w": sizes * rng.standard_normal((4, 6)), "b": sizes * np.ones((4, 1))}}
    norms = np.sqrt(sum((g**2).sum(axis=1) for g in gradients["a"].values()))
    quiet = private_training.Privacy(clip=0.5, noise=0.0)

    def total(rows):
        some = {"a": {name: g[rows] for name, g in gradients["a"].items()}}
        return np.concatenate([*private_training.private_sum(some, quiet, rng)["a"].values()])

    for b in range(4):
        moved = np.linalg.norm(total([0, 1, 2, 3]) - total([k for k in range(4) if k != b]))
        assert moved == pytest.approx(min(norms[b], 0.5))
    loud = private_training.Privacy(clip=0.5, noise=4.0)
    none = {"a": {"w": np.zeros((0, 20000))}}
    assert private_training.private_sum(none, loud, rng)["a"]["w"].std() == pytest.approx(
        2, rel=0.05
    )


def test_an_attack_on_known_losses():
    found = privacy.attack(np.array([0.1, 0.2, 0.3, 1.4]), np.array([0.2, 2.0, 3.0, 4.0]))
    assert found.advantage == pytest.approx(3 / 4 - 1 / 4)
    assert found.error == pytest.approx(np.sqrt(2 * 3 / 16 / 4))
    np.testing.assert_allclose(found.hits[[0, -1]], [1 / 4, 1])
    np.testing.assert_allclose(found.false_alarms, np.array([0, 1, 1, 1, 1, 2, 3, 4]) / 4)
