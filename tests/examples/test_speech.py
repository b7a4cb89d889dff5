"""Speech in small: that it learns to read, counts errors, and draws."""

import re

import numpy as np
import pytest

import rnnfast
from rnnfast.examples import phonemes, speech


def levenshtein(one, other):
    if not len(one) or not len(other):
        return len(one) + len(other)
    return min(
        levenshtein(one[1:], other) + 1,
        levenshtein(one, other[1:]) + 1,
        levenshtein(one[1:], other[1:]) + (one[0] != other[0]),
    )


def test_edit_distance():
    rng = np.random.default_rng(0)
    for _ in range(40):
        one, other = (rng.integers(0, 3, rng.integers(0, 6)) for _ in range(2))
        assert speech.edit_distance(one, other) == levenshtein(one, other)


def test_utterances_say_their_labels_and_repeat_with_their_seed():
    said = phonemes.corpus(20, 3, 0.2)
    for one, again in zip(said, phonemes.corpus(20, 3, 0.2), strict=True):
        np.testing.assert_array_equal(one.features, again.features)
        spoken = one.classes[np.append(True, one.classes[1:] != one.classes[:-1])]
        np.testing.assert_array_equal(spoken[spoken != phonemes.PAUSE], one.labels)
    lengths = {len(one.features) for one in said}
    assert len(lengths) > 10
    assert any((one.labels[1:] == one.labels[:-1]).any() for one in said)
    assert speech.label_error_rate([one.labels for one in said], said) == 0
    assert speech.label_error_rate([one.labels[1:] for one in said], said) == pytest.approx(
        20 / sum(len(one.labels) for one in said)
    )


def test_the_nearest_means_read_what_nothing_disturbs():
    """Without noise they are wrong for what differs in the order of frames, and little else."""
    said = phonemes.corpus(40, 0, 0.0)
    nearest = speech.NearestMeans(said)
    assert speech.label_error_rate([nearest.read(one) for one in said], said) < 0.5


def small(tmp_path):
    return ["--utterances=24", "--units=4", "--epochs=1", f"--plot={tmp_path / 'speech.png'}"]


def test_a_small_run_shows_three_readers_and_a_picture(tmp_path, capsys):
    with rnnfast.num_threads(1):
        speech.main(small(tmp_path))
    shown = capsys.readouterr().out
    assert "24 utterances" in shown
    assert len(re.findall(r"^epoch .*loss +[\d.]+, label error +[\d.]+%$", shown, re.M)) == 1
    assert len(re.findall(r"^(?:nearest mean|CTC, best|CTC, beam).* [\d.]+%$", shown, re.M)) == 3
    assert (tmp_path / "speech.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_fewer_than_one_label_in_twenty_is_wrong(tmp_path, capsys):
    with rnnfast.num_threads(1):
        speech.main([f"--plot={tmp_path / 'speech.png'}"])
    shown = capsys.readouterr().out
    nearest, path, beam = map(float, re.findall(r"^(?:nearest|CTC).* ([\d.]+)%$", shown, re.M))
    assert max(path, beam) < 5
    assert beam <= path + 0.2
    assert nearest > 20
