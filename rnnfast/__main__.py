"""What a build of C++ asks: python -m rnnfast --cmakedir."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ._config import show_config
from ._cpp_package import get_cmake_dir, get_include


def main(argv: Sequence[str] | None = None) -> None:
    """Print what is asked for; the build and what it found on this machine, if nothing is.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; those of the command line by default.
    """
    parser = argparse.ArgumentParser(prog="python -m rnnfast", description=__doc__)
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument("--version", action="store_true", help="print the version")
    asked.add_argument("--includedir", action="store_true", help="print the folder of rnnfast.h")
    asked.add_argument(
        "--cmakedir", action="store_true", help="print the folder of CMake's find_package"
    )
    options = parser.parse_args(argv)
    if options.version:
        print(show_config("dicts")["version"])
    elif options.includedir:
        print(get_include())
    elif options.cmakedir:
        print(get_cmake_dir())
    else:
        show_config()


if __name__ == "__main__":
    main()
