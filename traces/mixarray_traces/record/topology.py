"""The topology of a quantized Swin transformer: every operator in order, every tensor with its bits. No torch.

GEMMs are named like the measured lists of Swin-T in `tests/golden/`. Sizes follow the detection rule: attention sees
whole windows, padded positions included; LayerNorm, MLP and residual see real tokens only, unless `padding` says
otherwise.
"""

from __future__ import annotations

from mixarray.trace.model import Grid, OperatorKind, Relation, Topology, Variation
from mixarray.trace.padding import Padding
from mixarray.trace.ratio import Promotion
from mixarray_traces.importance.default import DEFAULT_TOKEN_MAP
from mixarray_traces.importance.token_map import TokenMap
from mixarray_traces.record.block_topology import BlockSize, Entry, add_block
from mixarray_traces.record.graph import (
    IMAGE,
    OUTSIDE,
    PATCHES,
    UNCALIBRATED,
    Graph,
    Place,
    Precision,
    Quantizers,
    stream,
    vector,
)
from mixarray_traces.record.head_topology import add_head
from mixarray_traces.record.ranking import StageEntry, add_ranking, grid_of
from mixarray_traces.record.shape import HeadShape, MapGrid, SwinShape, map_grid, stage_sizes

NONE = Variation.NONE


def build_topology(
    shape: SwinShape,
    height: int,
    width: int,
    head: HeadShape = None,
    precision: Precision | None = None,
    quantizers: Quantizers = UNCALIBRATED,
    token_map: TokenMap = DEFAULT_TOKEN_MAP,
    padding: Padding = Padding.ATTENTION,
    promotion: Promotion = Promotion.REFUSED,
) -> Topology:
    """The operators of one image of height x width px; InputError where a stage's map is smaller than a window.

    `token_map` is what the score that ranks the windows declares (`importance.registry.token_map_of`). Where
    `promotion` ranks anew, every block has a token map and a ranking of its own.
    """
    graph = Graph(precision or Precision(), quantizers)
    sizes = stage_sizes(shape, height, width)
    entry = _patch_embed(graph, shape, sizes[0])
    maps: list[tuple[int, int]] = []
    for stage, (rows, columns) in enumerate(sizes):
        if stage:
            entry = _merge(graph, f"stages.{stage - 1}.downsample", shape, stage, rows * columns, maps[-1][0])
        grids = [map_grid(shape, rows, columns, block) for block in range(shape.depths[stage])]
        sizes_of = [
            BlockSize(grid, shape.channels[stage], shape.heads[stage], shape.mlp_ratio * shape.channels[stage], padding)
            for grid in grids
        ]
        features = _blocks(graph, stage, sizes_of, entry, token_map, promotion is Promotion.RANKING)
        maps.append((features, rows * columns))
    add_head(graph, shape, head, maps)
    return graph.finish()


def block_grids(shape: SwinShape, height: int, width: int) -> dict[tuple[int, int], MapGrid]:
    """The window grid of every (stage, block)."""
    return {
        (stage, block): map_grid(shape, rows, columns, block)
        for stage, (rows, columns) in enumerate(stage_sizes(shape, height, width))
        for block in range(shape.depths[stage])
    }


def _patch_embed(graph: Graph, shape: SwinShape, size: tuple[int, int]) -> StageEntry:
    tokens, channels = size[0] * size[1], shape.channels[0]
    depth = shape.patch**2 * shape.in_channels
    image = graph.activation(IMAGE, 1, tokens, depth, NONE)
    patches = graph.activation(PATCHES, 1, tokens, depth, NONE)
    shapes = (1, tokens, depth, 0), (1, tokens, channels, 0)
    inputs = (vector(image, Relation.ALL),)
    graph.operator("patch_embed.gather", OperatorKind.PATCH_EMBED, OUTSIDE, shapes[0], inputs, patches)
    result = graph.linear("patch_embed", OUTSIDE, tokens, channels, depth, stream(patches, Relation.SAME_ROW))
    features = graph.state("patch_embed.map", 1, tokens, channels)
    inputs = (vector(result, Relation.SAME_ROW),)
    graph.operator("patch_embed.norm", OperatorKind.LAYERNORM, OUTSIDE, shapes[1], inputs, features)
    return StageEntry(features, result)


def _merge(graph: Graph, name: str, shape: SwinShape, stage: int, tokens: int, features: int) -> StageEntry:
    place, inner, outer = Place(stage), 4 * shape.channels[stage - 1], shape.channels[stage]
    gathered = graph.state(f"{name}.tokens", 1, tokens, inner)
    inputs = (vector(features, Relation.MERGE_ROWS),)
    graph.operator(f"{name}.gather", OperatorKind.PATCH_MERGE, place, (1, tokens, inner, 0), inputs, gathered)
    codes = graph.activation(f"{name}.reduction.input", 1, tokens, inner, NONE)
    inputs = (vector(gathered, Relation.SAME_ROW),)
    graph.operator(f"{name}.norm", OperatorKind.LAYERNORM, place, (1, tokens, inner, 0), inputs, codes)
    result = graph.linear(f"{name}.reduction", place, tokens, outer, inner, stream(codes, Relation.SAME_ROW))
    merged = graph.state(f"{name}.map", 1, tokens, outer)
    inputs = (vector(result, Relation.SAME_ROW),)
    graph.operator(f"{name}.requantize", OperatorKind.REQUANTIZE, place, (1, tokens, outer, 0), inputs, merged)
    return StageEntry(merged, gathered)


def _blocks(
    graph: Graph, stage: int, sizes: list[BlockSize], entry: StageEntry, token_map: TokenMap, ranks_anew: bool
) -> int:
    """The ranking of a stage, or of each block, and the blocks; returns the map they leave."""
    features, tokens = entry.features, sizes[0].grid.tokens
    orders: dict[Grid, int] = {}
    if not ranks_anew:
        orders = add_ranking(graph, token_map, f"stages.{stage}", stage, entry, tokens, [size.grid for size in sizes])
    for block, size in enumerate(sizes):
        name, grid = f"stages.{stage}.blocks.{block}", grid_of(size.grid)
        if ranks_anew:
            now = StageEntry(features, entry.premerge)
            orders |= add_ranking(graph, token_map, name, stage, now, tokens, [size.grid])
        features = add_block(graph, name, Place(stage, block, grid), size, Entry(features, orders[grid]))
    return features
