"""Files that are whole at any moment: killed writers, full disks, links, rights, many writers."""

import errno
import fcntl
import os
import stat
import subprocess
import sys
import threading

import pytest

from rnnfast.files import atomic_file

OLD, NEW = b"old" * 1000, b"new" * 1000


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.safetensors"


def only(path):
    """Return what the file holds, which is alone in its folder."""
    assert os.listdir(path.parent) == [path.name]
    return path.read_bytes()


# ------------------------------------------------------------------------------ killed writers

KILLED = """
import os, random, signal, sys, time
from pathlib import Path
from rnnfast.files import atomic_file

path, size = Path(sys.argv[1]), 1_000_000
atomic_file.replace(path, bytes([0]) * size)
delay = random.Random(1)
seen, unfinished = set(), 0
for _ in range(100):
    child = os.fork()
    if not child:
        for k in range(1, 10**9):
            atomic_file.replace(path, bytes([k % 256]) * size)
    time.sleep(delay.uniform(0.001, 0.02))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    data = path.read_bytes()
    assert len(data) == size and len(set(data)) == 1, "torn"
    seen.add(data[0])
    unfinished += len(os.listdir(path.parent)) > 1
assert len(seen) > 1, "no child came to write"
assert unfinished, "no child was killed while it wrote"
atomic_file.replace(path, b"the end")
assert os.listdir(path.parent) == [path.name], os.listdir(path.parent)
assert path.read_bytes() == b"the end"
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_killed_at_random_moments(path):
    subprocess.run([sys.executable, "-c", KILLED, path], check=True, timeout=120)


def test_what_is_left_behind_goes_and_what_is_being_written_stays(path):
    left, running = (path.with_name(f".{name}.{'0a' * 8}.saving") for name in ("left", "running"))
    others = [path.with_name(name) for name in (".a.saving", "a.safetensors.tmp", "left.saving")]
    for file in (left, running, *others):
        file.write_bytes(OLD)
    with running.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        atomic_file.replace(path, NEW)
        assert set(path.parent.iterdir()) == {path, running, *others}
    atomic_file.replace(path, NEW)
    assert set(path.parent.iterdir()) == {path, *others}


def test_a_file_that_is_taken_for_left_behind_before_it_is_locked(path, monkeypatch):
    lock, taken = fcntl.flock, []

    def late(file, operation):
        if not taken:
            taken.extend(path.parent.iterdir())
            taken[0].unlink()
        lock(file, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    atomic_file.replace(path, NEW)
    assert only(path) == NEW and taken


def test_a_file_system_without_locks(path, monkeypatch):
    def unknown(file, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    left = path.with_name(f".left.{'0a' * 8}.saving")
    left.touch()
    monkeypatch.setattr(fcntl, "flock", unknown)
    atomic_file.replace(path, NEW)
    # Nobody can tell whether it is being written.
    assert set(path.parent.iterdir()) == {path, left} and path.read_bytes() == NEW


# ------------------------------------------------------------------------------ full disks


@pytest.mark.parametrize("what", ["write", "fsync", "fchmod", "replace"])
def test_an_error_changes_nothing_and_names_the_file(path, monkeypatch, what):
    path.write_bytes(OLD)
    path.chmod(0o640)

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, what, full)
    with pytest.raises(OSError, match=r"No space left on device: '.*a.safetensors'") as caught:
        atomic_file.replace(path, NEW)
    assert caught.value.errno == errno.ENOSPC
    assert only(path) == OLD


def test_parts_are_written_one_after_the_other(path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:7]))
    atomic_file.replace(path, NEW)
    assert only(path) == NEW


def test_data_are_on_the_disk_before_the_name_and_then_the_name(path, monkeypatch):
    calls = []

    def recorded(name, real):
        def call(*arguments):
            is_folder = name == "fsync" and stat.S_ISDIR(os.fstat(arguments[0]).st_mode)
            calls.append("fsync of the folder" if is_folder else name)
            return real(*arguments)

        monkeypatch.setattr(os, name, call)

    for name in ("write", "fsync", "replace", "link"):
        recorded(name, getattr(os, name))
    atomic_file.create(path, OLD)
    atomic_file.replace(path, NEW)
    assert calls == [
        *("write", "fsync", "link", "fsync of the folder"),
        *("write", "fsync", "replace", "fsync of the folder"),
    ]


# ------------------------------------------------------------------------------ links


def test_a_link_stays_and_its_target_is_replaced(path):
    folder = path.parent / "versions"
    folder.mkdir()
    target = folder / "1.safetensors"
    path.symlink_to("versions/1.safetensors")
    for data in (OLD, NEW):  # at first there is no target
        atomic_file.replace(path, data)
        assert path.is_symlink() and only(target) == data
    assert set(path.parent.iterdir()) == {path, folder}


def test_links_in_a_ring(path):
    path.symlink_to(path.name)
    with pytest.raises(OSError, match=r"a.safetensors") as caught:
        atomic_file.replace(path, NEW)
    assert caught.value.errno == errno.ELOOP


def test_what_is_no_file(path):
    path.mkdir()
    with pytest.raises(IsADirectoryError, match=r"a.safetensors"):
        atomic_file.replace(path, NEW)
    path.rmdir()
    os.mkfifo(path)
    with pytest.raises(OSError, match=r"is neither a file nor free to become one: '.*a.safetens"):
        atomic_file.replace(path, NEW)
    assert stat.S_ISFIFO(path.stat().st_mode)


# ------------------------------------------------------------------------------ rights


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
@pytest.mark.parametrize("write", [atomic_file.create, atomic_file.replace])
def test_a_new_file_has_the_rights_that_the_umask_leaves(path, mask, write):
    before = os.umask(mask)
    try:
        write(path, NEW)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o666, 0o644])
def test_a_file_keeps_its_rights(path, mode):
    path.write_bytes(OLD)
    path.chmod(mode)
    atomic_file.replace(path, NEW)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert only(path) == NEW


def test_what_is_protected_is_not_replaced(path, monkeypatch):
    path.write_bytes(OLD)
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # as for anyone but root
    with pytest.raises(PermissionError, match=r"is protected against writing: '.*a.safetensors'"):
        atomic_file.replace(path, NEW)
    assert only(path) == OLD


def test_nobody_reads_new_data_who_may_not_read_the_old(path, monkeypatch):
    path.write_bytes(OLD)
    path.chmod(0o600)
    write, modes = os.write, set()

    def watched(file, data):
        modes.add(stat.S_IMODE(os.fstat(file).st_mode))
        return write(file, data)

    monkeypatch.setattr(os, "write", watched)
    atomic_file.replace(path, NEW)
    assert modes == {0o600}


# ------------------------------------------------------------------------------ several writers


def test_create_replaces_nothing(path):
    path.write_bytes(OLD)
    with pytest.raises(FileExistsError, match=r"a.safetensors"):
        atomic_file.create(path, NEW)
    assert only(path) == OLD
    path.unlink()
    path.symlink_to("nowhere")
    with pytest.raises(FileExistsError, match=r"a.safetensors"):
        atomic_file.create(path, NEW)
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_of_several_that_create_one_wins(path, monkeypatch, links):
    def none(*arguments):
        raise OSError(errno.EPERM, "Operation not permitted")

    if not links:
        monkeypatch.setattr(os, "link", none)
    for _ in range(20):
        start, won = threading.Barrier(4), []

        def create(k, start=start, won=won):
            start.wait()
            try:
                atomic_file.create(path, bytes([k]) * 1000)
                won.append(k)
            except FileExistsError:
                pass

        threads = [threading.Thread(target=create, args=(k,)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (winner,) = won
        assert only(path) == bytes([winner]) * 1000
        path.unlink()


def test_a_long_name(path):
    longest = path.with_name("ä" * 120 + ".safetensors")  # 252 bytes of the 255 that there may be
    atomic_file.replace(longest, NEW)
    assert only(longest) == NEW
