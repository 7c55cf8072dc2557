"""MACs and bytes are conserved, nothing moves more than a slot at once, and repeating iterations changes nothing."""

from __future__ import annotations

import itertools

import pytest

from mixarray.engine.event import run_event
from mixarray.errors import InputError
from mixarray.mapping.build import build_schedule
from mixarray.mapping.chains import make_chains, make_flow
from mixarray.mapping.emitter import Emitter
from mixarray.mapping.plan import Planner
from mixarray.mapping.schedule import Action, JobKind
from mixarray.mapping.vector_cost import WRITE_VALUE
from mixarray.trace.model import Role
from mixarray.trace.workload import RESULT_BITS, single_gemm

READ, WRITE = Action("dram_channels.0", "read_bits"), Action("dram_channels.0", "write_bits")
ARRAYS = (
    (),
    ("arrays.0.rows=8", "arrays.0.columns=4"),
    ("arrays.0.rows=5", "arrays.0.columns=7", "arrays.0.weight_loading=serial"),
    ("arrays.0.rows=8", "arrays.0.columns=16", "arrays.0.weight_loading=single", "arrays.0.weight_load_rows=used"),
)
BUFFERS = (
    ("dram_channels.0.burst_bits=1",),
    ("dram_channels.0.burst_bits=1", "buffers.activation.capacity_kib=4", "buffers.weight.capacity_kib=2"),
    (
        "dram_channels.0.burst_bits=1",
        "buffers.activation.slots=1", "buffers.weight.slots=1", "buffers.accumulator.slots=1",
        "buffers.activation.capacity_kib=2", "buffers.weight.capacity_kib=1", "buffers.accumulator.capacity_kib=4",
    ),
    (
        "dram_channels.0.burst_bits=1",
        "buffers.activation.slots=2", "buffers.weight.slots=4", "buffers.accumulator.slots=3",
        "buffers.activation.capacity_kib=4", "buffers.weight.capacity_kib=3", "buffers.accumulator.capacity_kib=13",
    ),
)  # fmt: skip
CASES = list(itertools.product(("packed", "plain"), ARRAYS, BUFFERS))
SOME = [case for number, case in enumerate(CASES) if number % 3 == 0]


@pytest.mark.parametrize(("style", "array", "buffers"), CASES)
def test_block_conserves_macs_and_bytes_on_every_machine(style, array, buffers, machine, block):
    accelerator = machine(style, *array, *buffers)
    for workload in (block(6, 2, 2), block(6, 2, 0), block(6, 2, 6), block(1, 3, 0)):
        run = run_event(build_schedule(workload, accelerator), len(workload.operators))
        assert run.macs == workload.macs
        assert [c.macs for c in run.operators] == [g.macs for g in workload.operators]
        weights = sum(t.rows * t.columns * t.bits for t in workload.tensors.values() if t.role is Role.WEIGHT)
        state = workload.operators[0].operator.m * workload.operators[0].operator.n * 16
        assert run.actions[WRITE] >= state  # the result
        assert run.actions[READ] >= weights + state  # the input
        spilled = run.actions[WRITE] - state
        assert run.actions[READ] - weights - state >= spilled  # what goes out comes back


@pytest.mark.parametrize(("style", "array", "buffers"), CASES)
def test_no_job_moves_more_than_a_slot(style, array, buffers, machine, block):
    accelerator = machine(style, *array, *buffers)
    places = {"activation": accelerator.buffers.activation, "weight": accelerator.buffers.weight}
    most = {f"buffers.{name}": place.accesses(place.slot_bits) for name, place in places.items()}
    for workload in (block(6, 2, 2), block(6, 2, 0), block(6, 2, 6), block(1, 3, 0), block(40, 2, 9)):
        jobs = [job for segment in build_schedule(workload, accelerator).segments for job in segment.body]
        moved = [
            (job.kind, action, count)
            for job in jobs
            if job.kind is not JobKind.STREAM  # it reads its tile once per pass
            for action, count in job.actions
            if action.component in most and action.name != WRITE_VALUE  # accesses of one value, not bits that move
        ]
        assert len(moved) > 20
        assert not [entry for entry in moved if entry[2] > most[entry[1].component]]


def test_the_array_waits_for_every_piece_of_the_first_tile(machine, block):
    workload = block(40, 2, 9)
    accelerator = machine("plain", "arrays.0.columns=4", "buffers.activation.capacity_kib=4", ideal_memory=True)
    flow = make_flow(workload)
    planner = Planner(workload, accelerator, flow)
    qkv = next(i for i, op in enumerate(flow.operators) if op.name == "qkv")
    plan = next(planner.plan(c) for c in make_chains(flow, planner.holds_rows) if c.gemm == qkv)
    pieces = plan.loops.lead + 1
    assert pieces > 1
    timeline = run_event(build_schedule(workload, accelerator), len(workload.operators), with_timeline=True).timeline
    first = timeline.start_cycles[(timeline.operator == qkv) & (timeline.kind == timeline.kinds.index(JobKind.STREAM))]
    fed = timeline.ready_cycles[timeline.operator == plan.before[-1].operator]
    assert first[0] >= fed[:pieces].max()


@pytest.mark.parametrize(
    ("style", "overrides", "field"),
    [
        ("packed", ("buffers.weight.capacity_kib=1",), "buffers.weight.capacity_kib"),
        ("packed", ("buffers.weight.capacity_kib=2", "buffers.weight.slots=4"), "buffers.weight.capacity_kib"),
        (
            "plain",
            ("buffers.activation.capacity_kib=1", "buffers.activation.slots=2"),
            "buffers.activation.capacity_kib",
        ),
        ("plain", ("buffers.activation.slots=3",), "buffers.activation.slots"),
    ],
)
def test_what_fits_no_slot_is_refused(style, overrides, field, machine, block):
    workload = block(2, 3, 1, positions=49, head_dim=32)
    with pytest.raises(InputError, match="slot") as refused:
        build_schedule(workload, machine(style, *overrides))
    assert refused.value.field == field


def test_a_batch_element_that_fits_no_slot_is_refused(machine, block):
    accelerator = machine("plain", "buffers.activation.capacity_kib=4", "arrays.0.rows=8", "arrays.0.columns=4")
    with pytest.raises(InputError, match=r"smallest tile of 'qk' needs 19208") as refused:
        build_schedule(block(2, 1, 0, positions=49, head_dim=8), accelerator)
    assert refused.value.field == "buffers.activation.capacity_kib"


def test_a_single_fold_that_fits_no_slot_is_refused(machine):
    accelerator = machine("plain", "buffers.weight.capacity_kib=8", "buffers.weight.slots=16")
    with pytest.raises(InputError, match="one slot holds 4096 bits, one fold of 'gemm' needs 8192"):
        build_schedule(single_gemm(64, 64, 64, 8, 8), accelerator)


@pytest.mark.parametrize(("style", "array", "buffers"), SOME)
def test_repeating_settled_iterations_equals_walking_each(style, array, buffers, machine, block, monkeypatch):
    accelerator, workload = machine(style, *array, *buffers), block(24, 2, 9)
    quick = build_schedule(workload, accelerator)
    monkeypatch.setattr(Emitter, "settled", lambda self: False)
    slow = build_schedule(workload, accelerator)
    assert quick.total_jobs == slow.total_jobs
    runs = [run_event(schedule, len(workload.operators)) for schedule in (quick, slow)]
    assert runs[0] == runs[1]


def test_one_gemm_moves_exactly_its_operands(machine):
    accelerator = machine("plain", "dram_channels.0.burst_bits=1")
    run = run_event(build_schedule(single_gemm(300, 70, 90, 8, 8), accelerator), 1)
    assert run.actions[READ] == 300 * 90 * 8 + 90 * 70 * 8
    assert run.actions[WRITE] == 300 * 70 * RESULT_BITS


def test_weights_that_do_not_fit_are_read_once_per_tile(machine):
    small = machine("plain", "dram_channels.0.burst_bits=1", "buffers.weight.capacity_kib=8")
    run = run_event(build_schedule(single_gemm(600, 64, 128, 8, 8), small), 1)
    tiles = 3  # 600 rows, 256 of which an accumulator slot of 32 KiB holds
    assert run.actions[READ] == 600 * 128 * 8 + tiles * 128 * 64 * 8


def test_useful_pe_cycles_of_every_mode(machine):
    def useful(style, *bits):
        run = run_event(build_schedule(single_gemm(10, 40, 48, *bits), machine(style)), 1)
        return run.useful_pe_cycles, run.busy_cycles[0, JobKind.STREAM]

    # 40 columns are two array columns; K=48 is one packed fold of two slots, or two folds of 32 and 16
    assert useful("packed", 4, 4) == (10 * 40 * 32, 10 * 2 * 1)  # lanes 2: one pass, slot 1 used by 16 rows beside it
    assert useful("packed", 8, 4) == (10 * 40 * 48, 10 * 2 * 2)
    assert useful("packed", 8, 8) == (10 * 40 * 48 * 2, 10 * 2 * 2 * 2)
    assert useful("plain", 8, 8) == (10 * 40 * 48, 10 * 2 * 2)
    assert useful("plain", 4, 4) == useful("plain", 8, 8)
