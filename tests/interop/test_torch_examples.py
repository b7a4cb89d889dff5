"""The programs for PyTorch: that they run, say the same of both, and say what is wrong."""

import re
from pathlib import Path

import pytest
import torch

from rnnfast.examples import text, torch_classifier, torch_distributed, torch_swap
from rnnfast.interop import torch as ours


@pytest.fixture(autouse=True)
def one_thread():
    """The sizes are small, and one thread waits for nobody on a busy machine."""
    torch.set_num_threads(1)


SMALL = ["--units=12", "--embedding=4", "--seq-len=10", "--batch-size=3"]


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "story.txt"
    path.write_text(text.python_documentation()[:4000], encoding="utf-8")
    return path


@pytest.mark.usefixtures("by_our_kernels")
@pytest.mark.parametrize("cell", torch_swap.CELLS)
def test_a_swapped_model_learns_the_same(cell, story, capsys):
    torch_swap.main(
        [*SMALL, f"--text={story}", f"--cell={cell}", "--steps=12", "--learning-rate=0.02"]
    )
    shown = capsys.readouterr().out
    assert f"swapped: recurrent: {cell.upper()}" in shown
    lines = re.findall(r"^ +(\d+) +([\d.]+) +([\d.]+)$", shown, re.MULTILINE)
    assert [int(step) for step, *_ in lines] == [1, 3, 5, 7, 9, 11, 12]
    assert float(lines[-1][1]) < float(lines[0][1])
    difference = re.search(r"largest relative difference of the losses: (\S+)", shown)
    assert float(difference[1]) < 1e-4
    assert re.search(r"torch [\d.]+ ms, rnnfast [\d.]+ ms, ratio [\d.]+", shown)


def test_batches_are_windows_and_what_follows(story):
    symbols = torch.arange(101).numpy()
    for x, y in torch_swap.draw_batches(symbols, 3, 4, 10, 0):
        assert x.shape == (4, 10)
        assert torch.equal(y, x + 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--text=missing.txt"], "cannot read missing.txt"),
        (["--seq-len=1000"], "the text is too short"),
        (["--steps=0"], "--steps: must be an integer of at least 1, got '0'"),
        (["--cell=elman"], "invalid choice: 'elman'"),
    ],
)
def test_what_is_wrong_is_said(arguments, message, story, capsys):
    with pytest.raises(SystemExit) as stopped:
        torch_swap.main([f"--text={story}", *arguments])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_training_that_fails_is_said_in_one_line(story):
    with pytest.raises(SystemExit, match=r"torch_swap: the loss became .* with torch; try"):
        torch_swap.main([*SMALL, f"--text={story}", "--steps=9", "--learning-rate=1e37"])


TINY = ["--seq-len=24", "--sequences=200", "--test-sequences=100", "--units=16", "--batch-size=20"]


@pytest.mark.usefixtures("by_our_kernels")
def test_both_forms_of_the_classifier_learn_the_same(capsys):
    torch_classifier.main([*TINY, "--epochs=15", "--noise=0", "--learning-rate=0.01"])
    shown = capsys.readouterr().out
    assert "swapped: lstm: LSTM" in shown
    found = re.findall(r": accuracy ([\d.]+)% in training, ([\d.]+)% on 100 other", shown)
    assert len(found) == 2
    assert found[0] == found[1]
    assert float(found[0][1]) > 40  # chance is 25


def test_the_classifier_is_torchs():
    made = []
    for lstm in (torch.nn.LSTM, ours.LSTM):
        torch.manual_seed(0)
        made.append(torch_classifier.Classifier(lstm, 8, 2))
    x, kinds = torch_classifier.waves(6, 20, 0.1, torch.Generator().manual_seed(1))
    assert x.shape == (6, 20, 1)
    assert kinds.shape == (6,)
    torch.testing.assert_close(made[1](x), made[0](x))


def test_waves_are_within_their_bounds():
    turns = torch.linspace(0, 3, 301)
    for waveform in torch_classifier.WAVEFORMS.values():
        wave = waveform(turns)
        assert wave.min() >= -1
        assert wave.max() <= 1
        assert wave.max() - wave.min() > 1.9


@pytest.mark.usefixtures("by_our_kernels")
def test_distributed_training_alone(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    path = tmp_path / "parameters.pt"
    torch_distributed.main([f"--save={path}"])
    shown = capsys.readouterr().out
    first, last = re.search(r"loss ([\d.]+) at first, ([\d.]+) at last", shown).groups()
    assert float(last) < float(first) / 2
    assert torch.load(path)["recurrent.weight_hh_l0"].shape == (96, 32)
    with pytest.raises(SystemExit, match="cannot write"):
        torch_distributed.main(["--steps=1", f"--save={tmp_path / 'missing' / 'file'}"])


def test_shares_of_unequal_size_are_refused(capsys, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(SystemExit):
        torch_distributed.main(["--batch-size=16"])
    assert "must be a multiple of the 3 processes, got 16" in capsys.readouterr().err


class Module(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = torch.nn.LSTM(3, 4)


@pytest.mark.filterwarnings("ignore")  # of gymnasium and sb3
def test_programs_of_the_page(tmp_path, monkeypatch):
    """One after another, as a reader would go on in the same session."""
    for package in ("lightning", "skorch", "sb3_contrib"):
        pytest.importorskip(package, reason=f"no package {package} of the extra hosts")
    page = Path(__file__).parents[2] / "docs" / "pytorch.md"
    programs = re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)
    monkeypatch.chdir(tmp_path)
    names = {"model": Module(), "Module": Module}
    for program in programs:
        exec(compile(program, "docs/pytorch.md", "exec"), names)
    assert type(names["model"].rnn) is ours.LSTM
    assert type(names["agent"].policy).__module__ == "rnnfast.interop.sb3"
