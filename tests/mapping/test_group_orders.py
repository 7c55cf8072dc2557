"""Groups of rows on one array or two: work is conserved, shared buffers are respected, results are complete."""

from __future__ import annotations

from collections import Counter

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.engine.event import run_event
from mixarray.mapping.build import build_schedule
from mixarray.mapping.emitter import Emitter, Slots
from mixarray.mapping.schedule import Action, JobKind
from mixarray.mapping.transfers import Transfers
from mixarray.mapping.weights import WeightPath
from mixarray.trace.model import Role
from mixarray_analysis.validation.checker import first_violation
from mixarray_analysis.validation.schedules import change_jobs

READ, WRITE = Action("dram_channels.0", "read_bits"), Action("dram_channels.0", "write_bits")
FREE = "mixed_precision.branch_parameters=free"
EXACT = "dram_channels.0.burst_bits=1"
FAST = "dram_channels.0.bits_per_cycle=1000000", "dram_channels.0.latency_cycles=0"
SMALL = "arrays.0.rows=8", "arrays.0.columns=8"
SMALL_TWO = *SMALL, "arrays.1.rows=16", "arrays.1.columns=8"
PACKED, DECOUPLED = "packed_w4_32x32", "decoupled_int8_int4"
ORDERS = {
    "packed, sequential": (PACKED, (*SMALL, "mapping.group_order=sequential")),
    "packed, weight-resident": (PACKED, SMALL),
    "decoupled, sequential": (DECOUPLED, (*SMALL_TWO, "mapping.group_order=sequential")),
    "decoupled, weight-resident": (DECOUPLED, (*SMALL_TWO, "mapping.group_order=weight_resident")),
    "decoupled, concurrent": (DECOUPLED, SMALL_TWO),
}
BUFFERS = {
    "wide": (),
    "narrow": ("buffers.activation.capacity_kib=8", "buffers.weight.capacity_kib=2"),
    "single": (
        "buffers.activation={capacity_kib: 8, port_bits: 256, slots: 1, banks: 1}",
        "buffers.weight={capacity_kib: 2, port_bits: 256, slots: 1, banks: 1}",
        "buffers.accumulator={capacity_kib: 8, port_bits: 256, slots: 1, banks: 1}",
    ),
    "many": ("buffers.weight={capacity_kib: 8, port_bits: 256, slots: 4, banks: 1}", "buffers.accumulator.slots=3"),
}


def machine_of(order, *overrides):
    name, settings = ORDERS[order]
    return load_accelerator(name, [*settings, FREE, *overrides])


def lines(run, schedule, kind, unit=None):
    """(start, issued, ready, operator) of all jobs of a kind, in Schedule order."""
    time = run.timeline
    jobs = [job for segment in schedule.segments for i in range(segment.repeat) for job in segment.jobs(i)]
    found = []
    for number, job in enumerate(jobs):
        if job.kind is kind and (unit is None or schedule.units[job.unit] == unit):
            cycles = time.start_cycles[number], time.issued_cycles[number], time.ready_cycles[number]
            found.append((*map(int, cycles), job.operator))
    return found


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("buffers", BUFFERS)
def test_work_is_conserved_and_every_row_multiplied_once(order, buffers, block):
    machine = machine_of(order, *BUFFERS[buffers], EXACT)
    for workload in (block(12, 2, 5), block(6, 2, 0), block(6, 2, 6), block(40, 2, 9)):
        schedule = build_schedule(workload, machine)
        run = run_event(schedule, len(workload.operators), with_timeline=True)
        assert first_violation(schedule, run.timeline) == ""
        assert [counts.macs for counts in run.operators] == [grouped.macs for grouped in workload.operators]
        multiplied: Counter[tuple[int, int, int]] = Counter()
        for segment in schedule.segments:
            for number in range(segment.repeat):
                for job in segment.jobs(number):
                    for product in job.products:
                        multiplied[job.operator, product.row_bits, product.other_bits] += product.macs
        wanted: Counter[tuple[int, int, int]] = Counter()
        for index, grouped in enumerate(workload.operators):
            for group in grouped.groups:
                each = group.batch * group.rows * grouped.operator.n * grouped.operator.k
                if grouped.operator.k:
                    wanted[index, group.stream_bits, group.stationary_bits] += each
        assert multiplied == wanted
        for grouped, counts in zip(workload.operators, run.operators, strict=True):
            op = grouped.operator
            if op.kind.value in ("layernorm", "gelu", "residual", "softmax"):
                done = counts.actions[Action("vector_units.0", f"{op.kind}_element")]
                assert done == sum(g.batch * g.rows for g in grouped.groups) * op.n
        weights = sum(t.rows * t.columns * t.bits for t in workload.tensors.values() if t.role is Role.WEIGHT)
        state = workload.operators[0].operator.m * workload.operators[0].operator.n * 16
        assert run.actions[WRITE] >= state
        assert run.actions[READ] - weights - state >= run.actions[WRITE] - state  # what goes out comes back


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("buffers", ["wide", "narrow", "many"])
def test_repeating_settled_rounds_equals_walking_each(order, buffers, block, monkeypatch):
    machine, workload = machine_of(order, *BUFFERS[buffers]), block(60, 2, 23)
    quick = build_schedule(workload, machine)
    monkeypatch.setattr(Emitter, "settled", lambda self: False)
    walked = build_schedule(workload, machine)
    runs = [run_event(schedule, len(workload.operators)) for schedule in (quick, walked)]
    assert quick.total_jobs == walked.total_jobs
    assert runs[0].total_cycles == runs[1].total_cycles
    assert (runs[0].actions, runs[0].busy_cycles) == (runs[1].actions, runs[1].busy_cycles)


@pytest.mark.parametrize("order", ORDERS)
def test_no_job_moves_more_than_its_share_of_a_slot(order, block):
    together = "concurrent" in order
    for buffers in ("narrow", "single"):
        machine = machine_of(order, *BUFFERS[buffers])
        jobs = [job for segment in build_schedule(block(12, 2, 5), machine).segments for job in segment.body]
        activation = machine.buffers.activation
        most = activation.accesses(activation.slot_bits // (2 if together else 1))
        for job in jobs:
            mixed = together and job.operator >= 0 and len(block(12, 2, 5).operators[job.operator].groups) > 1
            for action, count in job.actions:
                if action.component == "buffers.activation" and job.kind.value.startswith("dram_"):
                    assert count <= (most if mixed else activation.accesses(activation.slot_bits))


@pytest.mark.parametrize(("weight_kib", "fetches"), [(8, 1), (1, 2)])
def test_sequential_groups_load_the_array_as_two_gemms_do(weight_kib, fetches, mixed_gemm):
    """On a packed 8x8 array K = 32 is 2 tiles and N = 64 is 8: 16 loads of 8 rows for every group."""
    settings = f"buffers.weight.capacity_kib={weight_kib}", EXACT, "buffers.accumulator.capacity_kib=64"
    machine = machine_of("packed, sequential", *settings)
    mixed, high, low = (run_event(build_schedule(mixed_gemm(*shape), machine), 1) for shape in SHAPES)
    load = next(key for key in mixed.busy_cycles if key[1] is JobKind.ARRAY_LOAD)
    assert mixed.busy_cycles[load] == high.busy_cycles[load] + low.busy_cycles[load] == 2 * 2 * 8 * 8
    weights = 64 * 32 * 4
    assert mixed.actions[READ] == CODES + weights * fetches
    resident = run_event(build_schedule(mixed_gemm(*SHAPES[0]), machine_of("packed, weight-resident", *settings)), 1)
    assert resident.busy_cycles[load] == 2 * 8 * 8  # both groups find each tile in the array


SHAPES = (100, 40, 64, 32), (60, 0, 64, 32), (40, 40, 64, 32)
"""(rows, those at 4 bits, N, K): a mixed GEMM, its high rows alone, its low rows alone."""
CODES = 100 * 32 * 8
"""Bits of the mixed GEMM's rows: an input of the network comes at its widest."""


def test_each_group_runs_in_the_narrowest_mode_of_all_arrays(mixed_gemm):
    schedule = build_schedule(mixed_gemm(*SHAPES[0]), machine_of("decoupled, concurrent"))
    found: Counter[tuple[str, int, tuple[int, int]]] = Counter()
    for segment in schedule.segments:
        for job in segment.body:
            for product in job.products:
                found[schedule.units[job.unit], product.row_bits, product.mode_bits] += product.macs * segment.repeat
    size = 64 * 32
    assert found == {("arrays.0", 8, (8, 8)): 60 * size, ("arrays.1", 4, (4, 4)): 40 * size}


def test_two_arrays_at_once_are_faster_than_one_after_the_other(mixed_gemm):
    """Rows in proportion to the depth of the arrays, and memory and vector unit far faster than both."""
    workload = mixed_gemm(3 * 256, 2 * 256, 64, 128)
    fast = *FAST, "vector_units.0.lanes=4096", "buffers.accumulator.capacity_kib=1024"
    together, after = (
        run_event(build_schedule(workload, machine_of(order, *fast)), 1)
        for order in ("decoupled, concurrent", "decoupled, weight-resident")
    )
    assert together.macs == after.macs == workload.macs
    busy = [cycles for (_, kind), cycles in together.busy_cycles.items() if kind is JobKind.STREAM]
    assert busy[0] == busy[1] == 256 * 128 // 8 * 64 // 8
    assert max(busy) <= together.total_cycles < 1.2 * max(busy)
    assert after.total_cycles >= sum(busy)


def early_reads(workload, order, *overrides) -> bool:
    """Whether an operator read from DRAM before any of what it reads was complete, both groups of it."""
    schedule = build_schedule(workload, machine_of(order, *overrides, "buffers.activation.capacity_kib=8"))
    run = run_event(schedule, len(workload.operators), with_timeline=True)
    stored: Counter[int] = Counter()
    for _, _, ready, operator in lines(run, schedule, JobKind.DRAM_STORE):
        tensor = workload.operators[operator].operator.output
        stored[tensor] = max(stored[tensor], ready)
    needed = []
    for start, _, _, operator in lines(run, schedule, JobKind.DRAM_LOAD_ACTIVATION):
        times = [stored[entry.tensor] for entry in workload.operators[operator].operator.inputs if stored[entry.tensor]]
        needed += [(start, min(times))] if times else []
    assert len(needed) > 4
    return any(start < ready for start, ready in needed)


@pytest.mark.parametrize("order", ORDERS)
def test_a_tensor_is_complete_when_both_groups_are(order, block):
    assert not early_reads(block(12, 2, 5), order, "dram_channels.0.latency_cycles=500")


def test_a_reader_that_waits_for_one_group_only_is_noticed(block, monkeypatch):
    def first(self, tensor, mark):
        self.floor.ready.setdefault(tensor, mark)

    monkeypatch.setattr(Transfers, "_complete", first)
    assert early_reads(block(12, 2, 5), "decoupled, concurrent", "dram_channels.0.latency_cycles=500")


def overwritten(workload, weight_kib: int) -> bool:
    """With one slot of weights: whether the next ones arrive while an array still has to read the last ones."""
    buffers = f"buffers.weight={{capacity_kib: {weight_kib}, port_bits: 256, slots: 1, banks: 1}}"
    machine = machine_of("decoupled, concurrent", buffers, *FAST, "arrays.0.weight_port_bits=1")
    schedule = build_schedule(workload, machine)
    run = run_event(schedule, len(workload.operators), with_timeline=True)
    loads = lines(run, schedule, JobKind.DRAM_LOAD_WEIGHT)
    reads = [lines(run, schedule, JobKind.ARRAY_LOAD, f"arrays.{array}.weight_port") for array in (0, 1)]
    changes = [start for (start, *_, operator), before in zip(loads[1:], loads, strict=False) if operator != before[3]]
    assert changes
    for arrays in reads:
        for number, start in enumerate(changes):
            if any(issued > start for begun, issued, _, operator in arrays if operator == weighted(workload)[number]):
                return True
    return False


def weighted(workload) -> list[int]:
    """Operators with weights, in order."""
    roles = {tensor.tensor: tensor.role for tensor in workload.tensors.values()}
    operators = enumerate(workload.operators)
    return [i for i, g in operators if g.operator.k and any(roles[e.tensor] is Role.WEIGHT for e in g.operator.inputs)]


def test_a_slot_that_one_array_frees_for_both_is_noticed(block, monkeypatch):
    free = WeightPath._free
    monkeypatch.setattr(WeightPath, "_free", lambda self, plan, *readers: free(self, plan, readers[-1]))
    assert overwritten(block(12, 2, 5), 16)


@pytest.mark.parametrize("weight_kib", [16, 2])  # all weights in a slot, or a part of a column for each array
def test_weights_stay_until_both_arrays_have_read_them(weight_kib, block, monkeypatch):
    workload = block(12, 2, 5)
    assert not overwritten(workload, weight_kib)
    monkeypatch.setattr(Slots, "take", lambda self: ())
    assert overwritten(workload, weight_kib)


def test_whole_weights_come_once_for_both_arrays(mixed_gemm):
    """A slot of 4 KiB holds all weights, one of 1 KiB holds half of them: each array then fetches its own."""
    workload, weights = mixed_gemm(100, 40, 128, 32), 128 * 32 * 4
    for order in ("decoupled, concurrent", "decoupled, weight-resident", "decoupled, sequential"):
        machine = machine_of(order, EXACT, "buffers.weight.capacity_kib=8")
        assert run_event(build_schedule(workload, machine), 1).actions[READ] == CODES + weights
    small = machine_of("decoupled, concurrent", EXACT, "buffers.weight.capacity_kib=2")
    assert run_event(build_schedule(workload, small), 1).actions[READ] == CODES + 2 * weights


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", [JobKind.STREAM, JobKind.ARRAY_LOAD, JobKind.DRAM_LOAD_ACTIVATION, JobKind.SOFTMAX])
def test_shorter_jobs_never_lengthen_a_run(order, kind, block):
    def shorter(job):
        if job.kind is not kind:
            return job
        return type(job)(
            job.unit, job.kind, job.occupancy_cycles // 2, job.latency_cycles // 2, job.dependencies, job.operator
        )

    workload = block(12, 2, 5)
    schedule = build_schedule(workload, machine_of(order))
    full, less = (
        run_event(s, len(workload.operators)).total_cycles for s in (schedule, change_jobs(schedule, shorter))
    )
    assert less <= full
