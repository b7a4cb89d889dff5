"""The same bits whatever the threads, the partition, the chunk, the neighbours or the caller."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import rnnfast
from option_choices import every_option_alone
from rnnfast.testing.bits import digest
from rnnfast.testing.cells import CELLS, CELLS_BY_NAME, Cell, is_weight
from rnnfast.testing.options import Option, without_gradients
from rnnfast.testing.plans import forced_plan, last_plan
from rnnfast.testing.random import DTYPES, DType, Problem

every_cell = pytest.mark.parametrize("cell", CELLS, ids=str)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)

# Ragged rows and panels; T*B makes four blocks of the weight gradients, the last one partial.
SHAPE = {"T": 45, "B": 35, "I": 29, "H": 75}


def setting(cell: Cell, dtype: DType, **sizes: int) -> tuple[dict, dict]:
    rng = np.random.default_rng(1)
    problem = Problem(cell, dtype, **{**SHAPE, **sizes})
    return problem.arguments(rng), problem.cotangents(rng)


def training(cell: Cell, arguments: dict, cotangents: dict) -> str:
    """Digest of the forward, the forward that saves, and all gradients."""
    plain = cell.forward(arguments)
    out, pullback = cell.vjp(arguments)
    return digest([*plain, *out, *pullback(**cotangents)])


@every_cell
@every_dtype
def test_threads(cell: Cell, dtype: DType) -> None:
    arguments, cotangents = setting(cell, dtype)
    digests = set()
    for threads in (1, 2):  # three and four, more than a small machine has, are in test_partitions
        with rnnfast.num_threads(threads):
            digests.add(training(cell, arguments, cotangents))
    assert len(digests) == 1


@every_cell
@every_dtype
@pytest.mark.parametrize("rows", [1, 5, SHAPE["B"]])
def test_partitions(cell: Cell, dtype: DType, rows: int) -> None:
    arguments, cotangents = setting(cell, dtype, B=rows)
    with forced_plan(threads=1):
        alone = training(cell, arguments, cotangents)
        assert last_plan()["partition"] == "one"
    for threads in (2, 3, 4):
        for partition in cell.partitions:
            with forced_plan(partition=partition, threads=threads):
                plans = []
                plain = cell.forward(arguments)
                plans.append(last_plan())
                out, pullback = cell.vjp(arguments)
                plans.append(last_plan())
                gradients = pullback(**cotangents)
                plans.append(last_plan())
            for plan in plans:
                assert (plan["partition"], plan["threads"]) == (partition, threads)
            assert digest([*plain, *out, *gradients]) == alone, (partition, threads)


@every_cell
@every_dtype
@every_option_alone
def test_partitions_under_every_option(
    cell: Cell, dtype: DType, chosen: tuple[Option, ...]
) -> None:
    rng = np.random.default_rng(2)
    problem = Problem(cell, dtype, T=9, B=5, I=7, H=21, options=chosen)
    arguments, cotangents, options = (
        problem.arguments(rng),
        problem.cotangents(rng),
        problem.call(rng),
    )

    def both_passes() -> str:
        plain = cell.forward(arguments, **without_gradients(options))
        out, pullback = cell.vjp(arguments, **options)
        return digest([*plain, *out, *pullback(**cotangents)])

    with forced_plan(threads=1):
        alone = both_passes()
    for partition in cell.partitions:
        with forced_plan(partition=partition, threads=2):
            assert both_passes() == alone, partition
            assert (last_plan()["partition"], last_plan()["threads"]) == (partition, 2)


@every_cell
@every_dtype
def test_chunks(cell: Cell, dtype: DType) -> None:
    arguments, cotangents = setting(cell, dtype)
    free = training(cell, arguments, cotangents)
    for partition in cell.partitions:
        delta_chunks = set()
        for chunk in (1, 2, 13, 14, 15, 30, SHAPE["T"]):
            with forced_plan(partition=partition, threads=2, chunk=chunk):
                forced = training(cell, arguments, cotangents)
            assert last_plan()["partition"] == partition
            # As many chunks as were asked for; the plan may even their lengths out.
            taken = last_plan()["chunk"]
            assert math.ceil(SHAPE["T"] / taken) == math.ceil(SHAPE["T"] / chunk)
            delta_chunks.add(last_plan()["delta_chunk"])
            assert forced == free, (partition, chunk)
        # The backward pass, too, has gone over the sequence in several pieces.
        assert min(delta_chunks) < SHAPE["T"] / 3


@every_cell
@every_dtype
# Windows of ten steps, the last one partial; runs of one, two and several chains of the sums; more
# inputs than units and fewer; full panels and a narrow one.
@pytest.mark.parametrize(("steps", "inputs", "units"), [(23, 1, 75), (50, 130, 40), (31, 75, 210)])
def test_interleaved_input(cell: Cell, dtype: DType, steps: int, inputs: int, units: int) -> None:
    arguments, cotangents = setting(cell, dtype, T=steps, B=1, I=inputs, H=units)
    with forced_plan(threads=1, interleaves_input=False):
        plain = training(cell, arguments, cotangents)
        assert not last_plan()["interleaves_input"]
    for threads in (1, 2, 3):
        with forced_plan(partition="units", threads=threads, interleaves_input=True):
            interleaved = training(cell, arguments, cotangents)
            may = cell.one_phase and "units" in cell.partitions
            assert last_plan()["interleaves_input"] == may
        assert interleaved == plain


def test_long_sums_are_interleaved_whole() -> None:
    # K above 1024, where other products are cut into segments.
    cell = CELLS_BY_NAME["lstm"]
    arguments, _ = setting(cell, np.float32, T=21, B=1, I=1100, H=1100)
    digests = set()
    for interleaves in (False, True):
        with forced_plan(interleaves_input=interleaves):
            digests.add(digest(cell.forward(arguments)))
            assert last_plan()["interleaves_input"] == interleaves
    assert len(digests) == 1


@every_cell
def test_threads_that_own_rows_may_drift_apart(cell: Cell) -> None:
    # They never meet in the forward pass, and the last chunk is shorter than the others; more
    # threads than cores make sure that some of them fall behind.
    arguments, _ = setting(cell, np.float32)
    with forced_plan(threads=1):
        alone = digest(cell.forward(arguments))
    with forced_plan(partition="rows", threads=4, chunk=4):
        assert {digest(cell.forward(arguments)) for _ in range(40)} == {alone}
    assert last_plan()["partition"] == "rows"


@every_cell
@every_dtype
def test_a_row_does_not_see_its_neighbours(cell: Cell, dtype: DType) -> None:
    arguments, cotangents = setting(cell, dtype)
    out, pullback = cell.vjp(arguments)
    gradients = pullback(**cotangents)

    def rows(arrays: dict, chosen: slice | list[int]) -> dict:
        """Choose rows of whatever has rows; weights and biases stay."""
        return {
            name: a if is_weight(name) else np.ascontiguousarray(a[..., chosen, :])
            for name, a in arrays.items()
        }

    together = {
        **out._asdict(),
        **{f"d{name}": g for name, g in gradients._asdict().items() if g is not None},
    }
    of_rows = [*cell.outputs, "dx", *(f"d{state}" for state in cell.states)]
    B = SHAPE["B"]
    for chosen in (*([b] for b in (0, 3, 17, B - 1)), slice(2, 9), list(range(B - 1, -1, -1))):
        out, pullback = cell.vjp(rows(arguments, chosen))
        gradients = pullback(**rows(cotangents, chosen))
        alone = {
            **out._asdict(),
            **{f"d{name}": g for name, g in gradients._asdict().items() if g is not None},
        }
        for name in of_rows:
            want = together[name][..., chosen, :]
            assert digest([alone[name]]) == digest([want]), (name, chosen)


@every_cell
@every_dtype
@pytest.mark.parametrize("rows", [1, 4, SHAPE["B"]])
def test_prepacked_is_the_same(cell: Cell, dtype: DType, rows: int) -> None:
    arguments, _ = setting(cell, dtype, B=rows)
    operands = {name: a for name, a in arguments.items() if not is_weight(name)}
    for reverse in (False, True):
        packed = cell.prepack(arguments, reverse=reverse)
        want = digest(cell.forward(arguments, reverse=reverse))
        assert digest(packed(**operands)) == want
        assert digest(packed(**operands)) == want


@every_cell
@every_dtype
def test_saving_changes_nothing(cell: Cell, dtype: DType) -> None:
    arguments, _ = setting(cell, dtype)
    assert digest(cell.forward(arguments)) == digest(cell.vjp(arguments)[0])


@every_cell
def test_splitting_a_sequence_changes_nothing(cell: Cell) -> None:
    arguments, _ = setting(cell, np.float32)
    whole = cell.forward(arguments)
    cut = 17
    first = cell.forward({**arguments, "x": arguments["x"][:cut]})
    states = dict(zip(cell.states, first[1:], strict=True))
    second = cell.forward({**arguments, "x": arguments["x"][cut:], **states})
    assert digest([np.concatenate([first.y, second.y]), *second[1:]]) == digest(whole)


@every_cell
def test_reverse_is_a_flipped_sequence(cell: Cell) -> None:
    arguments, cotangents = setting(cell, np.float32)
    out, pullback = cell.vjp(arguments, reverse=True)
    gradients = pullback(**cotangents)
    flipped_out, flipped_pullback = cell.vjp({**arguments, "x": arguments["x"][::-1]})
    flipped = flipped_pullback(**{**cotangents, "dy": cotangents["dy"][::-1]})
    assert digest(flipped_out._replace(y=flipped_out.y[::-1])) == digest(out)
    assert digest(flipped._replace(x=flipped.x[::-1])) == digest(gradients)


@every_cell
def test_many_callers_at_once(cell: Cell) -> None:
    arguments, cotangents = setting(cell, np.float32)
    want = training(cell, arguments, cotangents)
    packed = cell.prepack(arguments)
    operands = {name: a for name, a in arguments.items() if not is_weight(name)}
    want_packed = digest(packed(**operands))

    def call(_: int) -> tuple[str, str]:
        return training(cell, arguments, cotangents), digest(packed(**operands))

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(call, range(16))) == {(want, want_packed)}
