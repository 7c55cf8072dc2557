"""Bits per layer of a quantized model: what every method makes of an allocation, on disk, in a trace, in integers."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from mixarray.accelerator.load import load_accelerator
from mixarray.cost.zeros import image_codes, zero_pe_cycles
from mixarray.errors import InputError
from mixarray.images import simulate_images
from mixarray.trace.bundle import read_bundle
from mixarray.trace.model import Role
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.model.detector import Detector
from mixarray_traces.quantization.allocation import (
    Allocation,
    LayerBits,
    operands_of,
    read_allocation,
    write_allocation,
)
from mixarray_traces.quantization.arithmetic import Arithmetic, ArithmeticKind, Calibration
from mixarray_traces.quantization.calibrate import quantize
from mixarray_traces.quantization.network import named_weights
from mixarray_traces.quantization.options import (
    BranchSteps,
    CalibrationData,
    LearnedVectors,
    OfqOptions,
    QuantizationOptions,
    QueryKey,
    RepqOptions,
)
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.store import load_quantized, save_quantized
from mixarray_traces.record.images import RecordImage
from mixarray_traces.record.packing import unpack_codes
from mixarray_traces.record.recorder import record
from mixarray_traces.training.qat.low_branch import with_fresh_low_branch
from mixarray_traces.training.qat.state import TrainState

Make = Callable[..., QuantizedDetector]
QKV = "stages.0.blocks.0.attn.qkv"
OWN = QuantizationOptions(calibration_canvases=3, calibration_data=CalibrationData.IMAGES)
METHODS = {
    "uniform_affine": OWN,
    "repq_vit": replace(OWN, method="repq_vit", repq=RepqOptions()),
    "repq_vit shared": replace(OWN, method="repq_vit", repq=RepqOptions(branch_steps=BranchSteps.SHARED)),
    "ofq": replace(OWN, method="ofq", ofq=OfqOptions()),
}


@pytest.fixture(scope="module")
def make(teacher: Detector, tiny_images: Tensor) -> Make:
    """The teacher quantized under an allocation; each model is made once."""
    known: dict[tuple[str, Allocation | None], QuantizedDetector] = {}

    def build(method: str, allocation: Allocation | None) -> QuantizedDetector:
        key = method, allocation
        if key not in known:
            options = replace(METHODS[method], allocation=allocation)
            known[key] = quantize(teacher, options, source="random", batches=[tiny_images])
        return known[key]

    return build


def drawn(teacher: Detector, seed: int) -> Allocation:
    """Bits of their own for half of all weights and activations."""
    rng, operators = random.Random(seed), sorted(named_weights(teacher))
    weights = {name: rng.randint(2, 8) for name in operators if rng.random() < 0.5}
    return Allocation(weights, {name: rng.randint(2, 8) for name in operands_of(operators) if rng.random() < 0.5})


def test_a_layer_has_its_bits_and_a_low_branch_never_more_than_its_name() -> None:
    layers = LayerBits(4, (8, 4), 8, Allocation({QKV: 6}, {f"{QKV}.input": 6, "head.fc1.input": 5, "a.blocks.b": 3}))
    assert (layers.weight(QKV), layers.weight("stages.0.blocks.0.mlp.fc1"), layers.weight("patch_embed")) == (6, 4, 8)
    assert layers.activation(f"{QKV}.input") == {8: 6, 4: 4}
    assert layers.activation("a.blocks.b") == {8: 3, 4: 3}
    assert layers.activation("stages.0.blocks.0.mlp.fc1.input") == {8: 8, 4: 4}
    assert (layers.activation("head.fc1.input"), layers.activation("patch_embed.input")) == ({8: 5}, {8: 8})


@pytest.mark.parametrize("bits", [1, 9, 4.0, True, "4"])
def test_impossible_bits_are_refused_by_name(bits: object) -> None:
    with pytest.raises(InputError, match=r"activations\.some\.tensor: .* bits; allowed: 2 to 8"):
        Allocation({}, {"some.tensor": bits})  # type: ignore[dict-item]


def test_a_file_says_what_was_written_and_nothing_else_is_read(tmp_path: Path) -> None:
    file, allocation = tmp_path / "bits.json", Allocation({"b": 3, "a": 8}, {"c": 2})
    write_allocation(allocation, file)
    first = file.read_bytes()
    assert read_allocation(file) == allocation
    write_allocation(Allocation({"a": 8, "b": 3}, {"c": 2}), file)
    assert file.read_bytes() == first
    good = json.loads(first)
    for change, field in (
        ({"format": "other"}, "format"),
        ({"more": 1}, "allocation"),
        ({"weights": [4]}, "weights"),
        ({"weights": {"a": 9}}, r"weights\.a"),
    ):
        file.write_text(json.dumps(good | change))
        with pytest.raises(InputError, match=rf"bits\.json: {field}"):
            read_allocation(file)


@pytest.mark.parametrize("method", METHODS)
def test_every_quantizer_has_the_bits_of_its_layer(method: str, make: Make, teacher: Detector) -> None:
    allocation = drawn(teacher, 1)
    model, plain = make(method, allocation), make(method, None)
    layers = LayerBits(4, (8, 4), 8, allocation)
    assert {name: one.bits for name, one in model.calibration.weights.items()} == {
        name: layers.weight(name) for name in plain.calibration.weights
    }
    assert {key: one.bits for key, one in model.calibration.activations.items()} == {
        (name, branch): layers.activation(name)[branch] for name, branch in plain.calibration.activations
    }


@pytest.mark.parametrize("method", METHODS)
def test_neutral_entries_make_the_same_model(method: str, make: Make, teacher: Detector, tmp_path: Path) -> None:
    operators = named_weights(teacher)
    own = OWN.layer_bits
    neutral = Allocation({name: own.weight(name) for name in operators}, dict.fromkeys(operands_of(operators), 8))
    paths = [save_quantized(make(method, one), tmp_path / str(n)) for n, one in enumerate((None, neutral))]
    first, second = ((path / "manifest.json").read_bytes() for path in paths)
    assert first == second
    assert b'"allocation"' not in first
    other = make(method, replace(neutral, activations={**neutral.activations, f"{QKV}.input": 5}))
    assert (save_quantized(other, tmp_path / "other") / "manifest.json").read_bytes() != first


class Both:
    """Runs on with the fake results and notes how far the integer ones lie from them, in parts of the largest."""

    def __init__(self, fake: Arithmetic, integer: Arithmetic) -> None:
        self.fake, self.integer, self.worst = fake, integer, 0.0

    def linear(self, name: str, inputs: Tensor, branch: int) -> Tensor:
        return self._note(self.fake.linear(name, inputs, branch), self.integer.linear(name, inputs, branch))

    def matmul(self, name: str, left: Tensor, right: Tensor, branch: int) -> Tensor:
        return self._note(self.fake.matmul(name, left, right, branch), self.integer.matmul(name, left, right, branch))

    def _note(self, fake: Tensor, integer: Tensor) -> Tensor:
        self.worst = max(self.worst, float((fake - integer).abs().max() / fake.abs().max().clamp_min(1e-30)))
        return fake


def difference(model: QuantizedDetector, other: QuantizedDetector, images: Tensor, ratio: int) -> float:
    """How far the integers of `other` are from the fake quantization of `model`."""
    both = Both(model.arithmetic(), other.arithmetic(ArithmeticKind.INTEGER))
    model.run(images.double(), model.plan(ratio, tuple(ImageFacts(seed) for seed in range(3)), "random"), both)
    return both.worst


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("seed", "ratio"), [(1, 300), (2, 800)])
def test_integers_are_the_fake_quantization(
    method: str, seed: int, ratio: int, make: Make, teacher: Detector, tiny_images: Tensor
) -> None:
    model = make(method, drawn(teacher, seed)).double()
    assert difference(model, model, tiny_images, ratio) < 1e-12


def test_a_quantizer_of_another_branch_would_be_noticed(make: Make, teacher: Detector, tiny_images: Tensor) -> None:
    model = make("uniform_affine", drawn(teacher, 1)).double()
    known = dict(model.calibration.activations)
    wide = next(name for name, branch in known if branch == 4 and known[name, 8].bits > known[name, 4].bits)
    confused = replace(model, calibration=Calibration(known | {(wide, 8): known[wide, 4]}, model.calibration.weights))
    assert difference(model, replace(confused, _arithmetics={}), tiny_images, 300) > 1e-6


@pytest.mark.parametrize("method", METHODS)
def test_recorded_codes_fill_the_bits_that_the_trace_states(
    method: str, make: Make, teacher: Detector, tmp_path: Path
) -> None:
    """Codes are packed (which refuses any that do not fit) to the bits of their layer, by branch, in one file."""
    model, image = make(method, drawn(teacher, 1)), np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
    bundle = read_bundle(record(model, [RecordImage("noise", image)], tmp_path / "bundle", 400, "random"))
    files, states = bundle.tensors("image-0") | bundle.tensors("weights"), (Role.STATE,)
    checked = 0
    for tensor in bundle.topology.tensors:
        key = f"{tensor.name}@{tensor.window_bits or tensor.bits}"
        if tensor.role in states or tensor.name == "image":
            continue
        shape = tuple(int(size) for size in files[f"{key}.shape"])
        assert unpack_codes(files[key], tensor.bits, shape).shape == shape
        checked += tensor.window_bits > 0 and tensor.window_bits != tensor.bits
    assert checked > 10
    assert bundle.manifest.allocation is not None


def test_zeros_are_counted_in_the_codes_of_every_layer(make: Make, teacher: Detector, tmp_path: Path) -> None:
    """Zero gating reads the recorded codes of every streaming tensor at its own bits, and finds all of them."""
    model, image = make("uniform_affine", drawn(teacher, 1)), np.zeros((48, 48, 3), np.uint8)
    image[:20, :20] = 255
    bundle = read_bundle(record(model, [RecordImage("square", image)], tmp_path / "bundle", 400, "random"))
    machine = load_accelerator("packed_w4_32x32", ["zero_gating=operand"])
    ((run, _),) = simulate_images(bundle, machine)
    assert run.zeros is not None
    assert sum(sum(found.values()) for found in run.zeros) > 0
    other = image_codes(bundle, 0)
    key = f"{QKV}.input@8"
    broken = replace(other, image={name: value for name, value in other.image.items() if name != key})
    with pytest.raises(InputError, match=rf"{QKV}\.input@8: has no codes of this tensor"):
        zero_pe_cycles(broken, run.workload, machine, run.execution.operators)


def test_two_branches_of_equal_bits_are_both_recorded(make: Make, tmp_path: Path) -> None:
    model = make("uniform_affine", Allocation({}, {f"{QKV}.input": 4}))
    image = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
    files = read_bundle(record(model, [RecordImage("noise", image)], tmp_path / "b", 400, "random")).tensors("image-0")
    high, low = (tuple(files[f"{QKV}.input@{branch}.shape"]) for branch in (8, 4))
    assert high[1] + low[1] == 9 * 16  # rows of 9 windows of 4x4 tokens
    assert min(high[1], low[1]) > 0


@pytest.mark.parametrize("method", METHODS)
def test_a_saved_model_comes_back(method: str, make: Make, teacher: Detector, tmp_path: Path) -> None:
    model = make(method, drawn(teacher, 1))
    again = load_quantized(save_quantized(model, tmp_path / "model"))
    assert again.options == model.options
    images = torch.randn(1, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    outputs = [one.run(images, one.plan(400, (ImageFacts(),), "random")).output for one in (model, again)]
    assert torch.equal(*outputs)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a["weights"].update(nobody=4), r"weights\.nobody: the model has no such linear operator"),
        (lambda a: a["activations"].update({QKV: 4}), rf"activations\.{QKV}: the model has no such activation"),
        (lambda a: a["weights"].update({QKV: 9}), rf"weights\.{QKV}: 9 bits; allowed: 2 to 8"),
        (lambda a: a["weights"].update({QKV: 3}), rf"weights\.{QKV}\.bits: 5 bits; the options say 3"),
        (lambda a: a.pop("weights"), "needs `weights` and `activations`"),
    ],
)
def test_a_broken_allocation_is_refused(
    change: Callable[[dict[str, dict[str, int]]], object], message: str, make: Make, tmp_path: Path
) -> None:
    path = save_quantized(make("uniform_affine", Allocation({QKV: 5}, {})), tmp_path / "model")
    described = json.loads((path / "manifest.json").read_text())
    change(described["options"]["allocation"])
    (path / "manifest.json").write_text(json.dumps(described))
    with pytest.raises(InputError, match=message):
        load_quantized(path)


def test_unknown_layers_are_refused_even_at_neutral_bits(teacher: Detector, tiny_images: Tensor) -> None:
    options = replace(OWN, allocation=Allocation({}, {"stages.7.blocks.0.attn.qkv.input": 8}))
    with pytest.raises(InputError, match=r"stages\.7\.blocks\.0\.attn\.qkv\.input: the model has no such activation"):
        quantize(teacher, options, batches=[tiny_images])


def test_shared_steps_follow_the_bits_of_their_layer(make: Make) -> None:
    """RepQ-ViT's low step is (2**high - 1) / (2**low - 1) times the high one, with the layer's own bits."""
    known = make("repq_vit shared", Allocation({}, {f"{QKV}.input": 6})).calibration.activations
    assert float(known[f"{QKV}.input", 4].step) == pytest.approx(float(known[f"{QKV}.input", 8].step) * 63 / 15)
    plain = make("repq_vit shared", None).calibration.activations
    assert float(plain[f"{QKV}.input", 4].step) == pytest.approx(float(plain[f"{QKV}.input", 8].step) * 255 / 15)


def test_a_fresh_low_branch_keeps_the_bits_of_its_layers(make: Make) -> None:
    fresh = with_fresh_low_branch(make("ofq", Allocation({}, {f"{QKV}.input": 3})))
    found = {branch: fresh.calibration.activations[f"{QKV}.input", branch].bits for branch in (8, 4)}
    assert found == {8: 3, 4: 3}


@pytest.mark.parametrize("low_trains", [False, True])
def test_training_keeps_the_bits_of_layers(low_trains: bool, make: Make, teacher: Detector) -> None:
    model = make("ofq", drawn(teacher, 1))
    frozen = TrainState.of(model, low_trains, "cpu").freeze()
    for before, after in (
        (model.calibration.activations, frozen.calibration.activations),
        (model.calibration.weights, frozen.calibration.weights),
    ):
        assert {key: one.bits for key, one in before.items()} == {key: one.bits for key, one in after.items()}
    assert frozen.options.allocation == model.options.allocation


def test_reparameterised_scores_are_refused() -> None:
    """Their input has three names, so three widths could be asked of one tensor."""
    ofq = OfqOptions(LearnedVectors.NONE, QueryKey.REPARAMETERISED)
    with pytest.raises(InputError, match=r"allocation: cannot go with reparameterised scores"):
        replace(OWN, method="ofq", ofq=ofq, allocation=Allocation({QKV: 5}, {}))
