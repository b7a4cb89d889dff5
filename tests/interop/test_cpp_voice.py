"""The voice activity of rnnfast/examples/cpp beside silero-vad's ONNX model."""

import importlib.util
import re
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

import cmake_builds
import rnnfast
from rnnfast.examples import voice_activity

SOURCES = Path(rnnfast.__file__).parent / "examples" / "cpp"
CONTEXT, FRAME = 64, voice_activity.FRAME
ONNX = "silero_vad_16k_op15.onnx"


@pytest.fixture(scope="module")
def data():
    """Where silero-vad keeps its models."""
    found = importlib.util.find_spec("silero_vad")
    if found is None:
        pytest.skip("no package silero_vad of the extra hosts")
    return Path(found.submodule_search_locations[0]) / "data"


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """Built as its reader would, over what this installation brings."""
    if shutil.which("c++") is None:
        pytest.skip("no C++ compiler")
    folder = tmp_path_factory.mktemp("voice")
    cmake = cmake_builds.tool("cmake")
    made = f"-DCMAKE_MAKE_PROGRAM={cmake_builds.tool('ninja')}"
    prefix = f"-DCMAKE_PREFIX_PATH={rnnfast.get_cmake_dir()}"
    cmake_builds.run(cmake, "-S", SOURCES, "-B", folder, "-G", "Ninja", made, prefix)
    cmake_builds.run(cmake, "--build", folder)
    return folder / "voice_activity"


@pytest.fixture(scope="module")
def voice():
    samples = voice_activity.made_up_voice(20.0)
    return samples[: len(samples) // FRAME * FRAME]


@pytest.fixture(scope="module")
def twin(data, tmp_path_factory):
    """The weights of the ONNX model, of another training than the file's, in a file like that."""
    onnx = pytest.importorskip("onnx", reason="no package onnx of the extra hosts")
    from safetensors.numpy import save_file

    found = {
        tensor.name.removeprefix("model."): onnx.numpy_helper.to_array(tensor)
        for tensor in onnx.load(data / ONNX).graph.initializer
    }
    names = {"stft.forward_basis_buffer": "stft_conv.weight"}
    for part in ("weight", "bias"):
        names |= {f"encoder.{i}.reparam_conv.{part}": f"conv{i + 1}.{part}" for i in range(4)}
        names |= {f"decoder.rnn.{part}_{of}": f"lstm_cell.{part}_{of}" for of in ("ih", "hh")}
        names |= {f"decoder.decoder.2.{part}": f"final_conv.{part}"}
    path = tmp_path_factory.mktemp("twin") / "twin.safetensors"
    save_file({ours: found[theirs].copy() for theirs, ours in names.items()}, path)
    return path


def heard(program, weights, voice):
    """The probabilities, and the microseconds of a frame."""
    done = subprocess.run(
        [program, weights],
        input=voice.tobytes(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    microseconds = re.search(rb"([\d.]+) us each", done.stderr)
    return np.array(done.stdout.split(), float), float(microseconds[1])


def by_onnxruntime(data, voice):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(data / ONNX), options)
    state, context = np.zeros((2, 1, 128), np.float32), np.zeros(CONTEXT, np.float32)
    probabilities, seconds = [], []
    for frame in voice.reshape(-1, FRAME):
        x = np.concatenate([context, frame])[None]
        begin = time.perf_counter()
        p, state = session.run(None, {"input": x, "state": state, "sr": np.array(16000)})
        seconds.append(time.perf_counter() - begin)
        context = frame[-CONTEXT:]
        probabilities.append(p.item())
    return np.array(probabilities), 1e6 * np.median(seconds)


def test_speech_is_where_python_hears_it(program, data, voice):
    got, _ = heard(program, data / "silero_vad_16k.safetensors", voice)
    want = voice_activity.Detector(voice_activity.load_weights()).probabilities(voice)
    assert want.min() < 0.1
    assert want.max() > 0.9
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-5)


def test_speech_is_where_onnxruntime_hears_it(program, data, twin, voice):
    got, _ = heard(program, twin, voice)
    want, _ = by_onnxruntime(data, voice)
    assert want.max() > 0.9
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-5)


@pytest.mark.timing
def test_a_frame_takes_a_third_of_onnxruntimes_time(program, data, twin, voice):
    ratios = []
    while len(ratios) < 6 and min(ratios, default=1) > 1 / 3:  # others may be at work
        _, ours = heard(program, twin, voice)
        _, theirs = by_onnxruntime(data, voice)
        ratios.append(ours / theirs)
    assert min(ratios) <= 1 / 3, ratios
