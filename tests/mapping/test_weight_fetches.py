"""An operator with nothing to hide behind fetches its weights in parts: the same bits, never later, never too early."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mixarray.mapping.weights
from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.styles import legal_pairs
from mixarray.engine.event import run_event
from mixarray.mapping.build import build_schedule
from mixarray.mapping.emitter import Emitter
from mixarray.mapping.jobs import Shop
from mixarray.mapping.schedule import JobKind
from mixarray.mapping.units import DRAM
from mixarray.trace.workload import single_gemm
from mixarray_analysis.validation.checker import first_violation

PRESETS = {"bricks16": "bricks16_16x32", "packed_w4": "packed_w4_32x32", "plain": "plain_int8_32x32"}
LEGAL = [(PRESETS[style.name], dataflow) for style, dataflow, reason in legal_pairs() if reason is None]
SIZES = st.tuples(st.integers(1, 120), st.integers(1, 300), st.integers(1, 60))
MACHINES = st.builds(
    lambda pair, rows, columns, rate, kib, slots, burst: load_accelerator(
        pair[0],
        [
            f"arrays.0.dataflow={pair[1]}",
            f"arrays.0.rows={rows}",
            f"arrays.0.columns={columns}",
            f"dram_channels.0.bits_per_cycle={rate}",
            f"dram_channels.0.burst_bits={burst}",
            f"buffers.accumulator.capacity_kib={kib}",
            f"buffers.weight.slots={slots}",
        ],
    ),
    st.sampled_from(LEGAL),
    st.sampled_from((4, 8, 16)),
    st.sampled_from((4, 8, 16)),
    st.sampled_from((8, 24, "1024/5", 10**6)),
    st.sampled_from((4, 64)),
    st.sampled_from((1, 2, 3)),
    st.sampled_from((1, 256, 4096)),
)


def run_of(workload, machine):
    return run_event(build_schedule(workload, machine), len(workload.operators), with_timeline=True)


def in_one_piece(plan, cuts):
    return [(plan.weight_bits, 1)]


def jobs_of(run, kind):
    """(start, ready) of all jobs of a kind in order."""
    lines = run.timeline
    chosen = lines.kind == lines.kinds.index(kind)
    return lines.start_cycles[chosen], lines.ready_cycles[chosen]


@given(MACHINES, st.lists(st.integers(1, 5000), min_size=1, max_size=6))
def test_parts_together_are_the_transfer(machine, parts):
    shop, kind = Shop(machine), JobKind.DRAM_LOAD_WEIGHT
    whole = shop.dram_load(kind, 0, sum(parts))
    jobs = [shop.dram_load(kind, 0, bits, sum(parts[:number])) for number, bits in enumerate(parts)]
    assert sum(job.occupancy_cycles for job in jobs) == whole.occupancy_cycles
    assert {job.latency_cycles for job in jobs} == {whole.latency_cycles}
    for action, count in whole.actions:
        assert sum(dict(job.actions).get(action, 0) for job in jobs) == count
    # the bits of a part have arrived when it ends
    for number in range(len(parts)):
        came = sum(job.occupancy_cycles for job in jobs[: number + 1]) * machine.dram_channels[0].bits_per_cycle
        assert came >= sum(parts[: number + 1])


@given(MACHINES, SIZES, st.sampled_from(((4, 4), (8, 4), (8, 8))))
@settings(max_examples=120)
def test_parts_never_add_a_cycle_and_move_the_same_bits(machine, size, bits):
    found = run_of(single_gemm(*size, *bits), machine)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mixarray.mapping.weights, "whole_fetch", in_one_piece)
        before = run_of(single_gemm(*size, *bits), machine)
    assert found.total_cycles <= before.total_cycles
    assert (found.actions, found.macs) == (before.actions, before.macs)
    assert found.busy_cycles[DRAM, JobKind.DRAM_LOAD_WEIGHT] == before.busy_cycles[DRAM, JobKind.DRAM_LOAD_WEIGHT]


@pytest.mark.parametrize("dataflow", ["weight_stationary", "output_stationary"])
def test_iterations_that_wait_for_a_part_are_not_taken_for_repetitions(dataflow, machine):
    accelerator = machine("plain", f"arrays.0.dataflow={dataflow}", "arrays.0.rows=8", "arrays.0.columns=8")
    workload = single_gemm(8, 48 * 8, 16, 8, 8)  # 48 equal columns of the array, in parts of 1, 2, 4, 8, 16, 17
    found = build_schedule(workload, accelerator)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Emitter, "settled", lambda self: False)
        assert build_schedule(workload, accelerator) == found


@given(MACHINES, SIZES)
@settings(max_examples=80)
def test_every_timeline_obeys_with_and_without_repeating_iterations(machine, size):
    workload = single_gemm(*size, 8, 4)
    schedule = build_schedule(workload, machine)
    run = run_event(schedule, 1, with_timeline=True)
    assert first_violation(schedule, run.timeline) == ""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Emitter, "settled", lambda self: False)
        walked = run_of(workload, machine)
    assert (walked.total_cycles, walked.actions) == (run.total_cycles, run.actions)


@pytest.mark.parametrize(
    ("dataflow", "kind", "each"),
    [("weight_stationary", JobKind.ARRAY_LOAD, 3), ("output_stationary", JobKind.STREAM, 5)],
)
def test_a_fold_waits_only_for_the_part_that_holds_its_weights(dataflow, kind, each, machine):
    slow = "dram_channels.0.bits_per_cycle=4"
    accelerator = machine("plain", f"arrays.0.dataflow={dataflow}", slow, "arrays.0.rows=8", "arrays.0.columns=8")
    # 9 columns of the array, K = 3 folds, 40 rows = 5 folds (of output-stationary): all in one tile
    run = run_of(single_gemm(40, 72, 24, 8, 8), accelerator)
    arrived, (reads, _) = jobs_of(run, JobKind.DRAM_LOAD_WEIGHT)[1], jobs_of(run, kind)
    part_of_column = [0, 1, 1, 2, 2, 2, 2, 3, 3]
    assert len(arrived) == 4
    assert len(reads) == 9 * each
    assert (reads >= np.repeat(arrived[part_of_column], each)).all()
    first = [part_of_column.index(part) * each for part in range(3)]  # the last also waits until results are stored
    assert list(reads[first]) == list(arrived[:3])  # memory is slow: each part is read as soon as it is there


def test_columns_of_the_weights_of_an_input_stationary_array_stream_as_they_come(machine):
    sums = "buffers.accumulator.capacity_kib=4", "buffers.accumulator.slots=2"  # 16 columns of N by 32 rows
    accelerator = machine("plain", "arrays.0.dataflow=input_stationary", *sums, "dram_channels.0.bits_per_cycle=16")
    run = run_of(single_gemm(20, 112, 64, 8, 8), accelerator)
    arrived, (streams, _) = jobs_of(run, JobKind.DRAM_LOAD_WEIGHT)[1], jobs_of(run, JobKind.STREAM)
    assert len(streams) == 7 * 2
    assert list(streams[[0, 2, 6]]) == list(arrived)


def test_what_is_fetched_behind_another_operator_stays_one_transfer(machine, layers):
    run = run_of(layers(3, 64, 96), machine("plain"))
    fetches = run.timeline.kind == run.timeline.kinds.index(JobKind.DRAM_LOAD_WEIGHT)
    _, counts = np.unique(run.timeline.operator[fetches], return_counts=True)
    assert list(counts) == [2, 1, 1]  # three columns of the array: one and two; then whole operators


def test_operators_that_take_turns_in_one_slot_all_come_in_parts(machine, layers):
    run = run_of(layers(3, 64, 96), machine("plain", "buffers.weight.slots=1"))
    fetches = run.timeline.kind == run.timeline.kinds.index(JobKind.DRAM_LOAD_WEIGHT)
    _, counts = np.unique(run.timeline.operator[fetches], return_counts=True)
    assert list(counts) == [2, 2, 2]
