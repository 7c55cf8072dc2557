"""What must hold for every mapping: monotone in bandwidth and bits, no gain without a mechanism, slots obeyed."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from mixarray.engine.attribution import attribute
from mixarray.engine.event import run_event
from mixarray.errors import InputError
from mixarray.mapping.build import build_schedule
from mixarray.mapping.schedule import JobKind
from mixarray.trace.workload import single_gemm

SMALL = ("arrays.0.rows=8", "arrays.0.columns=8", "buffers.activation.capacity_kib=8", "buffers.weight.capacity_kib=2")


def cycles(workload, accelerator):
    return run_event(build_schedule(workload, accelerator), len(workload.operators)).total_cycles


@pytest.mark.parametrize("array", [(), SMALL])
def test_plain_int8_gives_no_gemm_fewer_array_cycles_at_any_ratio(array, machine, block):
    accelerator = machine("plain", *array, ideal_memory=True)
    base = run_event(build_schedule(block(10, 2, 0), accelerator), 18).operators
    for low in range(1, 11):
        mixed = run_event(build_schedule(block(10, 2, low), accelerator), 18).operators
        for before, after in zip(base, mixed, strict=True):
            assert after.busy_cycles.get((0, JobKind.STREAM), 0) >= before.busy_cycles.get((0, JobKind.STREAM), 0)


@pytest.mark.parametrize(("array", "ideal"), list(itertools.product([(), SMALL], [False, True])))
def test_uniform_runs_never_lose_from_fewer_bits(array, ideal, machine, block):
    accelerator = machine("packed", *array, ideal_memory=ideal)
    assert cycles(block(10, 2, 10), accelerator) <= cycles(block(10, 2, 0), accelerator)
    for m, n, k in ((49, 96, 32), (200, 33, 65), (256, 64, 128), (1, 1, 1)):
        runs = [cycles(single_gemm(m, n, k, *bits), accelerator) for bits in ((4, 4), (8, 4), (8, 8))]
        assert runs == sorted(runs), (m, n, k)


def test_packed_gains_from_low_windows_when_memory_is_no_limit(machine, block):
    accelerator = machine("packed", *SMALL[:2], ideal_memory=True)
    runs = [cycles(block(10, 2, low, head_dim=16), accelerator) for low in (0, 5, 10)]
    assert runs[0] > runs[1] > runs[2]


@pytest.mark.parametrize("style", ["packed", "plain"])
def test_more_bandwidth_never_adds_cycles(style, machine, block):
    rates = (8, 24, 64, 192, 1024, 10**6)
    runs = [cycles(block(8, 2, 3), machine(style, *SMALL, f"dram_channels.0.bits_per_cycle={rate}")) for rate in rates]
    assert runs == sorted(runs, reverse=True)
    assert runs[0] > runs[-1]


def test_better_weight_loading_never_adds_cycles(machine, block):
    runs = [
        cycles(block(8, 2, 3), machine("packed", *SMALL, f"arrays.0.weight_loading={policy}"))
        for policy in ("serial", "single", "double")
    ]
    assert runs[0] > runs[1] > runs[2]


@pytest.mark.parametrize("slots", [1, 2, 3])
def test_accumulator_and_weight_slots_are_never_exceeded(slots, machine):
    accelerator = machine(
        "plain", "arrays.0.rows=8", "arrays.0.columns=8", f"buffers.accumulator.slots={slots}",
        "buffers.accumulator.capacity_kib=2", f"buffers.weight.slots={slots}", "buffers.weight.capacity_kib=1",
    )  # fmt: skip
    schedule = build_schedule(single_gemm(120, 64, 32, 8, 8), accelerator)
    timeline = run_event(schedule, 1, with_timeline=True).timeline
    kinds = np.array([kind.value for kind in timeline.kinds])[timeline.kind]

    def rows(kind):
        chosen = kinds == kind
        return timeline.start_cycles[chosen], timeline.issued_cycles[chosen], timeline.ready_cycles[chosen]

    folds = 32 // 8
    stream_start, loads_ready = rows(JobKind.STREAM)[0][::folds], rows(JobKind.ARRAY_LOAD)[2]
    drained = rows(JobKind.REQUANTIZE)[1]
    assert len(stream_start) == len(drained) > 8
    assert (stream_start[slots:] >= drained[:-slots]).all()
    fetched = rows(JobKind.DRAM_LOAD_WEIGHT)[0]
    assert len(fetched) == len(stream_start)
    assert (fetched[slots:] >= loads_ready[folds - 1 :: folds][:-slots]).all()


def test_attribution_of_a_block_covers_its_run(machine, block):
    workload = block(6, 2, 2)
    schedule = build_schedule(workload, machine("packed"))
    run = run_event(schedule, len(workload.operators), with_timeline=True)
    assert sum(attribute(schedule, run.timeline).cycles.values()) == run.total_cycles


def test_unserved_bits_are_a_config_error(machine):
    with pytest.raises(InputError, match="no mode serves"):
        build_schedule(single_gemm(4, 4, 4, 16, 8), machine("plain"))


def test_a_row_that_fits_no_slot_is_named(machine):
    with pytest.raises(InputError, match=r"buffers\.activation\.capacity_kib"):
        build_schedule(single_gemm(4, 4, 5000, 8, 8), machine("plain", "buffers.activation.capacity_kib=8"))
