"""The topologies that are recorded pass the checks that edited ones must pass."""

from __future__ import annotations

import pytest

from mixarray.trace.check_topology import block_grids, check_topology
from mixarray_traces.record.shape import ClassifierShape, DetectionShape, HeadShape, SwinShape, shape_named
from mixarray_traces.record.topology import build_topology


def detector(stages: int) -> SwinShape:
    """The detector's backbone, or its first stages (a small image has no room for more)."""
    return SwinShape(
        name="detector",
        channels=(32, 64, 128)[:stages],
        depths=(2, 2, 6)[:stages],
        heads=(1, 2, 4)[:stages],
        window=7,
        mlp_ratio=4,
        patch=4,
        in_channels=3,
        shrinks_small_maps=False,
    )


@pytest.mark.parametrize(
    ("shape", "height", "width", "head"),
    [
        (shape_named("swin_t"), 224, 224, ClassifierShape(1000)),
        (shape_named("swin_t"), 800, 1333, None),
        (detector(3), 448, 448, DetectionShape(64, 128, 14)),
        (detector(2), 90, 123, DetectionShape(64, 128, 14)),
    ],
)
def test_recorded_topologies_pass(shape: SwinShape, height: int, width: int, head: HeadShape) -> None:
    topology = build_topology(shape, height, width, head)
    check_topology(topology, "operators", "tensors")
    assert len(block_grids(topology, "operators")) == sum(shape.depths)
