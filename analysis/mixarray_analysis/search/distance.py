"""How far a search's front is from the true one, where every setting's cost is known.

Accuracy cannot be measured everywhere, so its place is taken by the bit operations that a setting keeps: more of them
are closer to ratio 0. What comes out is about the search and about bit operations as a guide to cycles, not about AP50.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from mixarray_analysis.search.front import Trade, front_of
from mixarray_analysis.search.hardware import Cost, Objective
from mixarray_analysis.search.indicators import hypervolume, igd_plus
from mixarray_analysis.search.progress import Reached, run_generations
from mixarray_analysis.search.settings import Limits
from mixarray_analysis.search.space import Genes, Space


@dataclass(frozen=True, slots=True)
class Distance:
    """How far the front of one search is from the true one.

    hypervolume_ratio: found over true, 1 where nothing is missing; bounded by the cost of ratio 0 and the fewest bit
    operations of the space. igd_plus: as in `front`. evaluations: settings that the search measured.
    """

    seed: int
    evaluations: int
    found: int
    true: int
    hypervolume_ratio: float
    igd_plus: float


def stand_in(costs: Mapping[Genes, Cost], space: Space, objective: Objective) -> dict[Genes, Trade]:
    """Cost over ratio 0's, and in place of accuracy the bit operations kept over ratio 0's."""
    zero = costs[space.uniform(0)]
    return {genes: Trade(one.of(objective) / zero.of(objective), one.bops / zero.bops) for genes, one in costs.items()}


def distance(trades: Mapping[Genes, Trade], space: Space, population: int, limits: Limits, seed: int) -> Distance:
    """Search the space with known trades, and compare the front found with the true one."""

    def measure(asked: Sequence[Genes]) -> list[Trade]:
        return [trades[genes] for genes in asked]

    reached, _ = run_generations(space, population, limits, Reached.start(seed), measure, lambda now: None)
    true, found = front_of(list(trades.values())), front_of(list(reached.measured.values()))
    corner = Trade(1.0, min(one.accuracy for one in trades.values()))
    share = hypervolume(found, corner) / hypervolume(true, corner)
    return Distance(seed, len(reached.measured), len(found), len(true), share, igd_plus(found, true))


@dataclass(frozen=True, slots=True)
class Misled:
    """What one loses by choosing settings by bit operations alone: cost above that of the best that keeps as many.

    A setting's excess is its cost over the least cost of those that keep at least as many bit operations, minus 1.
    """

    mean: float
    most: float


def misled(trades: Mapping[Genes, Trade]) -> Misled:
    """The excess over all settings of a space."""
    excess, least = [], float("inf")
    by_bops: dict[float, list[float]] = {}
    for one in trades.values():
        by_bops.setdefault(one.accuracy, []).append(one.cost)
    for kept in sorted(by_bops, reverse=True):
        least = min(least, *by_bops[kept])
        excess += [cost / least - 1 for cost in by_bops[kept]]
    return Misled(fmean(excess), max(excess))
