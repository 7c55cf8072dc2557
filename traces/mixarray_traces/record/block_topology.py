"""The operators of one Swin block, in the order in which the two-branch block runs them."""

from __future__ import annotations

from dataclasses import dataclass

from mixarray.trace.model import Encoding, Input, Operand, OperatorKind, Relation, RowsPer, Variation
from mixarray.trace.padding import Padding
from mixarray_traces.record.graph import Graph, Place, stream, vector
from mixarray_traces.record.shape import MapGrid

ROW, BATCH = Variation.ROW, Variation.BATCH
TOKEN, WINDOW = RowsPer.TOKEN, RowsPer.WINDOW


@dataclass(frozen=True, slots=True)
class BlockSize:
    """Sizes of a block: its grid, channels, heads and MLP channels, and what runs on padded positions."""

    grid: MapGrid
    channels: int
    heads: int
    hidden: int
    padding: Padding = Padding.ATTENTION

    @property
    def window_tokens(self) -> int:
        """Positions of a window, padded ones included."""
        return self.grid.window**2

    @property
    def rows(self) -> int:
        """Positions of all windows, padded ones included."""
        return self.grid.windows * self.window_tokens

    @property
    def trunk_rows(self) -> int:
        """Rows that LayerNorm, MLP and residual see."""
        return self.grid.tokens if self.padding is Padding.ATTENTION else self.rows

    @property
    def trunk_per(self) -> RowsPer:
        """What a window contributes to them."""
        return TOKEN if self.padding is Padding.ATTENTION else WINDOW

    @property
    def trunk_of_map(self) -> Relation:
        """How these rows depend on those of the map."""
        return Relation.SAME_ROW if self.padding is Padding.ATTENTION else Relation.SAME_WINDOW

    @property
    def pairs(self) -> int:
        """Windows times heads."""
        return self.grid.windows * self.heads


@dataclass(frozen=True, slots=True)
class Entry:
    """What a block needs from before: the map, and the order of its grid's windows."""

    features: int
    order: int


def add_block(graph: Graph, name: str, place: Place, size: BlockSize, entry: Entry) -> int:
    """Append all operators of a block; returns the map it leaves."""
    tokens, channels = size.grid.tokens, size.channels
    gathered = graph.operator(
        f"{name}.gather",
        OperatorKind.GATHER,
        place,
        (1, tokens, channels, 0),
        (vector(entry.features, Relation.ALL), vector(entry.order, Relation.ALL)),
        graph.state(f"{name}.tokens", 1, size.trunk_rows, channels),
        ROW,
        TOKEN,
    )
    attended = _attention(graph, f"{name}.attn", f"{name}.norm1", place, size, gathered)
    middle = _residual(graph, f"{name}.residual1", place, size, attended, gathered, size.trunk_of_map)
    hidden = _mlp(graph, f"{name}.mlp", f"{name}.norm2", place, size, middle)
    last = _residual(graph, f"{name}.residual2", place, size, hidden, middle, Relation.SAME_ROW)
    return graph.operator(
        f"{name}.scatter",
        OperatorKind.SCATTER,
        place,
        (1, tokens, channels, 0),
        (vector(last, size.trunk_of_map),),
        graph.state(f"{name}.map", 1, tokens, channels),
        ROW,
        TOKEN,
    )


def _attention(graph: Graph, name: str, norm: str, place: Place, size: BlockSize, tokens: int) -> int:
    channels, rows, width = size.channels, size.rows, size.window_tokens
    codes = graph.activation(f"{name}.qkv.input", 1, rows, channels, ROW)
    shape = (1, size.trunk_rows, channels, 0)
    sources = (vector(tokens, size.trunk_of_map),)
    graph.operator(norm, OperatorKind.LAYERNORM, place, shape, sources, codes, ROW, size.trunk_per)
    qkv = graph.linear(
        f"{name}.qkv", place, rows, 3 * channels, channels, stream(codes, Relation.SAME_WINDOW), ROW, WINDOW
    )
    head_dim = channels // size.heads
    queries = _requantize(graph, f"{name}.q", f"{name}.qk.left", place, size, qkv)
    keys = _requantize(graph, f"{name}.k", f"{name}.qk.right", place, size, qkv)
    values = _requantize(graph, f"{name}.v", f"{name}.av.right", place, size, qkv)
    logits = _product(graph, f"{name}.qk", place, size, (width, width, head_dim), queries, keys)
    weights = graph.activation(f"{name}.av.left", size.pairs, width, width, BATCH)
    graph.operator(
        f"{name}.softmax", OperatorKind.SOFTMAX, place, (size.pairs, width, width, 0), logits, weights, BATCH, WINDOW
    )
    mixed = _product(graph, f"{name}.av", place, size, (width, head_dim, width), weights, values)
    joined = graph.activation(f"{name}.proj.input", 1, rows, channels, ROW)
    inputs = tuple(vector(entry.tensor, Relation.SAME_WINDOW) for entry in mixed)
    shape = (1, rows, channels, 0)
    graph.operator(f"{name}.join", OperatorKind.REQUANTIZE, place, shape, inputs, joined, ROW, WINDOW)
    return graph.linear(f"{name}.proj", place, rows, channels, channels, stream(joined, Relation.SAME_ROW), ROW, WINDOW)


def _requantize(graph: Graph, name: str, tensor: str, place: Place, size: BlockSize, accumulators: int) -> int:
    """One third of the qkv accumulators to codes, laid out by window and head."""
    head_dim = size.channels // size.heads
    codes = graph.activation(tensor, size.pairs, size.window_tokens, head_dim, BATCH)
    shape, inputs = (1, size.rows, size.channels, 0), (vector(accumulators, Relation.SAME_ROW),)
    return graph.operator(name, OperatorKind.REQUANTIZE, place, shape, inputs, codes, ROW, WINDOW)


def _product(
    graph: Graph, name: str, place: Place, size: BlockSize, mnk: tuple[int, int, int], left: int, right: int
) -> tuple[Input, ...]:
    """An activation by activation product and the sums its zero points ask for; what its consumer must read.

    Row sums of the left operand are needed where the right one has an offset, and the other way round. Log-sqrt2 codes
    are shifts and have none.
    """
    m, n, k = mnk
    result = graph.accumulators(f"{name}.accumulators", size.pairs, m, n)
    operands = (stream(left, Relation.SAME_WINDOW_HEAD), Input(right, Operand.STATIONARY, Relation.SAME_WINDOW_HEAD))
    outputs = [vector(result, Relation.SAME_WINDOW_HEAD)]
    bits = graph.precision.accumulator_bits
    if _has_offset(graph, right):
        sums = graph.state(f"{name}.row_sums", size.pairs, m, 1, bits)
        inputs = (vector(left, Relation.SAME_WINDOW_HEAD),)
        shape = (size.pairs, m, k, 0)
        graph.operator(f"{name}.row_sum", OperatorKind.ROW_SUM, place, shape, inputs, sums, BATCH, WINDOW)
        outputs.append(vector(sums, Relation.SAME_WINDOW_HEAD))
    if _has_offset(graph, left):
        sums = graph.state(f"{name}.column_sums", size.pairs, 1, n, bits)
        inputs = (vector(right, Relation.SAME_WINDOW_HEAD),)
        shape = (size.pairs, k, n, 0)
        graph.operator(f"{name}.column_sum", OperatorKind.COLUMN_SUM, place, shape, inputs, sums, BATCH, WINDOW)
        outputs.append(vector(sums, Relation.SAME_WINDOW_HEAD))
    graph.operator(name, OperatorKind.GEMM, place, (size.pairs, m, n, k), operands, result, BATCH, WINDOW)
    return tuple(outputs)


def _has_offset(graph: Graph, tensor: int) -> bool:
    return any(
        entry.encoding in (Encoding.HALF_INT, Encoding.INTERVAL)
        or (entry.encoding is Encoding.INT and entry.zero_point != 0)
        for entry in graph.tensors
        if entry.tensor == tensor
    )


def _mlp(graph: Graph, name: str, norm: str, place: Place, size: BlockSize, tokens: int) -> int:
    rows, channels, hidden, per = size.trunk_rows, size.channels, size.hidden, size.trunk_per
    codes = graph.activation(f"{name}.fc1.input", 1, rows, channels, ROW)
    sources = (vector(tokens, Relation.SAME_ROW),)
    graph.operator(norm, OperatorKind.LAYERNORM, place, (1, rows, channels, 0), sources, codes, ROW, per)
    wide = graph.linear(f"{name}.fc1", place, rows, hidden, channels, stream(codes, Relation.SAME_ROW), ROW, per)
    active = graph.activation(f"{name}.fc2.input", 1, rows, hidden, ROW)
    sources = (vector(wide, Relation.SAME_ROW),)
    graph.operator(f"{name}.gelu", OperatorKind.GELU, place, (1, rows, hidden, 0), sources, active, ROW, per)
    return graph.linear(f"{name}.fc2", place, rows, channels, hidden, stream(active, Relation.SAME_ROW), ROW, per)


def _residual(
    graph: Graph, name: str, place: Place, size: BlockSize, branch: int, trunk: int, relation: Relation
) -> int:
    rows, channels = size.trunk_rows, size.channels
    total = graph.state(f"{name}.sum", 1, rows, channels)
    inputs = (vector(branch, Relation.SAME_WINDOW), vector(trunk, relation))
    shape = (1, rows, channels, 0)
    return graph.operator(name, OperatorKind.RESIDUAL, place, shape, inputs, total, ROW, size.trunk_per)
