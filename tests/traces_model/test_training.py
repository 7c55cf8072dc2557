"""Training: targets, loss, schedule, resuming bit for bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mixarray.errors import InputError
from mixarray_traces.data.canvas import open_source
from mixarray_traces.data.items import Split
from mixarray_traces.model.config import SWIN_TINY_TEST, DetectorConfig
from mixarray_traces.model.decode import cell_centres
from mixarray_traces.model.detector import load_detector
from mixarray_traces.shipped import shipped_path
from mixarray_traces.training import Phase, Progress, TrainOptions, train
from mixarray_traces.training.checkpoint import PhaseRecord, load_checkpoint, read_record
from mixarray_traces.training.options import Plan
from mixarray_traces.training.targets import Batch, assign_cells, detection_loss, paired_giou
from mixarray_traces.training.train import _Run, collate, split_batch

TINY = DetectorConfig(SWIN_TINY_TEST, head_dim=8, head_hidden_dim=8)


def options(out: Path) -> TrainOptions:
    return TrainOptions(out=out, seed=3, phases=(Phase(32, 8, 4), Phase(48, 4, 2)), model=TINY, warm_up_steps=2)


def same(first: object, second: object) -> bool:
    """Equality of nested dicts and lists of tensors, bit for bit."""
    if isinstance(first, torch.Tensor) and isinstance(second, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(same(a, b) for a, b in zip(first, second, strict=True))
    return first == second


@pytest.mark.needs("fashion-mnist")
def test_resumed_run_equals_straight_run(tmp_path: Path) -> None:
    reports: list[Progress] = []
    straight = train(options(tmp_path / "straight"), reports.append)
    assert straight.finished
    assert straight.images == (8, 4)
    assert [(report.step, report.size, report.images) for report in reports] == [
        (1, 32, 4),
        (2, 32, 8),
        (3, 48, 10),
        (4, 48, 12),
    ]
    stopping = replace(options(tmp_path / "resumed"), stop_after_s=0.0)
    assert [train(stopping).finished for _ in range(4)] == [False, False, False, True]
    first = load_checkpoint(tmp_path / "straight" / "checkpoint.pt")
    second = load_checkpoint(tmp_path / "resumed" / "checkpoint.pt")
    assert same(vars(first), vars(second))
    assert straight.weights.read_bytes() == (tmp_path / "resumed" / "detector.safetensors").read_bytes()
    detector = load_detector(straight.weights, TINY)
    halves = {name: value.half().float() for name, value in first.mean_weights.items()}
    assert same(dict(detector.state_dict()), halves)
    record = read_record(straight.weights)
    assert record.phases == (PhaseRecord(32, 4, 8), PhaseRecord(48, 2, 4))
    assert record.finished
    assert record.plans == first.plans
    with pytest.raises(ValueError, match=r"checkpoint\.pt: holds no training record"):
        read_record(tmp_path / "straight" / "checkpoint.pt")


@pytest.mark.needs("fashion-mnist")
def test_budget_may_change_on_resume(tmp_path: Path) -> None:
    train(replace(options(tmp_path), stop_after_s=0.0))
    changed = replace(options(tmp_path), phases=(Phase(32, 4, 4), Phase(48, 8, 2)))
    assert train(changed).images == (4, 8)
    plans = load_checkpoint(tmp_path / "checkpoint.pt").plans
    assert [(plan.first_step, plan.total_steps, plan.steps) for plan in plans] == [(0, 4, (2, 2)), (1, 5, (1, 4))]
    assert plans[1].start_rate == pytest.approx(plans[0].rate(1, 1))
    with pytest.raises(ValueError, match=r"checkpoint\.pt: of a run with another seed"):
        train(replace(changed, seed=4))
    with pytest.raises(InputError, match=r"checkpoint\.pt: learning_rate: 0\.1 is given, 0\.002 is what"):
        train(replace(changed, learning_rate=0.1))
    with pytest.raises(ValueError, match=r"checkpoint\.pt: of another model"):
        train(replace(changed, model=replace(TINY, head_dim=16)))
    (tmp_path / "checkpoint.pt").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"checkpoint\.pt: not a training checkpoint"):
        train(changed)


def test_without_images_there_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no images to train on"):
        replace(options(tmp_path), phases=(Phase(32, 0, 4), Phase(48, 0, 2)))


def test_without_the_data_set_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*given: object) -> None:
        raise FileNotFoundError("apt-get install dataset-fashion-mnist")

    monkeypatch.setattr("mixarray_traces.data.items.read_full_set", missing)
    with pytest.raises(InputError, match="training canvases: apt-get install"):
        train(options(tmp_path / "run"))
    assert list(tmp_path.iterdir()) == []


def test_the_shipped_record_names_a_command_and_no_place() -> None:
    command = read_record(shipped_path("detector.safetensors")).command
    assert command.startswith("mixarray train ")
    assert "/" not in command


def test_schedule_warms_up_and_ends_at_zero() -> None:
    plan = Plan(0, 100, 1.0, (100,))
    rates = [plan.rate(step, 10) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9]
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 1e-3


def test_cells_answer_for_the_nearest_centre_in_reach() -> None:
    boxes = torch.tensor([[[4.0, 4, 20, 20], [12, 4, 28, 20], [0, 0, 0, 0]]])
    labels = torch.tensor([[0, 1, -1]])
    owner = assign_cells(boxes, labels, cell_centres(4, 4, 8, boxes), 8).reshape(4, 4)
    assert owner.tolist() == [[-1, -1, -1, -1], [0, 0, 1, 1], [-1, -1, -1, -1], [-1, -1, -1, -1]] or owner[1, 1] == 0
    assert owner[1, 2] == 1
    assert (owner[3] == -1).all()


def test_giou_hand_values() -> None:
    first = torch.tensor([[0.0, 0, 2, 2], [0, 0, 1, 1]])
    second = torch.tensor([[1.0, 0, 3, 2], [3, 0, 4, 1]])
    iou, giou = paired_giou(first, second)
    torch.testing.assert_close(iou, torch.tensor([2 / 6, 0.0]))
    torch.testing.assert_close(giou, torch.tensor([2 / 6, -0.5]))


def test_loss_prefers_the_truth_and_survives_an_empty_image() -> None:
    images = np.zeros((1, 32, 32, 3), dtype=np.uint8)
    batch = Batch(images, torch.tensor([[[8.0, 8, 24, 24]]]), torch.tensor([[1]]))
    right = torch.full((1, 4, 4, 6), -8.0)
    centres = cell_centres(4, 4, 8, right).reshape(4, 4, 2)
    sides = torch.cat((centres - 8, 24 - centres), dim=2).clamp(min=0.1)
    right[0, ..., 2:] = torch.log(sides / 8)
    right[0, 1:3, 1:3, 1] = 8.0
    wrong = right.clone()
    wrong[0, 1:3, 1:3, :2] = wrong[0, 1:3, 1:3, [1, 0]]
    assert detection_loss(right, batch, 8).total.item() < 0.01
    assert detection_loss(wrong, batch, 8).total.item() > 5
    empty = Batch(images, torch.zeros(1, 1, 4), torch.tensor([[-1]]))
    assert torch.isfinite(detection_loss(right, empty, 8).total)


def test_collate_pads_the_annotation() -> None:
    batch = collate(open_source(Split.TEST), 0, 0, 5, 96)
    counts = (batch.labels >= 0).sum(dim=1)
    assert batch.images.shape == (5, 96, 96, 3)
    assert batch.boxes.shape == (5, int(counts.max()), 4)
    assert len(set(counts.tolist())) > 1
    assert (batch.boxes[batch.labels < 0] == 0).all()


@pytest.mark.needs("fashion-mnist")
def test_shards_give_the_mean_of_their_gradients(tmp_path: Path) -> None:
    """Side by side or one after the other: the same bits. A shard weighs as much as any other."""
    batch = collate(open_source(Split.TRAIN), 0, 0, 4, 48)
    run = _Run(replace(options(tmp_path), shards=2), open_source(Split.TRAIN))
    loss = run._set_gradients(batch)
    parts = [run._shard_gradients(part) for part in split_batch(batch, 2)]
    for index, parameter in enumerate(run.model.parameters()):
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad, (parts[0][1][index] + parts[1][1][index]) / 2, rtol=1e-5, atol=1e-7)
    assert loss.classes == pytest.approx((parts[0][0].classes + parts[1][0].classes) / 2)
    assert len(split_batch(batch, 9)) == 4
