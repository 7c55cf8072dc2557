"""MPTQ-ViT: which quantizer stands where, integer against fake, on disk, in two branches, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mixarray.errors import InputError
from mixarray.trace.model import Encoding
from mixarray_analysis.cli.mptq_options import mptq_options
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.model.detector import Detector
from mixarray_traces.quantization.affine import AffineParams, WeightParams
from mixarray_traces.quantization.allocation import Allocation
from mixarray_traces.quantization.arithmetic import ArithmeticKind
from mixarray_traces.quantization.calibrate import quantize
from mixarray_traces.quantization.integer import IntegerArithmetic
from mixarray_traces.quantization.mptq_options import MptqOptions, RegionSearch, SmoothedRange, SoftmaxQuantizer
from mixarray_traces.quantization.options import CalibrationData, QuantizationOptions
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.store import load_quantized, save_quantized
from mixarray_traces.quantization.two_region import TwoRegionParams

Made = Callable[[MptqOptions], QuantizedDetector]
BOTH = MptqOptions(softmax=SoftmaxQuantizer.TWO_REGION)
GELU, SOFTMAX = "stages.0.blocks.0.mlp.fc2.input", "stages.0.blocks.0.attn.av.left"


def options_of(mptq: MptqOptions, **changes: Allocation) -> QuantizationOptions:
    return QuantizationOptions(
        method="mptq_vit",
        calibration_canvases=3,
        calibration_data=CalibrationData.IMAGES,
        mptq=mptq,
        allocation=changes.get("allocation"),
    )


@pytest.fixture(scope="module")
def made(teacher: Detector, tiny_images: Tensor) -> Made:
    known: dict[MptqOptions, QuantizedDetector] = {}

    def build(options: MptqOptions) -> QuantizedDetector:
        if options not in known:
            known[options] = quantize(teacher, options_of(options), source="random", batches=[tiny_images])
        return known[options]

    return build


def test_placement(made: Made) -> None:
    model = made(MptqOptions())
    for (name, branch), quantizer in model.calibration.activations.items():
        assert quantizer.bits == branch
        if name.endswith(".mlp.fc2.input"):
            assert isinstance(quantizer, TwoRegionParams), name
            assert quantizer.negative
        else:
            assert isinstance(quantizer, AffineParams), name
            assert quantizer.zero_point == (-(1 << (branch - 1)) if name.endswith(".av.left") else 0)
    assert all(isinstance(one, WeightParams) for one in model.calibration.weights.values())
    assert {name.rpartition(".")[2] for name in model.folding} == {"qkv", "fc1", "reduction"}
    assert len(model.folding) == 4 * 2 + 1
    soft = made(BOTH).calibration.activations[SOFTMAX, 4]
    assert isinstance(soft, TwoRegionParams)
    assert not soft.negative


def test_branches_share_the_fold_and_have_their_own_steps(made: Made) -> None:
    found = made(MptqOptions()).calibration.activations
    high, low = found[GELU, 8], found[GELU, 4]
    assert isinstance(high, TwoRegionParams)
    assert isinstance(low, TwoRegionParams)
    assert low.step > high.step
    qkv = "stages.0.blocks.0.attn.qkv.input"
    assert found[qkv, 4].step > found[qkv, 8].step


@pytest.mark.parametrize("padding", [(48, 48), (42, 37)], ids=["square", "padded"])
def test_folding_keeps_the_function(made: Made, tiny_images: Tensor, padding: tuple[int, int]) -> None:
    exact, inputs = made(BOTH).double(), tiny_images[:, :, : padding[0], : padding[1]].double()
    plan = exact.plan(400, tuple(ImageFacts(seed) for seed in range(3)), "random")
    run = exact.run(inputs, plan, exact.arithmetic(ArithmeticKind.FLOAT))
    with torch.no_grad():
        plain = exact.detector(inputs)
    assert float((run.output - plain).abs().max() / plain.abs().max()) < 1e-12


def test_integer_mode_equals_fake_quantization(made: Made, tiny_images: Tensor) -> None:
    """Bit for bit in the sums: the multiplicands are integers, and float64 holds them; all that is left are scales."""
    exact = made(BOTH).double()
    plan = exact.plan(500, tuple(ImageFacts(seed) for seed in range(3)), "random")
    fake = exact.run(tiny_images.double(), plan).output
    whole = exact.run(tiny_images.double(), plan, exact.arithmetic(ArithmeticKind.INTEGER)).output
    torch.testing.assert_close(whole, fake, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", [GELU, SOFTMAX])
def test_a_wrong_shift_in_integer_mode_is_noticed(made: Made, name: str) -> None:
    """One product of integer codes whose PEs shift by one place too few."""
    exact = made(BOTH).double()
    right = exact.calibration.activations[name, 8]
    assert isinstance(right, TwoRegionParams)
    wrong = replace(
        exact.calibration, activations={**exact.calibration.activations, (name, 8): replace(right, shift=0)}
    )
    operator = name.rpartition(".")[0]
    columns = exact.weights()[operator].matrix.shape[1] if name == GELU else 16
    values = torch.rand(1, 1, 16, columns, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    other = torch.randn(1, 1, 16, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))

    def product(arithmetic: IntegerArithmetic) -> Tensor:
        return arithmetic.linear(operator, values, 8) if name == GELU else arithmetic.matmul(operator, values, other, 8)

    expected = product(IntegerArithmetic(exact.weights(), exact.calibration))
    fake = exact.arithmetic()
    same = fake.linear(operator, values, 8) if name == GELU else fake.matmul(operator, values, other, 8)
    torch.testing.assert_close(expected, same, rtol=1e-12, atol=1e-12)
    assert not torch.allclose(product(IntegerArithmetic(exact.weights(), wrong)), expected, rtol=1e-3)


def test_saved_and_read_again(made: Made, tmp_path: Path, tiny_images: Tensor) -> None:
    model = made(replace(BOTH, alpha=0.25, smoothed_range=SmoothedRange.RAW))
    again = load_quantized(save_quantized(model, tmp_path / "model"))
    assert again.options == model.options
    assert again.calibration.activations == model.calibration.activations
    plan = model.plan(300, tuple(ImageFacts(seed) for seed in range(3)))
    assert torch.equal(again.run(tiny_images, plan).output, model.run(tiny_images, plan).output)


def test_calibrated_twice_alike(teacher: Detector, tiny_images: Tensor, made: Made) -> None:
    again = quantize(teacher, options_of(BOTH), source="random", batches=[tiny_images])
    assert again.calibration.activations == made(BOTH).calibration.activations
    for name, fold in again.folding.items():
        assert torch.equal(fold.factors, made(BOTH).folding[name].factors)
        assert torch.equal(fold.shifts, made(BOTH).folding[name].shifts)


def test_options_change_what_they_name(made: Made) -> None:
    default, by_values = (made(MptqOptions(region_search=search)).calibration.activations for search in RegionSearch)
    changed = {name for (name, branch) in default if default[name, branch] != by_values[name, branch]}
    assert changed
    assert all(name.endswith(".mlp.fc2.input") for name in changed)
    shifts = [fold.shifts for fold in made(MptqOptions(bias=False)).folding.values()]
    assert not any(bool(one.any()) for one in shifts)


def test_allocated_bits_reach_the_search(teacher: Detector, tiny_images: Tensor) -> None:
    """6-bit codes in the high branch, 4-bit ones in the low: the shift is searched for 6 bits, up to 6."""
    allocation = Allocation({"stages.0.blocks.0.mlp.fc2": 6}, {GELU: 6, SOFTMAX: 5})
    options = options_of(BOTH, allocation=allocation)
    model = quantize(teacher, options, source="random", batches=[tiny_images])
    found = model.calibration.activations
    assert [found[name, branch].bits for name in (GELU, SOFTMAX) for branch in (8, 4)] == [6, 4, 5, 4]
    assert found[GELU, 8].encoding is Encoding.TWO_REGION


@pytest.mark.parametrize("alpha", [-0.1, 1.5, float("nan")])
def test_alpha_outside_is_refused(alpha: float) -> None:
    with pytest.raises(InputError, match="allowed: 0 to 1"):
        MptqOptions(alpha=alpha)


def test_flags() -> None:
    assert mptq_options("repq_vit", None, False, None, None, None) is None
    assert mptq_options("mptq_vit", None, False, None, None, None) == MptqOptions()
    given = mptq_options("mptq_vit", 0.3, False, "raw", "two_region", "values")
    expected = MptqOptions(0.3, True, SmoothedRange.RAW, SoftmaxQuantizer.TWO_REGION, RegionSearch.VALUES)
    assert given == expected
    assert mptq_options("mptq_vit", None, True, None, None, None) == MptqOptions(bias=False)
    with pytest.raises(InputError, match="--smoothed-range: raw needs shifted channels"):
        mptq_options("mptq_vit", None, True, "raw", None, None)
    with pytest.raises(InputError, match="--no-bias: is an option of mptq_vit; the method is repq_vit"):
        mptq_options("repq_vit", None, True, None, None, None)
    with pytest.raises(InputError, match="'log2' is unknown; allowed: uniform, two_region"):
        mptq_options("mptq_vit", None, False, None, "log2", None)
