"""What to say where the compiled core cannot be loaded.

Uses nothing of the package: whatever needs the core fails with it.
"""

from __future__ import annotations

from pathlib import Path

_SYSTEM_LIBRARIES = {
    "libgomp": "libgomp1 on Debian and Ubuntu, libgomp on Fedora, Alpine and in conda",
    "libstdc++": "libstdc++6 on Debian and Ubuntu, libstdc++ on Fedora and Alpine, libstdcxx-ng "
    "in conda",
}


def explained(error: ImportError) -> ImportError:
    """Return what to raise instead, with what to do about it where that is known."""
    # The error of a core that is there and fails is named after it, that of a missing one after us.
    message = _missing_library(str(error)) or (_missing_core() if error.name == "rnnfast" else None)
    return ImportError(message, name=error.name, path=error.path) if message else error


def _missing_library(failure: str) -> str | None:
    for library, packages in _SYSTEM_LIBRARIES.items():
        if library in failure:
            return (
                f"rnnfast needs {library}, which this system lacks ({failure}); install the "
                f"package {packages}"
            )
    return None


def _missing_core() -> str:
    root = Path(__file__).resolve().parents[1]
    if (root / "CMakeLists.txt").is_file():
        return (
            f"you are in the source tree of rnnfast, which has no compiled part: Python found "
            f"{root / 'rnnfast'} before any installed rnnfast. Start Python in another folder, or "
            "run `pip install -e .` here"
        )
    return (
        f"{root / 'rnnfast'} has no compiled part for this Python; install rnnfast again, with "
        "the pip of this Python"
    )
