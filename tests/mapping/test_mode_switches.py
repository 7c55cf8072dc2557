"""Mode switches: counted by closed forms, by hand, and by walking the rows as they stream."""

from __future__ import annotations

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.engine.event import run_event
from mixarray.mapping import array_work
from mixarray.mapping.build import build_schedule
from mixarray.mapping.schedule import JobKind
from mixarray.mapping.switches import with_switches
from mixarray.mapping.units import array_units

PACKED = "packed_w4_32x32"
SHAPE = (100, 40, 96, 160)
"""(rows, those at 4 bits, N, K): 3 columns of the array with 3 folds of 64 values of K each; one stripe has all."""
FOLDS = 3 * 3


def jobs_of(schedule, unit=0):
    """Streams and switches of an array, in order."""
    bodies = [segment.jobs(number) for segment in schedule.segments for number in range(segment.repeat)]
    kinds = JobKind.STREAM, JobKind.MODE_SWITCH
    return [job for body in bodies for job in body if job.unit == unit and job.kind in kinds]


def count(jobs):
    return sum(job.kind is JobKind.MODE_SWITCH for job in jobs)


@pytest.mark.parametrize(
    ("settings", "switches"),
    [
        ((), 2 * FOLDS - 1),  # inside each stream, and between streams: the next one begins with the other mode
        (("mapping.border_tiles=own",), 1),  # the high rows are a tile of their own, then the low ones
        (("mapping.group_order=sequential",), 1),
    ],
)
def test_switches_of_one_gemm_by_closed_form(settings, switches, mixed_gemm):
    schedule = build_schedule(mixed_gemm(*SHAPE), load_accelerator(PACKED, settings))
    assert count(jobs_of(schedule)) == switches


@pytest.mark.parametrize(("low", "name"), [(0, PACKED), (100, PACKED), (40, "plain_int8_32x32")])
def test_rows_of_one_mode_never_switch(low, name, mixed_gemm):
    assert count(jobs_of(build_schedule(mixed_gemm(100, low, 96, 160), load_accelerator(name)))) == 0


def test_arrays_of_one_mode_each_never_switch(block):
    machine = load_accelerator("decoupled_int8_int4")
    schedule = build_schedule(block(12, 2, 5), machine)
    assert [count(jobs_of(schedule, array_units(array).array)) for array in (0, 1)] == [0, 0]


@pytest.mark.parametrize("order", ["sequential", "weight_resident"])
@pytest.mark.parametrize("border", ["own", "shared"])
def test_every_change_of_mode_has_a_switch_before_its_rows(order, border, block):
    """Walks the rows in the order in which they stream; knows nothing of tiles."""
    settings = "arrays.0.rows=8", "arrays.0.columns=8", f"mapping.group_order={order}", f"mapping.border_tiles={border}"
    jobs = jobs_of(build_schedule(block(12, 2, 5), load_accelerator(PACKED, settings)))
    assert count(jobs) > 10
    mode, waiting = None, 0
    for job in jobs:
        if job.kind is JobKind.MODE_SWITCH:
            waiting += 1
            continue
        modes = [product.mode_bits for product in job.products]
        needed = sum(before != after for before, after in zip([mode or modes[0], *modes], modes, strict=False))
        assert waiting == needed
        mode, waiting = modes[-1], 0
    assert waiting == 0


def test_a_switch_takes_the_array_as_long_as_configured(mixed_gemm):
    """One GEMM whose array never waits, but for its first tile: every other switch makes it 7 cycles longer."""
    fast = "dram_channels.0.bits_per_cycle=1000000", "dram_channels.0.latency_cycles=0", "vector_units.0.lanes=4096"
    still, pausing = (
        run_event(
            build_schedule(
                mixed_gemm(*SHAPE), load_accelerator(PACKED, [*fast, f"mixed_precision.mode_switch_cycles={cycles}"])
            ),
            1,
        )
        for cycles in (0, 7)
    )
    assert pausing.busy_cycles[0, JobKind.MODE_SWITCH] == 7 * (2 * FOLDS - 1)
    assert pausing.total_cycles - still.total_cycles == 7 * (2 * FOLDS - 2)
    assert (pausing.actions, pausing.macs, pausing.jobs) == (still.actions, still.macs, still.jobs)


def test_switches_in_order_by_hand(mixed_gemm, monkeypatch):
    """Jobs of the first column, in order: load, pause inside, stream; then load, pause before, pause inside, stream."""
    schedule = build_schedule(mixed_gemm(*SHAPE), load_accelerator(PACKED))
    kinds = [
        job.kind
        for segment in schedule.segments
        for number in range(segment.repeat)
        for job in segment.jobs(number)
        if job.kind in (JobKind.ARRAY_LOAD, JobKind.STREAM, JobKind.MODE_SWITCH)
    ]
    load, pause, stream = JobKind.ARRAY_LOAD, JobKind.MODE_SWITCH, JobKind.STREAM
    assert kinds == [load, pause, stream] + [load, pause, pause, stream] * (FOLDS - 1)
    monkeypatch.setattr(array_work, "with_switches", lambda shop, steps, mode: with_switches(shop, steps, None))
    forgetful = build_schedule(mixed_gemm(*SHAPE), load_accelerator(PACKED))
    assert count(jobs_of(forgetful)) < 2 * FOLDS - 1  # an array that forgets its mode between stripes is noticed
