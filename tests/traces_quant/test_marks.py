"""What a method's marks in a trace do to the machine's work: each one changes the counters it should, and no others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mixarray.accelerator.load import load_accelerator
from mixarray.cost.zeros import Codes
from mixarray.errors import InputError
from mixarray.simulation import simulate
from mixarray.trace.bundle import read_bundle
from mixarray.trace.model import Encoding, Operator, OperatorKind, Role, Tensor, Topology, Variation
from mixarray.trace.workload import Workload, build_workload
from mixarray_traces.quantization.affine import AffineParams
from mixarray_traces.quantization.arithmetic import Calibration
from mixarray_traces.quantization.log_sqrt2 import LogSqrt2Params
from mixarray_traces.quantization.options import RepqOptions, ZeroPoints
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.record.capture import CapturingArithmetic, packed, packed_zeros
from mixarray_traces.record.graph import ActivationFacts, Quantizers, WeightFacts
from mixarray_traces.record.images import canvas_images
from mixarray_traces.record.packing import unpack_codes
from mixarray_traces.record.recorder import record, topology_of
from mixarray_traces.record.topology import build_topology

from .conftest import HEAD, TOY, toy_assignment

Made = Callable[[RepqOptions], QuantizedDetector]

LINEAR = 4 * 4 + 1 + 1 + 4
"""Linear operators of the toy: four in each of four blocks, embedding, merging, head."""


def quantizers(*, weights: WeightFacts, softmax: Encoding, value_zero: int = -1) -> Quantizers:
    def activation(tensor: str, bits: int) -> ActivationFacts:
        if tensor.endswith(".av.left"):
            return ActivationFacts(1.0, -(1 << (bits - 1)), softmax)
        return ActivationFacts(1.0, value_zero if tensor.endswith(".av.right") else -1)

    return Quantizers(activation, lambda name: weights)


SUMS, NO_SUMS = WeightFacts(needs_row_sums=True), WeightFacts()
REPQ = quantizers(weights=SUMS, softmax=Encoding.LOG_SQRT2)


def topology(found: Quantizers = REPQ) -> Topology:
    return build_topology(TOY, 112, 112, HEAD, quantizers=found)


def workload(found: Quantizers) -> Workload:
    return build_workload(TOY.name, topology(found), toy_assignment(), TOY.window**2)


def counters(found: Quantizers) -> dict[tuple[str, str], int]:
    """Actions of one inference by (kind of operator, action), summed over operators."""
    work = workload(found)
    total: Counter[tuple[str, str]] = Counter()
    for counts in simulate(work, load_accelerator("packed_w4_32x32")).execution.operators:
        kind = work.operators[counts.operator].operator.kind
        for action, count in counts.actions.items():
            total[kind.value, f"{action.component}.{action.name}"] += count
    return dict(total)


def operations(counted: dict[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """PE-cycles, vector operations and DRAM traffic: not what readers of the sums fetch from the buffers."""
    return {
        key: count
        for key, count in counted.items()
        if key[1].startswith(("arrays.", "vector_units.", "dram_channels."))
    }


def changed_kinds(one: Quantizers, other: Quantizers) -> set[str]:
    """Kinds of operators whose operations differ."""
    first, second = operations(counters(one)), operations(counters(other))
    return {key[0] for key in first.keys() | second.keys() if first.get(key, 0) != second.get(key, 0)}


def without(mark: str) -> Quantizers:
    """RepQ-ViT's trace with one mark switched off."""
    if mark == "row sums of weights":
        return quantizers(weights=NO_SUMS, softmax=Encoding.LOG_SQRT2)
    if mark == "log_sqrt2":
        return quantizers(weights=SUMS, softmax=Encoding.INT)
    return quantizers(weights=SUMS, softmax=Encoding.LOG_SQRT2, value_zero=0)


@pytest.mark.parametrize(
    ("mark", "kind"),
    [
        ("row sums of weights", OperatorKind.ROW_SUM),
        ("log_sqrt2", OperatorKind.COLUMN_SUM),
        ("zero point of v", OperatorKind.ROW_SUM),
    ],
)
def test_a_mark_changes_its_own_work_alone(mark: str, kind: OperatorKind) -> None:
    assert changed_kinds(REPQ, without(mark)) == {kind.value}


def names(found: Topology, kind: OperatorKind) -> set[str]:
    return {op.name for op in found.operators if op.kind is kind}


def test_marks_name_their_operators() -> None:
    full = topology()
    gone = names(full, OperatorKind.ROW_SUM) - names(topology(without("row sums of weights")), OperatorKind.ROW_SUM)
    linear = {op.name for op in full.operators if op.kind is OperatorKind.GEMM and op.batch == 1}
    assert gone == {f"{name}.row_sum" for name in linear}
    assert len(gone) == LINEAR
    added = names(topology(without("log_sqrt2")), OperatorKind.COLUMN_SUM) - names(full, OperatorKind.COLUMN_SUM)
    assert {name.split(".", 4)[4] for name in added} == {"attn.av.column_sum"}
    gone = names(full, OperatorKind.ROW_SUM) - names(topology(without("zero point of v")), OperatorKind.ROW_SUM)
    assert {name.split(".", 4)[4] for name in gone} == {"attn.av.row_sum"}


def test_a_row_sum_reads_what_streams_and_all_readers_of_the_product_read_it() -> None:
    ops = {op.name: op for op in topology().operators}

    def readers(op: Operator) -> set[str]:
        return {name for name, one in ops.items() if op.output in {entry.tensor for entry in one.inputs}}

    for name, sums in ops.items():
        product = ops.get(name.removesuffix(".row_sum"))
        if sums.kind is OperatorKind.ROW_SUM and product is not None and product.batch == 1:
            assert (sums.m, sums.n) == (product.m, product.k)
            assert [entry.tensor for entry in sums.inputs] == [product.inputs[0].tensor]
            assert readers(sums) == readers(product)


def test_half_integer_weights_ask_for_row_sums() -> None:
    """Room for StatsQ: offset -1/2, so the same operators, and another encoding."""
    half = topology(quantizers(weights=WeightFacts(Encoding.HALF_INT, True), softmax=Encoding.LOG_SQRT2))
    assert [op.name for op in half.operators] == [op.name for op in topology().operators]
    weights = {t.encoding for t in half.tensors if t.name.endswith(".weight")}
    assert weights == {Encoding.HALF_INT}


def read_codes(files: dict[str, np.ndarray], key: str, bits: int) -> np.ndarray:
    return unpack_codes(files[key], bits, tuple(files[f"{key}.shape"])).astype(np.int64)


def log_values(files: dict[str, np.ndarray], key: str, bits: int, step: float, zero_point: int) -> np.ndarray:
    """The values of log-sqrt2 codes, from what a bundle holds."""
    codes = read_codes(files, key, bits)
    flagged = f"{key}.zeros" in files
    zeros = unpack_codes(files[f"{key}.zeros"], 1, codes.shape) != 0 if flagged else codes == (1 << (bits - 1)) - 1
    return np.where(zeros, 0.0, step * 2.0 ** (-(codes - zero_point) / 2))


def test_recorded_codes_reproduce_the_attention_product(repq: Made, tmp_path: Path) -> None:
    """AV of the first block's low group from the bundle alone: log-sqrt2 codes, and v with its zero point."""
    model = repq(RepqOptions())
    bundle = read_bundle(record(model, canvas_images(1, 128), tmp_path / "bundle", 400))
    assert bundle.manifest.method == "repq_vit"
    name, bits, files = "stages.0.blocks.0.attn.av", 4, bundle.tensors("image-0")
    tensors = {(t.name, t.bits): t for t in bundle.topology.tensors}
    soft, value = tensors[f"{name}.left", bits], tensors[f"{name}.right", bits]
    assert (soft.encoding, value.encoding) == (Encoding.LOG_SQRT2, Encoding.INT)
    weights = log_values(files, f"{name}.left@{bits}", bits, soft.step, soft.zero_point)
    values = (read_codes(files, f"{name}.right@{bits}", bits) - value.zero_point) * value.step
    expected = model.arithmetic().matmul(name, torch.from_numpy(weights), torch.from_numpy(values), bits)
    np.testing.assert_allclose(weights @ values, expected.numpy(), atol=1e-6)


class Zeros:
    """Stands in for the arithmetic behind the capture."""

    def linear(self, name: str, inputs: torch.Tensor, branch: int) -> torch.Tensor:
        raise AssertionError("no linear operator runs here")

    def matmul(self, name: str, left: torch.Tensor, right: torch.Tensor, branch: int) -> torch.Tensor:
        return torch.zeros(())


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("extra", [False, True])
def test_zeros_of_a_softmax_are_recorded(extra: bool, bits: int) -> None:
    values = torch.softmax(9 * torch.randn(1, 2, 49, 49, generator=torch.Generator().manual_seed(0)), dim=-1)
    quantizer = LogSqrt2Params(bits, 0.8, extra_zero=extra)
    found = {("av.left", bits): quantizer, ("av.right", bits): AffineParams(bits, 1.0, 0)}
    calibration = Calibration(found, {})
    capture = CapturingArithmetic(Zeros(), calibration)
    capture.matmul("av", values, values, bits)
    files = packed(capture.codes, calibration) | packed_zeros(capture.zeros, calibration)
    assert (f"av.left@{bits}.zeros" in files) == (extra and bits == 4)
    read = log_values(files, f"av.left@{bits}", bits, 0.8, quantizer.zero_point)
    expected = (quantizer.multiplicands(values.double()) * 0.8).numpy()[0]
    assert (read == 0).any()
    np.testing.assert_allclose(read, expected, rtol=1e-6)
    step = 0, 0.8, Encoding.LOG_SQRT2, Variation.BATCH, bits
    soft = Tensor(0, "av.left", Role.ACTIVATION, 2, 49, 49, bits, True, *step)
    gated = Codes(files, {}, "here").zeros(soft, read.size)
    assert np.array_equal(gated.reshape(read.shape), read == 0)


def test_recorded_weights_carry_their_zero_points(repq: Made, tmp_path: Path) -> None:
    model = repq(RepqOptions())
    files = read_bundle(record(model, canvas_images(1, 128), tmp_path / "bundle", 400)).tensors("weights")
    name = "stages.0.blocks.0.attn.qkv"
    codes = unpack_codes(files[f"{name}.weight@4"], 4, tuple(files[f"{name}.weight@4.shape"]))[0].astype(np.int64)
    zeros, steps = files[f"{name}.weight.zero_points"], files[f"{name}.weight.steps"]
    folded = model.weights()[name].matrix.numpy().T
    assert zeros.any()
    assert np.abs((codes - zeros) * steps - folded).max() < 2 * steps.max()
    assert not np.allclose(folded, model.detector.backbone.layers[0].blocks[0].attn.qkv.weight.detach().numpy().T)


def test_a_recorded_topology_has_the_marks_and_a_fraction_is_refused(repq: Made) -> None:
    found = topology_of(repq(RepqOptions()), 128, 128)
    linear = {op.name for op in found.operators if op.kind is OperatorKind.GEMM and op.batch == 1}
    assert {f"{name}.row_sum" for name in linear} <= names(found, OperatorKind.ROW_SUM)
    assert not {name for name in names(found, OperatorKind.COLUMN_SUM) if name.endswith("av.column_sum")}
    fractional = repq(replace(RepqOptions(), zero_points=ZeroPoints.FRACTIONAL))
    with pytest.raises(InputError, match="fractional"):
        topology_of(fractional, 128, 128)
