"""List the programs there are: python -m rnnfast.examples."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path


def programs() -> Iterator[tuple[str, str]]:
    """Find the programs by reading their files: what they import may be missing.

    Yields
    ------
    name, summary : str
        Of each, its module's name and the first line of its docstring.
    """
    for path in sorted(Path(__file__).parent.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        if "main" in functions and not path.stem.startswith("_"):
            summary = (ast.get_docstring(tree) or "").partition("\n")[0]
            yield path.stem, summary.partition(": python -m")[0].removesuffix(".")


def main() -> None:
    """Print them."""
    found = dict(programs())
    width = max(map(len, found))
    print("python -m rnnfast.examples.NAME [--help]\n")
    for name, summary in found.items():
        print(f"  {name:{width}}  {summary}")


if __name__ == "__main__":
    main()
