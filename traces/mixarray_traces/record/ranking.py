"""The operators that choose windows at a stage's entry: the score's token map, then scores and ranks per grid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mixarray.trace.model import Grid, Input, OperatorKind, Relation
from mixarray_traces.importance.token_map import TokenMap
from mixarray_traces.record.graph import Graph, Place, vector
from mixarray_traces.record.shape import MapGrid


@dataclass(frozen=True, slots=True)
class StageEntry:
    """What a stage starts from: its map, and the tensor that the normalisation just before it read."""

    features: int
    premerge: int


def grid_of(size: MapGrid) -> Grid:
    """The grid's name: a shift makes it the shifted one."""
    return Grid.SHIFTED if size.shift else Grid.REGULAR


def add_ranking(
    graph: Graph, token_map: TokenMap, name: str, stage: int, entry: StageEntry, tokens: int, grids: Iterable[MapGrid]
) -> dict[Grid, int]:
    """Append token map and ranking of a stage, or of the block `name` that ranks anew.

    Returns the tensor that holds the order of each grid's windows.
    """
    numbers = _token_map(graph, token_map, name, stage, entry, tokens)
    return {grid_of(size): _rank(graph, name, stage, size, numbers) for size in dict.fromkeys(grids)}


def _token_map(
    graph: Graph, token_map: TokenMap, name: str, stage: int, entry: StageEntry, tokens: int
) -> tuple[Input, ...]:
    """One number per token, as the ranking reads it: all of them."""
    if token_map is TokenMap.NONE:
        return ()
    source = entry.premerge if token_map is TokenMap.PREMERGE else entry.features
    channels = next(tensor.columns for tensor in graph.tensors if tensor.tensor == source)
    shape = (1, tokens, channels, 0)
    inputs = [vector(source, Relation.SAME_ROW)]
    if token_map is TokenMap.CENTERED:
        sums = graph.accumulators(f"{name}.token_sums", 1, 1, channels)
        whole = (vector(source, Relation.ALL),)
        graph.operator(f"{name}.token_sum", OperatorKind.TOKEN_MAP, Place(stage), shape, whole, sums)
        inputs.append(vector(sums, Relation.ALL))
    importance = graph.state(f"{name}.importance", 1, tokens, 1)
    graph.operator(f"{name}.token_map", OperatorKind.TOKEN_MAP, Place(stage), shape, tuple(inputs), importance)
    return (vector(importance, Relation.ALL),)


def _rank(graph: Graph, prefix: str, stage: int, size: MapGrid, numbers: tuple[Input, ...]) -> int:
    """Score and rank the windows of one grid; returns the order.

    The ranking waits for the whole map. m counts windows, n the positions summed per window; a score that needs no map
    comes from outside, one number per window.
    """
    grid = grid_of(size)
    name = f"{prefix}.rank.{grid}"
    order = graph.state(f"{name}.order", 1, size.windows, 1)
    shape = (1, size.windows, size.window**2 if numbers else 1, 0)
    return graph.operator(name, OperatorKind.RANK, Place(stage, -1, grid), shape, numbers, order)
