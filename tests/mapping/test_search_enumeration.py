"""The search against complete enumeration: every point of small spaces is lowered and run by the event engine."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import pytest

from mixarray.accelerator.enums import Dataflow
from mixarray.engine.event import run_event
from mixarray.mapping.bound import Bounds
from mixarray.mapping.build import lower_alone
from mixarray.mapping.chains import make_chains, make_flow
from mixarray.mapping.choice import Choice, Doubled, LoopOrder
from mixarray.mapping.mapper import Mapper
from mixarray.mapping.plan import Planner
from mixarray.mapping.search import Evaluate
from mixarray.trace.workload import single_gemm

SMALL = (
    "arrays.0.rows=4", "arrays.0.columns=4", "buffers.activation.capacity_kib=1", "buffers.weight.capacity_kib=1",
    "buffers.accumulator.capacity_kib=1", "dram_channels.0.bits_per_cycle=24", "dram_channels.0.burst_bits=64",
    "dram_channels.0.latency_cycles=9", "vector_units.0.lanes=4",
)  # fmt: skip
IS, OS = "arrays.0.dataflow=input_stationary", "arrays.0.dataflow=output_stationary"
ONE_SLOT = ("buffers.activation.slots=1", "buffers.weight.slots=1", "buffers.accumulator.slots=1")


def cases(block, mixed_gemm, layers):
    """(style, overrides, workload, GEMM)"""
    return {
        "packed": ("packed", (), mixed_gemm(5, 2, 8, 9), "gemm"),
        "packed, one layer": ("packed", (), layers(1, 4, 9), "layer0"),
        "packed, low only": ("packed", ("arrays.0.weight_loading=single",), mixed_gemm(5, 5, 8, 24), "gemm"),
        "plain": ("plain", ("arrays.0.weight_loading=serial",), single_gemm(9, 8, 12, 8, 8), "gemm"),
        "input": ("plain", (IS,), mixed_gemm(7, 3, 3, 6), "gemm"),
        "output": ("plain", (OS,), mixed_gemm(7, 3, 5, 3), "gemm"),
        "one slot": ("packed", ONE_SLOT, mixed_gemm(9, 3, 9, 16), "gemm"),
        "batched": ("packed", (), block(2, 2, 1), "qk"),
        "operators before": ("packed", (), block(2, 1, 1, 4, 5), "qkv"),
        "operators before, input": ("plain", (IS,), block(2, 1, 1, 6, 6), "fc1"),
        "side inputs, output": ("plain", (OS,), block(1, 1, 0, 6, 6), "proj"),
    }


CASES = tuple(cases(lambda *_: None, lambda *_: None, lambda *_: None))


@pytest.fixture
def case(request, machine, block, mixed_gemm, layers):
    style, overrides, workload, name = cases(block, mixed_gemm, layers)[request.param]
    accelerator = machine(style, *SMALL, *overrides)
    planner = Planner(workload, accelerator, make_flow(workload))
    chains = make_chains(planner.flow, planner.holds_rows)
    chain = next(c for c in chains if c.gemm is not None and planner.flow.operators[c.gemm].name == name)
    return planner, chain


def fake_energy(schedule):
    """Something to tell equal choices apart: every action costs as much as its name is long."""
    counts = Counter()
    for segment in schedule.segments:
        for job in segment.body:
            for action, count in job.actions:
                counts[action] += count * segment.repeat
    return float(sum(len(action.name) * count for action, count in counts.items()))


EVENT = Evaluate(lambda schedule: run_event(schedule, 99).total_cycles, fake_energy, lambda schedule: 0)


def even(length, fold, streams):
    folds = math.ceil(length / fold)
    tiles = {min(length, math.ceil(folds / t) * fold): None for t in range(1, folds + 1)}
    if not streams:
        return set(tiles)
    return {math.ceil(length / t) for t in range(1, 9)} | {size for size in tiles if math.ceil(length / size) > 8}


def sizes(planner, chain):
    """The tile sizes as the documentation has them."""
    op, array = planner.flow.operators[chain.gemm], planner.accelerator.arrays[0]
    groups = planner.workload.operators[chain.gemm].groups
    modes = [array.mode(*array.roles(g.stream_bits, g.stationary_bits)) for g in groups]
    depth = max(mode.slots // mode.slots_per_value for mode in modes) * array.rows
    flow = array.dataflow
    ws, istat, ostat = (flow is kind for kind in Dataflow)
    rows = groups[0].rows if op.batch > 1 else op.m
    return (
        even(rows, array.columns if istat else array.rows, ws),
        even(op.n, array.rows if istat else array.columns, istat),
        {op.k} if op.batch > 1 else even(op.k, array.rows if ostat else depth, ostat),
    )


def all_points(planner, chain):
    """The legal choices, one for each set of equal ones; output-stationary, a tile has rows of one group."""
    op, apart = planner.flow.operators[chain.gemm], planner.accelerator.arrays[0].dataflow is Dataflow.OUTPUT_STATIONARY
    groups = [group.rows for group in planner.workload.operators[chain.gemm].groups]
    rows = [op.m] if op.batch > 1 or not apart else groups
    alike = {}
    for m, n, k in itertools.product(*sizes(planner, chain)):
        tiles = {"m": sum(math.ceil(part / m) for part in rows), "n": math.ceil(op.n / n), "k": math.ceil(op.k / k)}
        one = tiles["n"] * tiles["k"] == 1 or op.batch > 1
        for order, doubled in itertools.product(LoopOrder, Doubled):
            choice = Choice(m, n, k, order, doubled)
            if planner.legal(chain, choice) is None:
                loops = "".join(axis for axis in order if tiles[axis] > 1)
                by_rows, by_weights = doubled in ("both", "rows"), doubled in ("both", "weights")
                key = m, n, k, loops, by_rows, one or by_weights
                alike.setdefault(key, []).append((one and not by_weights, choice))
    return [min(choices)[1] for choices in alike.values()]


def traffic_bits(plan):
    weights = plan.weight_bits if plan.holding.weights_whole else sum(plan.loops.weight_bits)
    stripes = [stripe for iteration in plan.loops.iterations for stripe in iteration]
    partial = sum(stripe.sums * ((not stripe.begins) + (not stripe.ends)) for stripe in stripes) * 32
    moved = sum(sum(entry.bits) for entry in plan.traffic) + (partial if plan.loops.spills else 0)
    return moved + weights + sum(bits for _, bits in plan.parameters)


def judged(planner, chain):
    """Every point with what it is compared by, best first."""
    found = []
    for choice in all_points(planner, chain):
        plan = planner.plan(chain, choice)
        schedule = lower_alone(planner.accelerator, plan)
        found.append((EVENT.cycles(schedule), traffic_bits(plan), fake_energy(schedule), choice))
    return sorted(found)


@pytest.mark.parametrize("case", CASES, indirect=True)
def test_the_search_finds_the_best_and_the_second_best_of_all_points(case):
    planner, chain = case
    every = judged(planner, chain)
    found = Mapper().search(planner, chain, EVENT)
    assert found.candidates == len(every)
    assert len(every) > 2
    for outcome, expected in zip((found.best, found.runner_up), every, strict=False):
        assert (outcome.cycles, outcome.traffic_bits, outcome.energy_pj, outcome.choice) == expected
        assert outcome.bound_cycles <= outcome.cycles


@pytest.mark.parametrize("case", ["one slot", "operators before, input"], indirect=True)
def test_a_bound_that_is_too_high_is_noticed(case, monkeypatch):
    planner, chain = case
    every = judged(planner, chain)
    best = every[0][3]
    fine = Bounds.fine

    def too_high(bounds, estimates, place, limit):
        return fine(bounds, estimates, place, limit) + (10**6 if estimates.choices[place] == best else 0)

    monkeypatch.setattr(Bounds, "fine", too_high)
    found = Mapper().search(planner, chain, EVENT)
    assert found.best.choice != best


@pytest.mark.parametrize("case", ["one slot"], indirect=True)
def test_where_one_point_is_legal_there_is_no_runner_up(case, monkeypatch):
    planner, chain = case
    only = all_points(planner, chain)[0]
    monkeypatch.setattr("mixarray.mapping.space.Space.points", lambda space: iter([only]))
    found = Mapper().search(planner, chain, EVENT)
    assert (found.best.choice, found.runner_up, found.evaluated) == (only, None, 1)
