"""AIQViT on a tiny detector: training lowers the blocks' losses, repeats to the bit, and runs alike in both modes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import Accelerator
from mixarray.errors import InputError
from mixarray.simulation import simulate
from mixarray.trace.baseline import ratio_zero_workload
from mixarray.trace.bundle import read_bundle
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.model.detector import Detector
from mixarray_traces.quantization import block_walk, rank_search
from mixarray_traces.quantization.aiqvit_options import (
    AiqvitOptions,
    BaseQuantizers,
    BlockInputs,
    Compensation,
    IntervalStart,
    SoftmaxCodes,
)
from mixarray_traces.quantization.arithmetic import ArithmeticKind
from mixarray_traces.quantization.calibrate import quantize
from mixarray_traces.quantization.identity import quantized_sha256
from mixarray_traces.quantization.interval import IntervalParams
from mixarray_traces.quantization.options import CalibrationData, QuantizationOptions
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.rank_search import gates
from mixarray_traces.quantization.reconstruction import BlockTask
from mixarray_traces.quantization.settle import Settled
from mixarray_traces.quantization.side_names import between, side_a, side_b
from mixarray_traces.quantization.store import load_quantized, save_quantized
from mixarray_traces.record.images import canvas_images
from mixarray_traces.record.packing import unpack_codes
from mixarray_traces.record.recorder import record

SMALL = AiqvitOptions(iterations=4, search_iterations=2, ranks=(0, 2, 4), batch=2)
Made = Callable[[AiqvitOptions], QuantizedDetector]


@pytest.fixture(scope="module")
def aiqvit(teacher: Detector, tiny_images: torch.Tensor) -> Made:
    """The tiny detector quantized with options; each model is made once."""
    found: dict[AiqvitOptions, QuantizedDetector] = {}

    def build(options: AiqvitOptions) -> QuantizedDetector:
        if options not in found:
            found[options] = made(teacher, tiny_images, options)
        return found[options]

    return build


def made(teacher: Detector, images: torch.Tensor, options: AiqvitOptions) -> QuantizedDetector:
    chosen = QuantizationOptions(
        method="aiqvit",
        calibration_canvases=len(images),
        calibration_data=CalibrationData.IMAGES,
        aiqvit=options,
    )
    return quantize(teacher, chosen, source="random", batches=[images])


def output(model: QuantizedDetector, images: torch.Tensor, kind: ArithmeticKind = ArithmeticKind.FAKE) -> torch.Tensor:
    plan = model.plan(400, tuple(ImageFacts(seed) for seed in range(len(images))))
    return model.run(images, plan, model.arithmetic(kind)).output


@pytest.mark.parametrize("compensation", list(Compensation))
def test_integer_mode_equals_fake_quantization_and_saving_loses_nothing(
    aiqvit: Made, tiny_images: torch.Tensor, tmp_path: Path, compensation: Compensation
) -> None:
    model = aiqvit(replace(SMALL, rank=2, compensation=compensation))
    exact, images = model.double(), tiny_images.double()
    fake = output(exact, images)
    torch.testing.assert_close(output(exact, images, ArithmeticKind.INTEGER), fake, rtol=0, atol=1e-9)
    faulty = replace(exact, low_rank={}, _arithmetics={})
    assert float((output(faulty, images) - fake).abs().max()) > 1e-6
    assert bool(model.sides) is (compensation is Compensation.SIDE_PATH)
    again = load_quantized(save_quantized(model, tmp_path / "model"))
    assert torch.equal(output(again, tiny_images), output(model, tiny_images))
    assert quantized_sha256(again) == quantized_sha256(model)
    assert again.options == model.options


def test_a_repeated_run_gives_the_same_model(aiqvit: Made, teacher: Detector, tiny_images: torch.Tensor) -> None:
    first, again = aiqvit(SMALL), made(teacher, tiny_images, SMALL)
    assert quantized_sha256(first) == quantized_sha256(again)
    assert {one.rank for one in first.low_rank.values()} <= {2, 4}
    plain = made(teacher, tiny_images, replace(SMALL, curriculum=False, first_share_thousandths=300))
    assert quantized_sha256(plain) != quantized_sha256(first)


def test_every_softmax_output_has_an_interval_of_its_own_in_each_branch(aiqvit: Made) -> None:
    known = aiqvit(replace(SMALL, rank=2)).calibration.activations
    found = {key: one for key, one in known.items() if key[0].endswith(".av.left")}
    assert len(found) == 2 * 4
    assert all(isinstance(one, IntervalParams) and one.bits == branch for (_, branch), one in found.items())
    start = aiqvit(replace(SMALL, rank=2, softmax=SoftmaxCodes.BASE)).calibration.activations
    assert not any(isinstance(one, IntervalParams) for one in start.values())


@pytest.mark.parametrize("compensation", list(Compensation))
def test_training_lowers_the_loss_of_a_block(
    teacher: Detector, tiny_images: torch.Tensor, monkeypatch: pytest.MonkeyPatch, compensation: Compensation
) -> None:
    """The first block, all images, with everything quantized: below the block as calibration left it."""
    seen: list[tuple[BlockTask, Settled]] = []
    reconstruct = block_walk.reconstruct

    def watched(task: BlockTask, seed: int) -> Settled:
        settled = reconstruct(task, seed)
        seen.append((task, settled))
        return settled

    monkeypatch.setattr(block_walk, "reconstruct", watched)
    options = replace(SMALL, rank=4, iterations=40, compensation=compensation, curriculum=False, learning_rate=3e-3)
    made(teacher, tiny_images[:, :, :24, :24], options)
    assert [task.name for task, _ in seen] == [f"stages.{stage}.blocks.{block}" for stage in (0, 1) for block in (0, 1)]
    task, settled = seen[0]
    with torch.no_grad():
        for branch in task.inputs:
            after = float(task.loss(range(len(task.targets)), branch, settled.arithmetic(task)))
            assert after < task.scales[branch]


def test_a_recorded_side_path_reproduces_its_product_and_is_simulated(aiqvit: Made, tmp_path: Path) -> None:
    """B's sums of the low group from the bundle alone; intervals state their offset; the simulator runs both GEMMs."""
    model = aiqvit(replace(SMALL, rank=2, compensation=Compensation.SIDE_PATH))
    bundle = read_bundle(record(model, canvas_images(1, 48), tmp_path / "bundle", 400))
    name, files, weights = "stages.0.blocks.0.mlp.fc1", bundle.tensors("image-0"), bundle.tensors("weights")
    tensors = {(one.name, one.window_bits): one for one in bundle.topology.tensors}
    few = tensors[between(name), 4]
    assert few.bits == 4
    values = (codes(files, f"{between(name)}@4", 4)[0] - few.zero_point) * few.step
    matrix = codes(weights, f"{side_b(name)}.weight@8", 8)[0] * weights[f"{side_b(name)}.weight.steps"]
    expected = model.products().linear(side_b(name), torch.from_numpy(values).float(), 4)
    np.testing.assert_allclose(values @ matrix, expected.numpy(), atol=1e-5)
    assert float(np.abs(values).max()) > 0
    soft = model.calibration.activations["stages.0.blocks.0.attn.av.left", 4]
    assert weights["stages.0.blocks.0.attn.av.left@4.offset"] == [soft.offset]
    work = bundle.workload(0)
    ran = {work.operators[counts.operator].operator.name for counts in simulate(work, machine()).execution.operators}
    assert {side_a(name), side_b(name), f"{side_a(name)}.requantize"} <= ran
    plain = aiqvit(replace(SMALL, rank=2))
    merged = read_bundle(record(plain, canvas_images(1, 48), tmp_path / "merged", 400))
    assert not any("low_rank" in op.name for op in merged.topology.operators)
    assert ratio_zero_workload(bundle).macs > ratio_zero_workload(merged).macs


def machine() -> Accelerator:
    return load_accelerator("packed_w4_32x32")


def codes(files: dict[str, np.ndarray], key: str, bits: int) -> np.ndarray:
    return unpack_codes(files[key], bits, tuple(files[f"{key}.shape"])).astype(np.float64)


def test_gates_are_the_weights_of_all_candidates_that_hold_a_column() -> None:
    """Softmax of (log 1, log 2, log 5) is 1/8, 2/8, 5/8; candidates 0, 1, 3: column 0 belongs to the last two."""
    found = gates(torch.tensor([1.0, 2.0, 5.0]).log(), (0, 1, 3), 1.0)
    torch.testing.assert_close(found, torch.tensor([7 / 8, 5 / 8, 5 / 8]))
    cold = gates(torch.tensor([1.0, 2.0, 5.0]).log(), (0, 1, 3), 0.01)
    torch.testing.assert_close(cold, torch.ones(3))


def test_ranks_are_searched_on_images_that_the_matrices_do_not_see(
    teacher: Detector, tiny_images: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Matrices learn with fixed gates on images 0 and 2, gates with gradients on image 1; both kinds take turns."""
    seen: list[tuple[bool, list[int]]] = []
    step = rank_search.step

    def watched(optimizer, task, learned, numbers, branch, gates) -> None:  # type: ignore[no-untyped-def]
        seen.append((any(one.requires_grad for one in gates.values()), list(numbers)))
        step(optimizer, task, learned, numbers, branch, gates)

    monkeypatch.setattr(rank_search, "step", watched)
    made(teacher, tiny_images, replace(SMALL, iterations=1, search_iterations=4, curriculum=False))
    assert [learns_ranks for learns_ranks, _ in seen] == [False, True] * (4 * 4)
    assert {tuple(numbers) for learns_ranks, numbers in seen if learns_ranks} == {(1,)}
    assert {tuple(numbers) for learns_ranks, numbers in seen if not learns_ranks} == {(0, 2)}


@pytest.mark.parametrize("compensation", list(Compensation))
def test_a_search_that_finds_no_rank_leaves_the_base(
    teacher: Detector, tiny_images: torch.Tensor, monkeypatch: pytest.MonkeyPatch, compensation: Compensation
) -> None:
    """Without an interval there is nothing to train then."""
    monkeypatch.setattr(block_walk, "search_ranks", lambda task, seed: dict.fromkeys(task.weights, 0))
    found = made(teacher, tiny_images, replace(SMALL, softmax=SoftmaxCodes.BASE, compensation=compensation))
    base = quantize(teacher, replace(found.options, method="repq_vit", aiqvit=None), batches=[tiny_images])
    assert not found.low_rank
    assert torch.equal(output(found, tiny_images), output(base, tiny_images))


def test_other_guesses_run_and_differ(aiqvit: Made, tiny_images: torch.Tensor) -> None:
    one = output(aiqvit(replace(SMALL, rank=2)), tiny_images)
    for changed in (
        {"base": BaseQuantizers.UNIFORM},
        {"interval_start": IntervalStart.RANGE},
        {"block_inputs": BlockInputs.FLOAT},
    ):
        assert not torch.equal(output(aiqvit(replace(SMALL, rank=2, **changed)), tiny_images), one)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"ranks": (0,)}, "ranks"),
        ({"ranks": (0, 4, 4)}, "ranks"),
        ({"ranks": (-1, 4)}, "ranks"),
        ({"side_bits": 9}, "side_bits"),
        ({"iterations": 0}, "iterations"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"rank": 0, "softmax": SoftmaxCodes.BASE}, "rank"),
        ({"first_share_thousandths": 0}, "first_share_thousandths"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, object], field: str) -> None:
    with pytest.raises(InputError) as refused:
        AiqvitOptions(**options)  # type: ignore[arg-type]
    assert refused.value.field == f"aiqvit.{field}"


def test_ranks_above_a_layer_and_searches_of_one_image_are_refused(
    teacher: Detector, tiny_images: torch.Tensor
) -> None:
    with pytest.raises(InputError, match=r"9 is above the 8 of stages.0.blocks.0"):
        made(teacher, tiny_images, replace(SMALL, rank=9))
    with pytest.raises(InputError, match="one half"):
        made(teacher, tiny_images[:1], SMALL)
