"""RepQ-ViT: what is folded, what the branches share, integer against fake, on disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mixarray.errors import InputError
from mixarray.trace.model import Encoding
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.quantization import integer
from mixarray_traces.quantization.affine import AffineParams
from mixarray_traces.quantization.arithmetic import Arithmetic, ArithmeticKind
from mixarray_traces.quantization.asymmetric import AsymmetricWeightParams
from mixarray_traces.quantization.fractional import FractionalParams
from mixarray_traces.quantization.log_sqrt2 import LogSqrt2Params
from mixarray_traces.quantization.methods.repq_vit import reparameterise
from mixarray_traces.quantization.options import BranchSteps, RepqOptions, SoftmaxZero, ZeroPoints
from mixarray_traces.quantization.percentile_search import ChannelSteps, search_channels
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.quantizers import ActivationQuantizer
from mixarray_traces.quantization.store import load_quantized, save_quantized

QKV = "stages.0.blocks.0.attn.qkv"


Made = Callable[[RepqOptions], QuantizedDetector]


def test_placement(repq: Made) -> None:
    model = repq(RepqOptions())
    for (name, bits), quantizer in model.calibration.activations.items():
        assert isinstance(quantizer, LogSqrt2Params if name.endswith(".av.left") else AffineParams), name
        assert bits == quantizer.bits
    weights = model.calibration.weights
    assert all(isinstance(weight, AsymmetricWeightParams) for weight in weights.values())
    mergings = {"stages.0.downsample.reduction", "stages.1.downsample.reduction"}
    head = {"head.fine", "head.coarse", "head.fc1", "head.fc2"}
    assert {name for name, weight in weights.items() if weight.bits == 8} == {"patch_embed"} | mergings | head
    assert len(model.folding) == 22


def test_folding_keeps_the_function_of_padded_inputs(repq: Made, images: Tensor, facts: tuple[ImageFacts, ...]) -> None:
    exact, inputs = repq(RepqOptions()).double(), images[:, :, :90, :123].double()
    run = exact.run(inputs, exact.plan(400, facts, "random"), exact.arithmetic(ArithmeticKind.FLOAT))
    with torch.no_grad():
        plain = exact.detector(inputs)
    assert float((run.output - plain).abs().max() / plain.abs().max()) < 1e-12


def test_folded_channels_have_the_codes_of_their_own_quantizers() -> None:
    """With rounded zero points one scalar quantizer gives every channel the codes that its own would give."""
    generator = torch.Generator().manual_seed(4)
    rows = torch.randn(500, 8, generator=generator, dtype=torch.float64) * torch.logspace(-1, 1, 8) + torch.arange(8)
    channels = search_channels(rows, 8)
    shared = reparameterise(channels, ZeroPoints.ROUNDED)
    scalar = shared.at(8)
    own = (rows / channels.steps).round().add(channels.zero_points).clamp(-128, 127)
    folded = scalar.codes(shared.fold.values(rows))
    # Dividing by another step may round a tie the other way.
    assert float((folded != own).double().mean()) < 1e-3
    assert torch.equal(scalar.codes(-shared.fold.shifts), channels.zero_points.double()), "padding is exact"


def folded_quantizers(model: QuantizedDetector) -> dict[tuple[str, int], ActivationQuantizer]:
    """Those of the inputs whose channels are folded, by operator and bits."""
    known = model.calibration.activations
    keys = [(name, bits) for name in model.folding for bits in (8, 4) if (f"{name}.input", bits) in known]
    return {(name, bits): known[f"{name}.input", bits] for name, bits in keys}


def test_padding_is_exact_at_the_shared_step_of_the_high_branch_alone(repq: Made) -> None:
    """Padded positions are -b; unfolded again after quantization they are 0 there, and some are not at 4 bits."""
    model = repq(RepqOptions(branch_steps=BranchSteps.SHARED))
    left: dict[int, list[float]] = {4: [], 8: []}
    for (name, bits), quantizer in folded_quantizers(model).items():
        fold = model.folding[name]
        again = (quantizer.multiplicands(-fold.shifts) * quantizer.step + fold.shifts) * fold.factors
        left[bits].append(float(again.abs().max()))
    assert (len(left[8]), len(left[4])) == (22, 20)
    assert max(left[8]) < 1e-12
    assert max(left[4]) > 1e-3


def test_a_step_of_its_own_has_an_integer_zero_point(repq: Made) -> None:
    """Fractional zero points are those of shared steps; where the search of a branch wins there is none."""
    own, shared = (folded_quantizers(repq(RepqOptions(ZeroPoints.FRACTIONAL, steps))) for steps in BranchSteps)
    assert all(isinstance(quantizer, FractionalParams) for quantizer in shared.values())
    searched = {key for key in own if own[key] != shared[key]}
    assert searched
    assert all(isinstance(own[key], AffineParams) for key in searched)


def test_fractional_zero_points_are_the_mean() -> None:
    channels = ChannelSteps(
        4, torch.tensor([1.0, 2.0, 1.0]).double(), torch.tensor([-8, -7, 3]), torch.tensor([False, False, True])
    )
    shared = reparameterise(channels, ZeroPoints.FRACTIONAL)
    assert (shared.step, shared.zero) == (1.5, -7.5)
    assert shared.fold.factors.tolist() == pytest.approx([2 / 3, 4 / 3, 1])
    assert shared.fold.shifts.tolist() == pytest.approx([0.75, -0.75, 0])
    assert isinstance(shared.at(4), FractionalParams)
    # round(x / step) = -1, 0, 8; clipped to -8 + 7.5 and 7 + 7.5.
    values = torch.tensor([-1.5, 0.2, 12.0, 99.0]).double()
    assert shared.at(4).multiplicands(values).tolist() == [-0.5, 0, 8, 14.5]


def test_shared_steps_are_seventeen_times_the_high_ones(repq: Made) -> None:
    shared = repq(RepqOptions(branch_steps=BranchSteps.SHARED)).calibration.activations
    own = repq(RepqOptions()).calibration.activations
    high, low = shared[f"{QKV}.input", 8], shared[f"{QKV}.input", 4]
    assert low.step == pytest.approx(17 * high.step, rel=1e-12)
    assert low.zero_point == round((high.zero_point + 128) / 17) - 8
    assert any(own[key].step != shared[key].step for key in own if key[1] == 4 and key[0].endswith("qkv.input"))
    other = f"{QKV.removesuffix('qkv')}proj.input", 4
    assert own[other] == shared[other]


class Compared:
    """Runs every GEMM in fake and integer arithmetic on the same inputs; notes the relative error."""

    def __init__(self, model: QuantizedDetector) -> None:
        self.fake: Arithmetic = model.arithmetic(ArithmeticKind.FAKE)
        self.integer: Arithmetic = model.arithmetic(ArithmeticKind.INTEGER)
        self.errors: dict[str, float] = {}

    def linear(self, name: str, inputs: Tensor, branch: int) -> Tensor:
        return self._note(name, self.fake.linear(name, inputs, branch), self.integer.linear(name, inputs, branch))

    def matmul(self, name: str, left: Tensor, right: Tensor, branch: int) -> Tensor:
        fake, codes = self.fake.matmul(name, left, right, branch), self.integer.matmul(name, left, right, branch)
        return self._note(name, fake, codes)

    def _note(self, name: str, fake: Tensor, codes: Tensor) -> Tensor:
        error = float((codes - fake).abs().max()) / max(1.0, float(fake.abs().max()))
        self.errors[name] = max(self.errors.get(name, 0.0), error)
        return fake


def errors_of(model: QuantizedDetector, images: Tensor) -> dict[str, float]:
    exact = model.double()
    facts = tuple(ImageFacts(seed) for seed in range(len(images)))
    compared = Compared(exact)
    exact.run(images.double(), exact.plan(400, facts, "random"), compared)
    return compared.errors


@pytest.mark.parametrize("zero", SoftmaxZero)
def test_integer_equals_fake_at_every_gemm(repq: Made, images: Tensor, zero: SoftmaxZero) -> None:
    errors = errors_of(repq(RepqOptions(softmax_zero=zero)), images[:, :, :90, :123])
    assert len(errors) == 10 * 6 + 1 + 2 + 4
    assert max(errors.values()) < 1e-9


def test_a_forgotten_row_sum_is_caught(repq: Made, images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    right = integer.linear_from_codes

    def without(codes: Tensor, zero: float, weights: Tensor, offsets: Tensor | None = None) -> Tensor:
        return right(codes, zero, weights)

    monkeypatch.setattr(integer, "linear_from_codes", without)
    wrong = {name for name, error in errors_of(repq(RepqOptions()), images[:1]).items() if error > 1e-9}
    assert wrong == set(repq(RepqOptions()).weights())


def test_a_quantizer_without_integer_codes_runs_fake_alone(repq: Made, images: Tensor) -> None:
    model = repq(RepqOptions(zero_points=ZeroPoints.FRACTIONAL, branch_steps=BranchSteps.SHARED))
    assert bool(model.run(images[:1], model.plan(400, (ImageFacts(),))).output.isfinite().all())
    with pytest.raises(InputError, match="fractional"):
        model.arithmetic(ArithmeticKind.INTEGER)


@pytest.mark.parametrize(
    "options",
    [
        RepqOptions(),
        RepqOptions(ZeroPoints.FRACTIONAL, BranchSteps.SHARED),
        RepqOptions(softmax_zero=SoftmaxZero.EXTRA_ZERO),
    ],
)
def test_what_is_loaded_is_what_was_saved(repq: Made, options: RepqOptions, tmp_path: Path, images: Tensor) -> None:
    model = repq(options)
    again = load_quantized(save_quantized(model, tmp_path / "model"))
    assert again.options == model.options
    assert again.calibration.activations == model.calibration.activations
    plan = model.plan(400, tuple(ImageFacts(seed) for seed in range(3)))
    assert torch.equal(again.run(images, plan).output, model.run(images, plan).output)


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (f"folding/{QKV}/factors", [1.0], f"folding.{QKV}"),
        (f"folding/{QKV}/factors", [0.0] * 32, f"folding.{QKV}"),
        ("folding/head.fine", {"factors": [1.0], "shifts": [0.0]}, "folding.head.fine"),
        (f"weights/{QKV}/zero_points", [99] * 96, f"weights.{QKV}"),
        (f"weights/{QKV}/kind", "odd", f"weights.{QKV}"),
        (f"activations/{QKV}.input@8/kind", "odd", f"activations.{QKV}.input@8"),
        (f"activations/{QKV.removesuffix('qkv')}av.left@4/extra_zero", 1, "av.left@4"),
        ("options/repq/zero_points", "some", "options"),
        ("options/repq/largest_shift", 99, "options.repq.largest_shift"),
    ],
)
def test_broken_manifests_name_the_field(repq: Made, tmp_path: Path, path: str, value: object, field: str) -> None:
    saved = save_quantized(repq(RepqOptions()), tmp_path / "model")
    described = json.loads((saved / "manifest.json").read_text())
    *parents, last = path.split("/")
    entry = described
    for name in parents:
        entry = entry[name]
    entry[last] = value
    (saved / "manifest.json").write_text(json.dumps(described))
    with pytest.raises(InputError) as refused:
        load_quantized(saved)
    assert (refused.value.field or "").endswith(field)


def test_the_softmax_keeps_its_encoding(repq: Made) -> None:
    left = [q for (name, _), q in repq(RepqOptions()).calibration.activations.items() if name.endswith(".av.left")]
    assert {quantizer.encoding for quantizer in left} == {Encoding.LOG_SQRT2}
