"""Quantization-aware training on a tiny Swin: frozen models, branches, annealing, distillation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from mixarray.errors import InputError
from mixarray.trace.bundle import read_bundle
from mixarray.trace.model import Encoding, OperatorKind, Role
from mixarray_traces.data.canvas import open_source
from mixarray_traces.data.items import Split
from mixarray_traces.evaluation import evaluate
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.importance.registry import load_score
from mixarray_traces.model.detector import Detector, build_detector, images_to_input
from mixarray_traces.quantization.calibrate import quantize
from mixarray_traces.quantization.lsq import LsqParams
from mixarray_traces.quantization.network import Plan, named_weights
from mixarray_traces.quantization.options import (
    CalibrationData,
    LearnedVectors,
    LowBranch,
    OfqOptions,
    QuantizationOptions,
    QueryKey,
)
from mixarray_traces.quantization.provenance import TrainingRun
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.ratios import Ratios
from mixarray_traces.quantization.running import run_network
from mixarray_traces.quantization.statsq import near_threshold
from mixarray_traces.quantization.store import load_quantized
from mixarray_traces.record.images import canvas_images
from mixarray_traces.record.recorder import record
from mixarray_traces.training.qat import QatOptions, Stage, train_qat
from mixarray_traces.training.qat.distillation import distillation_loss
from mixarray_traces.training.qat.law import law_of
from mixarray_traces.training.qat.loop import windows_of_stages
from mixarray_traces.training.qat.low_branch import lowered, with_fresh_low_branch
from mixarray_traces.training.qat.sampler import both_of_step, pruning_of_step, ratios_of_step
from mixarray_traces.training.qat.state import TrainState
from mixarray_traces.training.targets import detection_loss
from mixarray_traces.training.train import collate

SIZE = 48
"""Maps of 12 and 6 tokens: 9 windows of 4x4, then 4 with padding on both axes."""


pytestmark = pytest.mark.usefixtures("shipped_items")


@pytest.fixture
def images(tiny_images: Tensor) -> Tensor:
    return tiny_images


def options(out: Path, stage: Stage) -> QatOptions:
    return QatOptions(out, stage, seed=1, images=16, batch=4, size=SIZE, learning_rate=3e-3, boundary=0.2)


def numbers(model: QuantizedDetector) -> dict[str, Tensor]:
    """Everything a model learned, by name."""
    found = dict(model.detector.state_dict())
    for (name, bits), one in model.calibration.activations.items():
        assert isinstance(one, LsqParams)
        parts = {"steps": one.steps, "before": one.before, "after": one.after}
        found |= {f"{name}@{bits}.{part}": value for part, value in parts.items() if value is not None}
    for name, pair in model.low_norms.items():
        found |= {f"{name}.low.{place}": value for place, value in enumerate(pair.tensors)}
    return found


def changed(before: QuantizedDetector, after: QuantizedDetector) -> set[str]:
    """Names of what differs; both have the same names."""
    one, other = numbers(before), numbers(after)
    assert one.keys() == other.keys()
    return {name for name in one if not torch.equal(one[name], other[name])}


@pytest.mark.parametrize(
    ("stage", "ratios"),
    [
        (Stage.UNIFORM, Ratios.uniform(0, (2, 2))),
        (Stage.SAQA, Ratios.uniform(500, (2, 2))),
        (Stage.SAA, Ratios.uniform(0, (2, 2), 400)),
        (Stage.JOINT, Ratios.uniform(300, (2, 2), 400)),
    ],
)
def test_frozen_and_trainable_give_the_same_bits(
    stage: Stage, ratios: Ratios, start: QuantizedDetector, teacher: Detector, images: Tensor, tmp_path: Path
) -> None:
    model = train_qat(start, teacher, options(tmp_path / "run", stage)).model
    state = TrainState.of(model, stage in (Stage.SAQA, Stage.JOINT), "cpu")
    facts = tuple(ImageFacts(number) for number in range(len(images)))
    plan = model.plan(ratios, facts)
    live = run_network(state.network, images, plan, state.arithmetic())
    frozen = model.run(images, plan)
    assert torch.equal(live.output.detach(), frozen.output)
    assert any(bool(block.low.any()) for block in frozen.windows) == bool(ratios.nominal)
    assert any(bool(block.pruned.any()) for block in frozen.windows) == bool(ratios.nominal_pruning)
    other = replace(model, calibration=start.calibration, _arithmetics={})
    assert not torch.equal(live.output.detach(), other.run(images, plan).output)


def test_uniform_training_leaves_a_low_branch_made_from_the_high_one(
    start: QuantizedDetector, teacher: Detector, tmp_path: Path
) -> None:
    model = train_qat(start, teacher, options(tmp_path / "run", Stage.UNIFORM)).model
    assert model.low_norms == {}
    assert model.options.ofq == OfqOptions(low_branch=LowBranch.INITIALISED)
    for (name, bits), high in model.calibration.activations.items():
        if bits == 4:
            low = model.calibration.activations[name, 2]
            assert isinstance(high, LsqParams)
            assert isinstance(low, LsqParams)
            ratio = (15 / 3 if high.unsigned else 7 / 1) ** 0.5
            torch.testing.assert_close(low.steps, high.steps * ratio, rtol=1e-6, atol=0)
    untrained = {name for name in numbers(start) if name not in changed(start, model)}
    assert untrained <= {name for name in numbers(start) if "relative_position_bias_table" in name}


def test_saqa_trains_both_branches_over_one_weight_copy(
    start: QuantizedDetector, teacher: Detector, tmp_path: Path
) -> None:
    uniform = train_qat(start, teacher, options(tmp_path / "uniform", Stage.UNIFORM)).model
    ratios: list[int] = []
    saqa = train_qat(uniform, teacher, options(tmp_path / "saqa", Stage.SAQA), lambda step: ratios.append(step.ratio))
    assert saqa.model.options.ofq == OfqOptions(low_branch=LowBranch.TRAINED)
    assert len(set(ratios)) == 4
    names = numbers(saqa.model)
    assert {name for name in names if ".low." in name}
    for block, pair in saqa.model.low_norms.items():
        index, number = block.split(".")[1::2]
        own = saqa.model.detector.state_dict()[f"backbone.layers.{index}.blocks.{number}.norm1.weight"]
        assert not torch.equal(pair.gamma1.float(), own)
    for width in ("@4.steps", "@2.steps"):
        before, after = numbers(uniform), numbers(saqa.model)
        assert all(not torch.equal(before[name], after[name]) for name in before if name.endswith(width))


def test_adaptation_trains_one_precision_with_pruned_windows(
    start: QuantizedDetector, teacher: Detector, tmp_path: Path
) -> None:
    """As control, on the same canvases, but for the windows that keep their input."""
    ratios: list[int] = []

    def trained(stage: Stage, score: str = "centered_l2") -> QuantizedDetector:
        chosen = replace(options(tmp_path / f"{stage}{score}", stage), score=score)
        return train_qat(start, teacher, chosen, lambda step: ratios.append(step.ratio)).model

    control, adapted, other = trained(Stage.CONTROL), trained(Stage.SAA), trained(Stage.SAA, "random")
    assert ratios[:4] == [0] * 4
    assert ratios[4:8] == ratios[8:] == [pruning_of_step(1, s, (2, 2), (9, 4)).nominal_pruning for s in range(4)]
    assert any(ratios[4:])
    assert low_of(adapted) is LowBranch.INITIALISED
    assert changed(control, adapted)
    assert changed(adapted, other)  # which windows are pruned follows the ranking


def test_joint_training_is_saqa_with_pruned_windows(
    start: QuantizedDetector, teacher: Detector, tmp_path: Path
) -> None:
    ratios: list[int] = []
    joint = train_qat(
        start, teacher, options(tmp_path / "b", Stage.JOINT), lambda step: ratios.append(step.ratio)
    ).model
    drawn = [both_of_step(1, step, (2, 2), (9, 4)) for step in range(4)]
    assert ratios == [one.nominal + one.nominal_pruning for one in drawn]
    assert any(one.nominal_pruning for one in drawn)
    assert low_of(joint) is LowBranch.TRAINED
    before, after = numbers(start), numbers(joint)
    assert all(not torch.equal(before[name], after[name]) for name in before if name.endswith("@2.steps"))


def test_annealing_moves_only_weights_that_could_go_either_way(
    start: QuantizedDetector, teacher: Detector, tmp_path: Path
) -> None:
    chosen = replace(options(tmp_path / "run", Stage.ANNEALING), images=4)
    annealed = named_weights(train_qat(start, teacher, chosen).model.detector)
    control = named_weights(
        train_qat(start, teacher, replace(chosen, stage=Stage.CONTROL, out=tmp_path / "c")).model.detector
    )
    moved_elsewhere = 0
    for name, before in named_weights(start.detector).items():
        bits = 4 if ".blocks." in name else 8
        free = near_threshold(before.matrix, bits, 0.2)
        assert torch.equal(annealed[name].matrix[~free], before.matrix[~free])
        assert bool((annealed[name].matrix[free] != before.matrix[free]).any())
        moved_elsewhere += int((control[name].matrix[~free] != before.matrix[~free]).sum())
    assert moved_elsewhere > 0  # without annealing they move


def test_annealing_goes_on_with_both_branches_where_both_were_trained(
    start: QuantizedDetector, teacher: Detector, tmp_path: Path
) -> None:
    saqa = train_qat(start, teacher, options(tmp_path / "saqa", Stage.SAQA)).model
    both = train_qat(saqa, teacher, options(tmp_path / "both", Stage.ANNEALING)).model
    alone = train_qat(start, teacher, options(tmp_path / "alone", Stage.ANNEALING)).model
    assert (low_of(both), low_of(alone)) == (LowBranch.TRAINED, LowBranch.INITIALISED)
    assert any(name.endswith("@2.steps") for name in changed(saqa, both))


def test_annealing_goes_on_with_the_ratios_of_what_it_anneals(start: QuantizedDetector) -> None:
    def after(*stages: Stage) -> QuantizedDetector:
        return replace(start, training=tuple(TrainingRun(stage, 0, 64, 64, 64, 112, 5e-4) for stage in stages))

    laws = {Stage.UNIFORM: None, Stage.CONTROL: None, Stage.SAQA: ratios_of_step, Stage.SAA: pruning_of_step}
    for stage, law in (laws | {Stage.JOINT: both_of_step}).items():
        assert law_of(stage, start) is law
        assert law_of(Stage.ANNEALING, after(Stage.UNIFORM, stage)) is law
        assert law_of(Stage.ANNEALING, after(stage, Stage.ANNEALING)) is law
    assert law_of(Stage.ANNEALING, start) is None
    untold = replace(start, options=replace(start.options, ofq=OfqOptions(low_branch=LowBranch.TRAINED)))
    assert law_of(Stage.ANNEALING, untold) is ratios_of_step  # saved before runs were noted


def low_of(model: QuantizedDetector) -> LowBranch | None:
    return None if model.options.ofq is None else model.options.ofq.low_branch


def test_distillation_is_the_divergence_of_the_classes() -> None:
    """By hand, for one cell: the teacher says 3/4, the student 1/2; boxes do not count; divided by at least 1."""
    given = torch.zeros(1, 1, 1, 5)
    given[..., 0] = torch.log(torch.tensor(3.0))
    student = torch.zeros(1, 1, 1, 5)
    student[..., 1:] = 7
    expected = 0.75 * torch.log(torch.tensor(0.75 / 0.5)) + 0.25 * torch.log(torch.tensor(0.25 / 0.5))
    torch.testing.assert_close(distillation_loss(student, given), expected)
    assert float(distillation_loss(given, given)) == 0
    assert float(distillation_loss(given, student)) != pytest.approx(float(expected))  # the fault: the other direction


def test_training_lowers_the_loss(start: QuantizedDetector, teacher: Detector, tmp_path: Path) -> None:
    batch = collate(open_source(Split.TEST), 5, 0, 16, SIZE)
    inputs = images_to_input(batch.images)

    def loss(model: QuantizedDetector) -> float:
        return float(detection_loss(run(model, inputs, 0), batch, teacher.config.stride).total)

    trained = train_qat(start, teacher, replace(options(tmp_path / "run", Stage.UNIFORM), images=160, batch=8)).model
    assert loss(trained) < loss(start)


def run(model: QuantizedDetector, inputs: Tensor, ratio: int) -> Tensor:
    facts = tuple(ImageFacts(number) for number in range(len(inputs)))
    return model.run(inputs, model.plan(ratio, facts)).output


def test_no_gradient_reaches_a_branch_without_windows(start: QuantizedDetector, teacher: Detector) -> None:
    """At ratio 0 the low branch's steps and LayerNorms get none; at 1 the high branch's."""
    state = TrainState.of(start, True, "cpu")
    parameters = state.parameters()
    batch = collate(open_source(Split.TEST), 5, 0, 2, SIZE)
    for ratio, reached, spared in ((0, "@4.steps", "@2.steps"), (1000, "@2.steps", "@4.steps")):
        plan = Plan(Ratios.uniform(ratio, (2, 2)), load_score("l2"), (ImageFacts(),) * 2, 4, 2, 8)
        output = run_network(state.network, images_to_input(batch.images), plan, state.arithmetic()).output
        loss = detection_loss(output, batch, teacher.config.stride).total
        found = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
        named = dict(zip(parameters, found, strict=True))
        assert all(gradient is not None for name, gradient in named.items() if name.endswith(reached))
        assert all(gradient is None for name, gradient in named.items() if name.endswith(spared))
        assert all((gradient is None) == (ratio == 0) for name, gradient in named.items() if "low_norms" in name)


def test_a_lowered_step_grows_with_the_ranges() -> None:
    high = LsqParams(4, torch.tensor(0.5, dtype=torch.float64), unsigned=True)
    assert lowered(high, 2) == replace(high, bits=2, steps=lowered(high, 2).steps)
    assert float(lowered(high, 2).steps) == pytest.approx(0.5 * 5**0.5)


def test_windows_of_stages(teacher: Detector) -> None:
    assert windows_of_stages(teacher, SIZE) == (9, 4)
    assert windows_of_stages(build_detector(), 112) == (16, 4, 1)
    assert windows_of_stages(build_detector(), 128) == (25, 9, 4)


def test_a_trained_model_can_be_evaluated_and_recorded(
    start: QuantizedDetector, teacher: Detector, tmp_path: Path
) -> None:
    model = load_quantized(train_qat(start, teacher, options(tmp_path / "run", Stage.SAQA)).path)
    rows = evaluate(model, [0, 500], n=2, size=SIZE)
    assert [row.ratio for row in rows] == [0, 500]
    bundle = read_bundle(record(model, canvas_images(1, SIZE), tmp_path / "bundle", 500))
    assert bundle.manifest.method == "ofq"
    beside = load_file(tmp_path / "bundle" / "tensors" / "weights.safetensors")
    name = "stages.1.blocks.1.attn.qkv.input"
    quantizer = model.calibration.activations[name, 2]
    assert torch.equal(beside[f"{name}@2.steps"], torch.as_tensor(quantizer.step))
    stated = [tensor.step for tensor in bundle.topology.tensors if (tensor.name, tensor.bits) == (name, 2)]
    assert stated == [float(torch.as_tensor(quantizer.step).mean())]
    assert (bundle.manifest.activation_bits_high, bundle.manifest.activation_bits_low) == (4, 2)
    weights = [tensor for tensor in bundle.topology.tensors if tensor.role is Role.WEIGHT]
    assert {tensor.encoding for tensor in weights} == {Encoding.HALF_INT}
    row_sums = {op.name for op in bundle.topology.operators if op.kind is OperatorKind.ROW_SUM}
    gemms = {op.name for op in bundle.topology.operators if op.kind is OperatorKind.GEMM}
    assert {f"{name}.row_sum" for name in gemms if not name.endswith(("qk", "av"))} <= row_sums
    column_sums = {op.name for op in bundle.topology.operators if op.kind is OperatorKind.COLUMN_SUM}
    assert {f"{name}.column_sum" for name in gemms if name.endswith("av")} == column_sums  # unsigned softmax codes


def test_reparameterised_scores_train_and_share_one_quantizer(
    start: QuantizedDetector, teacher: Detector, images: Tensor, tmp_path: Path
) -> None:
    ofq = OfqOptions(LearnedVectors.BEFORE, QueryKey.REPARAMETERISED)
    begun = quantize(teacher, replace(start.options, ofq=ofq), source="random", batches=[images])
    result = train_qat(begun, teacher, options(tmp_path / "run", Stage.SAQA))
    stem = "stages.0.blocks.1.attn"
    shared = [result.model.calibration.activations[f"{stem}.{end}", 4] for end in ("qkx.input", "v.input", "qk.left")]
    steps = [one.steps for one in shared if isinstance(one, LsqParams)]
    assert len(steps) == 3
    assert all(torch.equal(one, steps[0]) for one in steps)
    assert f"{stem}.qkx.input@4.steps" in changed(with_fresh_low_branch(begun), replace(result.model, low_norms={}))
    state = TrainState.of(result.model, True, "cpu")
    plan = result.model.plan(500, tuple(ImageFacts(number) for number in range(len(images))))
    live = run_network(state.network, images, plan, state.arithmetic()).output
    assert torch.equal(live.detach(), load_quantized(result.path).run(images, plan).output)
    with pytest.raises(InputError, match="no operators for them"):
        record(result.model, canvas_images(1, SIZE), tmp_path / "bundle", 0)
    with pytest.raises(InputError, match="cannot be annealed"):
        train_qat(begun, teacher, options(tmp_path / "annealing", Stage.ANNEALING))


def test_mistakes_are_named(start: QuantizedDetector, teacher: Detector, images: Tensor, tmp_path: Path) -> None:
    chosen = options(tmp_path / "run", Stage.UNIFORM)
    with pytest.raises(InputError, match="teacher"):
        train_qat(start, None, chosen)
    affine = QuantizationOptions(calibration_canvases=3, calibration_data=CalibrationData.IMAGES)
    other = quantize(teacher, affine, batches=[images])
    with pytest.raises(InputError, match="uniform_affine"):
        train_qat(other, teacher, chosen)
    with pytest.raises(InputError, match=r"tpu.*allowed: cpu, cuda"):
        train_qat(start, teacher, replace(chosen, device="tpu"))
    for field, value in (("images", 0), ("size", 8), ("boundary", 0.6), ("learning_rate", float("nan"))):
        with pytest.raises(InputError, match=field):
            replace(chosen, **{field: value})
    assert not (tmp_path / "run").exists()
