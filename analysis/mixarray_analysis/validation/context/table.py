"""A table of context: figures side by side, and what our machine lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mixarray.accelerator.load import load_accelerator
from mixarray.simulation import simulate
from mixarray.trace.workload import Assignment, WindowCount, Workload, build_workload
from mixarray_traces.record.graph import Precision
from mixarray_traces.record.shape import HeadShape, SwinShape
from mixarray_traces.record.topology import block_grids, build_topology

PLAIN, PACKED = "plain_int8_32x32", "packed_w4_32x32"
"""The machines that are asked."""


@dataclass(frozen=True, slots=True)
class ContextTable:
    """lacks: what the other machine has and ours has not, and the other way round, one sentence each."""

    title: str
    about: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    lacks: Sequence[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """A model at one size and precision. bits: activation bits of the branches; weight_bits: of the blocks."""

    shape: SwinShape
    height: int
    width: int
    bits: tuple[int, ...]
    weight_bits: int
    head: HeadShape = None


def simulated_cycles(asked: Asked, assignment: Assignment, accelerator: str) -> int:
    """Cycles of one image whose windows run as `assignment` says."""
    return simulate(workload_of(asked, assignment), load_accelerator(accelerator)).execution.total_cycles


def workload_of(asked: Asked, assignment: Assignment) -> Workload:
    """What one image makes a machine compute."""
    precision = Precision(branch_bits=asked.bits, weight_bits=asked.weight_bits)
    topology = build_topology(asked.shape, asked.height, asked.width, asked.head, precision)
    return build_workload(asked.shape.name, topology, assignment, asked.shape.window**2)


def all_windows(asked: Asked, bits: int) -> Mapping[tuple[int, int], tuple[WindowCount, ...]]:
    """Every window at `bits`."""
    grids = block_grids(asked.shape, asked.height, asked.width)
    return {block: (WindowCount(bits, grid.windows, grid.tokens),) for block, grid in grids.items()}
