"""Every option of a call alone, and all pairs of them; quick runs leave the pairs out."""

import pytest

from rnnfast.testing.options import choices

every_choice = pytest.mark.parametrize(
    "chosen",
    [
        pytest.param(
            chosen,
            id="+".join(map(str, chosen)),
            marks=[pytest.mark.slow] if len(chosen) > 1 else [],
        )
        for chosen in choices()
    ],
)
