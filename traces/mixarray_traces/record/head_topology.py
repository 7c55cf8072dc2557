"""The operators of a head: classifier or detector, 8-bit groups of their own."""

from __future__ import annotations

from mixarray.trace.model import OperatorKind, Relation, Variation
from mixarray_traces.record.graph import OUTSIDE, Graph, stream, vector
from mixarray_traces.record.shape import ClassifierShape, DetectionShape, HeadShape, SwinShape

NONE = Variation.NONE


def add_head(graph: Graph, shape: SwinShape, head: HeadShape, maps: list[tuple[int, int]]) -> None:
    """Append the head's operators; `maps` are (tensor, tokens) of every stage's last map."""
    if isinstance(head, ClassifierShape):
        _classifier(graph, shape, head, maps[-1])
    elif isinstance(head, DetectionShape):
        _detection(graph, shape, head, maps[-2], maps[-1])


def _classifier(graph: Graph, shape: SwinShape, head: ClassifierShape, last: tuple[int, int]) -> None:
    features, tokens = last
    channels = shape.channels[-1]
    normed = graph.state("norm.map", 1, tokens, channels)
    inputs = (vector(features, Relation.SAME_ROW),)
    graph.operator("norm", OperatorKind.LAYERNORM, OUTSIDE, (1, tokens, channels, 0), inputs, normed)
    mean = graph.state("pool.mean", 1, 1, channels)
    inputs = (vector(normed, Relation.ALL),)
    graph.operator("pool", OperatorKind.COLUMN_SUM, OUTSIDE, (1, tokens, channels, 0), inputs, mean)
    codes = graph.activation("head.input", 1, 1, channels, NONE)
    inputs = (vector(mean, Relation.SAME_ROW),)
    graph.operator("head.requantize", OperatorKind.REQUANTIZE, OUTSIDE, (1, 1, channels, 0), inputs, codes)
    result = graph.linear("head", OUTSIDE, 1, head.classes, channels, stream(codes, Relation.SAME_ROW))
    _output(graph, result, 1, head.classes)


def _detection(
    graph: Graph, shape: SwinShape, head: DetectionShape, fine_map: tuple[int, int], coarse_map: tuple[int, int]
) -> None:
    sides = {}
    for side, (features, tokens), inner in (
        ("fine", fine_map, shape.channels[-2]),
        ("coarse", coarse_map, shape.channels[-1]),
    ):
        codes = _norm(graph, f"head.norm_{side}", f"head.{side}.input", features, tokens, inner)
        sides[side] = _linear(graph, f"head.{side}", codes, tokens, head.channels, inner)
    tokens = fine_map[1]
    joined = graph.state("head.joined", 1, tokens, head.channels)
    inputs = (vector(sides["fine"], Relation.SAME_ROW), vector(sides["coarse"], Relation.ALL))
    shapes = (1, tokens, head.channels, 0), (1, tokens, head.hidden_channels, 0)
    graph.operator("head.upsample_add", OperatorKind.UPSAMPLE_ADD, OUTSIDE, shapes[0], inputs, joined)
    codes = _norm(graph, "head.norm", "head.fc1.input", joined, tokens, head.channels)
    wide = _linear(graph, "head.fc1", codes, tokens, head.hidden_channels, head.channels)
    active = graph.activation("head.fc2.input", 1, tokens, head.hidden_channels, NONE)
    hidden = (vector(wide, Relation.SAME_ROW),)
    graph.operator("head.gelu", OperatorKind.GELU, OUTSIDE, shapes[1], hidden, active)
    result = _linear(graph, "head.fc2", active, tokens, head.outputs, head.hidden_channels)
    _output(graph, result, tokens, head.outputs)


def _norm(graph: Graph, name: str, codes_name: str, features: int, tokens: int, channels: int) -> int:
    codes = graph.activation(codes_name, 1, tokens, channels, NONE)
    inputs = (vector(features, Relation.SAME_ROW),)
    return graph.operator(name, OperatorKind.LAYERNORM, OUTSIDE, (1, tokens, channels, 0), inputs, codes)


def _linear(graph: Graph, name: str, codes: int, tokens: int, outputs: int, inner: int) -> int:
    return graph.linear(name, OUTSIDE, tokens, outputs, inner, stream(codes, Relation.SAME_ROW))


def _output(graph: Graph, accumulators: int, rows: int, columns: int) -> None:
    output = graph.state("output", 1, rows, columns)
    inputs = (vector(accumulators, Relation.SAME_ROW),)
    graph.operator("head.output", OperatorKind.REQUANTIZE, OUTSIDE, (1, rows, columns, 0), inputs, output)
