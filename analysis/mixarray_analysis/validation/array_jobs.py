"""Random fold streams, and the jobs that the mapping makes of them: of single folds, and of whole GEMMs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import Accelerator, Array
from mixarray.accelerator.modes import Mode
from mixarray.array.fold import Fold, RowRun
from mixarray.array.problem import Problem, folds
from mixarray.mapping.cuts import Cuts
from mixarray.mapping.jobs import Shop, products_of
from mixarray.mapping.schedule import Job
from mixarray.mapping.steps import Work, stripe_steps
from mixarray.mapping.tasks import WEIGHT
from mixarray.mapping.tiles import Run, column_widths, linear_loops
from mixarray_analysis.validation.arrays import Choose, draw_array, one_of, styles_serving
from mixarray_analysis.validation.fold_streams import MOST_ROWS, draw_output, draw_stationary


@dataclass(frozen=True, slots=True)
class FoldStream:
    """Folds on an array, and two jobs for each in Schedule order: load and stream, or stream and drain."""

    array: Array
    folds: tuple[Fold, ...]
    jobs: tuple[Job, ...]


Draw = Callable[[Choose], FoldStream]


def withheld_stationary(choose: Choose) -> FoldStream:
    """Unrelated folds, rows withheld in three of four streams: jobs as the mapping makes them, longer by the gaps."""
    array, stream = draw_stationary(choose, choose(0, 3) > 0)
    shop = shop_of(array)
    jobs = []
    for fold in stream:
        bits = fold.runs[0].mode.stationary_bits
        load = shop.array_load(0, -1, fold.depth, fold.depth * fold.width * bits, WEIGHT)
        runs = tuple(_run(run.rows, run.mode) for run in fold.runs)
        size = fold.depth, fold.width
        rows = shop.stream(0, runs, size, first_fold=True, products=products_of(runs, size))
        jobs += [_longer(load, fold.load_gaps), _longer(rows, fold.row_gaps)]
    return FoldStream(array, stream, tuple(jobs))


def withheld_output(choose: Choose) -> FoldStream:
    """The same on an output-stationary array."""
    array, stream = draw_output(choose, choose(0, 3) > 0)
    shop = shop_of(array)
    jobs = []
    for fold in stream:
        steps = shop.output_stream(0, _run(fold.height, fold.mode), (fold.depth, fold.width))
        jobs += [_longer(steps, fold.step_gaps), shop.drain(0, -1, (fold.height, fold.width))]
    return FoldStream(array, stream, tuple(jobs))


def gemm_stream(choose: Choose, dataflow: Dataflow, jobs_dataflow: Dataflow | None = None) -> FoldStream:
    """A GEMM of several groups of rows, cut by the mapping itself: its stripes, its order, its jobs.

    jobs_dataflow: the dataflow that the jobs of each stripe are made for, another one only by mistake.
    """
    array = draw_array(choose, one_of(choose, styles_serving(dataflow)), dataflow)
    # rows that lie in the array share one layout
    modes = array.pe_modes[:1] if dataflow is Dataflow.INPUT_STATIONARY else array.pe_modes
    groups = tuple(RowRun(choose(1, MOST_ROWS), one_of(choose, modes)) for _ in range(choose(1, 3)))
    n, k = choose(1, 3 * array.columns), choose(1, 3 * array.rows)
    if dataflow is Dataflow.INPUT_STATIONARY:
        problem = Problem((RowRun(n, modes[0]),), sum(group.rows for group in groups), k)
    else:
        problem = Problem(groups, n, k)
    makers = array.model_copy(update={"dataflow": jobs_dataflow or dataflow})
    return FoldStream(array, folds(array, problem), _gemm_jobs(array, shop_of(makers), groups, n, k))


def _gemm_jobs(array: Array, shop: Shop, groups: Sequence[RowRun], n: int, k: int) -> tuple[Job, ...]:
    """The mapping's jobs for a GEMM whose operands have the bits of its modes, in the roles of the array's dataflow."""
    runs = []
    for group in groups:  # swapping roles twice is nothing
        bits = array.roles(group.mode.stream_bits, group.mode.stationary_bits)
        runs.append(Run(-1, group.rows, bits[0], group.mode, *bits))
    cuts = Cuts(shop_of(array).accelerator)
    tiles = cuts.tiles(runs, cuts.tile_rows(n, whole_rows=False, weights_stay=True))
    # input-stationary: an accumulator slot holds all columns, so they stream as one piece
    widths = (n,) if array.dataflow is Dataflow.INPUT_STATIONARY else column_widths(n, array.columns)
    loops = linear_loops(tiles, widths, k, False, cuts.stripe_rows(n, False), slots=1, piece_rows=1)
    stripes = (stripe for iteration in loops.iterations for stripe in iteration)
    return tuple(step.job for stripe in stripes for step in stripe_steps(shop, Work(0, weights=True), stripe))


def shop_of(array: Array) -> Shop:
    """The mapping's shop for an accelerator of this array, whose buffers hold far more than what is drawn here."""
    return Shop(_base().model_copy(update={"arrays": (array,)}))


@cache
def _base() -> Accelerator:
    return load_accelerator("plain_int8_32x32")


def _run(rows: int, mode: Mode) -> Run:
    return Run(-1, rows, mode.stream_bits, mode, mode.stream_bits, mode.stationary_bits)


def _longer(job: Job, gaps: Sequence[int]) -> Job:
    return replace(job, occupancy_cycles=job.occupancy_cycles + sum(gaps))
