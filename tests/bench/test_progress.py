"""What is at work is shown, with tqdm and without."""

import sys

import pytest

from rnnfast.bench.progress import announced


@pytest.mark.parametrize("with_tqdm", [True, False])
def test_each_is_given_and_shown_on_stderr(monkeypatch, capsys, with_tqdm):
    if not with_tqdm:
        monkeypatch.setitem(sys.modules, "tqdm", None)
    assert list(announced(["one", "two"], "cases")) == ["one", "two"]
    printed = capsys.readouterr()
    assert printed.out == ""
    assert list(announced([], "nothing")) == []
    assert capsys.readouterr().err == ""
    for shown in ("cases", "2/2"):
        assert shown in printed.err
    if not with_tqdm:
        assert printed.err == "[1/2] cases one\n[2/2] cases two\n"
