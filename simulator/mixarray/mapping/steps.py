"""The folds of a stripe as jobs of the array, in each dataflow, and which of a GEMM's operands every job touches.

Weight-stationary: a tile of weights loads, rows stream. Input-stationary is the same with the operands' roles swapped
(in `_sides`, and nowhere else). Output-stationary: steps of K stream through a tile of sums, which then drains.
"""

from __future__ import annotations

from dataclasses import dataclass

from mixarray.accelerator.enums import Dataflow
from mixarray.mapping.cuts import Cuts
from mixarray.mapping.jobs import Shop, products_of
from mixarray.mapping.schedule import Job, Products
from mixarray.mapping.tasks import ACTIVATION, WEIGHT
from mixarray.mapping.tiles import Run, Runs, Stripe, cut_rows


@dataclass(frozen=True, slots=True)
class Step:
    """A job of a fold; it reads the stripe's rows, reads the other operand, writes sums, or several of these."""

    job: Job
    rows: bool = False
    other: bool = False
    sums: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """A GEMM on the array: its operator, and whether its other operand are weights (else it is batched)."""

    operator: int
    weights: bool

    @property
    def place(self) -> str:
        """The buffer that holds the other operand."""
        return WEIGHT if self.weights else ACTIVATION


@dataclass(frozen=True, slots=True)
class Tile:
    """What stays, for one array column: `width` columns, for each value of K `bits` of all of them together."""

    width: int
    bits: int


@dataclass(frozen=True, slots=True)
class Sides:
    """Rows by a piece of N as a stationary array sees them: what streams, what stays, and the buffers of both."""

    streaming: Runs
    stream_place: str
    tile: Tile
    tile_place: str
    rows_stream: bool


def stripe_steps(shop: Shop, work: Work, stripe: Stripe) -> list[Step]:
    """Every job of a stripe in order: array columns outside, inside them K (output-stationary: rows, then K)."""
    if shop.model.dataflow is Dataflow.OUTPUT_STATIONARY:
        return _output(shop, work, stripe)
    return _stationary(shop, work, stripe)


def _sides(shop: Shop, work: Work, stripe: Stripe, width: int) -> Sides:
    """Who streams and who stays. Input-stationary is C^T = W^T A^T: columns of N stream, rows stay."""
    first = stripe.runs[0]
    if shop.model.dataflow is Dataflow.WEIGHT_STATIONARY:
        tile = Tile(width, width * first.stationary_bits)
        return Sides(stripe.runs, ACTIVATION, tile, work.place, rows_stream=True)
    bits, shifts = first.stationary_bits, first.shifts
    columns = Run(stripe.group, width, first.bits, first.mode, stream_bits=bits, shifts=shifts)
    tile = Tile(sum(run.rows for run in stripe.runs), sum(run.rows * run.stream_bits for run in stripe.runs))
    return Sides((columns,), work.place, tile, ACTIVATION, rows_stream=False)


def _stationary(shop: Shop, work: Work, stripe: Stripe) -> list[Step]:
    """Load and stream of every fold; equal folds share their jobs."""
    cuts = Cuts(shop.accelerator, shop.array)
    made: dict[tuple[int, int, bool], tuple[Step, Step]] = {}
    steps: list[Step] = []
    for width in stripe.widths:
        sides = _sides(shop, work, stripe, width)
        for number, depth in enumerate(cuts.depths(stripe.depth, stripe.runs[0], width, work.weights)):
            first = stripe.begins and number == 0
            key = width, depth, first
            if key not in made:
                products = products_of(stripe.runs, (depth, width))
                made[key] = _stationary_fold(shop, work, stripe.group, sides, depth, first, products)
            steps += made[key]
    return steps


def _stationary_fold(
    shop: Shop, work: Work, group: int, sides: Sides, depth: int, first: bool, products: tuple[Products, ...]
) -> tuple[Step, Step]:
    tile, by_rows = sides.tile, sides.rows_stream
    load = shop.array_load(work.operator, group, depth, depth * tile.bits, sides.tile_place)
    stream = shop.stream(work.operator, sides.streaming, (depth, tile.width), first, products, sides.stream_place)
    return Step(load, rows=not by_rows, other=by_rows), Step(stream, rows=by_rows, other=not by_rows, sums=True)


def _output(shop: Shop, work: Work, stripe: Stripe) -> list[Step]:
    """Streams and drain of every fold: up to R rows of one group by one array column by the stripe's depth."""
    cuts, height = Cuts(shop.accelerator, shop.array), shop.model.rows
    made: dict[tuple[Run, int], list[Step]] = {}
    steps: list[Step] = []
    for width in stripe.widths:
        for run in (part for tile in cut_rows(stripe.runs, height) for part in tile):
            if (run, width) not in made:
                depths = cuts.depths(stripe.depth, run, width, work.weights)
                streams = [shop.output_stream(work.operator, run, (depth, width), work.place) for depth in depths]
                drain = shop.drain(work.operator, run.group, (run.rows, width), adds=not stripe.begins)
                made[run, width] = [*(Step(job, True, True) for job in streams), Step(drain, sums=True)]
            steps += made[run, width]
    return steps
