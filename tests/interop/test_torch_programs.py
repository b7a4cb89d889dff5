"""Programs of others, end to end: their own numbers beside those with rnnfast in it."""

import importlib
import re
import sys
import types
import warnings
import wave

import numpy as np
import pytest
import torch

import rnnfast
from rnnfast.examples import pronounce, voice_activity
from rnnfast.examples.command_line import needs_host
from rnnfast.interop.torch import kernel_calls, swap

SKIP = "no package {} of the extra hosts"


@pytest.fixture(autouse=True)
def one_thread():
    """The sizes are small, and one thread waits for nobody on a busy machine."""
    torch.set_num_threads(1)
    rnnfast.set_num_threads(1)


def needs(package):
    return pytest.importorskip(package, reason=SKIP.format(package))


# --- silero-vad: an LSTM step for each 32 ms of speech


@pytest.fixture(scope="module")
def silero():
    """The package's TorchScript model, and its weights by the names of the safetensors file."""
    needs("silero_vad")
    needs("safetensors")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about TorchScript
        model = importlib.import_module("silero_vad").load_silero_vad()
    names = {"_model.stft.forward_basis_buffer": "stft_conv.weight"}
    for i in range(4):
        names |= {
            f"_model.encoder.{i}.reparam_conv.{part}": f"conv{i + 1}.{part}"
            for part in ("weight", "bias")
        }
    for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        names[f"_model.decoder.rnn.{part}"] = f"lstm_cell.{part}"
    for part in ("weight", "bias"):
        names[f"_model.decoder.decoder.2.{part}"] = f"final_conv.{part}"
    weights = {
        name: model.state_dict()[of_torch].detach().numpy() for of_torch, name in names.items()
    }
    return model, weights


@pytest.fixture(scope="module")
def voice():
    return voice_activity.made_up_voice(4.0)[: 120 * voice_activity.FRAME]


def frames_of(samples):
    return samples.reshape(-1, voice_activity.FRAME)


def test_speech_is_where_silero_finds_it(silero, voice):
    model, weights = silero
    model.reset_states()
    with torch.no_grad():
        want = np.array(
            [model(torch.from_numpy(f)[None], 16000).item() for f in frames_of(voice)], np.float32
        )
    assert want.min() < 0.1
    assert want.max() > 0.9
    detector = voice_activity.Detector(weights)
    np.testing.assert_allclose(detector.probabilities(voice), want, rtol=1e-3, atol=1e-5)
    steps = [detector.step(frame) for frame in frames_of(voice)]
    np.testing.assert_allclose(steps, want, rtol=1e-3, atol=1e-5)
    detector.reset()
    assert detector.step(frames_of(voice)[0]) == pytest.approx(steps[0], rel=1e-6)


def test_the_file_of_weights_holds_another_training_of_the_same_model(silero, voice):
    """By torch's own operations, as the package writes them for tinygrad."""
    _, of_script = silero
    weights = voice_activity.load_weights()
    assert {k: v.shape for k, v in weights.items()} == {k: v.shape for k, v in of_script.items()}
    w = {name: torch.from_numpy(weight) for name, weight in weights.items()}
    cell = torch.nn.LSTMCell(128, 128)
    cell.load_state_dict({k.split(".")[1]: v for k, v in w.items() if k.startswith("lstm_cell")})
    context, state, want = torch.zeros(1, 64), None, []
    with torch.no_grad():
        for frame in frames_of(voice):
            x = torch.cat([context, torch.from_numpy(frame)[None]], 1)
            context = x[:, -64:]
            s = torch.nn.functional.pad(x, (0, 64), "reflect")[:, None]
            s = torch.nn.functional.conv1d(s, w["stft_conv.weight"], stride=128)
            s = (s[:, :129] ** 2 + s[:, 129:] ** 2).sqrt()
            for i, stride in enumerate((1, 2, 2, 1), 1):
                kernel, bias = w[f"conv{i}.weight"], w[f"conv{i}.bias"]
                s = torch.nn.functional.conv1d(s, kernel, bias, stride, 1).relu()
            state = cell(s[:, :, 0], state)
            last = state[0].relu()[:, :, None]
            p = torch.nn.functional.conv1d(last, w["final_conv.weight"], w["final_conv.bias"])
            want.append(p.sigmoid().item())
    got = voice_activity.Detector(weights).probabilities(voice)
    np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-5)


def test_a_recording_is_read_and_its_speech_shown(silero, voice, tmp_path, capsys):
    path = tmp_path / "voice.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, voice_activity.RATE, 0, "NONE", ""))
        file.writeframes((voice * 32767).astype("<i2").tobytes())
    voice_activity.main([f"--file={path}"])
    shown = capsys.readouterr().out
    begins = [float(number) for number in re.findall(r"speech from +([\d.]+) s to", shown)]
    assert begins
    assert begins[0] == pytest.approx(1.0, abs=0.2)
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 44100, 0, "NONE", ""))
    with pytest.raises(SystemExit):
        voice_activity.main([f"--file={path}"])
    assert "16000 Hz and 1 channel, got (2, 44100, 2)" in capsys.readouterr().err


# --- g2p_en: two GRUs in a NumPy loop


@pytest.fixture
def g2p(monkeypatch):
    """Its own class; what it asks of nltk and inflect, dictionaries and taggers, it gets empty."""
    if importlib.util.find_spec("g2p_en") is None:
        pytest.skip(SKIP.format("g2p_en"))
    parts = {
        "nltk": {"pos_tag": list, "data": types.SimpleNamespace(find=lambda path: path)},
        "nltk.corpus": {"cmudict": types.SimpleNamespace(dict=dict)},
        "nltk.tokenize": {"TweetTokenizer": lambda: types.SimpleNamespace(tokenize=str.split)},
        "inflect": {"engine": lambda: None},
    }
    for name, names in parts.items():
        module = types.ModuleType(name)
        vars(module).update(names)
        monkeypatch.setitem(sys.modules, name, module)
    with pytest.MonkeyPatch.context() as patched:
        for name in [name for name in sys.modules if name.partition(".")[0] == "g2p_en"]:
            patched.delitem(sys.modules, name)
        yield importlib.import_module("g2p_en.g2p").G2p()


WORDS = "rnnfast", "activationist", "antidisestablishmentarianism", "zyzzyva", "it's", "x"


@pytest.mark.filterwarnings("ignore")  # of g2p_en, about its escapes
def test_words_are_pronounced_as_by_g2p(g2p):
    weights = pronounce.load_weights()
    assert list(pronounce.PHONEMES) == g2p.phonemes
    assert list(pronounce.LETTERS) == g2p.graphemes
    for make in (pronounce.packed_step, pronounce.numpy_step):
        spell = pronounce.Speller(weights, make)
        assert [spell(word) for word in WORDS] == [g2p.predict(word) for word in WORDS]
    x = g2p.encode("antidisestablishmentarianism")
    gru = pronounce.gru_weights(weights, "enc")
    want = g2p.gru(x, x.shape[1], *gru)
    got = rnnfast.prepack("gru", *gru)(x.swapaxes(0, 1))[0]
    np.testing.assert_allclose(got.swapaxes(0, 1), want, rtol=1e-4, atol=1e-6)


def test_the_program_says_the_same_of_both(capsys):
    if importlib.util.find_spec("g2p_en") is None:
        pytest.skip(SKIP.format("g2p_en"))
    pronounce.main(["Zoneout", "--rounds=1"])
    shown = capsys.readouterr().out
    assert re.search(r"^zoneout +Z OW1 N", shown, re.M)
    assert "by NumPy" not in shown
    assert re.search(r"^NumPy: \d+ us a word\nrnnfast: \d+ us a word$", shown, re.M)


# --- Resemblyzer: three layers of 256 units over frames of a spectrum


@pytest.mark.skipif(
    importlib.util.find_spec("resemblyzer") is None, reason=SKIP.format("resemblyzer")
)
@pytest.mark.usefixtures("by_our_kernels")
def test_voices_are_embedded_as_by_resemblyzer(monkeypatch):
    for name in ("librosa", "webrtcvad"):  # of recordings alone
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "resemblyzer.audio", types.ModuleType("resemblyzer.audio"))
    with pytest.MonkeyPatch.context() as patched:
        package = types.ModuleType("resemblyzer")
        package.__path__ = importlib.util.find_spec("resemblyzer").submodule_search_locations
        package.audio = sys.modules["resemblyzer.audio"]
        patched.setitem(sys.modules, "resemblyzer", package)
        encoder = importlib.import_module("resemblyzer.voice_encoder").VoiceEncoder("cpu", False)
    mels = torch.rand(4, 160, 40, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        want = encoder(mels)
        assert swap(encoder).swapped == {"lstm": "LSTM"}
        calls = kernel_calls()
        got = encoder(mels)
    assert kernel_calls() == calls + 1
    assert want.std(0).max() > 1e-3  # voices differ
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)


# --- programs around torch's surroundings


@pytest.mark.filterwarnings("ignore")  # of sb3, about the size of a rollout
@pytest.mark.usefixtures("by_our_kernels")
def test_a_pole_is_balanced_alike(capsys):
    needs("sb3_contrib")
    program = importlib.import_module("rnnfast.examples.torch_cartpole")
    program.main(["--rollouts=2", "--steps=16", "--environments=2", "--units=8"])
    shown = capsys.readouterr().out
    lengths = re.findall(r"^ +\d +([\d.]+|nan) +([\d.]+|nan)$", shown, re.M)
    assert len(lengths) == 2
    assert all(theirs == own for theirs, own in lengths)
    assert re.search(r"sb3-contrib [\d.]+ s, rnnfast [\d.]+ s, ratio [\d.]+", shown)


@pytest.mark.filterwarnings("ignore")  # of Lightning and darts
def test_darts_forecasts_the_same(capsys):
    needs("darts")
    program = importlib.import_module("rnnfast.examples.torch_darts")
    calls = kernel_calls()
    program.main(["--days=120", "--ahead=7", "--window=14", "--units=8", "--epochs=1"])
    shown = capsys.readouterr().out
    assert "swapped: rnn: LSTM" in shown
    assert kernel_calls() > calls
    assert float(re.search(r"forecasts are (\S+) apart", shown)[1]) < 1e-4


def test_what_to_install_is_said():
    said = "needs no_such_host: pip install no_such_host"
    with pytest.raises(SystemExit, match=said), needs_host():
        importlib.import_module("no_such_host.part")
    with pytest.raises(ModuleNotFoundError), needs_host():
        importlib.import_module("rnnfast.no_such_module")
    for name in ("torch_swap", "torch_classifier", "torch_distributed", "torch_cartpole"):
        with pytest.MonkeyPatch.context() as patched:
            patched.setitem(sys.modules, "torch", None)
            patched.delitem(sys.modules, f"rnnfast.examples.{name}", raising=False)
            for host in ("gymnasium", "sb3_contrib"):
                patched.setitem(sys.modules, host, types.ModuleType(host))
            with pytest.raises(SystemExit, match="needs torch: pip install torch"):
                importlib.import_module(f"rnnfast.examples.{name}")
