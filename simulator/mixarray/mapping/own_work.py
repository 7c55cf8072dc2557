"""What windows of different bits cost beside GEMMs: which job belongs to which item, and what the items move.

Every item is a switch of the accelerator (`mixed_precision`). The Schedule is the same whatever they say: the jobs of
an item that is free are still there, in their places and with their waits, and take no time and no energy. So freeing
an item changes its own counters and nothing else, and never lengthens a run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum
from math import isqrt

from mixarray.accelerator.choices import MixedPrecision
from mixarray.accelerator.enums import Charge, Movement, PrunedWindows
from mixarray.mapping.chain_plan import ChainPlan
from mixarray.mapping.schedule import JobKind
from mixarray.trace.model import OperatorKind, Variation
from mixarray.trace.workload import Group, GroupedOperator, Workload

PARAMETER_BITS = 16
"""A gamma or beta: those of the residual stream that LayerNorm reads (assumed)."""
SCALE_BITS = 32
"""step_x * step_w / step_y of an output channel: a fixed-point number as wide as the accumulators (assumed)."""
PARAMETERS_PER_CHANNEL = 2

COMPARE = "compare"
"""The action of comparing two scores."""
BURST = "burst"
"""The action of making the address of one burst."""

MOVING = frozenset({OperatorKind.GATHER, OperatorKind.SCATTER})


class Item(StrEnum):
    """An item of the work that mixed windows add."""

    SCORING = "scoring"
    SORTER = "sorter"
    MOVEMENT = "movement"
    MODE_SWITCHES = "mode_switches"
    BRANCH_PARAMETERS = "branch_parameters"
    PRUNED_WINDOWS = "pruned_windows"
    REMAINDERS = "remainders"


FreeJobs = frozenset[tuple[int, JobKind]]
"""(operator, kind) of jobs that take no time and no energy."""

_OF_KIND = {
    JobKind.TOKEN_MAP: Item.SCORING,
    JobKind.RANK: Item.SCORING,
    JobKind.SORT: Item.SORTER,
    JobKind.GATHER: Item.MOVEMENT,
    JobKind.SCATTER: Item.MOVEMENT,
    JobKind.MODE_SWITCH: Item.MODE_SWITCHES,
    JobKind.DRAM_LOAD_PARAMETER: Item.BRANCH_PARAMETERS,
}
_TRANSFERS = {
    (OperatorKind.TOKEN_MAP, JobKind.DRAM_LOAD_ACTIVATION): Item.SCORING,
    (OperatorKind.TOKEN_MAP, JobKind.DRAM_STORE): Item.SCORING,
    (OperatorKind.RANK, JobKind.DRAM_LOAD_ACTIVATION): Item.SCORING,
    (OperatorKind.RANK, JobKind.DRAM_STORE): Item.SORTER,
}


def item_of(kind: JobKind, operator: OperatorKind | None) -> Item | None:
    """The item that a job belongs to, by its kind and its operator's; None: work that uniform windows have as well.

    What token maps and scores read from DRAM is theirs, and the order of the windows is the sorter's. The map itself,
    on its way to a gather or from a scatter, is nobody's: the network moves it anyway.
    """
    return _OF_KIND.get(kind) or (None if operator is None else _TRANSFERS.get((operator, kind)))


def free_jobs(plans: Iterable[ChainPlan], choices: MixedPrecision) -> FreeJobs:
    """The jobs that these choices make free."""
    free = _free_items(choices)
    found: set[tuple[int, JobKind]] = set()
    for plan in plans if free else ():
        kinds = {work.operator: work.kind for work in (*plan.before, *plan.after)}
        found.update(
            (operator, kind)
            for operator in plan.chain.operators
            for kind in JobKind
            if item_of(kind, kinds.get(operator)) in free
        )
    return frozenset(found)


def _free_items(choices: MixedPrecision) -> frozenset[Item]:
    free = {
        Item.SCORING: choices.scoring is Charge.FREE,
        Item.SORTER: choices.sorting is None,
        Item.MOVEMENT: choices.movement is Movement.FREE,
        Item.BRANCH_PARAMETERS: choices.branch_parameters is Charge.FREE,
    }
    return frozenset(item for item, is_free in free.items() if is_free)


def parameter_bits(grouped: GroupedOperator, has_weights: bool) -> int:
    """What an operator loads for its groups beside the first: LayerNorm parameters, or the scales of a GEMM.

    A LayerNorm needs a gamma and a beta for each channel, a GEMM with weights one scale for each output channel. The
    set of the first group is no part of it: a uniform model has it as well.
    """
    op, further = grouped.operator, max(len(grouped.groups) - 1, 0)
    if op.kind is OperatorKind.LAYERNORM:
        return further * PARAMETERS_PER_CHANNEL * op.n * PARAMETER_BITS
    if op.kind is OperatorKind.GEMM and has_weights:
        return further * op.n * SCALE_BITS
    return 0


def burst_elements(grouped: GroupedOperator, workload: Workload) -> int:
    """Elements that lie behind one another when windows are gathered: a window's row of tokens; 0 for other operators.

    Real tokens are taken in whole rows of a window: windows with padded columns, and those that the shift cuts at the
    map's border, have shorter bursts and more of them, which the sizes of the groups do not tell.
    """
    return isqrt(workload.window_rows) * grouped.operator.n if grouped.operator.kind in MOVING else 0


def with_copies(workload: Workload, choices: MixedPrecision) -> Workload:
    """The workload whose gathers and scatters also move the tokens of pruned windows, where these are copied.

    A block of pruned windows alone is then gathered and scattered without anything in between.
    """
    if choices.pruned_windows is PrunedWindows.BYPASS:
        return workload
    return replace(workload, operators=tuple(_whole(grouped, workload) for grouped in workload.operators))


def pruned_rows(grouped: GroupedOperator) -> int:
    """Rows of an operator that belong to no group."""
    op = grouped.operator
    rows = sum(group.batch * group.rows for group in grouped.groups)
    return 0 if op.variation is Variation.NONE else op.batch * op.m - rows


def _whole(grouped: GroupedOperator, workload: Workload) -> GroupedOperator:
    op, rows = grouped.operator, pruned_rows(grouped)
    if op.kind not in MOVING or not rows:
        return grouped
    bits = {tensor.tensor: tensor.bits for tensor in workload.tensors.values()}
    inputs = tuple(bits[entry.tensor] for entry in op.inputs)
    return replace(grouped, groups=(*grouped.groups, Group(0, 1, rows, 0, 0, inputs, bits[op.output])))
