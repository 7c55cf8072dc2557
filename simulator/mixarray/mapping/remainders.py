"""What it costs that rows come in groups: tiles that end at the border of a group although they are not full.

Rows that follow each other without such a border are a *sequence*; one group is one sequence. A GEMM whose rows on one
array are several sequences has as many last tiles that may not be full. With m_q rows of sequence q in tiles of h_q
rows,

    tiles beyond need = sum of ceil(m_q / h_q) - ceil(sum of m_q / h_q)

and likewise for the pieces of rows that go through one fold each: a stripe, or (output-stationary) the rows that fill
the array. Every such piece goes through all folds of the GEMM, and costs in each what takes as long for one row as for
a full piece: the array load; input-stationary also the stream of the weights; output-stationary the steps of K alone.
Where every tile of rows fetches the weights anew, every tile costs a fetch. Groups on different arrays cannot share a
tile and are not counted. Where the sequences of a GEMM differ, the cheapest is taken. h_q is the tile height of the
mapping (`tile_rows` in mappings.csv); of groups that follow each other in plans of their own, one that fits a single
tile counts with the greatest height among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.model import Accelerator
from mixarray.mapping.amounts import ceil_div
from mixarray.mapping.build import plan_workload
from mixarray.mapping.chain_amounts import Amounts
from mixarray.mapping.chain_plan import ChainPlan
from mixarray.mapping.chains import make_flow
from mixarray.mapping.cuts import Cuts
from mixarray.mapping.fetches import fetched_bits
from mixarray.mapping.forms import Prefer
from mixarray.mapping.fused_plan import members
from mixarray.mapping.jobs import Shop
from mixarray.mapping.parts import sections
from mixarray.mapping.schedule import JobKind
from mixarray.mapping.section_plan import Choose
from mixarray.mapping.steps import Work, stripe_steps
from mixarray.mapping.tiles import ALIKE, Runs, Stripe, rows_weight
from mixarray.trace.model import OperatorKind
from mixarray.trace.workload import Workload

FOLD = {
    Dataflow.WEIGHT_STATIONARY: JobKind.ARRAY_LOAD,
    Dataflow.INPUT_STATIONARY: JobKind.ARRAY_LOAD,
    Dataflow.OUTPUT_STATIONARY: JobKind.DRAIN,
}
"""The job that every fold has once."""
WHATEVER_ROWS = {
    Dataflow.WEIGHT_STATIONARY: frozenset({JobKind.ARRAY_LOAD}),
    Dataflow.INPUT_STATIONARY: frozenset({JobKind.ARRAY_LOAD, JobKind.STREAM}),
    Dataflow.OUTPUT_STATIONARY: frozenset({JobKind.STREAM}),
}
"""The jobs of a fold that take as long for one row as for a full piece."""


@dataclass(frozen=True, slots=True)
class Remainder:
    """One GEMM (an index of the workload's operators) on one array: its tiles of rows and those that would be enough;
    the folds beyond need, their cycles on the units of the array, and the weights fetched for the tiles beyond need.
    """

    operator: int
    array: int
    tiles: int
    least_tiles: int
    folds: int
    cycles: int
    weight_bits: int


@dataclass(frozen=True, slots=True)
class _Sequence:
    """A sequence: the plan that it is part of, its rows, and the rows of a full tile."""

    plan: ChainPlan
    cuts: Cuts
    runs: Runs
    tile_rows: int

    @property
    def rows(self) -> int:
        return rows_weight(self.runs, ALIKE)

    def stripes(self) -> Iterator[Stripe]:
        """Its stripes in all iterations."""
        groups = {run.group for run in self.runs}
        return (s for iteration in self.plan.loops.iterations for s in iteration if s.runs[0].group in groups)


def remainders(
    workload: Workload, accelerator: Accelerator, choose: Choose | None = None, prefer: Prefer | None = None
) -> tuple[Remainder, ...]:
    """Every GEMM with weights that has several sequences on an array, planned as `build_schedule` would.

    Raises InputError as `build_schedule` does.
    """
    several = set(_several(workload, accelerator))
    if not several:
        return ()
    found: dict[tuple[int, int], list[_Sequence]] = {}
    planned = plan_workload(workload, accelerator, choose, prefer)
    for plan in (plan for section in planned.sections for item in section for plan in members(item)):
        if plan.chain.gemm is not None and (plan.chain.gemm, plan.array) in several:
            ended = found.setdefault((plan.chain.gemm, plan.array), [])
            amounts = Amounts(workload, accelerator, make_flow(workload), plan.array, _groups(plan))
            runs = tuple(amounts.runs(plan.chain.gemm))
            height = _height(plan)
            ended += (_Sequence(plan, amounts.cuts, tile, height) for tile in _sequences(amounts.cuts, runs))
    return tuple(_remainder(*place, _levelled(ended), accelerator) for place, ended in sorted(found.items()))


def _several(workload: Workload, accelerator: Accelerator) -> Iterator[tuple[int, int]]:
    """(GEMM, array) of all that have several sequences there."""
    flow = make_flow(workload)
    for number, grouped in enumerate(workload.operators):
        if grouped.operator.kind is not OperatorKind.GEMM or len(grouped.groups) < 2:
            continue
        counts: dict[int, int] = {}
        for part in (part for section in sections(grouped.groups, accelerator) for part in section):
            amounts = Amounts(workload, accelerator, flow, part.array, part.groups)
            if amounts.is_weight(number):
                ended = len(_sequences(amounts.cuts, tuple(amounts.runs(number))))
                counts[part.array] = counts.get(part.array, 0) + ended
        yield from ((number, array) for array, count in counts.items() if count > 1)


def _groups(plan: ChainPlan) -> tuple[int, ...]:
    return tuple(sorted({run.group for it in plan.loops.iterations for stripe in it for run in stripe.runs}))


def _sequences(cuts: Cuts, runs: Runs) -> list[Runs]:
    """Tiles so high that only borders of groups end them."""
    return cuts.tiles(runs, rows_weight(runs, ALIKE))


def _remainder(operator: int, array: int, ended: list[_Sequence], accelerator: Accelerator) -> Remainder:
    tiles = [_filled(each.rows, (each.tile_rows,)) for each in ended]
    pieces = [_filled(each.rows, _piece_rows(each)) for each in ended]
    shop, known = Shop(accelerator, array), dict[Stripe, tuple[int, int]]()
    costs = [_through_all(each, count, shop, known) for each, (count, _) in zip(ended, pieces, strict=True)]
    beyond = _beyond(pieces)
    return Remainder(
        operator=operator,
        array=array,
        tiles=sum(count for count, _ in tiles),
        least_tiles=ceil(sum(filled for _, filled in tiles)),
        folds=beyond * min(folds for folds, _ in costs),
        cycles=beyond * min(cycles for _, cycles in costs),
        weight_bits=_beyond(tiles) * min(_tile_bits(each, ended) for each in ended),
    )


def _beyond(counted: Iterable[tuple[int, Fraction]]) -> int:
    """How many fewer there would be if those that are not full could be joined."""
    places = list(counted)
    return sum(count for count, _ in places) - ceil(sum(filled for _, filled in places))


def _height(plan: ChainPlan) -> int:
    assert plan.choice is not None  # every GEMM has one
    return plan.choice.rows


def _levelled(ended: list[_Sequence]) -> list[_Sequence]:
    """A plan whose rows all fit one tile does not tell how high that could be: as high as those of the other plans."""
    most = max(each.tile_rows for each in ended)
    return [replace(each, tile_rows=most) if _in_one_tile(each, ended) else each for each in ended]


def _in_one_tile(ended: _Sequence, others: list[_Sequence]) -> bool:
    return sum(each.rows for each in others if each.plan is ended.plan) <= ended.tile_rows


def _piece_rows(ended: _Sequence) -> tuple[int, ...]:
    """Rows of the pieces of a full tile."""
    stripe = next(ended.stripes())
    n = sum(stripe.widths)
    stripe_rows = ended.cuts.stripe_rows(n, len(stripe.widths) > 1)
    heights = _divided(ended.tile_rows, stripe_rows)
    if ended.cuts.array.dataflow is not Dataflow.OUTPUT_STATIONARY:
        return heights
    return tuple(part for height in heights for part in _divided(height, ended.cuts.array.rows))


def _divided(rows: int, most: int) -> tuple[int, ...]:
    return tuple(min(most, rows - start) for start in range(0, rows, most))


def _filled(rows: int, places: tuple[int, ...]) -> tuple[int, Fraction]:
    """How many places, in rounds of these sizes, so many rows take, and how many of them they fill."""
    rounds, rest = divmod(rows, sum(places))
    count, filled = rounds * len(places), Fraction(rounds * len(places))
    for place in places:
        if rest > 0:
            count, filled = count + 1, filled + Fraction(min(rest, place), place)
            rest -= place
    return count, filled


def _through_all(ended: _Sequence, pieces: int, shop: Shop, known: dict[Stripe, tuple[int, int]]) -> tuple[int, int]:
    """Folds of one piece of a sequence in the whole GEMM, and their cycles."""
    folds = cycles = 0
    for stripe in ended.stripes():
        if stripe not in known:
            known[stripe] = _cost(shop, ended, stripe)
        folds, cycles = folds + known[stripe][0], cycles + known[stripe][1]
    return ceil_div(folds, pieces), ceil_div(cycles, pieces)


def _cost(shop: Shop, ended: _Sequence, stripe: Stripe) -> tuple[int, int]:
    assert ended.plan.chain.gemm is not None  # it has stripes
    flow = shop.model.dataflow
    jobs = [step.job for step in stripe_steps(shop, Work(ended.plan.chain.gemm, True), stripe)]
    folds = sum(job.kind is FOLD[flow] for job in jobs)
    return folds, sum(job.occupancy_cycles for job in jobs if job.kind in WHATEVER_ROWS[flow])


def _tile_bits(ended: _Sequence, others: list[_Sequence]) -> int:
    """Weights that every tile of rows of a plan fetches anew."""
    plan = ended.plan
    tiles = sum(_filled(each.rows, (each.tile_rows,))[0] for each in others if each.plan is plan)
    bits = fetched_bits(plan, ended.cuts)
    once = plan.holding.weights_whole or (tiles > 1 and bits == plan.weight_bits)
    return 0 if once else bits // tiles
