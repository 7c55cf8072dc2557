"""Bit operations as MixA-Q publishes them, the promise that a simulation is held against.

Its tables fit one reading only (methods 1b): linear in the activation bits, also for the products of two activations,
with a constant weight factor, over the transformer blocks alone. Here they are counted from the rows that really ran,
never from nominal ratios, at the bits that really stream, and the constant factor is left out: it cancels in every
speedup. Where weights have other bits layer by layer it does not cancel: `weighted_bops` counts them in.
"""

from __future__ import annotations

from collections.abc import Callable

from mixarray.errors import InputError
from mixarray.trace.workload import Group, Workload


def bops(workload: Workload) -> int:
    """MACs of the blocks times activation bits, in bit operations per weight bit (scope `bops_blocks`)."""
    return _counted(workload, lambda group: group.stream_bits)


def weighted_bops(workload: Workload) -> int:
    """MACs of the blocks times the bits of both operands: one of them a weight, or, in QK^T and AV, both activations.

    Ours, beside the published count, for models whose layers differ in weight bits.
    """
    return _counted(workload, lambda group: group.stream_bits * group.stationary_bits)


def bops_speedup(workload: Workload, reference: Workload) -> float:
    """BOPs of `reference` over those of `workload`; InputError if the workload has none."""
    own = bops(workload)
    if own == 0:
        raise InputError(workload.name, "has no GEMM in a transformer block, so it has no BOPs speedup")
    return bops(reference) / own


def _counted(workload: Workload, bits_of: Callable[[Group], int]) -> int:
    total = 0
    for grouped in workload.operators:
        op = grouped.operator
        if op.in_block:
            total += sum(g.batch * g.rows * bits_of(g) for g in grouped.groups) * op.n * op.k
    return total
