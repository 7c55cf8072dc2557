"""A small trace: two images, one stage, two blocks of 4 windows, each with a row-varying and a batch-varying GEMM."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mixarray.trace.bundle import write_bundle
from mixarray.trace.manifest import Derived, Manifest, ModelSource
from mixarray.trace.model import (
    Encoding,
    Grid,
    Input,
    Operand,
    Operator,
    OperatorKind,
    Relation,
    Role,
    RowsPer,
    Tensor,
    Topology,
    Variation,
)
from mixarray.trace.windows import WindowTable

WINDOWS = 4
ROWS = 49
HEADS = 3


Shape = tuple[int, int, int]


def small_topology() -> Topology:
    """Per block: codes, a linear layer (rows vary), codes, QK^T (batch varies, both operands); then an 8-bit head."""
    tensors: list[Tensor] = []
    operators: list[Operator] = []

    def tensor(name: str, role: Role, shape: Shape, bits: tuple[int, ...], variation: Variation) -> int:
        number = len({t.tensor for t in tensors})
        for width in bits:
            branch = 0 if variation is Variation.NONE else width
            tensors.append(Tensor(number, name, role, *shape, width, True, 0, 0.5, Encoding.INT, variation, branch))
        return number

    def add(
        kind: OperatorKind, block: int, variation: Variation, shape: tuple[int, int, int, int], *inputs: Input
    ) -> None:
        batch, m, n, k = shape
        varies = kind is OperatorKind.REQUANTIZE
        operators.append(
            Operator(
                operator=len(operators),
                name=f"{kind}{len(operators)}",
                kind=kind,
                stage=min(block, 0),
                block=block,
                grid=Grid.NONE if block < 0 else (Grid.REGULAR, Grid.SHIFTED)[block],
                batch=batch,
                m=m,
                n=n,
                k=k,
                variation=variation,
                rows_per=RowsPer.WINDOW,
                in_block=block >= 0 and kind is OperatorKind.GEMM,
                inputs=inputs,
                output=tensor(
                    f"out{len(operators)}",
                    Role.ACTIVATION if varies else Role.STATE,
                    (batch, m, n),
                    (8, 4) if varies else (16,),
                    variation if varies else Variation.NONE,
                ),
            )
        )

    def codes(block: int, variation: Variation, shape: Shape, source: int) -> int:
        """Codes at the bits of their windows."""
        add(OperatorKind.REQUANTIZE, block, variation, (*shape, 0), Input(source, Operand.VECTOR, Relation.SAME_WINDOW))
        return operators[-1].output

    def gemm(block: int, variation: Variation, shape: tuple[int, int, int, int], stream: int, stationary: int) -> int:
        inputs = Input(stream, Operand.STREAM, Relation.SAME_ROW), Input(stationary, Operand.STATIONARY, Relation.ALL)
        add(OperatorKind.GEMM, block, variation, shape, *inputs)
        return operators[-1].output

    tokens, pairs = WINDOWS * ROWS, WINDOWS * HEADS
    image = tensor("image", Role.STATE, (1, tokens, 64), (16,), Variation.NONE)
    w = tensor("w", Role.WEIGHT, (1, 64, 96), (4,), Variation.NONE)
    head_x = tensor("head_x", Role.ACTIVATION, (1, 64, 32), (8,), Variation.NONE)
    head_w = tensor("head_w", Role.WEIGHT, (1, 32, 10), (8,), Variation.NONE)
    for block in range(2):
        qkv = gemm(block, Variation.ROW, (1, tokens, 96, 64), codes(block, Variation.ROW, (1, tokens, 64), image), w)
        q = codes(block, Variation.BATCH, (pairs, ROWS, 32), qkv)
        k = codes(block, Variation.BATCH, (pairs, 32, ROWS), qkv)
        gemm(block, Variation.BATCH, (pairs, ROWS, ROWS, 32), q, k)
    gemm(-1, Variation.NONE, (1, 64, 10, 32), head_x, head_w)
    return Topology(tuple(operators), tuple(tensors))


def small_windows(low: int = 1, images: int = 2) -> WindowTable:
    """Every block of every image has `low` low windows, the least important ones."""
    rows = [
        (image, 0, block % 2, block, window, float(WINDOWS - window), window, 4 if window >= WINDOWS - low else 8, ROWS)
        for image in range(images)
        for block in range(2)
        for window in range(WINDOWS)
    ]
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    return WindowTable(*columns)


def small_manifest(images: int = 2, low: int = 1) -> Manifest:
    ratio = low * 1000 // WINDOWS
    return Manifest(
        schema_version="1.1",
        model="toy",
        model_source=ModelSource.RANDOM,
        window_size=7,
        input_height=56,
        input_width=56,
        images=tuple(f"image{i}" for i in range(images)),
        method="uniform_affine",
        activation_bits_high=8,
        activation_bits_low=4,
        weight_bits=4,
        ratio_thousandths=ratio,
        pair_ratios_thousandths=((ratio,),),
        score="random",
        score_note="random window choice",
        seed=0,
        derived=Derived.NONE,
        git_revision="none",
        versions={"numpy": "2"},
    )


@pytest.fixture
def make_bundle(tmp_path: Path) -> Callable[..., Path]:
    """Write the small bundle with `low` low windows per block."""

    def make(name: str = "bundle", low: int = 1, tensors: bool = False) -> Path:
        codes = {"image0": {"b": np.arange(6, dtype=np.int8), "a": np.ones((2, 3), np.uint8)}} if tensors else {}
        return write_bundle(tmp_path / name, small_manifest(low=low), small_topology(), small_windows(low), codes)

    return make


@pytest.fixture
def windows() -> WindowTable:
    return small_windows()


@pytest.fixture
def manifest() -> Manifest:
    return small_manifest()


@pytest.fixture
def topology() -> Topology:
    return small_topology()
