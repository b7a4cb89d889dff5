"""Where the C++ package lies that comes with this installation."""

from __future__ import annotations

from pathlib import Path

from . import _core

# Beside the extension: an installation in place has its sources elsewhere.
_PREFIX = Path(_core.__file__).parent


def get_include() -> str:
    """Return the folder of `rnnfast.h`, the header for C and C++.

    Returns
    -------
    str
        For a compiler's ``-I``. The library is in `get_cmake_dir`'s ``../..``.
    """
    return str(_PREFIX / "include")


def get_cmake_dir() -> str:
    """Return the folder of CMake's files, for ``find_package(rnnfast)``.

    Returns
    -------
    str
        For CMake's ``-Drnnfast_DIR=`` or ``-DCMAKE_PREFIX_PATH=``.
    """
    return str(_PREFIX / "lib" / "cmake" / "rnnfast")
