"""How the time behaves: the ratios themselves, and the command on the smallest sizes."""

import json

import pytest

from rnnfast.bench import Case, Ours, Shape
from rnnfast.bench.agreement import Disagreement
from rnnfast.bench.behaviour import checkpoints, growth, partitions, stacks, variants
from rnnfast.bench.behaviour.__main__ import main
from rnnfast.bench.behaviour.ratios import BoundedRatio, to_json, to_markdown
from rnnfast.bench.stored import SCHEMA


def test_a_finding_holds_on_its_side_of_the_bound():
    assert BoundedRatio("a", 1.1, "at most", 1.15).holds
    assert not BoundedRatio("a", 1.2, "at most", 1.15).holds
    assert BoundedRatio("a", 1.9, "at least", 1.85).holds
    assert not BoundedRatio("a", 1.8, "at least", 1.85).holds


def test_findings_are_written():
    ratios = [BoundedRatio("a", 1.2, "at most", 1.15)]
    assert "| a | 1.20 | at most 1.15 | **no** |" in to_markdown(ratios)
    assert json.loads(to_json(ratios))["ratios"][0]["holds"] is False


def test_neighbouring_units_are_compared():
    even = {H: 100.0 for H in range(1, 200)}
    assert all(ratio.holds for ratio in growth.growth_with_units(even, 16))
    steep, panel = growth.growth_with_units({**even, 100: 70.0}, 16)
    assert not steep.holds
    assert "(99, 100)" in steep.about or "(100, 101)" in steep.about
    assert panel.holds
    # H=15 at 60 of 100 GFLOP/s takes 1.46 times as long as H=16.
    assert not growth.growth_with_units({15: 60.0, 16: 100.0}, 16)[0].holds


def test_every_partition_is_tried(monkeypatch):
    seen = []

    def medians(calls, rounds):
        seen.append(set(calls))
        for call in calls.values():
            call()
        return {name: 1.0 + (name == "plan") for name in calls}

    monkeypatch.setattr(partitions, "medians", medians)
    case = Case("inference", "lstm", Shape(3, 2, 5, 7))
    (ratio,) = partitions.plan_beside_forced(Ours(1), [case], rounds=1)
    assert seen == [{"plan", "one", "rows", "units"}]
    assert ratio.measured == 2
    assert not ratio.holds


def test_variants_are_held_beside_the_plain_cell(monkeypatch):
    seen = []

    def medians(calls, rounds):
        seen.append(set(calls))
        results = {name: call() for name, call in calls.items()}
        assert len({str(result) for result in results.values()}) > 1
        return {name: 2.0 - (name == "plain") for name in calls}

    monkeypatch.setattr(variants, "medians", medians)
    case = Case("training", "lstm", Shape(12, 3, 5, 7))
    found = variants._of_case(case, rounds=1)
    names = {variant.name for variant in variants.VARIANTS}
    assert seen == [{"plain", *names}]
    assert {f.about.split()[2] for f in found} == names
    assert all(f.measured == 2 for f in found)
    bounds = {f.about.split()[2]: f.bound for f in found}
    assert 1.15 / 3 < bounds["lengths"] < 1.15


@pytest.mark.timing
def test_checkpoints_take_a_tenth_of_the_memory():
    found = checkpoints.memory_beside_saving_all(Ours(1), rounds=1)
    if not found:
        pytest.skip("this system does not tell a process its peak memory")
    assert all(ratio.holds for ratio in found), found


def test_stacks_are_held_beside_their_layers(monkeypatch):
    seen = []

    def medians(calls, rounds):
        seen.append({name: [a.shape for a in call()] for name, call in calls.items()})
        return dict(zip(calls, (3.0, 4.0, 1.0, 2.0), strict=True))

    monkeypatch.setattr(stacks, "medians", medians)
    case = Case("inference", "gru", Shape(12, 3, 5, 5))
    found = stacks._of_case(case, 0.75, rounds=1)
    assert [(f.measured, f.bound) for f in found] == [(0.75, 0.75), (0.5, 0.75)]
    assert seen[0]["stack"] == seen[0]["packed stack"] == [(12, 3, 5), (4, 3, 5)]
    assert seen[0]["layers"] == seen[0]["packed layers"] == [(12, 3, 5), (3, 5)]
    with pytest.raises(Disagreement, match="different results"):
        stacks._require_the_same(case, {"a": lambda: ([1.0],), "b": lambda: ([2.0],)})


def test_a_wrong_answer_is_not_timed():
    case = Case("inference", "gru", Shape(12, 3, 5, 7))
    inputs, lengths = case.inputs(), [12, 4, 7]
    job = variants.prepare(case, inputs, {"lengths": lengths})
    variants._require_right(case, inputs, job, {"lengths": lengths})
    with pytest.raises(Disagreement, match="reference"):
        variants._require_right(case, inputs, job, {"lengths": [12, 5, 7]})


def test_the_command_stores_and_draws(tmp_path, capsys):
    stored = tmp_path / "folder" / "found.json"
    small = ["--only", "units", "--units", "3", "--threads", "1"]
    main([*small, "--json", str(stored), "--plots", str(tmp_path)])
    assert json.loads(stored.read_text(encoding="utf-8")) == {"schema": SCHEMA, "ratios": []}
    assert "| what | measured" in capsys.readouterr().out
    assert (tmp_path / "units.svg").is_file()


def test_too_many_threads_are_one_line():
    with pytest.raises(SystemExit, match="10000 threads are wanted"):
        main(["--only", "units", "--units", "3", "--threads", "10000"])
