"""Parameters beside weights: sets by hand, and what Swin-T needs of them in every run."""

from __future__ import annotations

import pytest

from mixarray.mapping.parameters import first_set_bits, parameter_bits
from mixarray.trace.model import OperatorKind
from mixarray.trace.workload import WindowCount, Workload, build_workload
from mixarray_traces.record.shape import ClassifierShape, HeadShape, shape_named
from mixarray_traces.record.topology import block_grids, build_topology

CHANNELS, DEPTHS = (96, 192, 384, 768), (2, 2, 6, 2)
BLOCKS = sum(channels * depth for channels, depth in zip(CHANNELS, DEPTHS, strict=True))
"""A block of C channels: two norms of C, and layers of 3 C, C, 4 C and C outputs."""


def swin_t(low: float = 0.0, head: HeadShape = None) -> Workload:
    """224x224 px; this share of windows at 4 bits, in stages where it is a whole number of them."""
    shape, assignment = shape_named("swin_t"), {}
    for place, grid in block_grids(shape, 224, 224).items():
        high, tokens = grid.windows - int(low * grid.windows), grid.window_tokens()
        counts = (8, high, sum(tokens[:high])), (4, grid.windows - high, sum(tokens[high:]))
        assignment[place] = tuple(WindowCount(*count) for count in counts if count[1])
    return build_workload("swin_t", build_topology(shape, 224, 224, head), assignment, 49)


def backbone_bits() -> int:
    """Blocks; patch embedding and its norm; three mergings of 4 C to 2 C with their norms."""
    merging = sum(2 * 16 * 4 * c + 64 * 2 * c for c in CHANNELS[:-1])
    return (2 * 2 * 16 + 64 * (3 + 1 + 4 + 1)) * BLOCKS + (2 * 16 + 64) * CHANNELS[0] + merging


@pytest.mark.parametrize("low", [0.0, 0.5])
def test_first_sets_of_swin_t(low: float) -> None:
    assert first_set_bits(swin_t(low)) == backbone_bits() == 3_007_488
    head = 2 * 16 * 768 + 64 * 1000
    assert first_set_bits(swin_t(low, ClassifierShape(1000))) == backbone_bits() + head == 3_096_064


def second_sets(workload: Workload) -> int:
    """Of all operators; the weights of a GEMM are those of one that is no product of activations."""
    return sum(parameter_bits(grouped, grouped.operator.batch == 1) for grouped in workload.operators)


def test_second_sets_of_swin_t() -> None:
    """Two groups in the blocks of every stage but the last, which has one window."""
    assert second_sets(swin_t()) == 0
    assert second_sets(swin_t(0.5)) == 640 * (BLOCKS - 2 * 768)


def test_a_set_without_its_biases_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mixarray.mapping.parameters.BIAS_BITS", 0)
    assert first_set_bits(swin_t()) < backbone_bits()
    assert second_sets(swin_t(0.5)) < 640 * (BLOCKS - 2 * 768)


def test_softmax_and_residuals_have_no_set() -> None:
    kinds = {grouped.operator.kind for grouped in swin_t(0.5).operators if parameter_bits(grouped, has_weights=True)}
    assert kinds == {OperatorKind.GEMM, OperatorKind.LAYERNORM}
