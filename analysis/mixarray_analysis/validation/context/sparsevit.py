"""SparseViT's measured latency of pruned windows, beside our cycles at the same pruning and at equal bit operations."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from typing import Annotated

from pydantic import BeforeValidator

from mixarray.cost.rows import Status, Text
from mixarray.trace.workload import Assignment, WindowCount
from mixarray_analysis.validation.context.table import (
    PACKED,
    PLAIN,
    Asked,
    ContextTable,
    all_windows,
    simulated_cycles,
    workload_of,
)
from mixarray_analysis.validation.published.figure import Sourced, read_published
from mixarray_analysis.validation.published.windows_of_shares import choose_windows
from mixarray_traces.record.shape import shape_named
from mixarray_traces.record.topology import block_grids

SIZE = (672, 672)
PRUNED = Asked(shape_named("swin_t"), *SIZE, (8,), 8)
MIXED = Asked(shape_named("swin_t"), *SIZE, (8, 4), 4)
LACKS = (
    "The A6000 is a GPU in FP16 at batch 4 with many cores, caches and kernel launches; ours is one array with one "
    "vector unit in INT8 at batch 1.",
    "SparseViT gathers, scatters and sorts windows on the GPU; ours charges what the accelerator file says "
    "(`mixed_precision`).",
    "The measured latencies are means of a whole backbone; ours are cycles of one image.",
    "Low windows are no pruned windows: the last column shows what the same bit operations come to when the work is "
    "kept at 4 bits instead of left out.",
)


class LatencyRow(Sourced):
    """A measured configuration: pruned windows of each block pair in tenths, and latency; source and status are theirs.

    mac_ratio: its MACs over the dense model's, which nobody printed; mac_from, mac_status: how we know it.
    """

    tenths: Annotated[tuple[int, ...], BeforeValidator(lambda cell: tuple(int(part) for part in str(cell).split()))]
    latency_ms: float
    mac_ratio: str
    mac_from: Text
    mac_status: Status


@cache
def latency_rows() -> tuple[LatencyRow, ...]:
    """Every measured configuration, the dense one first."""
    return read_published("sparsevit_latency.csv", LatencyRow)


def sparsevit_table() -> ContextTable:
    """All configurations; simulates Swin-T at 672x672 px eight times."""
    rows = latency_rows()
    return ContextTable(
        "Pruned windows: SparseViT on an RTX A6000",
        f"Swin-T at {SIZE[0]}x{SIZE[1]} px, everything over the dense model. Pruned: W8A8 on `{PLAIN}`. "
        f"Low instead of pruned: W4A8 with a share of W4A4 windows of equal bit operations on `{PACKED}`. "
        f"Source of ratios and latencies: {rows[0].source} ({rows[0].status}). SparseViT prints no MACs; those beside "
        f"ours are {rows[0].mac_status}: {rows[0].mac_from}.",
        ("pruned, tenths by pair", "measured latency", "MACs, derived", "our MACs", "cycles, pruned", "cycles, low"),
        tuple(_cells(rows)),
        LACKS,
    )


def _cells(rows: tuple[LatencyRow, ...]) -> Iterator[tuple[str, ...]]:
    dense_ms = rows[0].latency_ms
    dense = workload_of(PRUNED, all_windows(PRUNED, 8))
    dense_macs = sum(op.macs for op in dense.operators if op.operator.in_block)
    dense_cycles = simulated_cycles(PRUNED, all_windows(PRUNED, 8), PLAIN)
    high_cycles = simulated_cycles(MIXED, all_windows(MIXED, 8), PACKED)
    for row in rows:
        pruned = pruned_windows(row.tenths)
        macs = sum(op.macs for op in workload_of(PRUNED, pruned).operators if op.operator.in_block)
        cost = Fraction(macs, dense_macs)
        yield (
            " ".join(str(tenths) for tenths in row.tenths),
            f"{row.latency_ms / dense_ms:.3f}",
            row.mac_ratio,
            f"{float(cost):.3f}",
            f"{simulated_cycles(PRUNED, pruned, PLAIN) / dense_cycles:.3f}",
            f"{simulated_cycles(MIXED, _low(cost), PACKED) / high_cycles:.3f}",
        )


def pruned_windows(tenths: tuple[int, ...]) -> Assignment:
    """SparseViT keeps `windows * (10 - tenths) // 10` windows of a block."""
    depths = PRUNED.shape.depths
    pairs = [(stage, pair) for stage, depth in enumerate(depths) for pair in range((depth + 1) // 2)]
    found: dict[tuple[int, int], tuple[WindowCount, ...]] = {}
    for (stage, block), grid in block_grids(PRUNED.shape, *SIZE).items():
        kept = grid.windows * (10 - tenths[pairs.index((stage, block // 2))]) // 10
        tokens = grid.tokens // grid.windows
        counts = (
            WindowCount(8, kept, kept * tokens),
            WindowCount(0, grid.windows - kept, (grid.windows - kept) * tokens),
        )
        found[stage, block] = tuple(count for count in counts if count.windows)
    return found


def _low(cost: Fraction) -> Assignment:
    """As many 4-bit windows, the same share in all blocks, as bring the bit operations to `cost`."""
    share = 2 * (1 - cost)
    return choose_windows(MIXED.shape, SIZE, lambda block: (share, Fraction(0)), (8, 4), random.Random(0)).assignment
