"""Tables made from stored results: python -m rnnfast.bench.report, in a clone.

Each bench/results/*.json gets a page in Markdown and pictures beside it. README.md shows three
cases of one of them, the figures, between its two markers.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from .plots import plot_all
from .results import from_json
from .table import headline, markdown

__all__ = ["BEGIN", "END", "main", "replace_between_markers"]

BEGIN = "<!-- benchmark:begin -->"
END = "<!-- benchmark:end -->"

_OF_README = "figures"
_ABOUT = "rnnfast beside its peers"


def replace_between_markers(text: str, block: str) -> str:
    """Put a block between the two markers of a text.

    Parameters
    ----------
    text : str
        Holds each marker once, the opening one first.
    block : str
        What stands between them afterwards.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the markers are not there.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the text must hold {BEGIN} and, after it, {END}")
    return f"{before}{BEGIN}\n{block.strip()}\n{END}{after}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the pages, and the three lines of the README.

    Parameters
    ----------
    arguments : sequence of str, optional
        Of the command line; the program's own by default.
    """
    parser = argparse.ArgumentParser(prog="python -m rnnfast.bench.report", description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("bench/results"), metavar="FOLDER")
    parser.add_argument("--readme", type=Path, default=Path("README.md"), metavar="FILE")
    options = parser.parse_args(arguments)

    stored = sorted(options.results.glob("*.json"))
    if not stored:
        parser.error(
            f"no results in {options.results}: python -m rnnfast.bench --json "
            f"{options.results / 'NAME.json'} makes some"
        )
    block = ""
    for path in stored:
        report = from_json(path.read_text(encoding="utf-8"))
        pictures = plot_all(report, path.parent, path.stem)
        shown = "".join(f"\n![{_ABOUT}]({picture.name})\n" for picture in pictures)
        path.with_suffix(".md").write_text(markdown(report) + shown, encoding="utf-8")
        if path.stem == _OF_README:
            block = headline(report)
    if not block:
        parser.error(
            f"{options.results} lacks {_OF_README}.json with the cases that the README shows"
        )
    readme = options.readme.read_text(encoding="utf-8")
    options.readme.write_text(replace_between_markers(readme, block), encoding="utf-8")


if __name__ == "__main__":
    main()
