"""The GEMMs of a topology equal lists that were written down independently."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from mixarray.trace.model import Operator, OperatorKind, Relation, Topology, Variation
from mixarray_traces.importance.token_map import TokenMap
from mixarray_traces.record.shape import ClassifierShape, HeadShape, shape_named
from mixarray_traces.record.topology import build_topology

GOLDEN = Path(__file__).parents[1] / "golden"


def gemms(topology: Topology) -> list[tuple[str, int, int, int, int]]:
    return [(op.name, op.m, op.n, op.k, op.batch) for op in topology.operators if op.kind is OperatorKind.GEMM]


def golden(name: str) -> list[tuple[str, int, int, int, int]]:
    with (GOLDEN / name).open(newline="") as lines:
        return [
            (row["name"], *(int(row[key]) for key in ("M", "N", "K", "count")))  # type: ignore[misc]
            for row in csv.DictReader(lines)
        ]


@pytest.mark.parametrize(
    ("name", "height", "width", "head", "macs"),
    [
        ("swin_t_224_gemms.csv", 224, 224, ClassifierShape(1000), 4_490_566_656),
        ("swin_t_800x1333_gemms.csv", 800, 1333, None, 98_966_347_776),
    ],
)
def test_gemms_equal_the_golden_list(name: str, height: int, width: int, head: HeadShape, macs: int) -> None:
    topology = build_topology(shape_named("swin_t"), height, width, head)
    assert gemms(topology) == golden(name)
    assert sum(op.macs for op in topology.operators) == macs


@pytest.mark.parametrize("token_map", TokenMap)
def test_every_input_was_produced_before_it_is_read(token_map: TokenMap) -> None:
    topology = build_topology(shape_named("swin_t"), 224, 224, ClassifierShape(1000), token_map=token_map)
    sources = {tensor.tensor for tensor in topology.tensors if tensor.role == "weight" or tensor.name == "image"}
    for op in topology.operators:
        assert {entry.tensor for entry in op.inputs} <= sources, op.name
        sources.add(op.output)


def test_varying_tensors_exist_at_both_widths() -> None:
    topology = build_topology(shape_named("swin_t"), 224, 224)
    widths: dict[int, set[int]] = {}
    for tensor in topology.tensors:
        if tensor.variation is not Variation.NONE:
            widths.setdefault(tensor.tensor, set()).add(tensor.bits)
    assert widths
    assert all(found == {4, 8} for found in widths.values())


def test_padded_positions_count_in_attention_only() -> None:
    topology = build_topology(shape_named("swin_t"), 800, 1333)
    first = {op.name: op for op in topology.operators if op.stage == 0 and op.block == 0}
    assert first["stages.0.blocks.0.attn.proj"].m == 68_208
    assert first["stages.0.blocks.0.mlp.fc1"].m == first["stages.0.blocks.0.gather"].m == 66_800


RANKING = (OperatorKind.TOKEN_MAP, OperatorKind.RANK)


def ranking(token_map: TokenMap) -> dict[str, Operator]:
    """Scoring and ranking of the second of Swin-T's stages at 224 px: 28x28 tokens of 192 channels, 16 windows."""
    topology = build_topology(shape_named("swin_t"), 224, 224, token_map=token_map)
    return {op.name.removeprefix("stages.1."): op for op in topology.operators if op.stage == 1 and op.kind in RANKING}


@pytest.mark.parametrize(
    ("token_map", "sizes"),
    [
        (TokenMap.NONE, {}),
        (TokenMap.TOKENS, {"token_map": (784, 192)}),
        (TokenMap.CENTERED, {"token_sum": (784, 192), "token_map": (784, 192)}),
        (TokenMap.PREMERGE, {"token_map": (784, 384)}),
    ],
)
def test_a_score_is_charged_the_work_that_it_does(token_map: TokenMap, sizes: dict[str, tuple[int, int]]) -> None:
    positions = 49 if sizes else 1
    ranks = {"rank.regular": (16, positions), "rank.shifted": (16, positions)}
    assert {name: (op.m, op.n) for name, op in ranking(token_map).items()} == sizes | ranks


def test_the_mean_token_waits_for_all_tokens() -> None:
    found = ranking(TokenMap.CENTERED)
    assert [entry.relation for entry in found["token_sum"].inputs] == [Relation.ALL]
    assert {entry.tensor: entry.relation for entry in found["token_map"].inputs} == {
        found["token_sum"].inputs[0].tensor: Relation.SAME_ROW,
        found["token_sum"].output: Relation.ALL,
    }


@pytest.mark.parametrize("token_map", TokenMap)
def test_scores_differ_in_scoring_only(token_map: TokenMap) -> None:
    def others(found: Topology) -> list[tuple[object, ...]]:
        return [(o.name, o.kind, o.batch, o.m, o.n, o.k) for o in found.operators if o.kind not in RANKING]

    shape = shape_named("swin_t")
    assert others(build_topology(shape, 224, 224, token_map=token_map)) == others(build_topology(shape, 224, 224))
