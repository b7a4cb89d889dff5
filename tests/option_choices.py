"""Every option of a call alone, and all pairs of them; quick runs leave the pairs out."""

import numpy as np
import pytest

from rnnfast.testing.options import choices


def _of(chosen, *more):
    marks = [pytest.mark.slow] if len(chosen) > 1 else []
    names = ["+".join(map(str, chosen)), *(value.__name__ for value in more)]
    return pytest.param(chosen, *more, id="-".join(names), marks=marks)


every_choice = pytest.mark.parametrize("chosen", [_of(chosen) for chosen in choices()])

# Complex steps say the most in double precision: pairs are looked at in that alone.
every_choice_and_dtype = pytest.mark.parametrize(
    ("chosen", "dtype"),
    [
        _of(chosen, dtype)
        for chosen in choices()
        for dtype in (np.float32, np.float64)
        if len(chosen) == 1 or dtype is np.float64
    ],
)
