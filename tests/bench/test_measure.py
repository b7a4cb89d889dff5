"""One case from end to end, with peers that are right, wrong, absent or impossibly fast."""

import json
import subprocess

import numpy as np
import pytest

from rnnfast import _core
from rnnfast.bench import Case, Job, Ours, Peer, Shape, limits, memory, subnormals, tiles
from rnnfast.bench.agreement import Disagreement, require_agreement
from rnnfast.bench.machine import versions
from rnnfast.bench.measure import measure
from rnnfast.bench.peers import Unable
from rnnfast.testing.cells import CELLS_BY_NAME

SHAPE = Shape(T=3, B=2, I=5, H=7)
CASES = [Case("training", "gru", SHAPE), Case("inference", "lstm", SHAPE)]


class Reference(Peer):
    """The oracle, as a peer."""

    name = "reference"
    version = "0"

    def __init__(self, threads):
        self.factor = 1.0

    def prepare(self, case, inputs):
        if case.mode == "training":
            raise Unable("reference computes no gradients")
        arguments = {name: inputs[name] for name in case.cell.arguments if name in inputs}

        def results(outputs):
            named = dict(zip(case.cell.outputs, outputs, strict=True))
            return {name: array * np.float32(self.factor) for name, array in named.items()}

        return Job(lambda: case.cell.reference(arguments), results)


@pytest.fixture
def ours():
    return Ours(threads=1)


@pytest.mark.parametrize("mode", ["inference", "step"])
@pytest.mark.parametrize("cell", CELLS_BY_NAME)
def test_our_answer_is_the_references(ours, mode, cell):
    case = Case(mode, cell, Shape(1, 2, 5, 7))
    inputs = case.inputs()
    job = ours.prepare(case, inputs)
    answer = job.results(job.call())
    wanted = Reference(1).prepare(case, inputs)
    theirs = {n: a for n, a in wanted.results(wanted.call()).items() if n in answer}
    require_agreement("reference", inputs, answer, theirs)


def test_our_training_gives_every_gradient(ours):
    case = Case("training", "lstm", SHAPE)
    job = ours.prepare(case, case.inputs())
    answer = job.results(job.call())
    assert answer.keys() == {"y", "h_n", "c_n"} | {f"d{name}" for name in case.cell.arguments}
    assert all(np.any(array) for array in answer.values())


def test_more_threads_than_there_are_is_refused():
    with pytest.raises(Unable, match="10000 threads are wanted, this process may use"):
        Ours(threads=10000)
    Ours(threads=1)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_row(ours, case):
    row = measure(case, ours, [Reference(1)], rounds=2)
    assert row.taken is None or row.taken >= 0
    able = ["rnnfast"] if case.mode == "training" else ["rnnfast", "reference"]
    assert list(row.entries) == able
    assert row.entries["rnnfast"].ratio == (1, 1, 1)
    assert row.unable.keys() == {"reference"} - row.entries.keys()
    assert row.best_peer == (None if case.mode == "training" else "reference")
    assert 0 < row.fraction < 1
    assert row.fma_fraction == pytest.approx(row.fraction)


def test_a_peer_that_does_not_rank_is_not_the_best(ours):
    class Rough(Reference):
        name = "rough"
        ranks = False

    row = measure(CASES[1], ours, [Rough(1)], rounds=1)
    assert "rough" in row.entries
    assert row.best_peer is None


def test_a_wrong_answer_is_not_timed(ours):
    wrong = Reference(1)
    wrong.factor = 1.001
    with pytest.raises(Disagreement, match="reference and rnnfast disagree on y by"):
        measure(CASES[1], ours, [wrong], rounds=1)


@pytest.mark.parametrize("theirs", [{}, {"y": np.zeros((1, 2, 3))}, {"z": np.zeros(1)}])
def test_what_is_missing_or_of_another_shape_disagrees(theirs):
    inputs = CASES[1].inputs()
    with pytest.raises(Disagreement):
        require_agreement("peer", inputs, {"y": np.ones((3, 2, 7))}, theirs)


def test_nan_disagrees():
    inputs = CASES[1].inputs()
    with pytest.raises(Disagreement, match="y by nan"):
        require_agreement("peer", inputs, {"y": np.ones(3)}, {"y": np.full(3, np.nan)})


@pytest.mark.parametrize("busy", [False, True])
def test_a_fraction_above_one_fails_the_run_on_a_quiet_machine(ours, monkeypatch, busy):
    def measure_too_little(self):
        self.gflops = 1e-9

    monkeypatch.setattr(limits.TileLimit, "measure", measure_too_little)
    said = ["others took 1.3 cores"] if busy else []
    monkeypatch.setattr("rnnfast.bench.measure.signs", lambda row, threads: said)
    if busy:
        assert measure(CASES[1], ours, [], rounds=1).fraction > 1
        return
    with pytest.raises(limits.ImpossibleFraction, match="inference lstm 3/2/5-7 reached"):
        measure(CASES[1], ours, [], rounds=1)


def test_versions_are_plain_texts():
    """torch's is of a type of its own, which no file could hold."""

    class Version(str):
        pass

    class Told(Reference):
        version = Version("1.2")

    assert type(versions([Told(1)])["reference"]) is str


@pytest.mark.parametrize("mode", ["training", "inference"])
def test_a_single_row_must_read_its_weights(mode):
    """The limit of one row follows from the bandwidth where that is what takes longest."""
    one = limits.CaseLimit(Case(mode, "lstm", Shape(10, 1, 64, 64)), threads=1)
    several = limits.CaseLimit(Case(mode, "lstm", Shape(10, 5, 64, 64)), threads=1)
    work = Case(mode, "lstm", Shape(10, 5, 64, 64)).flops
    assert several.seconds == pytest.approx(work / (several.fma_rate * 1e9))
    one._streams[1].gbytes = 1e-3
    reading = 10 * 4 * 4 * 64 * 64 / 1e6
    passes = 2 if mode == "training" else 1
    assert 0.999 * passes * reading < one.seconds < 1.001 * passes * reading


@pytest.mark.parametrize("precision", [None, "float16", "bfloat16", "int8"])
def test_every_tile_of_a_precision_has_a_rate(precision):
    probes, dtype = _core.probes, np.dtype(np.float32)
    for rows, vectors in probes.tiles(dtype, precision):
        for k in (1, 5, 256):
            rate = probes.tile_rate(dtype, rows, vectors, 0.0, k=k, precision=precision)
            assert 0 < rate < np.inf
    assert 0 < probes.fma_rate(dtype, 0.0, precision=precision) < np.inf


@pytest.mark.timing
def test_tiles_are_measured_in_the_target_that_is_asked_for(active_target):
    measured = tiles.measure_tiles_of(active_target, rounds=1)
    assert {tile.target for tile in measured} == {active_target}
    assert all(tile.gflops > 0 for tile in measured)


@pytest.mark.parametrize(("fraction", "possible"), [(1.002, True), (1.02, False)])
def test_a_tile_at_the_peak_is_possible_and_one_above_it_is_not(monkeypatch, fraction, possible):
    tile = {"target": "t", "rows": 6, "vectors": 2, "gflops": 9.0, "fraction": [fraction] * 3}

    def printed(*_arguments, **_options):
        return subprocess.CompletedProcess([], 0, json.dumps([tile]))

    monkeypatch.setattr(tiles.subprocess, "run", printed)
    if possible:
        assert tiles.measure_tiles_of("t", rounds=1)[0].fraction.median == fraction
        return
    with pytest.raises(limits.ImpossibleFraction, match=r"tile 6x2 of t reached 1\.020"):
        tiles.measure_tiles_of("t", rounds=1)


def test_tiles_are_measured_again_where_the_machine_changed_speed(monkeypatch):
    """One impossible fraction among several measurements does not end a run of half an hour."""
    fractions = iter([1.02, 0.98])

    def printed(*_arguments, **_options):
        fraction = [next(fractions)] * 3
        tile = {"target": "t", "rows": 6, "vectors": 2, "gflops": 9.0, "fraction": fraction}
        return subprocess.CompletedProcess([], 0, json.dumps([tile]))

    monkeypatch.setattr(tiles.subprocess, "run", printed)
    assert tiles.measure_tiles_of("t", rounds=1)[0].fraction.median == 0.98


@pytest.mark.timing
def test_memory_is_what_a_call_takes():
    """Results and what is saved for the backward pass, counted in a process of its own."""
    case = Case("training", "lstm", Shape(T=200, B=32, I=128, H=128))
    rows = 200 * 32 * 128
    gates, states = 4 * rows, 2 * rows
    least = 4 * (gates + states + 2 * rows)  # y and dx
    peaks = memory.measure_memory(case, ["rnnfast"], threads=1).peaks
    if not peaks:
        pytest.skip("this system does not tell a process its peak memory")
    assert least < peaks["rnnfast"] < 2 * least


def test_subnormal_numbers_are_subnormal(ours, monkeypatch):
    """What the two contestants are given: their times are none of a test's business."""
    given = []
    prepare = Ours.prepare

    def recording(self, case, inputs):
        given.append(inputs)
        return prepare(self, case, inputs)

    monkeypatch.setattr(Ours, "prepare", recording)
    case = Case("step", "lstm", Shape(1, 2, 5, 7))
    assert subnormals.measure_subnormals(case, ours, rounds=1).ratio.median > 0
    normal, subnormal = given
    tiny = np.finfo(np.float32).tiny
    for name in ("x", "h0", "c0"):
        assert 0 < np.abs(subnormal[name]).max() < tiny < np.abs(normal[name]).min()
    assert subnormal["w_hh"] is normal["w_hh"]
    assert "b_ih" not in subnormal
