"""Where a user asks for a file, and what is said when there can be none."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TypeAlias

from rnnfast.files import atomic_file

Filepath: TypeAlias = str | os.PathLike[str]

_SUFFIX = ".safetensors"


def as_path(filepath: Filepath, overwrite: bool = True) -> Path:
    """Return where to read or write; raise where the ending is another, or a file is there."""
    path = Path(filepath)
    if path.suffix != _SUFFIX:
        raise ValueError(f"filepath must end in {_SUFFIX}, got {str(path)!r}")
    require_free(path, overwrite)
    return path


def require_free(path: Path, overwrite: bool) -> None:
    """Raise where there is a file that is not to be replaced."""
    if not overwrite and os.path.lexists(path):
        raise _exists(path)


def write(path: Path, data: bytes, overwrite: bool) -> None:
    """Write a whole file, or say why not in words that help."""
    try:
        (atomic_file.replace if overwrite else atomic_file.create)(path, data)
    except FileExistsError:
        raise _exists(path) from None
    except FileNotFoundError as error:
        folder = os.path.dirname(os.path.realpath(path))
        if os.path.isdir(folder):
            raise
        reason = f"there is no folder {folder} to save weights in"
        raise FileNotFoundError(errno.ENOENT, reason, str(path)) from error


def _exists(path: Path) -> FileExistsError:
    advice = "it exists; pass overwrite=True to replace it"
    return FileExistsError(errno.EEXIST, advice, str(path))
