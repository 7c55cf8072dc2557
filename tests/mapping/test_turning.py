"""Turning K of QK^T: which operand, what each way of doing it costs, and nothing else changes. The shift mask."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from mixarray.accelerator.enums import Dataflow
from mixarray.engine.event import run_event
from mixarray.mapping.build import build_schedule
from mixarray.mapping.chains import make_flow
from mixarray.mapping.lower import ChainLowering
from mixarray.mapping.schedule import Action, JobKind
from mixarray.mapping.turning import needs_turning
from mixarray.mapping.units import VECTOR
from mixarray.mapping.vector_cost import WRITE_VALUE
from mixarray.trace.model import Grid, OperatorKind
from mixarray_analysis.validation.checker import first_violation
from mixarray_analysis.validation.schedules import change_jobs

WRITES, READS = Action("buffers.activation", "write"), Action("buffers.activation", "read")
SINGLE = Action("buffers.activation", WRITE_VALUE)
TURN, MASK = Action("vector_units.0", "transpose_element"), Action("vector_units.0", "mask_element")
TURNED = {
    Dataflow.WEIGHT_STATIONARY: ("k",),
    Dataflow.INPUT_STATIONARY: ("v",),
    Dataflow.OUTPUT_STATIONARY: (),
}
"""The operators that write what each array takes the other way round: `turning` says why."""


def build(workload, machine, dataflow, transpose, *overrides):
    style = "packed" if dataflow is Dataflow.WEIGHT_STATIONARY else "plain"
    return build_schedule(
        workload, machine(style, f"arrays.0.dataflow={dataflow}", f"mapping.transpose={transpose}", *overrides)
    )


def run(workload, schedule):
    return run_event(schedule, len(workload.operators), with_timeline=True)


def vector_jobs(workload, schedule):
    """Every vector job that runs, by the name of its operator."""
    found = {}
    for segment in schedule.segments:
        for number in range(segment.repeat):
            for job in segment.jobs(number):
                if job.unit == VECTOR:
                    found.setdefault(workload.operators[job.operator].operator.name, []).append(job)
    return found


def size(workload, name):
    return next(g.operator.m * g.operator.n for g in workload.operators if g.operator.name == name)


@pytest.mark.parametrize("dataflow", Dataflow)
@pytest.mark.parametrize("low", [0, 5])
def test_in_the_buffer_every_value_is_a_write_of_its_own(dataflow, low, machine, block):
    workload = block(12, 2, low)
    schedules = {way: build(workload, machine, dataflow, way) for way in ("free", "in_buffer")}
    free, turned = (run(workload, schedule) for schedule in schedules.values())
    jobs = vector_jobs(workload, schedules["free"])
    wide = sum(dict(job.actions)[WRITES] for name in TURNED[dataflow] for job in jobs[name])
    values = sum(size(workload, name) for name in TURNED[dataflow])
    assert Counter(turned.actions) - Counter(free.actions) == Counter({SINGLE: values - wide} if values else {})
    assert not Counter(free.actions) - Counter(turned.actions)
    assert (turned.total_cycles, turned.busy_cycles) == (free.total_cycles, free.busy_cycles)
    assert values == 0 or wide < values


@pytest.mark.parametrize("dataflow", Dataflow)
@pytest.mark.parametrize("low", [0, 5])
def test_a_pass_reads_and_writes_everything_once_more(dataflow, low, machine, block):
    workload = block(12, 2, low)
    schedules = {way: build(workload, machine, dataflow, way) for way in ("free", "pass")}
    free, turned = (run(workload, schedule) for schedule in schedules.values())
    assert not first_violation(schedules["pass"], turned.timeline)
    jobs = vector_jobs(workload, schedules["free"])
    again = [job for name in TURNED[dataflow] for job in jobs[name]]
    written = sum(dict(job.actions)[WRITES] for job in again)
    values = sum(size(workload, name) for name in TURNED[dataflow])
    more = {TURN: values, WRITES: written, READS: written} if values else {}
    assert Counter(turned.actions) - Counter(free.actions) == Counter(more)
    busy = sum(cycles for (_, kind), cycles in turned.busy_cycles.items() if kind is JobKind.TRANSPOSE)
    assert busy == sum(-(-values_of(job) // 32) for job in again)
    assert turned.total_cycles - free.total_cycles <= busy + 8 * len(again)  # 8: the unit's latency
    assert free.macs == turned.macs


def values_of(job):
    return sum(count for action, count in job.actions if action.name == "requantize_element")


def unturned(workload, schedule):
    """Loads of K into the array, from the buffer that it was written to, that began before all of it was turned."""
    time = run(workload, schedule).timeline
    names = [workload.operators[number].operator.name for number in time.operator]
    kinds = [time.kinds[kind] for kind in time.kind]
    turned = max(ready for ready, kind in zip(time.ready_cycles, kinds, strict=True) if kind is JobKind.TRANSPOSE)
    starts = zip(time.start_cycles, names, kinds, strict=True)
    return [start for start, name, kind in starts if name == "qk" and kind is JobKind.ARRAY_LOAD and start < turned]


def slowly_turned(block, machine, kib):
    """K of a block of mixed windows on chip or through DRAM, where turning takes long."""
    small = f"buffers.activation.capacity_kib={kib}", "vector_units.0.lanes=1"
    workload = block(12, 2, 5)
    schedule = build(workload, machine, Dataflow.WEIGHT_STATIONARY, "pass", *small)
    slow = change_jobs(schedule, lambda j: replace(j, latency_cycles=10**5) if j.kind is JobKind.TRANSPOSE else j)
    return workload, slow


@pytest.mark.parametrize("kib", [256, 2])
def test_k_is_turned_before_the_array_reads_it(kib, machine, block, monkeypatch):
    assert not unturned(*slowly_turned(block, machine, kib))
    old = ChainLowering._vector

    def forgets(self, work, *more):
        """Whoever waits for the operator waits for what it wrote first."""
        written = self.transfers.written.get(work.operator)
        mark = old(self, work, *more)
        if work.turns:
            self.transfers.written[work.operator] = written
        return mark

    monkeypatch.setattr(ChainLowering, "_vector", forgets)
    assert unturned(*slowly_turned(block, machine, kib))


@pytest.mark.parametrize(
    ("dataflow", "products"),
    [
        (Dataflow.WEIGHT_STATIONARY, ["qk"]),
        (Dataflow.INPUT_STATIONARY, ["av"]),
        (Dataflow.OUTPUT_STATIONARY, []),
    ],
)
def test_each_dataflow_turns_the_operand_of_one_product_at_most(dataflow, products, block):
    flow = make_flow(block(2, 1, 0))
    gemms = [i for i, op in enumerate(flow.operators) if op.kind is OperatorKind.GEMM]
    assert [flow.operators[i].name for i in gemms if needs_turning(flow, i, dataflow)] == products


@pytest.mark.parametrize("low", [0, 5])
def test_blocks_of_the_shifted_grid_add_a_mask(low, machine, block):
    workload = block(12, 2, low)
    shifted = replace(
        workload,
        operators=tuple(replace(g, operator=replace(g.operator, grid=Grid.SHIFTED)) for g in workload.operators),
    )
    accelerator = machine("packed")
    plain, masked = (run_event(build_schedule(w, accelerator), len(w.operators)) for w in (workload, shifted))
    elements = plain.actions[Action("vector_units.0", "softmax_element")]
    assert elements == 12 * 2 * 9 * 9
    assert Counter(masked.actions) - Counter(plain.actions) == Counter({MASK: elements})
    assert (masked.total_cycles, masked.busy_cycles) == (plain.total_cycles, plain.busy_cycles)
