"""Libraries of the system that the compiled core needs, and who brings them."""

from __future__ import annotations

_PACKAGES = {
    "libgomp": "libgomp1 on Debian and Ubuntu, libgomp on Fedora, Alpine and in conda",
    "libstdc++": "libstdc++6 on Debian and Ubuntu, libstdc++ on Fedora and Alpine, libstdcxx-ng "
    "in conda",
}


def explained(error: ImportError) -> ImportError:
    """Return what to raise where the core cannot be loaded: what to install, if that is known."""
    for library, packages in _PACKAGES.items():
        if library in str(error):
            return ImportError(
                f"rnnfast needs {library}, which this system lacks ({error}); install the package "
                f"{packages}",
                name=error.name,
                path=error.path,
            )
    return error
