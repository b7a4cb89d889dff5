"""The choices of options hold what they say, and a failure is shown with the fewest options."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from option_choices import STRUCTURES, check_or_shrink
from rnnfast.testing.cells import CELLS
from rnnfast.testing.options import OPTIONS, Option, covering
from rnnfast.testing.random import Problem


@pytest.mark.parametrize("count", range(2, 2 * len(OPTIONS)))
def test_each_two_options_meet_in_all_four_ways(count: int) -> None:
    options = [Option(str(i), lambda rng, T, B: True, "call") for i in range(count)]
    choices = covering(options)
    for one, other in combinations(options, 2):
        met = {(one in chosen, other in chosen) for chosen in choices}
        assert met == set(product((True, False), repeat=2)), (str(one), str(other))


def test_the_options_that_there_are_meet_in_seven_choices() -> None:
    assert {option for chosen in covering() for option in chosen} == set(OPTIONS)
    assert len(covering()) <= 7


def test_every_set_of_weights_has_a_cell_for_pairs() -> None:
    assert {(c.function, c.beside) for c in STRUCTURES} == {(c.function, c.beside) for c in CELLS}


@pytest.mark.parametrize("culprits", [(), ("clip",), ("lengths", "truncate")], ids="+".join)
def test_a_failure_is_shown_with_the_fewest_options(culprits: tuple[str, ...]) -> None:
    def check(problem: Problem, seed: int) -> None:
        assert not {*culprits} <= {str(option) for option in problem.options}, "is wrong"

    with pytest.raises(AssertionError, match=rf"^with {'[+]'.join(culprits) or 'none'}: is wrong"):
        check_or_shrink(check, Problem(CELLS[0], np.float64, options=OPTIONS), seed=0)


def test_a_failure_of_three_options_stays_as_it_is() -> None:
    def check(problem: Problem, seed: int) -> None:
        assert len(problem.options) < 3, "is wrong"

    with pytest.raises(AssertionError, match=r"^is wrong"):
        check_or_shrink(check, Problem(CELLS[0], np.float64, options=OPTIONS), seed=0)
