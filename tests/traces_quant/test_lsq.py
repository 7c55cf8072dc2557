"""LSQ: ranges, layouts, gradients; and a whole model of OFQ's quantizers: integer equals fake, saved equals loaded."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from mixarray.errors import InputError
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.model.detector import Detector
from mixarray_traces.quantization.arithmetic import ArithmeticKind, Calibration
from mixarray_traces.quantization.calibrate import quantize
from mixarray_traces.quantization.kinds import activation_from_json, activation_to_json
from mixarray_traces.quantization.lsq import LsqLearner, LsqParams, StepLayout, first_step, limits, step_layout
from mixarray_traces.quantization.magnitudes import Magnitudes, mean_magnitude
from mixarray_traces.quantization.options import (
    CalibrationData,
    LearnedVectors,
    OfqOptions,
    QuantizationOptions,
    QueryKey,
)
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.store import load_quantized, save_quantized

OPTIONS = QuantizationOptions(
    method="ofq",
    high_bits=4,
    low_bits=2,
    calibration_canvases=3,
    calibration_data=CalibrationData.IMAGES,
    ofq=OfqOptions(),
)


@pytest.fixture(scope="session")
def ofq(detector: Detector, images: Tensor) -> QuantizedDetector:
    """The untrained detector at OFQ's first steps, with random vectors in place of the zeros they begin with."""
    made = quantize(detector, OPTIONS, batches=[images])
    generator = torch.Generator().manual_seed(4)

    def vector(zeros: Tensor | None) -> Tensor | None:
        return None if zeros is None else (0.3 * torch.randn(zeros.shape, generator=generator)).double()

    activations = {
        key: replace(one, before=vector(one.before), after=vector(one.after))
        for key, one in made.calibration.activations.items()
        if isinstance(one, LsqParams)
    }
    return replace(made, calibration=Calibration(activations, made.calibration.weights), _arithmetics={})


def some(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("bits", "unsigned", "expected"), [(4, False, (-8, 7)), (4, True, (0, 15)), (2, False, (-2, 1)), (2, True, (0, 3))]
)
def test_limits_and_signed_codes(bits: int, unsigned: bool, expected: tuple[int, int]) -> None:
    quantizer = LsqParams(bits, torch.tensor(0.5, dtype=torch.float64), unsigned)
    values = torch.linspace(-20, 20, 401)
    found = quantizer.multiplicands(values)
    assert limits(bits, unsigned) == expected == (int(found.min()), int(found.max()))
    codes = quantizer.codes(values)
    half = 1 << (bits - 1)
    assert (int(codes.min()), int(codes.max())) == (-half, half - 1)
    assert torch.equal(codes - quantizer.zero_point, found)


def test_first_steps_by_hand() -> None:
    """2 mean|x| / sqrt(hi), 4 where unsigned."""
    assert float(first_step(torch.tensor(3.0), 4, unsigned=False)) == pytest.approx(6 / math.sqrt(7))
    assert float(first_step(torch.tensor(3.0), 4, unsigned=True)) == pytest.approx(12 / math.sqrt(15))


def test_layouts() -> None:
    """A step per position of a window, per query row, per key, per channel of v; one for the MLP and outside."""
    stem = "stages.1.blocks.0"
    assert step_layout(f"{stem}.attn.qkv.input") is StepLayout.ROW
    assert step_layout(f"{stem}.attn.av.left") is StepLayout.ROW
    assert step_layout(f"{stem}.attn.qk.right") is step_layout(f"{stem}.attn.av.right") is StepLayout.COLUMN
    assert step_layout(f"{stem}.mlp.fc1.input") is step_layout("head.fc1.input") is StepLayout.TENSOR
    values = torch.arange(24.0).reshape(2, 1, 3, 4) - 10
    sizes = values.abs().double()
    assert mean_magnitude(values, StepLayout.ROW).tolist() == sizes.mean(dim=(0, 1, 3)).unsqueeze(1).tolist()
    assert mean_magnitude(values, StepLayout.COLUMN).tolist() == sizes.mean(dim=(0, 1, 2)).unsqueeze(0).tolist()
    assert float(mean_magnitude(values, StepLayout.TENSOR)) == float(sizes.mean())


def test_running_means_weigh_every_value_the_same() -> None:
    name, values = "stages.0.blocks.0.attn.qkv.input", some(0, 7, 9, 4)
    running = Magnitudes()
    for part in (values[:1], values[1:]):
        running.add(name, part)
    torch.testing.assert_close(running.means()[name], mean_magnitude(values, StepLayout.ROW))
    with pytest.raises(InputError, match="windows of different sizes"):
        running.add(name, some(1, 2, 4, 4))


def lsq_gradients(values: Tensor, steps: Tensor, upstream: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """Esser et al., eq. 3 and 5, and the scale 1 / sqrt(hi numel), written out."""
    low, high = limits(bits, False)
    ratios = values / steps
    inside = (ratios > low) & (ratios < high)
    of_steps = torch.where(inside, ratios.round() - ratios, ratios.clamp(low, high))
    scale = 1 / math.sqrt(high * values.numel())
    return upstream * inside, (upstream * of_steps).sum_to_size(steps.shape) * scale


@given(st.integers(0, 10_000), st.sampled_from([2, 4]), st.sampled_from([(), (5, 1), (1, 6)]))
def test_gradients_are_those_of_lsq(seed: int, bits: int, shape: tuple[int, ...]) -> None:
    values = some(seed, 3, 5, 6).requires_grad_()
    learner = LsqLearner.of(LsqParams(bits, torch.rand(shape, dtype=torch.float64) + 0.2))
    upstream = some(seed + 1, 3, 5, 6)
    multiplicands, steps = learner.quantize(values)
    ((multiplicands * steps) * upstream).sum().backward()
    of_values, of_steps = lsq_gradients(values.detach(), learner.steps.detach(), upstream, bits)
    torch.testing.assert_close(values.grad, of_values, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(learner.steps.grad, of_steps, rtol=1e-4, atol=1e-5)


@given(st.integers(0, 10_000), st.booleans(), st.sampled_from([(), (5, 1), (1, 6)]))
def test_trainable_and_frozen_give_the_same_bits(seed: int, unsigned: bool, shape: tuple[int, ...]) -> None:
    steps = torch.rand(shape, generator=torch.Generator().manual_seed(seed)) + 0.1
    before, after = some(seed + 1, 6), some(seed + 2, 6)
    learner = LsqLearner(4, steps.requires_grad_(), unsigned, before.requires_grad_(), after.requires_grad_())
    frozen = activation_from_json(4, activation_to_json(learner.freeze()))
    values = some(seed + 3, 3, 5, 6)
    multiplicands, used = learner.quantize(values)
    assert torch.equal(multiplicands, frozen.multiplicands(values))
    assert torch.equal(used.double(), torch.as_tensor(frozen.step, dtype=torch.float64))


def test_the_vector_before_learns_and_a_wrong_window_is_named() -> None:
    learner = LsqLearner.of(LsqParams(4, torch.full((49, 1), 0.3, dtype=torch.float64), False, torch.zeros(8).double()))
    multiplicands, steps = learner.quantize(some(0, 2, 49, 8))
    (multiplicands * steps).sum().backward()
    assert learner.before is not None
    assert learner.before.grad is not None
    assert float(learner.before.grad.abs().min()) > 0
    with pytest.raises(InputError, match="16 positions a window, steps for 49"):
        learner.freeze().codes(some(0, 2, 16, 8))
    for broken in (torch.zeros(49, 1), torch.full((49, 1), math.nan), torch.ones(3), torch.ones(2, 2)):
        with pytest.raises(ValueError, match="steps"):
            LsqParams(4, broken.double())


@pytest.mark.parametrize("ratio", [0, 400, 1000])
def test_integer_equals_fake(ofq: QuantizedDetector, images: Tensor, facts: tuple[ImageFacts, ...], ratio: int) -> None:
    exact, inputs = ofq.double(), images.double()
    plan = exact.plan(ratio, facts)
    fake = exact.run(inputs, plan).output
    torch.testing.assert_close(
        exact.run(inputs, plan, exact.arithmetic(ArithmeticKind.INTEGER)).output, fake, rtol=0, atol=1e-9
    )
    without = {
        key: replace(one, after=None)
        for key, one in exact.calibration.activations.items()
        if isinstance(one, LsqParams)
    }
    faulty = replace(exact, calibration=Calibration(without, exact.calibration.weights), _arithmetics={})
    assert float((faulty.run(inputs, plan).output - fake).abs().max()) > 1e-3


def test_what_is_loaded_is_what_was_saved(
    ofq: QuantizedDetector, images: Tensor, facts: tuple[ImageFacts, ...], tmp_path: Path
) -> None:
    again = load_quantized(save_quantized(ofq, tmp_path / "model"))
    assert again.options == ofq.options
    plan = ofq.plan(400, facts)
    assert torch.equal(again.run(images, plan).output, ofq.run(images, plan).output)


def test_reparameterised_scores_keep_the_function_but_for_the_biases_they_drop(
    detector: Detector, images: Tensor, facts: tuple[ImageFacts, ...], tmp_path: Path
) -> None:
    """In float: without biases of queries and keys it is the same network; with them it is another one."""
    chosen = OfqOptions(LearnedVectors.BEFORE, QueryKey.REPARAMETERISED)
    options = replace(OPTIONS, ofq=chosen)
    unbiased = copy_without_biases(detector)
    inputs = images.double()
    for model, same in ((unbiased, True), (detector, False)):
        quantized = quantize(model, options, batches=[images])
        exact = quantized.double()
        found = exact.run(inputs, exact.plan(0, facts), exact.arithmetic(ArithmeticKind.FLOAT)).output
        with torch.no_grad():
            plain = copy.deepcopy(model).double()(inputs)
        assert torch.allclose(found, plain, rtol=0, atol=1e-9) == same
    again = load_quantized(save_quantized(quantized, tmp_path / "model"))
    plan = quantized.plan(400, facts)
    assert torch.equal(again.run(images, plan).output, quantized.run(images, plan).output)
    with pytest.raises(InputError, match=r"ofq\.vectors"):
        OfqOptions(LearnedVectors.BOTH, QueryKey.REPARAMETERISED)


def copy_without_biases(detector: Detector) -> Detector:
    """A copy whose queries and keys have no bias."""
    changed = copy.deepcopy(detector)
    with torch.no_grad():
        for name, parameter in changed.named_parameters():
            if name.endswith("attn.qkv.bias"):
                parameter[: 2 * len(parameter) // 3] = 0
    return changed
