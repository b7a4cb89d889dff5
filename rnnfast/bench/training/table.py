"""The figures of whole programs as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from .epochs import KERAS, TORCH, Times
from .own_time import OwnTime

__all__ = ["to_markdown"]

_WANTED = {KERAS: 2.5, TORCH: 1.6}
_OWN = 0.10


def to_markdown(times: Sequence[Times], own: OwnTime | None) -> str:
    """Write what was found.

    Parameters
    ----------
    times : sequence of Times
        Of programs.
    own : OwnTime or None
        Of the loop.

    Returns
    -------
    str
        A table for each of the two, as far as they were measured.
    """
    return "\n".join(
        [*(["".join(_of_programs(times))] if times else []), *([_of_loop(own)] if own else [])]
    )


def _of_programs(times: Sequence[Times]) -> list[str]:
    lines = [
        "| program | beside | s an epoch | ours | times ours | wanted | processor time "
        "| losses apart | busy |\n",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    ]
    for one in times:
        ours = one.seconds["rnnfast"]
        for name, ratio in one.ratios.items():
            wanted, apart = _WANTED.get(name), one.apart.get(name)
            mark = "" if wanted is None else f"at least {wanted}"
            if wanted is not None and ratio.median < wanted:
                mark = f"**{mark}**"
            lines.append(
                f"| {one.program} | {name} | {one.seconds[name].median:.2f} | {ours.median:.2f} "
                f"| {ratio.median:.2f} ({ratio.low:.2f} to {ratio.high:.2f}) | {mark} "
                f"| {one.work[name].median:.2f} "
                f"| {'' if apart is None else f'{apart:.0e}'} | {'; '.join(one.signs)} |\n"
            )
    return lines


def _of_loop(own: OwnTime) -> str:
    rest = own.step - own.kernels - own.batch - own.dense - own.optimizer
    parts = (
        ("a step of `fit`", own.step),
        ("the kernels", own.kernels),
        ("the batch", own.batch),
        ("Dense and loss", own.dense),
        ("Adam", own.optimizer),
        ("bookkeeping", rest),
        ("the progress bar, more", own.with_bar - own.step),
    )
    lines = ["| LSTM 100/32/128, Dense 10 | ms a step |\n", "| --- | --- |\n"]
    lines += [f"| {name} | {1e3 * seconds:.2f} |\n" for name, seconds in parts]
    share = f"{own.share:.1%}"
    share = share if own.share <= _OWN else f"**{share}**"
    lines.append(f"| beside the kernels, wanted under {_OWN:.0%} | {share} |\n")
    if own.busy:
        lines.append(f"| BUSY: {own.busy} | |\n")
    return "".join(lines)
