"""What the borders between groups cost: by hand, against the Schedules themselves, and nothing in a uniform run."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixarray.accelerator.load import load_accelerator
from mixarray.choosing import chooser, preference
from mixarray.engine.event_counts import variants
from mixarray.mapping import remainders as module
from mixarray.mapping.build import build_schedule
from mixarray.mapping.remainders import remainders
from mixarray.mapping.schedule import JobKind

OWN = "mapping.border_tiles=own"


def two_groups(mixed_gemm, high: int, low: int, n: int, k: int):
    """A linear layer with so many rows at 8 and at 4 bits."""
    return mixed_gemm(high + low, low, n, k)


def spent(schedule, kind: JobKind) -> tuple[int, int]:
    """Jobs of a kind, and their cycles."""
    count = cycles = 0
    for segment in schedule.segments:
        for jobs, times in variants(segment):
            for job in jobs:
                if job.kind is kind:
                    count, cycles = count + times, cycles + times * job.occupancy_cycles
    return count, cycles


def fetched(schedule) -> int:
    """Bits of weights that come from DRAM."""
    loads = (
        {action.name: n for action, n in job.actions}["read_bits"] * times
        for segment in schedule.segments
        for jobs, times in variants(segment)
        for job in jobs
        if job.kind is JobKind.DRAM_LOAD_WEIGHT
    )
    return sum(loads)


def test_tiles_of_their_own_by_hand(mixed_gemm, machine):
    """300 high and 100 low rows: 2 + 1 tiles, 2 would be enough. K = 128 is 2 folds, N = 64 is 2.

    A tile has 256 rows: what an accumulator slot holds of 32 columns, 32 KiB / (32 x 4 bytes).
    """
    found = remainders(two_groups(mixed_gemm, 300, 100, 64, 128), machine("packed", OWN))
    assert [(one.tiles, one.least_tiles, one.folds, one.cycles, one.weight_bits) for one in found] == [
        (3, 2, 4, 4 * 32, 0)  # all weights stay in their buffer
    ]


def test_tiles_that_fetch_their_weights_by_hand(mixed_gemm, machine):
    """512 x 512 weights of 4 bits are twice a slot: every tile of rows fetches all of them."""
    found = remainders(two_groups(mixed_gemm, 300, 100, 512, 512), machine("packed", OWN))
    assert [(one.tiles - one.least_tiles, one.folds, one.weight_bits) for one in found] == [(1, 16 * 8, 512 * 512 * 4)]


def test_two_groups_that_fill_their_tiles_leave_nothing(mixed_gemm, machine):
    found = remainders(two_groups(mixed_gemm, 512, 256, 64, 128), machine("packed", OWN))
    assert [(one.tiles, one.least_tiles, one.folds, one.cycles) for one in found] == [(3, 3, 0, 0)]


@pytest.mark.parametrize("order", ["weight_resident", "sequential"])
def test_groups_that_follow_each_other_whole_share_no_tile(order, mixed_gemm, machine):
    found = remainders(two_groups(mixed_gemm, 300, 100, 64, 128), machine("packed", f"mapping.group_order={order}"))
    assert sum(one.folds for one in found) == (4 if order == "sequential" else 0)


def saved_by_sharing(workload) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """(loads, cycles of loads, bits of weights) of the remainders, and those that shared tiles really save."""
    burst = "dram_channels.0.burst_bits=1"
    shared, own = (load_accelerator("packed_w4_32x32", (burst, *more)) for more in ((), (OWN,)))
    found = remainders(workload, own)
    counted = tuple(sum(values) for values in zip(*((r.folds, r.cycles, r.weight_bits) for r in found), strict=True))
    less, more = (build_schedule(workload, accelerator) for accelerator in (shared, own))
    loads = zip(spent(more, JobKind.ARRAY_LOAD), spent(less, JobKind.ARRAY_LOAD), strict=True)
    return counted, (*(ours - theirs for ours, theirs in loads), fetched(more) - fetched(less))


ROWS = st.integers(1, 700)


@given(ROWS, ROWS, st.sampled_from([32, 96, 512]), st.sampled_from([64, 192, 512]))
@settings(max_examples=15, deadline=None)
def test_they_are_what_shared_tiles_save(mixed_gemm, high, low, n, k):
    counted, saved = saved_by_sharing(two_groups(mixed_gemm, high, low, n, k))
    assert counted == saved
    assert remainders(two_groups(mixed_gemm, high, low, n, k), load_accelerator("packed_w4_32x32", ())) == ()


def test_tiles_that_are_taken_for_full_would_be_noticed(mixed_gemm, monkeypatch):
    """The planted fault: a tile that ends at a border counts as full, so joining it with others saves none."""
    workload = two_groups(mixed_gemm, 300, 100, 512, 512)
    counted, saved = saved_by_sharing(workload)
    assert counted == saved != (0, 0, 0)
    filled = module._filled
    monkeypatch.setattr(
        module, "_filled", lambda rows, places: (filled(rows, places)[0], Fraction(filled(rows, places)[0]))
    )
    counted, saved = saved_by_sharing(workload)
    assert counted != saved


@pytest.mark.parametrize(("high", "low", "folds"), [(33, 31, 2), (32, 32, 0), (40, 8, 2), (20, 20, 0)])
def test_output_stationary_groups_never_share_a_fold(high, low, folds, mixed_gemm):
    """32 rows fill the array: 33 and 31 need three folds, two would do; twice for N = 64, K = 128 steps each."""
    accelerator = load_accelerator("plain_int8_os_32x32", ())
    found = remainders(two_groups(mixed_gemm, high, low, 64, 128), accelerator)
    assert [(one.folds, one.cycles) for one in found] == [(folds, folds * 128)]


@pytest.mark.parametrize(("style", "flow"), [("packed", "weight_stationary"), ("plain", "input_stationary")])
@pytest.mark.parametrize("border", ["shared", "own"])
def test_one_group_has_no_remainder(style, flow, border, mixed_gemm, machine):
    accelerator = machine(style, f"arrays.0.dataflow={flow}", f"mapping.border_tiles={border}")
    assert remainders(two_groups(mixed_gemm, 300, 0, 64, 128), accelerator) == ()


def test_an_input_stationary_array_loads_rows(mixed_gemm, machine):
    """33 and 31 rows on 32 columns: 3 pieces where 2 would do, each through K / 32 folds."""
    accelerator = machine("plain", "arrays.0.dataflow=input_stationary", OWN)
    (found,) = remainders(two_groups(mixed_gemm, 33, 31, 64, 128), accelerator)
    assert (found.folds, found.cycles) == (4, 4 * (32 + 64))


def test_groups_on_arrays_of_their_own_cannot_share(mixed_gemm):
    for border in ("shared", "own"):
        accelerator = load_accelerator("decoupled_int8_int4", (f"mapping.border_tiles={border}",))
        assert remainders(two_groups(mixed_gemm, 33, 31, 64, 128), accelerator) == ()


@pytest.mark.parametrize("border", ["shared", "own"])
def test_a_search_that_chooses_the_tiles(border, mixed_gemm, machine):
    """Choices have tiles of their own; their remainder is counted in these."""
    accelerator = machine("packed", "mapping.search=exhaustive", f"mapping.border_tiles={border}")
    workload = two_groups(mixed_gemm, 33, 31, 64, 128)
    found = remainders(workload, accelerator, chooser(accelerator), preference(accelerator))
    assert bool(found) == (border == "own")
    assert all(one.tiles >= one.least_tiles >= 1 for one in found)
