"""Files that are whole at any moment, whatever stops the program that writes them.

Data go to a file of another name in the same folder, and from there to the disk. Then the file gets
its name, so that whoever looks finds the old file or the new one, and the folder goes to the disk.

    .model.safetensors.0123456789abcdef.saving

is such another name. Its file is locked as long as its writer lives: what is not locked was left
behind by one that was killed, and the next to write in this folder removes it.

Links and rights stay as they are: behind a symbolic link its target is replaced, and a file that is
replaced hands on its mode, and its owner and group if that is allowed. Another hard link to it
keeps the old data.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_UNFINISHED = re.compile(r"\..+\.[0-9a-f]{16}\.saving")
_LONGEST_STEM = 48  # characters, of 4 bytes at most: names end at 255 bytes

# What a file system without hard links says.
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}


def replace(path: Path, data: bytes) -> None:
    """Write a file, in place of one that may be there.

    Raises
    ------
    OSError
        With `path`; what was there is there still, unless the folder alone did not reach the disk.
    """
    with naming(path):
        before = _replaceable(path)
        target = Path(os.path.realpath(path))
        with _written(target, data, before) as unfinished:
            os.replace(unfinished, target)
        _sync_folder(target.parent)


def create(path: Path, data: bytes) -> None:
    """Write a file that is not there yet.

    Raises
    ------
    FileExistsError
        When something has its name, be it a link to nothing, or gets it in the meantime.
    OSError
        With `path`, in other cases.
    """
    with naming(path):
        with _written(path, data, None) as unfinished:
            _name_exclusively(unfinished, path)
        _sync_folder(path.parent)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let errors speak of the file that was asked for."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _replaceable(path: Path) -> os.stat_result | None:
    """Return what there is to know of a file that is to be replaced; None where there is none."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "is neither a file nor free to become one")
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, "is protected against writing")
    return status


@contextmanager
def _written(target: Path, data: bytes, before: os.stat_result | None) -> Iterator[Path]:
    """Write a file under another name beside the target; it must get its own before the end."""
    _remove_left_behind(target.parent)
    # Nobody is to read new data who may not read the old.
    file, unfinished = _opened(target, 0o666 if before is None else 0o600)
    try:
        remaining = memoryview(data)
        while remaining:
            remaining = remaining[os.write(file, remaining) :]
        if before is not None:
            _hand_on_rights(file, before)
        os.fsync(file)
        yield unfinished
    finally:
        with suppress(FileNotFoundError):
            os.unlink(unfinished)
        os.close(file)


def _opened(target: Path, mode: int) -> tuple[int, Path]:
    """Return a new file, locked, and its name."""
    while True:
        name = f".{target.name[:_LONGEST_STEM]}.{secrets.token_hex(8)}.saving"
        unfinished = target.with_name(name)
        file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with suppress(OSError):  # some file systems have no locks: nothing is removed there
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file).st_nlink:
            return file, unfinished
        os.close(file)  # somebody found it before it was locked, and removed it


def _hand_on_rights(file: int, before: os.stat_result) -> None:
    for owner in ((-1, before.st_gid), (before.st_uid, -1)):
        with suppress(PermissionError):
            os.fchown(file, *owner)
    mode = stat.S_IMODE(before.st_mode)
    if stat.S_IMODE(os.fstat(file).st_mode) != mode:  # some file systems have but one
        os.fchmod(file, mode)


def _name_exclusively(unfinished: Path, path: Path) -> None:
    try:
        os.link(unfinished, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        os.replace(unfinished, path)


def _remove_left_behind(folder: Path) -> None:
    names = []
    with suppress(OSError):  # a folder may be one to write to and not to read
        names = [name for name in os.listdir(folder) if _UNFINISHED.fullmatch(name)]
    for name in names:
        with suppress(OSError):  # it is locked, gone by now, or another user's
            _remove_unlocked(folder / name)


def _remove_unlocked(unfinished: Path) -> None:
    file = os.open(unfinished, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(unfinished)
    finally:
        os.close(file)


def _sync_folder(folder: Path) -> None:
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:  # it is one to write to and not to read
        return
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system without this
            raise
    finally:
        os.close(opened)
