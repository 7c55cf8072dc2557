"""K outside, worked out job by job; a chain driven step by step; the units of a second array."""

from __future__ import annotations

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.engine.event import run_event
from mixarray.mapping.build import lower_alone
from mixarray.mapping.chains import make_chains, make_flow
from mixarray.mapping.choice import Choice, Doubled, LoopOrder
from mixarray.mapping.emitter import Emitter, Slots
from mixarray.mapping.jobs import Shop
from mixarray.mapping.lower import ChainLowering
from mixarray.mapping.plan import Planner
from mixarray.mapping.schedule import JobKind
from mixarray.mapping.steps import Work, stripe_steps
from mixarray.mapping.transfers import Floor
from mixarray.mapping.units import UNITS, array_units, unit_names
from mixarray.mapping.weights import WeightPath
from mixarray.trace.workload import single_gemm

MACHINE = (
    "arrays.0.rows=2", "arrays.0.columns=2", "arrays.0.weight_port_bits=16",
    "dram_channels.0.burst_bits=1", "dram_channels.0.bits_per_cycle=16", "dram_channels.0.latency_cycles=1",
    "vector_units.0.latency_cycles=0",
)  # fmt: skip

# M=2, N=4, K=4 at 8 bits, tiles of 2 by 2 by 2, K outside, then M, then N; two slots everywhere; 16 bits per cycle, one
# cycle later they are there. A tile of rows or of weights is 32 bits, four sums 128; a stream of two rows is ready 2
# cycles after its last one. (kind, start, issued, ready) in Schedule order:
BY_HAND = [
    ("dram_load_activation", 0, 2, 3),  # rows of k=0
    ("dram_load_activation", 2, 3, 4),  # half of the rows of k=1, into the other slot
    ("dram_load_weight", 3, 5, 6),  # k=0 n=0
    ("dram_load_weight", 5, 7, 8),  # k=0 n=1, into the other slot
    ("array_load", 6, 8, 8),  # n=0, as soon as its weights are there
    ("stream", 8, 10, 12),
    ("dram_load_activation", 10, 11, 12),  # the other half, paced: when the first stream has been issued
    ("dram_load_weight", 11, 13, 14),  # k=1 n=0: its slot is free since 8
    ("array_load", 8, 10, 10),  # n=1
    ("stream", 10, 12, 14),
    ("dram_store_partial", 13, 21, 22),  # sums of n=0, to make room for themselves: both accumulator slots are taken
    ("dram_load_partial", 22, 30, 31),  # they come back once the store is there
    ("dram_load_weight", 30, 32, 33),  # k=1 n=1
    ("array_load", 14, 16, 16),  # k=1 n=0
    ("stream", 31, 33, 35),  # adds to the sums that came back
    ("dram_store_partial", 32, 40, 41),  # sums of n=1: their turn on the channel comes when n=0 has been served
    ("dram_load_partial", 41, 49, 50),
    ("requantize", 35, 36, 36),  # n=0 is complete
    ("dram_store", 49, 51, 52),  # 4 results of 8 bits
    ("array_load", 33, 35, 35),  # k=1 n=1
    ("stream", 50, 52, 54),
    ("requantize", 54, 55, 55),
    ("dram_store", 55, 57, 58),
]


def planned(workload, machine, choice):
    planner = Planner(workload, machine, make_flow(workload))
    (chain,) = make_chains(planner.flow, planner.holds_rows)
    return planner.plan(chain, choice)


def test_k_outside_job_by_job():
    machine = load_accelerator("plain_int8_32x32", MACHINE)
    plan = planned(single_gemm(2, 4, 4, 8, 8, result_bits=8), machine, Choice(2, 2, 2, LoopOrder.KMN, Doubled.BOTH))
    lines = run_event(lower_alone(machine, plan), 1, with_timeline=True).timeline
    moments = zip(lines.start_cycles, lines.issued_cycles, lines.ready_cycles, strict=True)
    found = [(lines.kinds[kind].value, *times) for kind, times in zip(lines.kind, moments, strict=True)]
    assert found == BY_HAND


def floor_for(machine, plan, shop=None):
    emitter = Emitter(unit_names(len(machine.arrays)))
    shop = shop or Shop(machine)
    weights = WeightPath(emitter, shop, Slots(machine.buffers.weight.slots), [plan])
    return Floor(emitter, shop, frozenset(), Slots(machine.buffers.accumulator.slots), weights)


@pytest.mark.parametrize("order", LoopOrder)
def test_a_chain_driven_step_by_step_emits_the_same_jobs(order):
    machine = load_accelerator("plain_int8_32x32", ["arrays.0.rows=4", "arrays.0.columns=4"])
    plan = planned(single_gemm(60, 48, 8, 8, 8), machine, Choice(8, 8, 4, order, Doubled.BOTH))
    floor = floor_for(machine, plan)
    lowering = ChainLowering(floor, plan)
    lowering.start()
    for number in lowering.steps():
        assert number == lowering.number
        floor.emitter.close()
    lowering.finish()
    stepped, whole = floor.emitter.schedule(), lower_alone(machine, plan)
    assert lowering.number == len(plan.loops.iterations)
    assert whole.stored_jobs < stepped.total_jobs == whole.total_jobs
    runs = [run_event(schedule, 1) for schedule in (stepped, whole)]
    assert (runs[0].total_cycles, runs[0].actions) == (runs[1].total_cycles, runs[1].actions)


def test_a_second_array_has_units_and_actions_of_its_own():
    assert unit_names(1) == UNITS
    names = unit_names(2)
    units = array_units(1)
    assert [names[unit] for unit in (units.array, units.port, units.results)] == [
        "arrays.1", "arrays.1.weight_port", "arrays.1.result_port",
    ]  # fmt: skip
    machine = load_accelerator("plain_int8_32x32")
    machine = machine.model_copy(update={"arrays": machine.arrays * 2})
    plan = planned(single_gemm(64, 64, 64, 8, 8), machine, Choice(64, 64, 64, LoopOrder.MNK, Doubled.BOTH))
    stripe = plan.loops.iterations[0][0]
    jobs = [step.job for step in stripe_steps(Shop(machine, array=1), Work(0, weights=True), stripe)]
    assert {job.unit for job in jobs} == {units.array, units.port}
    assert {wait.unit for job in jobs for wait in job.dependencies} == {units.array, units.port}
    assert {action.component for job in jobs for action, _ in job.actions if action.name.startswith("pe_")} == {
        "arrays.1"
    }


def test_a_whole_chain_lowered_for_the_second_array_runs_there():
    machine = load_accelerator("plain_int8_32x32")
    machine = machine.model_copy(update={"arrays": machine.arrays * 2})
    plan = planned(single_gemm(64, 64, 64, 8, 8), machine, Choice(64, 64, 64, LoopOrder.MNK, Doubled.BOTH))
    floor = floor_for(machine, plan, Shop(machine, array=1))
    ChainLowering(floor, plan).run()
    run, units = run_event(floor.emitter.schedule(), 1), array_units(1)
    assert run.total_cycles == run_event(lower_alone(machine, plan), 1).total_cycles
    assert run.busy_cycles[units.array, JobKind.STREAM] == 64 * 4
    assert not any(unit == array_units(0).array for unit, _ in run.busy_cycles)
