"""Fused attention and MLP: the same work, less traffic; nothing is read before it is made or overwritten too early."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.engine.event import run_event
from mixarray.engine.fast import run_fast
from mixarray.mapping.build import build_schedule, plan_workload
from mixarray.mapping.chain_plan import Stage
from mixarray.mapping.emitter import Emitter, Slots
from mixarray.mapping.fused_plan import FusedPlan, members
from mixarray.mapping.schedule import Action, JobKind
from mixarray.mapping.transfers import Transfers
from mixarray.trace.workload import WindowCount, build_workload
from mixarray_analysis.validation.checker import first_violation
from mixarray_analysis.validation.schedules import change_jobs
from mixarray_traces.record.shape import SwinShape
from mixarray_traces.record.topology import build_topology

READ, WRITE = Action("dram_channels.0", "read_bits"), Action("dram_channels.0", "write_bits")
ATTENTION, MLP = "mapping.attention=fused", "mapping.mlp=fused"
EXACT = "dram_channels.0.burst_bits=1"
SMALL = "arrays.0.rows=8", "arrays.0.columns=4"
FEW = "buffers.activation.capacity_kib=3", "buffers.weight.capacity_kib=4"
SLOTS = ((2, 2, 2), (1, 1, 1), (2, 1, 3), (1, 4, 2), (2, 4, 4))
"""Slots of the activation, weight and accumulator buffers."""
MACHINES = {
    "packed": ("packed_w4_32x32", SMALL),
    "packed, sequential": ("packed_w4_32x32", (*SMALL, "mapping.group_order=sequential")),
    "plain": ("plain_int8_32x32", SMALL),
    "input-stationary": ("plain_int8_32x32", (*SMALL, "arrays.0.dataflow=input_stationary")),
    "output-stationary": ("plain_int8_os_32x32", SMALL),
    "two arrays": ("decoupled_int8_int4", (*SMALL, "arrays.1.rows=16", "arrays.1.columns=4")),
    "two arrays in turn": (
        "decoupled_int8_int4",
        (*SMALL, "arrays.1.rows=16", "arrays.1.columns=4", "mapping.group_order=weight_resident"),
    ),
}


def machine_of(kind, *overrides):
    name, settings = MACHINES[kind]
    return load_accelerator(name, [EXACT, *settings, *overrides])


def elements(run):
    """How many elements of each kind of vector work there were."""
    return {a.name: count for a, count in run.actions.items() if a.component == "vector_units.0"}


def pairs_of(workload, accelerator):
    """All fused pairs, part by part."""
    sections = plan_workload(workload, accelerator).sections
    return [plan for section in sections for plan in section if isinstance(plan, FusedPlan)]


def inner_bits(workload, accelerator):
    """Bits of each tensor that fused pairs keep on the chip."""
    entries = [entry for plan in pairs_of(workload, accelerator) for entry in plan.first.at(Stage.INNER)]
    return {tensor: sum(sum(e.bits) for e in entries if e.tensor == tensor) for tensor in {e.tensor for e in entries}}


@pytest.mark.parametrize(("kind", "counts"), [*zip(list(MACHINES) * 2, SLOTS * 3, strict=False)])
def test_the_same_work_and_every_job_in_place(kind, counts, block):
    places = zip(("activation", "weight", "accumulator"), counts, strict=True)
    slots = [f"buffers.{name}.slots={count}" for name, count in places]
    for workload, buffers in ((block(8, 2, 3), FEW), (block(6, 2, 0), ()), (block(1, 3, 0), FEW)):
        plain = run_event(build_schedule(workload, machine_of(kind, *slots, *buffers)), len(workload.operators))
        for fusion in ((ATTENTION,), (MLP,), (ATTENTION, MLP)):
            schedule = build_schedule(workload, machine_of(kind, *slots, *buffers, *fusion))
            run = run_event(schedule, len(workload.operators), with_timeline=True)
            assert not first_violation(schedule, run.timeline)
            assert [c.macs for c in run.operators] == [g.macs for g in workload.operators]
            assert elements(run) == elements(plain)
            fast = run_fast(schedule, len(workload.operators))
            assert (fast.total_cycles, fast.actions) == (run.total_cycles, run.actions)


@pytest.mark.parametrize("kind", MACHINES)
def test_what_passes_between_fused_chains_leaves_dram_alone(kind, block):
    """Its write and its read are all that fusion saves, where it went through DRAM and weights stay.

    Groups that follow each other pass through both layers of an MLP one by one, and so fetch its weights one by one.
    """
    workload = block(30, 2, 9)
    few = "buffers.activation.capacity_kib=3", "buffers.weight.capacity_kib=16"
    bits, found = {tensor.tensor: tensor for tensor in workload.tensors.values()}, {}
    for fusion in ((), (ATTENTION,), (MLP,), (ATTENTION, MLP)):
        accelerator = machine_of(kind, *few, *fusion)
        planned, schedule = plan_workload(workload, accelerator), build_schedule(workload, accelerator)
        inner = inner_bits(workload, accelerator)
        assert len(inner) == len(fusion)
        assert all(amount > bits[tensor].rows * bits[tensor].columns for tensor, amount in inner.items())
        run, saved = run_event(schedule, len(workload.operators)), sum(inner.values())
        layers = [
            sum(plan.weight_bits for plan in members(s[0])) for s in planned.sections if isinstance(s[0], FusedPlan)
        ]
        anew = sum(layers) - max(layers, default=0)
        assert bool(anew) == (MLP in fusion and kind in ("packed, sequential", "two arrays in turn"))
        found[planned.resident, run.actions[READ] + saved - anew, run.actions[WRITE] + saved] = fusion
    assert len(found) == 1


@pytest.mark.parametrize("kind", ["plain", "packed", "input-stationary"])
def test_weights_that_do_not_fit_are_fetched_for_every_tile(kind, block):
    workload = block(30, 2, 9, head_dim=16)
    few = "buffers.activation.capacity_kib=4", "buffers.weight.capacity_kib=1"
    accelerator = machine_of(kind, *few, MLP)
    (pair,) = pairs_of(workload, accelerator)
    assert not any(plan.holding.weights_whole for plan in members(pair))
    assert pair.tiles > 4
    run = run_event(build_schedule(workload, accelerator), len(workload.operators))
    whole = run_event(build_schedule(workload, machine_of(kind, *few[:1], MLP)), len(workload.operators))
    for plan in members(pair):
        operator = plan.chain.gemm
        more = dram_bits(workload, machine_of(kind, *few, MLP), operator) - plan.weight_bits
        assert more == (pair.tiles - 1) * plan.weight_bits
    assert run.actions[WRITE] == whole.actions[WRITE]


def dram_bits(workload, accelerator, operator):
    """Bits of weights that an operator loads."""
    jobs = ((j, s.repeat) for s in build_schedule(workload, accelerator).segments for j in s.body)
    loads = ((j, times) for j, times in jobs if j.kind is JobKind.DRAM_LOAD_WEIGHT and j.operator == operator)
    return sum(dict(job.actions)[READ] * times for job, times in loads)


def lines(workload, accelerator):
    """Start and end of all jobs by (operator, kind), in Schedule order."""
    time = run_event(build_schedule(workload, accelerator), len(workload.operators), with_timeline=True).timeline
    found = {}
    for kind, operator, start, issued, ready in zip(
        time.kind, time.operator, time.start_cycles, time.issued_cycles, time.ready_cycles, strict=True
    ):
        name = workload.operators[operator].operator.name, time.kinds[kind]
        found.setdefault(name, []).append((int(start), int(issued), int(ready)))
    return found


def by_tile(jobs, tiles):
    each, rest = divmod(len(jobs), tiles)
    assert not rest
    return [jobs[start : start + each] for start in range(0, len(jobs), each)]


def early(workload, accelerator, makers, readers):
    """Whether a tile was read before it was written, or written before what its slot held had been read."""
    (pair,) = pairs_of(workload, accelerator)
    found = lines(workload, accelerator)
    made, read = (by_tile(found[name], pair.tiles) for name in (makers, readers))
    slots = accelerator.buffers.activation.slots
    unmade = any(reads[0][0] < writes[-1][2] for reads, writes in zip(read, made, strict=True))
    unread = any(writes[0][0] < reads[-1][1] for reads, writes in zip(read[:-slots], made[slots:], strict=True))
    return unmade, unread


SLOW_VECTOR = "vector_units.0.lanes=1", "buffers.accumulator.slots=16"
SLOW_ARRAY = "vector_units.0.lanes=4096", "vector_units.0.latency_cycles=0", "buffers.accumulator.slots=8"
QUICK = "dram_channels.0.bits_per_cycle=1000000", "dram_channels.0.latency_cycles=0"
HIDDEN = ("gelu", JobKind.GELU), ("fc2", JobKind.STREAM)
MATRIX = ("softmax", JobKind.SOFTMAX), ("av", JobKind.STREAM)
CASES = [
    (fusion, jobs, slots, pace)
    for fusion, jobs in ((ATTENTION, MATRIX), (MLP, HIDDEN))
    for slots in ((), ("buffers.activation.slots=1",))
    for pace in (SLOW_VECTOR, SLOW_ARRAY)
]


def paced(block, fusion, slots, pace):
    """A block whose tiles are all alike, on a machine whose vector unit is slower, or quicker, than its array."""
    small = "buffers.activation.capacity_kib=2", "buffers.weight.capacity_kib=64"
    return block(24, 2, 0, positions=4), machine_of("plain", *QUICK, *small, *slots, *pace, fusion)


def slow(cases):
    """Those where the vector unit is slow: otherwise the order of the array's jobs alone makes a tile late enough."""
    return [case for case in cases if case[-1] is SLOW_VECTOR]


@pytest.mark.parametrize(("fusion", "jobs", "slots", "pace"), CASES)
def test_tiles_are_made_before_they_are_read_and_stay_until_then(fusion, jobs, slots, pace, block):
    assert early(*paced(block, fusion, slots, pace), *jobs) == (False, False)


@pytest.mark.parametrize(("fusion", "jobs", "slots", "pace"), slow(CASES))
def test_rows_that_do_not_wait_for_their_makers_are_noticed(fusion, jobs, slots, pace, block, monkeypatch):
    old = Transfers.arrived
    monkeypatch.setattr(Transfers, "arrived", lambda self, number: replace(old(self, number), made=()))
    assert early(*paced(block, fusion, slots, pace), *jobs)[0]


def test_slots_that_do_not_wait_for_their_readers_are_noticed(block, monkeypatch):
    """The array runs its jobs in order, so only a first chain that is far ahead of the second can be early."""
    monkeypatch.setattr(FusedPlan, "lag", property(lambda self: 3))
    monkeypatch.setattr(Transfers, "room", lambda self, operator, part: [])
    for fusion, jobs in ((ATTENTION, MATRIX), (MLP, HIDDEN)):
        assert early(*paced(block, fusion, (), SLOW_ARRAY), *jobs)[1]


@pytest.mark.parametrize("fusion", [ATTENTION, MLP])
def test_a_slot_that_is_never_freed_is_noticed(fusion, block, monkeypatch):
    workload, accelerator = paced(block, fusion, (), SLOW_ARRAY)
    monkeypatch.setattr(Slots, "free", lambda self, *marks: None)
    with pytest.raises(IndexError):
        build_schedule(workload, accelerator)


@pytest.mark.parametrize("kind", ["packed", "two arrays"])
@pytest.mark.parametrize("fusion", [ATTENTION, MLP])
def test_repeating_settled_bodies_equals_walking_each(kind, fusion, block, monkeypatch):
    workload = block(60, 2, 25)
    for buffers in ((), FEW):
        accelerator = machine_of(kind, *buffers, fusion)
        quick = build_schedule(workload, accelerator)
        with monkeypatch.context() as patched:
            patched.setattr(Emitter, "settled", lambda self: False)
            slow = build_schedule(workload, accelerator)
        assert quick.total_jobs == slow.total_jobs
        assert run_event(quick, len(workload.operators)) == run_event(slow, len(workload.operators))


@pytest.mark.parametrize("kind", [JobKind.SOFTMAX, JobKind.GELU, JobKind.STREAM, JobKind.ARRAY_LOAD])
def test_shorter_jobs_never_lengthen_a_fused_run(kind, block):
    workload = block(12, 2, 5)
    schedule = build_schedule(workload, machine_of("packed", ATTENTION, MLP, *FEW))
    total = run_fast(schedule, len(workload.operators)).total_cycles
    halved = change_jobs(
        schedule, lambda job: replace(job, occupancy_cycles=job.occupancy_cycles // 2) if job.kind is kind else job
    )
    assert run_fast(halved, len(workload.operators)).total_cycles <= total


def test_sums_of_the_attention_matrix_stay_on_the_chip_with_it():
    shape, counts = SwinShape("one", channels=(32,), depths=(1,), heads=(2,)), (WindowCount(8, 4, 4 * 49),)
    workload = build_workload("one", build_topology(shape, 56, 56, None), {(0, 0): counts}, 49)
    plain, fused = (load_accelerator("packed_w4_32x32", [EXACT, *fusion]) for fusion in ((), (ATTENTION,)))
    names = {t.tensor: t.name.rpartition("attn.")[2] for t in workload.tensors.values()}
    inner = {names[tensor]: bits for tensor, bits in inner_bits(workload, fused).items()}
    assert inner == {"av.left": 8 * 49 * 49 * 8, "av.row_sums": 8 * 49 * 32}
    assert elements(run_fast(build_schedule(workload, fused), len(workload.operators))) == elements(
        run_fast(build_schedule(workload, plain), len(workload.operators))
    )
