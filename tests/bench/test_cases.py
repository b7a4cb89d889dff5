"""The cases: their names, their work, their inputs, and which of them a command selects."""

import pytest

from rnnfast.bench import EVERYTHING, FIGURES, Case, Shape
from rnnfast.bench.cases import select
from rnnfast.testing.cells import CELLS_BY_NAME


@pytest.mark.parametrize("text", ["50/64/512", "784/128/1-100"])
def test_shapes_are_read_as_they_are_written(text):
    assert str(Shape.of(text)) == text


@pytest.mark.parametrize("text", ["50/64", "a/b/c", "1/2/3/4", ""])
def test_what_is_no_shape_is_refused(text):
    with pytest.raises(ValueError, match="a shape must be T/B/H or T/B/I-H, such as"):
        Shape.of(text)


def test_work_is_that_of_the_products():
    shape = Shape(T=3, B=5, I=7, H=11)
    forward = 2 * 3 * 5 * 4 * 11 * (7 + 11)
    assert Case("inference", "lstm", shape).flops == forward
    assert Case("training", "lstm", shape).flops == 3 * forward
    assert Case("training", "gru", shape).flops == 3 * forward * 3 / 4
    R = CELLS_BY_NAME["lstm_projected"].output_size(11)
    projected = 2 * 3 * 5 * (4 * 11 * (7 + R) + R * 11)
    assert Case("inference", "lstm_projected", shape).flops == projected


@pytest.mark.parametrize("case", list(dict.fromkeys((*FIGURES, *EVERYTHING))), ids=str)
def test_inputs_have_the_shapes_of_the_case(case):
    small = Case(case.mode, case.cell_name, Shape(min(case.shape.T, 2), 3, 5, 7))
    inputs = small.inputs()
    for name, array in inputs.items():
        want = case.cell.shape(name, small.shape.T, 3, 5, 7)
        assert (array.shape, array.dtype) == (want, "float32"), name
    states = set(case.cell.states) if case.mode == "step" else set()
    gradients = {"dy"} if case.mode == "training" else set()
    assert inputs.keys() == {"x", "w_ih", "w_hh", "b_ih", "b_hh"} | states | gradients


def test_everything_ranks_each_case_once_and_contains_the_figures():
    assert len(set(EVERYTHING)) == len(EVERYTHING)
    assert set(FIGURES) <= set(EVERYTHING)


def test_a_step_is_one_step():
    assert all(case.shape.T == 1 for case in EVERYTHING if case.mode == "step")


def test_selection():
    assert select(FIGURES) == list(FIGURES)
    assert {case.cell_name for case in select(FIGURES, cells=["gru"])} == {"gru"}
    assert {case.mode for case in select(FIGURES, modes=["step"])} == {"step"}
    new = select(FIGURES, ["training"], ["gru"], ["9/8/7"])
    assert new == [Case("training", "gru", Shape(9, 8, 7, 7))]
    assert {case.mode for case in select(FIGURES, shapes=["1/8/7"])} == {"step"}
