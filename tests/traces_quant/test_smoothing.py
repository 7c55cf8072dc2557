"""SQ-b: the same function after smoothing and shifting, padded positions included; what symmetric codes then lose."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor

from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.model.kinds import blocks_by_name
from mixarray_traces.quantization.arithmetic import ArithmeticKind
from mixarray_traces.quantization.clamping import clamping_loss
from mixarray_traces.quantization.folding import Fold, Folding, foldable_layers
from mixarray_traces.quantization.mptq_options import MptqOptions, SmoothedRange
from mixarray_traces.quantization.options import RangeRule
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.smoothing import smoothing_fold
from mixarray_traces.quantization.symmetric import symmetric_params

ROWS = torch.tensor([[1.0, -4.0, 0.0, 3.0], [5.0, -1.0, 0.0, 3.0], [2.0, 2.0, 0.0, 3.0]])
MATRIX = torch.tensor([[1.0, -8.0, 2.0, 1.0], [-4.0, 2.0, 2.0, 1.0]])
SIZES = [(90, 123), (112, 112)]
"""Of the first, stages 0 and 1 pad both axes on both grids."""


def test_factors_and_shifts_by_hand() -> None:
    """Ranges 1..5, -4..2, 0..0, 3..3: middles 3, -1, 0, 3 and reaches 2, 3, 0, 0; weights reach 4, 8, 2, 1."""
    fold = smoothing_fold(ROWS, MATRIX, MptqOptions())
    assert fold.factors.tolist() == pytest.approx([(2 / 4) ** 0.5, (3 / 8) ** 0.5, 1, 1])
    assert (fold.shifts * fold.factors).tolist() == pytest.approx([3, -1, 0, 3])
    plain = smoothing_fold(ROWS, MATRIX, MptqOptions(bias=False))
    assert plain.factors.tolist() == pytest.approx([(5 / 4) ** 0.5, (4 / 8) ** 0.5, 1, 3**0.5])
    assert plain.shifts.tolist() == [0, 0, 0, 0]
    raw = smoothing_fold(ROWS, MATRIX, MptqOptions(smoothed_range=SmoothedRange.RAW))
    assert torch.equal(raw.factors, plain.factors)
    assert (raw.shifts * raw.factors).tolist() == pytest.approx([3, -1, 0, 3])


@pytest.mark.parametrize(("alpha", "factors"), [(0.0, [1 / 4, 1 / 8, 1, 1]), (1.0, [2, 3, 1, 1])])
def test_alpha_moves_the_burden_from_weights_to_activations(alpha: float, factors: list[float]) -> None:
    assert smoothing_fold(ROWS, MATRIX, MptqOptions(alpha=alpha)).factors.tolist() == pytest.approx(factors)


def test_folded_channels_are_symmetric_and_reach_as_far_as_their_weights() -> None:
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(500, 6, generator=generator) * torch.arange(1, 7) + torch.arange(6)
    matrix = torch.randn(4, 6, generator=generator)
    fold = smoothing_fold(rows, matrix, MptqOptions())
    low, high = fold.values(rows).aminmax(dim=0)
    torch.testing.assert_close(low, -high)
    torch.testing.assert_close(high, (matrix.double() * fold.factors).abs().amax(dim=0))


def smoothed(model: QuantizedDetector, options: MptqOptions) -> QuantizedDetector:
    """The model with every site of SQ-b folded, as if calibration had seen asymmetric rows."""
    generator = torch.Generator().manual_seed(3)
    folding: dict[str, Fold] = {}
    for name, (_, linear) in foldable_layers(model.detector).items():
        rows = torch.exp(torch.randn(50, linear.in_features, generator=generator)) - 0.5
        folding[name] = smoothing_fold(rows, linear.weight, options)
    return with_folding(model, folding)


def with_folding(model: QuantizedDetector, folding: Folding) -> QuantizedDetector:
    return dataclasses.replace(model, folding=folding, _arithmetics={})


def output(model: QuantizedDetector, images: Tensor, ratio: int) -> Tensor:
    plan = model.plan(ratio, tuple(ImageFacts(seed) for seed in range(len(images))), "random")
    return model.run(images, plan, model.arithmetic(ArithmeticKind.FLOAT)).output


def relative(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("options", [MptqOptions(), MptqOptions(bias=False)], ids=["bias", "no bias"])
def test_the_function_stays(
    exact: QuantizedDetector, images: Tensor, size: tuple[int, int], options: MptqOptions
) -> None:
    inputs = images[:, :, : size[0], : size[1]].double()
    assert relative(output(smoothed(exact, options), inputs, 400), output(exact, inputs, 400)) < 1e-12


@pytest.mark.parametrize("block", [0, 1], ids=["regular", "shifted"])
def test_padding_with_zero_is_caught_on_either_grid(exact: QuantizedDetector, images: Tensor, block: int) -> None:
    """One block of stage 0, which pads both axes, pads with 0 instead of the shifted zero -t / c."""
    inputs = images[:1, :, :90, :123].double()
    mutant = smoothed(exact, MptqOptions())
    part = blocks_by_name(mutant.network)[f"stages.0.blocks.{block}"]
    grid = part.grid(23, 31)
    assert (grid.padded_height > 23, grid.padded_width > 31, grid.shift > 0) == (True, True, block == 1)
    fold = mutant.folding[f"stages.0.blocks.{block}.attn.qkv"]
    assert part.padding is not None
    torch.testing.assert_close(part.padding, -fold.shifts)
    part.padding = None
    assert relative(output(mutant, inputs, 0), output(exact, inputs, 0)) > 1e-6


def test_without_the_bias_term_zero_stays_zero(exact: QuantizedDetector) -> None:
    part = blocks_by_name(smoothed(exact, MptqOptions(bias=False)).network)["stages.0.blocks.0"]
    assert part.padding is not None
    assert not part.padding.any()


def test_symmetric_steps_by_rule() -> None:
    values = torch.cat([torch.linspace(-1, 1, 2001), torch.tensor([10.0])]).double()
    widest = symmetric_params(values, 10.0, 4, RangeRule.MIN_MAX)
    assert (widest.step, widest.zero_point) == (10 / 7, 0)
    least = symmetric_params(values, 10.0, 4, RangeRule.MSE)
    inside = symmetric_params(values, 10.0, 4, RangeRule.PERCENTILE)
    assert least.step < widest.step
    assert inside.step <= widest.step

    def error(step: float) -> float:
        counts = (values / step).round().clamp(-8, 7)
        return float((counts * step - values).square().mean())

    assert error(least.step) == min(error(widest.step * shrink / 80) for shrink in range(4, 81))
    assert symmetric_params(values * 0, 0.0, 4, RangeRule.MSE).step == 1


def test_the_clamping_loss_by_hand() -> None:
    """One channel from -1 to 7 at 4 bits: without the bias the step is 1, with it 4 / 7; then the codes of 5 values."""
    rows = torch.tensor([[-1.0], [0.0], [1.4], [4.0], [7.0]])
    matrix = torch.tensor([[2.0], [-1.0]])
    without = clamping_loss(rows, matrix, smoothing_fold(rows, matrix, MptqOptions(1.0, False)), 4, RangeRule.MIN_MAX)
    energy = float(rows.square().sum())
    assert without.clamped == 0
    assert without.values == pytest.approx(0.16 / energy)
    assert without.output == pytest.approx(without.values), "one channel: the weights cancel"
    shifted = clamping_loss(rows, matrix, smoothing_fold(rows, matrix, MptqOptions(1.0)), 4, RangeRule.MIN_MAX)
    off = [((row - 3) / (4 / 7) - round((row - 3) / (4 / 7))) * 4 / 7 for row in (-1, 0, 1.4, 4, 7)]
    assert shifted.values == pytest.approx(sum(one * one for one in off) / energy)


def test_the_bias_term_spares_what_would_be_clamped() -> None:
    """Channels wide on one side: with the shift less of the values and of the output is lost."""
    generator = torch.Generator().manual_seed(2)
    rows = -torch.exp(0.8 * torch.randn(2000, 16, generator=generator)).clamp_max(6)
    matrix = torch.randn(8, 16, generator=generator)
    with_it, without = (
        clamping_loss(rows, matrix, smoothing_fold(rows, matrix, MptqOptions(bias=bias)), 4, RangeRule.MSE)
        for bias in (True, False)
    )
    assert without.clamped > 0
    assert with_it.values < without.values
    assert with_it.output < without.output
