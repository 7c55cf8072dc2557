"""Codes recorded from the shipped model: the array's registers form the products that PyTorch forms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mixarray.accelerator.enums import Dataflow, WeightLoading
from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import Array
from mixarray.array.events import Integers
from mixarray.array.fold import RowRun
from mixarray.array.functional import run_functional
from mixarray.array.problem import Problem
from mixarray.trace.bundle import read_bundle
from mixarray_analysis.models import open_model
from mixarray_analysis.validation.arrays import make_array
from mixarray_traces.record.images import canvas_images
from mixarray_traces.record.packing import unpack_codes
from mixarray_traces.record.recorder import record

SMALLEST_PX = 112
BLOCK = "stages.1.blocks.0"
LINEAR = ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")


class Recorded:
    """Codes by tensor and bits, as the bundle holds them: (batch, rows, columns)."""

    def __init__(self, path: Path) -> None:
        bundle = read_bundle(path)
        self._files = bundle.tensors("image-0") | bundle.tensors("weights")

    def __call__(self, tensor: str, bits: int) -> Integers:
        key = f"{BLOCK}.{tensor}@{bits}"
        return unpack_codes(self._files[key], bits, tuple(self._files[f"{key}.shape"])).astype(np.int64)


@pytest.fixture(scope="module")
def codes(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    path = tmp_path_factory.mktemp("recorded") / "bundle"
    return Recorded(record(open_model(None), canvas_images(1, SMALLEST_PX), path, 400))


@pytest.fixture(scope="module")
def packed() -> Array:
    return load_accelerator("packed_w4_32x32").arrays[0]


def product(left: Integers, right: Integers) -> Integers:
    return (torch.from_numpy(left) @ torch.from_numpy(right)).numpy()


@pytest.mark.parametrize("name", LINEAR)
def test_linear_layers_with_mixed_windows(codes: Recorded, packed: Array, name: str) -> None:
    high, low = codes(f"{name}.input", 8)[0], codes(f"{name}.input", 4)[0]
    weights = codes(f"{name}.weight", 4)[0]
    assert min(len(high), len(low)) > 0
    assert np.ptp(high) > 15, "codes that 4 bits could not hold"
    runs = RowRun(len(high), packed.mode(8, 4)), RowRun(len(low), packed.mode(4, 4))
    rows = np.concatenate([high, low])
    result = run_functional(packed, Problem(runs, weights.shape[1], weights.shape[0]), rows, weights)
    assert np.array_equal(result, product(rows, weights))


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("name", ["attn.qk", "attn.av"])
def test_attention_of_both_branches(codes: Recorded, packed: Array, name: str, bits: int) -> None:
    """Keys are recorded as they were produced and enter transposed; AV streams probabilities of unsigned origin."""
    left, right = codes(f"{name}.left", bits), codes(f"{name}.right", bits)
    if name == "attn.qk":
        right = right.swapaxes(1, 2)
    else:
        assert left.min() == -(1 << (bits - 1)), "probability 0 is the lowest signed code"
    for one, other in zip(left, right, strict=True):
        (m, k), n = one.shape, other.shape[1]
        problem = Problem((RowRun(m, packed.mode(bits, bits)),), n, k)
        assert np.array_equal(run_functional(packed, problem, one, other), product(one, other))


@pytest.mark.parametrize("dataflow", Dataflow)
def test_attention_of_the_high_branch_on_plain_arrays(codes: Recorded, dataflow: Dataflow) -> None:
    array = make_array((16, 16), "plain", dataflow, ((8, 8),), WeightLoading.SINGLE)
    left, right = codes("attn.av.left", 8)[0], codes("attn.av.right", 8)[0]
    if dataflow is Dataflow.INPUT_STATIONARY:
        left, right = right.T, left.T
    problem = Problem((RowRun(left.shape[0], array.mode(8, 8)),), right.shape[1], left.shape[1])
    assert np.array_equal(run_functional(array, problem, left, right), product(left, right))
