"""What windows of different bits cost beside GEMMs: which job belongs to which item, and what the items move.

Scoring, sorter, movement and branch parameters can be made free (`mixed_precision`). The Schedule is the same whatever
these say: the jobs of an item that is free are still there, in their places and with their waits, and take no time and
no energy. So freeing an item changes its own counters and nothing else, and never lengthens a run.
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
from mixarray.trace.model import Operator, OperatorKind, Variation
from mixarray.trace.workload import Group, GroupedOperator, Workload

COMPARE = "compare"
"""The action of comparing two scores."""
BURST = "burst"
"""The action of making the address of one burst."""

MOVING = frozenset({OperatorKind.GATHER, OperatorKind.SCATTER})


class Item(StrEnum):
    """An item of the work around windows of several precisions; a uniform run has some of it as well."""

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
    JobKind.DRAM_STORE_COPY: Item.MOVEMENT,
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

    What token maps and scores read from DRAM is theirs, and the order of the windows is the sorter's. A gathered copy
    that is stored while the map lies in DRAM as well belongs to the movement. The map itself, on its way to a gather,
    to a residual addition or from a scatter, is nobody's: the network moves it anyway.
    """
    return _OF_KIND.get(kind) or (None if operator is None else _TRANSFERS.get((operator, kind)))


def free_jobs(plans: Iterable[ChainPlan], choices: MixedPrecision) -> FreeJobs:
    """The jobs that these choices make free.

    Only a pass of the vector unit makes gathered copies; otherwise who needs the windows reads the map by address.
    """
    free, by_address = _free_items(choices), choices.movement is not Movement.PASS
    found: set[tuple[int, JobKind]] = set()
    for plan in plans if free or by_address else ():
        kinds = {work.operator: work.kind for work in (*plan.before, *plan.after)}
        found.update(
            (operator, kind)
            for operator in plan.chain.operators
            for kind in JobKind
            if item_of(kind, kinds.get(operator)) in free or (by_address and kind is JobKind.DRAM_STORE_COPY)
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


def burst_elements(grouped: GroupedOperator, workload: Workload) -> int:
    """Elements that lie behind one another when windows are gathered: a window's row of tokens; 0 for other operators.

    Real tokens are taken in whole rows of a window: windows with padded columns, and those that the shift cuts at the
    map's border, have shorter bursts and more of them, which the sizes of the groups do not tell.
    """
    return isqrt(workload.window_rows) * grouped.operator.n if grouped.operator.kind in MOVING else 0


def copied_map(op: Operator) -> int | None:
    """The map that a gather reads: its result is a copy of it in another order; None for other operators."""
    return op.inputs[0].tensor if op.kind is OperatorKind.GATHER else None


def with_copies(workload: Workload, choices: MixedPrecision) -> Workload:
    """The workload whose gathers and scatters also move the tokens of pruned windows, where these are copied.

    A block of pruned windows alone is then gathered and scattered without anything in between.
    """
    if choices.pruned_windows is PrunedWindows.BYPASS:
        return workload
    return replace(workload, operators=tuple(_whole(grouped, workload) for grouped in workload.operators))


def bypassed_maps(workload: Workload) -> tuple[frozenset[int], ...]:
    """Sets of maps that are one memory: rows of pruned windows that nobody gathers are in all of them at one place.

    A block that leaves rows where they are joins the map that it gathers from and the map that it scatters to.
    """
    before = {(g.operator.stage, g.operator.block): g for g in workload.operators if copied_map(g.operator) is not None}
    joined: list[set[int]] = []
    for grouped in workload.operators:
        op, gather = grouped.operator, before.get((grouped.operator.stage, grouped.operator.block))
        if op.kind is not OperatorKind.SCATTER or gather is None or not pruned_rows(gather):
            continue
        source = gather.operator.inputs[0].tensor
        if joined and source in joined[-1]:  # blocks follow one another
            joined[-1].add(op.output)
        else:
            joined.append({source, op.output})
    return tuple(frozenset(maps) for maps in joined)


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
