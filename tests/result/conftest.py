"""Shared by the tests of the timeline: a small Swin that ran with its times kept."""

from __future__ import annotations

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.simulation import Simulation, simulate
from mixarray.trace.ratio import group_sizes
from mixarray.trace.workload import WindowCount, build_workload
from mixarray_traces.record.shape import DetectionShape, SwinShape
from mixarray_traces.record.topology import block_grids, build_topology


@pytest.fixture(scope="session")
def toy() -> SwinShape:
    return SwinShape("toy", channels=(32, 64), depths=(2, 2), heads=(1, 2))


@pytest.fixture(scope="session")
def swin(toy: SwinShape) -> Simulation:
    """A small Swin detector at 112x112 with 400 thousandths of its windows at 4 bits."""
    assignment = {}
    for place, grid in block_grids(toy, 112, 112).items():
        high, _, _ = group_sizes(grid.windows, 400)
        tokens = grid.window_tokens()
        counts = (8, high, sum(tokens[:high])), (4, grid.windows - high, sum(tokens[high:]))
        assignment[place] = tuple(WindowCount(*count) for count in counts)
    topology = build_topology(toy, 112, 112, DetectionShape(channels=64, hidden_channels=64, outputs=14))
    machine = load_accelerator("packed_w4_32x32")
    return simulate(build_workload(toy.name, topology, assignment, toy.window**2), machine, timeline=True)
