"""The GEMMs of a topology equal lists that were written down independently."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from mixarray.trace.model import OperatorKind, Topology, Variation
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


def test_every_input_was_produced_before_it_is_read() -> None:
    topology = build_topology(shape_named("swin_t"), 224, 224, ClassifierShape(1000))
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
