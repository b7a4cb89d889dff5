"""What show_config tells."""

from __future__ import annotations

import platform

import numpy as np
import pytest

import rnnfast

KEYS = {
    "version",
    "target",
    "targets",
    "cells",
    "threads",
    "available_threads",
    "caches",
    "compiler",
    "build_type",
    "openmp",
    "cuda",
    "numpy",
    "python",
}


def test_dicts() -> None:
    config = rnnfast.show_config(mode="dicts")
    assert set(config) >= KEYS
    assert config["version"] == rnnfast.__version__
    assert config["target"] in config["targets"]
    assert "baseline" in config["targets"] or "neon" in config["targets"]
    assert config["numpy"] == np.__version__
    assert config["python"] == platform.python_version()
    assert set(config["caches"]) == {"l1", "l2", "l3"}
    assert all(size >= 0 for size in config["caches"].values())


def test_the_dictionary_is_the_callers() -> None:
    rnnfast.show_config(mode="dicts")["version"] = "changed"
    assert rnnfast.show_config(mode="dicts")["version"] == rnnfast.__version__


def test_stdout(capsys) -> None:
    assert rnnfast.show_config() is None
    printed = dict(line.split(":", 1) for line in capsys.readouterr().out.splitlines())
    config = rnnfast.show_config(mode="dicts")
    assert set(printed) == set(config)
    assert printed["target"].strip() == config["target"]
    assert printed["targets"].strip() == ", ".join(config["targets"])


def test_readable() -> None:
    from rnnfast._config import _lines

    config = {
        "caches": {"l1": 48 * 1024, "l2": 3 * 2**19, "l3": 0},
        "openmp": True,
        "blas": None,
        "targets": ["baseline", "avx2"],
    }
    assert [line.split(None, 1)[1] for line in _lines(config)] == [
        "l1 48 KiB, l2 1.5 MiB, l3 0 B",
        "yes",
        "no",
        "baseline, avx2",
    ]


@pytest.mark.parametrize("mode", ["dict", None, True])
def test_another_mode(mode) -> None:
    with pytest.raises(ValueError, match=r"^mode must be 'stdout' or 'dicts', got "):
        rnnfast.show_config(mode=mode)
