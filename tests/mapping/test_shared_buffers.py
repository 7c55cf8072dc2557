"""What two arrays share: each part of a section has half of the operand buffers, and waits for what others still read.

Beside each check stands the fault that it must find.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.engine.event import run_event
from mixarray.engine.fast import total_cycles
from mixarray.errors import InputError
from mixarray.mapping import parts
from mixarray.mapping.build import build_schedule, plan_workload
from mixarray.mapping.chain_plan import largest_moves
from mixarray.mapping.chains import make_chains, make_flow
from mixarray.mapping.fused_plan import members
from mixarray.mapping.mapper import Mapper
from mixarray.mapping.plan import Planner
from mixarray.mapping.schedule import Action, JobKind
from mixarray.mapping.search import Evaluate
from mixarray.mapping.transfers import Transfers
from mixarray.trace.model import OperatorKind, Role, Topology
from mixarray.trace.workload import build_workload

from .conftest import ROW, Net, two_branches

SMALL = (
    "arrays.0.rows=8", "arrays.0.columns=8", "arrays.1.rows=16", "arrays.1.columns=8",
    "mixed_precision.branch_parameters=free", "dram_channels.0.burst_bits=1",
)  # fmt: skip
QUICK = ("dram_channels.0.bits_per_cycle=1000000", "dram_channels.0.latency_cycles=0", "vector_units.0.lanes=4096")
CYCLES = Evaluate(total_cycles, lambda schedule: 0.0, lambda schedule: 0)
READ = Action("dram_channels.0", "read_bits")


def two_arrays(*overrides):
    return load_accelerator("decoupled_int8_int4", [*SMALL, *overrides])


def moved_together(workload, accelerator) -> list[int]:
    """For every section of two parts: the most bits that both together move into or out of a slot at once."""
    sections = plan_workload(workload, accelerator).sections
    largest = [
        [max(max(largest_moves(plan)) for plan in members(planned)) for planned in section] for section in sections
    ]
    return [sum(moves) for moves in largest if len(moves) == 2]


CAPACITIES = (3, 5, 8, 33)
"""KiB at which a part's tiles fill its half to the brim; halves of odd ones are no whole KiB."""


@pytest.mark.parametrize("fusion", ["mapping.attention=fused", "mapping.mlp=fused", "mapping.mlp=layerwise"])
@pytest.mark.parametrize("capacity_kib", CAPACITIES)
def test_tiles_of_both_parts_fit_a_slot_together(capacity_kib, fusion, block):
    accelerator = two_arrays(f"buffers.activation.capacity_kib={capacity_kib}", fusion)
    workload, slot_bits = block(40, 2, 19, positions=16, head_dim=16), accelerator.buffers.activation.slot_bits
    most = max(moved_together(workload, accelerator))
    assert 0.95 * slot_bits < most <= slot_bits


@pytest.mark.parametrize("capacity_kib", CAPACITIES)
def test_parts_that_take_a_whole_slot_each_are_noticed(capacity_kib, block, monkeypatch):
    monkeypatch.setattr(parts, "TOGETHER", 1)
    accelerator = two_arrays(f"buffers.activation.capacity_kib={capacity_kib}")
    most = max(moved_together(block(40, 2, 19, positions=16, head_dim=16), accelerator))
    assert most > accelerator.buffers.activation.slot_bits


def largest_fetch(accelerator, mixed_gemm) -> int:
    """The most bits of weights that come at once where each array fetches its own."""
    schedule = build_schedule(mixed_gemm(100, 40, 8, 1000), accelerator)
    jobs = (job for segment in schedule.segments for job in segment.body if job.kind is JobKind.DRAM_LOAD_WEIGHT)
    return max(dict(job.actions)[READ] for job in jobs)


def test_weights_that_each_array_fetches_take_half_a_slot(mixed_gemm, monkeypatch):
    accelerator = two_arrays("buffers.weight.capacity_kib=3")
    slot_bits = accelerator.buffers.weight.slot_bits
    assert 0.4 * slot_bits < largest_fetch(accelerator, mixed_gemm) <= slot_bits // 2
    monkeypatch.setattr(parts, "TOGETHER", 1)
    assert largest_fetch(accelerator, mixed_gemm) > slot_bits // 2


def test_half_of_an_odd_capacity_is_half_of_its_bits():
    accelerator = two_arrays("buffers.activation.capacity_kib=33", "buffers.weight.capacity_kib=5")
    half = parts.halved(accelerator, weights=True).buffers
    assert (half.activation.capacity_bits, half.weight.capacity_bits) == (33 * 4096, 5 * 4096)
    assert (half.activation.slot_bits, half.weight.slot_bits) == (33 * 2048, 5 * 2048)
    assert parts.halved(accelerator, weights=False).buffers.weight.capacity_bits == 5 * 8192


def test_the_mapper_tells_half_a_buffer_from_a_whole_one(mixed_gemm):
    accelerator = two_arrays()
    workload, mapper = mixed_gemm(30, 0, 16, 16), Mapper()
    planner = Planner(workload, accelerator, make_flow(workload))
    (chain,) = make_chains(planner.flow, planner.holds_rows)
    for weights in (False, True):
        for seen in (accelerator, parts.halved(accelerator, weights)):
            mapper.search(replace(planner, accelerator=seen), chain, CYCLES)
    assert len(mapper.found) == 3


@pytest.mark.parametrize(
    ("overrides", "field", "words"),
    [
        (
            ("buffers.activation.capacity_kib=16", "mapping.attention=fused"),
            "buffers.activation.capacity_kib",
            "half of buffers.activation: there is room for 65536 bits; fused attention needs",
        ),
        (
            ("buffers.weight.capacity_kib=1", "arrays.0.rows=32", "arrays.0.columns=32"),
            "buffers.weight.capacity_kib",
            "half of buffers.weight: one slot holds 2048 bits",
        ),
    ],
)
def test_a_half_that_is_too_small_is_named_with_the_other_way_out(overrides, field, words, block):
    workload = block(12, 2, 5, positions=49, head_dim=32)
    with pytest.raises(InputError) as error:
        build_schedule(workload, two_arrays(*overrides))
    assert error.value.field == field
    assert f"each of two arrays that run together has {words}" in error.value.message
    assert "mapping.group_order=sequential or weight_resident" in error.value.message
    for order in ("sequential", "weight_resident"):
        assert build_schedule(workload, two_arrays(*overrides, f"mapping.group_order={order}")).total_jobs


def test_a_buffer_that_is_not_halved_is_refused_as_ever(block):
    accelerator = two_arrays("buffers.accumulator.capacity_kib=1", "mapping.attention=fused")
    with pytest.raises(InputError, match=r"accumulator\.capacity_kib: one slot holds 4096 bits") as error:
        build_schedule(block(12, 2, 5, positions=49, head_dim=32), accelerator)
    assert "two arrays" not in error.value.message


def make_two_layers(windows: int, low: int, k: int):
    """Two mixed layers that each read an input of the network; their few results stay for a third, which reads both."""
    net, n = Net(), 16
    results = []
    for name in ("first", "second"):
        codes = net.tensor(Role.ACTIVATION, (1, windows, k), (8, 4), ROW)
        sums = net.linear(name, codes, windows, n, k)
        out = net.tensor(Role.ACTIVATION, (1, windows, n), (8, 4), ROW)
        results.append(net.vector(f"{name}_out", OperatorKind.REQUANTIZE, (1, windows, n), [sums], out))
    total = net.tensor(Role.STATE, (1, windows, n), (16,))
    net.vector("sum", OperatorKind.RESIDUAL, (1, windows, n), results, total)
    topology = Topology(tuple(net.operators), tuple(net.tensors))
    return build_workload("layers", topology, two_branches(windows, low, 1), 1)


def overwritten_rows(order: str, slow: int) -> bool:
    """Whether rows arrive for one array while the other still reads those of an earlier part or layer.

    Results stay on the chip, so nothing but the guard holds memory back; it is quick, and array `slow` is not.
    """
    workload = make_two_layers(40, 25, 64)
    accelerator = two_arrays(*QUICK, f"arrays.{slow}.weight_port_bits=1", f"mapping.group_order={order}")
    schedule = build_schedule(workload, accelerator)
    time = run_event(schedule, len(workload.operators), with_timeline=True).timeline
    jobs = [job for segment in schedule.segments for number in range(segment.repeat) for job in segment.jobs(number)]
    gemms = [number for number, grouped in enumerate(workload.operators) if grouped.operator.k]
    assert JobKind.DRAM_STORE not in {job.kind for job in jobs if job.operator < gemms[-1]}
    loads = [i for i, job in enumerate(jobs) if job.kind is JobKind.DRAM_LOAD_ACTIVATION]
    early = []
    for array in ("arrays.0", "arrays.1"):
        streams = [i for i, job in enumerate(jobs) if job.kind is JobKind.STREAM and schedule.units[job.unit] == array]
        last = [i for i in streams if jobs[i].operator == gemms[0]][-1]
        later = [i for i in loads if i > last]
        assert later
        early += [time.start_cycles[i] < time.issued_cycles[last] for i in later]
    return any(early)


ORDERS = (("sequential", 0), ("weight_resident", 0), ("concurrent", 1))
"""With the array that is late when memory would be ready: the first one, or of two at once the one loaded for last."""


@pytest.mark.parametrize(("order", "slow"), ORDERS)
def test_rows_arrive_when_the_other_array_has_read_its_own(order, slow):
    assert not overwritten_rows(order, slow)


@pytest.mark.parametrize(("order", "slow"), ORDERS)
def test_a_part_that_waits_for_no_other_array_is_noticed(order, slow, monkeypatch):
    monkeypatch.setattr(Transfers, "handed_over", lambda self, unit: [])
    assert overwritten_rows(order, slow)
