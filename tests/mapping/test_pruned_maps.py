"""Bypassed windows: their rows are never moved, so the maps before and behind a block must be one memory."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixarray.accelerator.load import load_accelerator
from mixarray.engine.event_counts import variants
from mixarray.mapping import build
from mixarray.mapping.build import build_schedule, plan_workload
from mixarray.mapping.own_work import bypassed_maps, with_copies
from mixarray.mapping.schedule import Action, JobKind
from mixarray.trace.model import OperatorKind, Role
from mixarray.trace.workload import WindowCount, Workload, build_workload
from mixarray_traces.record.shape import SwinShape
from mixarray_traces.record.topology import block_grids, build_topology

STATE_BITS = 16
WRITTEN = Action("dram_channels.0", "write_bits")


def network(shape: SwinShape, side: int, pruned: dict[tuple[int, int], float]) -> Workload:
    """A Swin of side x side px with this share of the windows of each block pruned, the others half high, half low."""
    assignment = {}
    for place, grid in block_grids(shape, side, side).items():
        tokens, gone = grid.window_tokens(), round(pruned.get(place, 0) * grid.windows)
        kept = grid.windows - gone
        cuts = (8, 0, kept - kept // 2), (4, kept - kept // 2, kept), (0, kept, grid.windows)
        counts = (WindowCount(bits, end - start, sum(tokens[start:end])) for bits, start, end in cuts)
        assignment[place] = tuple(count for count in counts if count.windows)
    return build_workload("small", build_topology(shape, side, side), assignment, 49)


def machine(*overrides: str):
    return load_accelerator("packed_w4_32x32", ("dram_channels.0.burst_bits=1", *overrides))


def incomplete(workload: Workload, accelerator) -> list[str]:
    """Maps of which some rows are neither on the chip nor in DRAM when the block that makes them has run.

    Rows that a block does not write are where the map before the block has them: only there.
    """
    resident = plan_workload(workload, accelerator).resident
    stored: dict[int, int] = {}
    for segment in build_schedule(workload, accelerator).segments:
        for jobs, times in variants(segment):
            for job in jobs:
                if job.kind in (JobKind.DRAM_STORE, JobKind.DRAM_STORE_COPY):
                    stored[job.operator] = stored.get(job.operator, 0) + dict(job.actions).get(WRITTEN, 0) * times
    on_chip: dict[int, int] = {}
    in_dram: dict[int, int] = {}
    missing, source, read = [], -1, {entry.tensor for g in workload.operators for entry in g.operator.inputs}
    for number, grouped in enumerate(with_copies(workload, accelerator.mixed_precision).operators):
        op = grouped.operator
        size = op.m * op.n * STATE_BITS
        if op.kind is OperatorKind.GATHER:
            source = op.inputs[0].tensor
        moved = sum(group.rows for group in grouped.groups) * op.n * STATE_BITS
        stays = size - moved if op.kind is OperatorKind.SCATTER else 0
        chip, dram = (moved, 0) if op.output in resident else (0, stored.get(number, 0))
        on_chip[op.output] = chip + (stays if on_chip.get(source) == size else 0)
        in_dram[op.output] = dram + (stays if in_dram.get(source) == size else 0)
        if op.kind is OperatorKind.SCATTER:
            wanted = on_chip if op.output in resident and op.output in read else in_dram
            if wanted[op.output] < size:
                missing.append(op.name)
    return missing


SHAPES = st.builds(
    lambda channels, depths: SwinShape("s", tuple(channels[: len(depths)]), tuple(depths), (1, 2)[: len(depths)]),
    st.sampled_from([(32, 64), (16, 32)]),
    st.lists(st.sampled_from([2, 4]), min_size=1, max_size=2),
)


@given(SHAPES, st.sampled_from([56, 112]), st.data(), st.sampled_from([8, 16, 32, 64, 96, 128, 512]))
@settings(max_examples=25, deadline=None)
def test_every_result_is_whole_whatever_stays_on_the_chip(shape, side, data, capacity_kib):
    places = [(stage, block) for stage, depth in enumerate(shape.depths) for block in range(depth)]
    pruned = {place: data.draw(st.sampled_from([0, 0.25, 0.5, 1])) for place in places}
    choice = data.draw(st.sampled_from(["bypass", "copy"]))
    size = f"buffers.activation.capacity_kib={capacity_kib}"
    accelerator = machine(size, f"mixed_precision.pruned_windows={choice}")
    assert incomplete(network(shape, side, pruned), accelerator) == []


TWO_STAGES = SwinShape("small", channels=(32, 64), depths=(2, 2), heads=(1, 2))
QUARTER = {(stage, block): 0.25 for stage in range(2) for block in range(2)}


def test_maps_that_are_decided_apart_are_noticed(monkeypatch):
    """The planted fault: every map by itself. The result of this network then lacks the rows of its pruned windows."""
    workload = network(TWO_STAGES, 112, QUARTER)
    assert incomplete(workload, machine()) == []
    monkeypatch.setattr(build, "bypassed_maps", lambda workload: ())
    assert incomplete(workload, machine()) == ["stages.1.blocks.1.scatter"]


def test_maps_are_joined_where_rows_stay_and_nowhere_else():
    """Stage 0: both blocks; stage 1: only the second block leaves rows where they are."""
    workload = network(TWO_STAGES, 112, {(0, 0): 0.5, (0, 1): 1, (1, 1): 0.25})
    names = {tensor.tensor: tensor.name for tensor in workload.tensors.values() if tensor.role is Role.STATE}
    assert [{names[tensor] for tensor in maps} for maps in bypassed_maps(workload)] == [
        {"patch_embed.map", "stages.0.blocks.0.map", "stages.0.blocks.1.map"},
        {"stages.1.blocks.0.map", "stages.1.blocks.1.map"},
    ]
    assert bypassed_maps(network(TWO_STAGES, 112, {})) == ()
    copies = machine("mixed_precision.pruned_windows=copy").mixed_precision
    assert bypassed_maps(with_copies(workload, copies)) == ()


@pytest.mark.parametrize(("capacity_kib", "stay"), [(512, True), (64, False)])
def test_joined_maps_stay_together_or_not_at_all(capacity_kib, stay):
    """Stage 0's map has 28 x 28 x 32 values of 16 bits: 49 KiB."""
    workload = network(TWO_STAGES, 112, QUARTER)
    first = bypassed_maps(workload)[0]
    resident = plan_workload(workload, machine(f"buffers.activation.capacity_kib={capacity_kib}")).resident
    assert first & resident == (first if stay else frozenset())
