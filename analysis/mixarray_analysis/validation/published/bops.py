"""Relative bit operations of MixA-Q's table, counted from windows that run.

A block's cost is its MACs times 1 - pruned - low * (1 - low bits / high bits). Uniform rows leave nothing free: they
hold the counter against the table. The searched ratios of the mixed rows are published nowhere; their shares are solved
from the printed figures, so these rows hold the counter against the closed form, on windows drawn at random.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Annotated

from pydantic import BeforeValidator

from mixarray.cost.rows import Status, Text
from mixarray.trace.bops import bops
from mixarray.trace.model import Topology
from mixarray.trace.workload import WindowCount, Workload, build_workload
from mixarray_analysis.validation.published.figure import (
    Comparison,
    Sourced,
    half_unit,
    read_published,
    same_digits,
    shown,
)
from mixarray_analysis.validation.published.windows_of_shares import (
    Block,
    Chosen,
    Shares,
    block_weights,
    choose_windows,
)
from mixarray_traces.record.graph import Precision
from mixarray_traces.record.shape import shape_named
from mixarray_traces.record.topology import block_grids, build_topology

SIZE = (800, 1333)
MODEL = "swin_t"
WINDOW_ROWS = 49
LARGEST_LOW = Fraction(8, 10)
BASE_TBOPS = "11.05"
"""BOPs of the uniform model that the speedups are over, in the units of the table."""
Exact = Annotated[Fraction, BeforeValidator(lambda cell: Fraction(str(cell)) / 100)]


class BopsRow(Sourced):
    """A row of the table; source and status are those of its printed figures. Empty texts: not published.

    low, pruned: shares of the work (in the file: percent). shares_status, shares_from: how we know these.
    """

    method: str
    bits_high: int
    bits_low: int
    low_percent: Exact
    pruned_percent: Exact
    tbops: str
    speedup: str
    average_bits: str
    shares_status: Status
    shares_from: Text


Counter = Callable[[Workload], int]
"""What is examined: the bit operations of a workload."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One row with windows: what they are, and the relative cost that our counter gives."""

    row: BopsRow
    chosen: Chosen
    cost: Fraction

    @property
    def algebra(self) -> Fraction:
        """The relative cost of the windows in closed form."""
        saved = 1 - Fraction(self.row.bits_low, self.row.bits_high)
        return 1 - self.chosen.pruned - self.chosen.low * saved

    @property
    def residue(self) -> Fraction:
        """How far the windows' shares are from those wanted, in parts of the work."""
        wanted = self.row.low_percent, self.row.pruned_percent
        return max(abs(self.chosen.low - wanted[0]), abs(self.chosen.pruned - wanted[1]))


@cache
def bops_rows() -> tuple[BopsRow, ...]:
    """The published rows."""
    return read_published("bops.csv", BopsRow)


def count_row(row: BopsRow, draw: random.Random, even: bool, counter: Counter = bops) -> Counted:
    """Windows drawn for a row, with the same shares in all block pairs (`even`) or others of the same mean."""
    bits = row.bits_high, row.bits_low
    chosen = choose_windows(shape_named(MODEL), SIZE, _even(row) if even else _uneven(row, draw), bits, draw)
    mixed = build_workload(row.method, _topology(bits), chosen.assignment, WINDOW_ROWS)
    return Counted(row, chosen, Fraction(counter(mixed), counter(_all_high(bits))))


def draw_row(seed: int, case: int, counter: Counter = bops) -> Counted:
    """The windows of one case of the check: the rows in turn, then again with others."""
    rows = bops_rows()
    again, number = divmod(case, len(rows))
    return count_row(rows[number], random.Random(f"{seed}/{case}"), again == 0, counter)


def table_figures(rows: Sequence[BopsRow]) -> tuple[Comparison, ...]:
    """The table against itself, with nothing of ours in it: speedups and average bits from its own BOPs."""
    base = Fraction(BASE_TBOPS)
    found: list[Comparison] = []
    for row in (row for row in rows if row.tbops):
        cost = Fraction(row.tbops) / base
        for what, printed, figure in (
            ("speedup", row.speedup, 1 / cost),
            ("average bits", row.average_bits, row.bits_high * cost),
        ):
            if printed:
                texts = f"{row.method}: {what} from its {row.tbops} TBOPs", printed, shown(figure, printed)
                found.append(Comparison(*texts, same_digits(figure, printed), row.source, row.status))
    return tuple(found)


def compare_row(counted: Counted) -> tuple[Comparison, ...]:
    """What the row publishes beside ours; first the closed form, which has to be met exactly."""
    row, cost = counted.row, counted.cost
    name = f"{row.method}, {float(100 * row.low_percent):g} % low, {float(100 * row.pruned_percent):g} % pruned"

    def compared(what: str, published: str, ours: str, agrees: bool) -> Comparison:
        return Comparison(f"{name}: {what}", published, ours, agrees, row.source, row.status)

    exact = f"{float(counted.algebra):.9f}", f"{float(cost):.9f}", cost == counted.algebra
    found = [compared("relative cost in closed form", *exact)]
    if row.speedup:
        found.append(compared("speedup", row.speedup, shown(1 / cost, row.speedup), same_digits(1 / cost, row.speedup)))
    if row.tbops:
        ours = Fraction(BASE_TBOPS) * cost
        found.append(compared("TBOPs", row.tbops, shown(ours, row.tbops), _within(cost, row.tbops)))
    if row.average_bits:
        ours = row.bits_high * cost
        agrees = same_digits(ours, row.average_bits)
        found.append(compared("average bits", row.average_bits, shown(ours, row.average_bits), agrees))
    return tuple(found)


def _within(cost: Fraction, tbops: str) -> bool:
    """Whether the cost lies between the quotients that both printed figures allow."""
    base, own = Fraction(BASE_TBOPS), Fraction(tbops)
    slack, own_slack = half_unit(BASE_TBOPS), half_unit(tbops)
    return (own - own_slack) / (base + slack) <= cost <= (own + own_slack) / (base - slack)


def _even(row: BopsRow) -> Callable[[Block], Shares]:
    return lambda block: (row.low_percent, row.pruned_percent)


def _uneven(row: BopsRow, draw: random.Random) -> Callable[[Block], Shares]:
    """Shares of block pairs that differ as far as 0, the largest ratio and the pruned part allow, of the same mean."""
    weights = block_weights(shape_named(MODEL), SIZE)
    pairs: dict[Block, Fraction] = {}
    for (stage, block), macs in weights.items():
        pairs[stage, block // 2] = pairs.get((stage, block // 2), Fraction(0)) + macs
    drawn = {pair: Fraction(draw.randrange(1001), 1000) for pair in pairs}
    mean = sum((drawn[pair] * macs for pair, macs in pairs.items()), Fraction(0)) / sum(pairs.values())
    largest = max(row.low_percent, min(LARGEST_LOW, 1 - row.pruned_percent))
    steps = [drawn[pair] - mean for pair in pairs]
    rooms = [(largest - row.low_percent) / step if step > 0 else row.low_percent / -step for step in steps if step]
    reach = min(rooms, default=Fraction(0))
    shares = {pair: row.low_percent + reach * (value - mean) for pair, value in drawn.items()}
    return lambda block: (shares[block[0], block[1] // 2], row.pruned_percent)


@cache
def _all_high(bits: tuple[int, int]) -> Workload:
    grids = block_grids(shape_named(MODEL), *SIZE)
    assignment = {block: (WindowCount(bits[0], grid.windows, grid.tokens),) for block, grid in grids.items()}
    return build_workload("all high", _topology(bits), assignment, WINDOW_ROWS)


@cache
def _topology(bits: tuple[int, int]) -> Topology:
    return build_topology(shape_named(MODEL), *SIZE, None, Precision(branch_bits=bits))
