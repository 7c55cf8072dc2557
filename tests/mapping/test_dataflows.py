"""All legal (style, dataflow) pairs: work and bytes are conserved, every timeline obeys, nothing exceeds a slot."""

from __future__ import annotations

import itertools

import pytest

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.styles import legal_pairs
from mixarray.engine.attribution import attribute
from mixarray.engine.event import run_event
from mixarray.errors import InputError
from mixarray.mapping.build import build_schedule
from mixarray.mapping.emitter import Emitter
from mixarray.mapping.schedule import Action, JobKind
from mixarray.mapping.units import ARRAY, PORT, RESULTS
from mixarray.mapping.vector_cost import WRITE_VALUE
from mixarray.trace.model import Role
from mixarray.trace.workload import RESULT_BITS, single_gemm
from mixarray_analysis.validation.checker import first_violation

READ, WRITE = Action("dram_channels.0", "read_bits"), Action("dram_channels.0", "write_bits")
INPUT, OUTPUT = Dataflow.INPUT_STATIONARY, Dataflow.OUTPUT_STATIONARY
PRESETS = {"bricks16": "bricks", "packed_w4": "packed", "plain": "plain"}
LEGAL = [(style.name, dataflow) for style, dataflow, reason in legal_pairs() if reason is None]
ARRAYS = (
    (),
    ("arrays.0.rows=8", "arrays.0.columns=4", "arrays.0.weight_loading=serial"),
    ("arrays.0.rows=5", "arrays.0.columns=7", "arrays.0.weight_loading=single", "arrays.0.weight_load_rows=used"),
    ("arrays.0.rows=8", "arrays.0.columns=16", "arrays.0.weight_port_bits=48"),
)
BUFFERS = (
    ("buffers.activation.capacity_kib=256",),
    ("buffers.activation.capacity_kib=4", "buffers.weight.capacity_kib=2"),
    (
        "buffers.activation.slots=1", "buffers.weight.slots=1", "buffers.accumulator.slots=1",
        "buffers.activation.capacity_kib=2", "buffers.weight.capacity_kib=1", "buffers.accumulator.capacity_kib=4",
    ),
    (
        "buffers.weight.slots=4", "buffers.accumulator.slots=3",
        "buffers.activation.capacity_kib=4", "buffers.weight.capacity_kib=3", "buffers.accumulator.capacity_kib=13",
    ),
)  # fmt: skip
CASES = [(*pair, *rest) for pair in LEGAL for rest in itertools.product(ARRAYS, BUFFERS)]
SMALL = ("arrays.0.rows=8", "arrays.0.columns=8", "buffers.activation.capacity_kib=8", "buffers.weight.capacity_kib=2")


@pytest.fixture
def built(machine):
    """An accelerator by style and dataflow, DRAM bursts of one bit so that bytes can be counted."""

    def make(style, dataflow, *overrides, ideal_memory=False):
        settings = (f"arrays.0.dataflow={dataflow}", "dram_channels.0.burst_bits=1", *overrides)
        return machine(PRESETS[style], *settings, ideal_memory=ideal_memory)

    return make


def run_of(workload, accelerator, timeline=False):
    return run_event(build_schedule(workload, accelerator), len(workload.operators), with_timeline=timeline)


def reads(run):
    """(weight buffer reads, activation buffer reads) in accesses."""
    return tuple(run.actions[Action(f"buffers.{name}", "read")] for name in ("weight", "activation"))


@pytest.mark.parametrize(("style", "dataflow", "array", "buffers"), CASES)
def test_a_block_conserves_work_and_bytes(style, dataflow, array, buffers, built, block):
    accelerator = built(style, dataflow, *array, *buffers)
    for workload in (block(6, 2, 2), block(6, 2, 6), block(1, 3, 0)):
        run = run_of(workload, accelerator)
        assert [c.macs for c in run.operators] == [g.macs for g in workload.operators]
        active = sum(n for action, n in run.actions.items() if action.component == "arrays.0")
        assert run.useful_pe_cycles == active
        assert active == run.macs or style != "plain"
        assert run.busy_cycles[ARRAY, JobKind.STREAM] * accelerator.arrays[0].pes >= run.useful_pe_cycles
        weights = sum(t.rows * t.columns * t.bits for t in workload.tensors.values() if t.role is Role.WEIGHT)
        state = workload.operators[0].operator.m * workload.operators[0].operator.n * 16
        spilled = run.actions[WRITE] - state
        assert spilled >= 0
        assert run.actions[READ] >= weights + state + spilled  # input, weights, and what goes out comes back


@pytest.mark.parametrize(("style", "dataflow", "array", "buffers"), CASES)
def test_every_timeline_obeys_and_is_attributed(style, dataflow, array, buffers, built, block):
    workload = block(6, 2, 2)
    schedule = build_schedule(workload, built(style, dataflow, *array, *buffers))
    run = run_event(schedule, len(workload.operators), with_timeline=True)
    assert first_violation(schedule, run.timeline) == ""
    assert sum(attribute(schedule, run.timeline).cycles.values()) == run.total_cycles


@pytest.mark.parametrize(("dataflow", "array", "buffers"), list(itertools.product((INPUT, OUTPUT), ARRAYS, BUFFERS)))
def test_no_job_moves_more_than_a_slot(dataflow, array, buffers, built, block):
    accelerator = built("plain", dataflow, *array, *buffers)
    places = {name: getattr(accelerator.buffers, name) for name in ("activation", "weight", "accumulator")}
    most = {f"buffers.{name}": place.accesses(place.slot_bits) for name, place in places.items()}
    for workload in (block(6, 2, 2), block(6, 2, 6), block(1, 3, 0), block(40, 2, 9)):
        jobs = [job for segment in build_schedule(workload, accelerator).segments for job in segment.body]
        counted = [(job.kind, *action) for job in jobs for action in job.actions if action[0].component in most]
        moved = [entry for entry in counted if entry[1].name != WRITE_VALUE]  # single values: not bits that move
        assert len(moved) > 20
        assert not [entry for entry in moved if entry[2] > most[entry[1].component]]


@pytest.mark.parametrize(
    ("dataflow", "array", "buffers"), list(itertools.product((INPUT, OUTPUT), ARRAYS[:2], BUFFERS))
)
def test_repeating_settled_iterations_equals_walking_each(dataflow, array, buffers, built, block, monkeypatch):
    accelerator = built("plain", dataflow, *array, *buffers)
    workloads = block(24, 2, 9), single_gemm(700, 60, 90, 8, 8)
    quick = [run_of(workload, accelerator) for workload in workloads]
    monkeypatch.setattr(Emitter, "settled", lambda self: False)
    assert [run_of(workload, accelerator) for workload in workloads] == quick


@pytest.mark.parametrize(("style", "dataflow"), LEGAL)
def test_one_gemm_moves_exactly_its_operands(style, dataflow, built):
    run = run_of(single_gemm(300, 70, 90, 8, 4), built(style, dataflow))
    assert run.actions[READ] == 300 * 90 * 8 + 90 * 70 * 4
    assert run.actions[WRITE] == 300 * 70 * RESULT_BITS


def test_weights_that_do_not_fit_are_fetched_again_where_nothing_shares_them(built):
    def fetched(dataflow, m, n, k, kib):
        accelerator = built("plain", dataflow, f"buffers.weight.capacity_kib={kib}")
        weights = run_of(single_gemm(m, n, k, 8, 8), accelerator).actions[READ] - m * k * 8
        assert weights % (n * k * 8) == 0
        return weights // (n * k * 8)

    # an accumulator slot of 32 KiB holds 256 rows by an array column, or 32 rows by 256 columns of N
    assert fetched(INPUT, 600, 64, 128, kib=16) == 1  # all weights fit a slot of 8 KiB: fetched once
    assert fetched(INPUT, 600, 512, 64, kib=32) == 3  # 256 columns by K=64 fit: once for each tile of 256 rows
    assert fetched(INPUT, 600, 512, 64, kib=16) == 3  # they do not, but 128 columns do
    assert fetched(INPUT, 600, 512, 512, kib=16) == 19  # 16 columns do, too few to hide a load: for each 32 rows
    assert fetched(OUTPUT, 600, 64, 128, kib=8) == 3  # an array column by K=128 fits: for each tile of 256 rows
    assert fetched(OUTPUT, 600, 64, 128, kib=4) == 19  # half of it does: for each fold of 32 rows


def test_output_streams_are_divided_where_weights_arrive_in_parts(built):
    accelerator = built("plain", OUTPUT, "buffers.weight.capacity_kib=4", ideal_memory=True)
    run = run_of(single_gemm(70, 40, 130, 8, 8), accelerator, timeline=True)
    kinds = run.timeline.kinds
    streams = (run.timeline.kind == kinds.index(JobKind.STREAM)).sum()
    drains = (run.timeline.kind == kinds.index(JobKind.DRAIN)).sum()
    assert drains == 3 * 2  # 70 rows by 40 columns
    # a slot holds 16384 bits: 64 steps of a whole column of the array, all 130 of one of 8
    assert streams == 3 * 3 + 3 * 1
    assert run.busy_cycles[ARRAY, JobKind.STREAM] == 6 * 130
    assert run.macs == 70 * 40 * 130


def test_output_stationary_runs_each_group_on_its_own(built, mixed_gemm):
    run = run_of(mixed_gemm(50, 20, 40, 12), built("plain", OUTPUT), timeline=True)
    assert run.busy_cycles[ARRAY, JobKind.STREAM] == (1 + 1) * 2 * 12  # 30 high rows, 20 low rows; 2 array columns
    uniform = run_of(mixed_gemm(50, 0, 40, 12), built("plain", OUTPUT))
    assert uniform.busy_cycles[ARRAY, JobKind.STREAM] == 2 * 2 * 12  # 32 + 18 rows
    assert set(run.timeline.group[run.timeline.unit == RESULTS]) == {0, 1}


def test_output_stationary_loads_nothing_and_writes_every_sum_once(built):
    run = run_of(single_gemm(70, 40, 130, 8, 8), built("plain", OUTPUT))
    assert not any(unit == PORT for unit, _ in run.busy_cycles)
    sums = [-(-height * width * 32 // 1024) for height in (32, 32, 6) for width in (32, 8)]
    assert run.actions[Action("buffers.accumulator", "write")] == sum(sums)
    # the streams of 6 folds read both operands; the activation buffer is read once more to store the results
    tiles = [(height, width) for height in (32, 32, 6) for width in (32, 8)]
    weight = sum(-(-130 * width * 8 // 256) for _, width in tiles)
    activation = sum(-(-130 * height * 8 // 256) for height, _ in tiles)
    assert reads(run) == (weight, activation + -(-70 * 40 * 8 // 256))


def test_input_stationary_tiles_of_mixed_bits_read_each_row_at_its_own(built, mixed_gemm):
    run = run_of(mixed_gemm(5, 2, 20, 12), built("plain", INPUT))
    loads = -(-12 * (3 * 8 + 2 * 4) // 256)  # one tile: 3 rows at 8 bits, 2 at 4
    streamed = -(-12 * 20 * 4 // 256)  # twenty columns of 4-bit weights
    stored = -(-5 * 20 * 32 // 256)  # a state of 32 bits
    assert reads(run) == (streamed, loads + stored)
    assert run.busy_cycles[ARRAY, JobKind.STREAM] == 20
    assert run.busy_cycles[PORT, JobKind.ARRAY_LOAD] == 32


@pytest.mark.parametrize("dataflow", [INPUT, OUTPUT])
@pytest.mark.parametrize(("array", "ideal"), list(itertools.product([(), SMALL[:2]], [False, True])))
def test_uniform_runs_never_lose_from_fewer_bits_where_buffers_do_not_cut_them(dataflow, array, ideal, built, block):
    accelerator = built("plain", dataflow, *array, ideal_memory=ideal)
    low, high = (run_of(block(10, 2, count), accelerator).total_cycles for count in (10, 0))
    assert low <= high
    for m, n, k in ((49, 96, 32), (200, 33, 65), (256, 64, 128), (1, 1, 1)):
        runs = [run_of(single_gemm(m, n, k, *bits), accelerator) for bits in ((4, 4), (8, 4), (8, 8))]
        totals = [run.total_cycles for run in runs]
        assert totals == sorted(totals), (m, n, k)
        assert len({run.busy_cycles[ARRAY, JobKind.STREAM] for run in runs}) == 1  # one mode: nothing is gained there


@pytest.mark.parametrize("dataflow", [INPUT, OUTPUT])
def test_better_weight_loading_never_adds_cycles(dataflow, built, block):
    runs = [
        run_of(block(8, 2, 3), built("plain", dataflow, *SMALL, f"arrays.0.weight_loading={policy}")).total_cycles
        for policy in ("serial", "single", "double")
    ]
    assert runs[0] > runs[1] > runs[2]


@pytest.mark.parametrize("dataflow", [INPUT, OUTPUT])
def test_more_bandwidth_never_adds_cycles(dataflow, built, block):
    rates = (8, 24, 64, 192, 1024, 10**6)
    runs = [
        run_of(block(8, 2, 3), built("plain", dataflow, *SMALL, f"dram_channels.0.bits_per_cycle={rate}")).total_cycles
        for rate in rates
    ]
    assert runs == sorted(runs, reverse=True)
    assert runs[0] > runs[-1]


@pytest.mark.parametrize("dataflow", [INPUT, OUTPUT])
def test_accumulator_slots_are_never_exceeded(dataflow, built):
    overrides = *SMALL[:2], "buffers.accumulator.slots=2", "buffers.accumulator.capacity_kib=2"
    run = run_of(single_gemm(128, 64, 32, 8, 8), built("plain", dataflow, *overrides), timeline=True)
    lines = run.timeline
    writer = JobKind.DRAIN if dataflow is OUTPUT else JobKind.STREAM
    starts = lines.start_cycles[lines.kind == lines.kinds.index(writer)]
    drained = lines.issued_cycles[lines.kind == lines.kinds.index(JobKind.REQUANTIZE)]
    each, rest = divmod(len(starts), len(drained))
    assert not rest
    assert each > 1
    assert (starts[::each][2:] >= drained[:-2]).all()


@pytest.mark.parametrize(
    ("dataflow", "overrides", "field", "message"),
    [
        (
            INPUT,
            ("arrays.0.modes=[[8, 4]]",),
            "arrays.0.modes",
            r"no mode serves 4 .* 8 stationary bits \(input-stationary: weights stream\);",
        ),
        (INPUT, ("arrays.0.rows=256",), "buffers.weight.capacity_kib", "one slot holds 512 bits, one fold"),
        (OUTPUT, ("arrays.0.columns=256",), "buffers.weight.capacity_kib", "one slot holds 512 bits, one fold"),
        (OUTPUT, ("buffers.activation.capacity_kib=1",), "buffers.activation.capacity_kib", "one row of 'gemm' needs"),
    ],
)
def test_what_cannot_run_is_refused_with_its_field(dataflow, overrides, field, message, built):
    tight = "buffers.weight.capacity_kib=1", "buffers.weight.slots=16"
    with pytest.raises(InputError, match=message) as refused:
        build_schedule(single_gemm(300, 300, 600, 8, 4), built("plain", dataflow, *tight, *overrides))
    assert refused.value.field == field
