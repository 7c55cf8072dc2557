"""Runs of quantization-aware training: stopped, killed and resumed; what they may begin with; what the model keeps."""

from __future__ import annotations

import errno
import json
import math
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import pytest
import torch
from torch import Tensor

from mixarray.errors import InputError
from mixarray_traces.data.canvas import CanvasSource
from mixarray_traces.model.detector import Detector
from mixarray_traces.quantization.identity import quantized_sha256
from mixarray_traces.quantization.provenance import TrainingRun
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.store import load_quantized, quantizers_to_json, save_quantized
from mixarray_traces.training.qat import QatOptions, QatResult, Stage, train_qat
from mixarray_traces.training.qat.low_branch import with_fresh_low_branch
from mixarray_traces.training.targets import Batch
from mixarray_traces.training.train import collate

pytestmark = pytest.mark.usefixtures("shipped_items")
SIZE = 48
FULL = Path("/dev/full")
FILES = ("manifest.json", "model.safetensors")


def options(out: Path, stage: Stage, seed: int = 1) -> QatOptions:
    return QatOptions(out, stage, seed=seed, images=16, batch=4, size=SIZE, learning_rate=3e-3, boundary=0.2)


def difference(one: QatResult, other: QatResult) -> list[str]:
    """Names of the model's files that differ."""
    return [name for name in FILES if (one.path / name).read_bytes() != (other.path / name).read_bytes()]


def stopped_at_every_step(start: QuantizedDetector, teacher: Detector, chosen: QatOptions) -> list[QatResult]:
    return [train_qat(start, teacher, replace(chosen, stop_after_s=0.0)) for _ in range(4)]


@pytest.mark.parametrize("stage", list(Stage))
def test_resumed_equals_straight(stage: Stage, start: QuantizedDetector, teacher: Detector, tmp_path: Path) -> None:
    straight = train_qat(start, teacher, options(tmp_path / "straight", stage))
    assert (straight.finished, straight.images) == (True, 16)
    results = stopped_at_every_step(start, teacher, options(tmp_path / "resumed", stage))
    assert [result.finished for result in results] == [False, False, False, True]
    assert difference(straight, results[-1]) == []
    other = train_qat(start, teacher, options(tmp_path / "other", stage, seed=2))
    assert difference(straight, other) == list(FILES)  # the comparison sees another seed


def test_a_resumed_run_without_its_momentum_would_be_another(
    start: QuantizedDetector, teacher: Detector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = train_qat(start, teacher, options(tmp_path / "straight", Stage.SAQA))
    monkeypatch.setattr(torch.optim.AdamW, "load_state_dict", lambda self, state: None)
    forgetful = stopped_at_every_step(start, teacher, options(tmp_path / "resumed", Stage.SAQA))[-1]
    assert difference(straight, forgetful) == list(FILES)


class Killed(BaseException):
    """The end of a process, as far as a file can tell."""


def saving_is_cut_off(failure: BaseException) -> Callable[[object, BinaryIO], None]:
    """`torch.save` whose third file gets half its bytes before `failure`."""
    real, calls = torch.save, 0

    def save(content: object, file: BinaryIO) -> None:
        nonlocal calls
        calls += 1
        whole = BytesIO()
        real(content, whole)
        if calls == 3:
            file.write(whole.getvalue()[: len(whole.getvalue()) // 2])
            raise failure
        file.write(whole.getvalue())

    return save


def test_a_kill_in_the_middle_of_a_checkpoint_costs_only_the_steps_since_the_last_one(
    start: QuantizedDetector, teacher: Detector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = train_qat(start, teacher, options(tmp_path / "straight", Stage.SAQA))
    chosen = replace(options(tmp_path / "killed", Stage.SAQA), checkpoint_steps=1)
    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", saving_is_cut_off(Killed()))
        with pytest.raises(Killed):
            train_qat(start, teacher, chosen)
    assert not (chosen.out / "model").exists()
    torn = (chosen.out / "checkpoint.pt.tmp").read_bytes()
    steps: list[int] = []
    again = train_qat(start, teacher, chosen, lambda report: steps.append(report.step))
    assert steps == [3, 4]
    assert difference(straight, again) == []
    (chosen.out / "checkpoint.pt").write_bytes(torn)  # the fault: written in place
    with pytest.raises(InputError, match=r"checkpoint\.pt.*not a checkpoint"):
        train_qat(start, teacher, chosen)


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
def test_a_full_disk_is_the_systems_own_error(start: QuantizedDetector, teacher: Detector, tmp_path: Path) -> None:
    """So that the command says so in a line; torch.save of a path raises a RuntimeError instead."""
    (tmp_path / "checkpoint.pt.tmp").symlink_to(FULL)
    with pytest.raises(OSError, match="No space") as refused:
        train_qat(start, teacher, replace(options(tmp_path, Stage.UNIFORM), stop_after_s=0.0))
    assert refused.value.errno == errno.ENOSPC
    with pytest.raises(RuntimeError):
        torch.save(start.detector.state_dict(), FULL)


def test_a_checkpoint_of_another_run_is_refused(
    start: QuantizedDetector, teacher: Detector, random_detector_of: Callable[..., Detector], tmp_path: Path
) -> None:
    chosen = options(tmp_path / "run", Stage.UNIFORM)
    train_qat(start, teacher, replace(chosen, stop_after_s=0.0))
    with pytest.raises(InputError, match=r"seed.*2 is given, 1 is what the run began with"):
        train_qat(start, teacher, replace(chosen, seed=2))
    with pytest.raises(InputError, match="start: another quantized model"):
        train_qat(with_fresh_low_branch(start), teacher, chosen)
    with pytest.raises(InputError, match="teacher_sha256: another teacher"):
        train_qat(start, random_detector_of(3, teacher.config), chosen)
    forget_teacher(chosen.out / "checkpoint.pt")
    assert train_qat(start, teacher, chosen).finished


def forget_teacher(checkpoint: Path) -> None:
    """Make the checkpoint one from before teachers were hashed."""
    content = torch.load(checkpoint, weights_only=True)
    del content["settings"]["teacher_sha256"]
    torch.save(content, checkpoint)


def test_a_trained_low_branch_is_not_thrown_away(start: QuantizedDetector, teacher: Detector, tmp_path: Path) -> None:
    saqa = train_qat(start, teacher, options(tmp_path / "saqa", Stage.SAQA)).model
    for stage in (Stage.UNIFORM, Stage.CONTROL, Stage.SAA):
        with pytest.raises(InputError, match=f"low branch was trained, and {stage} would make it anew"):
            train_qat(saqa, teacher, options(tmp_path / stage, stage))
        assert not (tmp_path / stage).exists()


def test_what_is_compared_with_saqa_sees_its_canvases_and_other_stages_see_others(
    start: QuantizedDetector, teacher: Detector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Tensor] = []

    def watched(source: CanvasSource, seed: int, first: int, count: int, size: int) -> Batch:
        batch = collate(source, seed, first, count, size)
        drawn.append(torch.from_numpy(batch.images))
        return batch

    monkeypatch.setattr("mixarray_traces.training.qat.loop.collate", watched)

    def canvases(stage: Stage, seed: int) -> Tensor:
        drawn.clear()
        train_qat(start, teacher, options(tmp_path / f"{stage}{seed}", stage, seed))
        return torch.cat(drawn)

    saqa = canvases(Stage.SAQA, 1)
    assert torch.equal(canvases(Stage.CONTROL, 1), saqa)
    assert torch.equal(canvases(Stage.SAA, 1), saqa)
    assert torch.equal(canvases(Stage.JOINT, 1), saqa)
    for stage, seed in ((Stage.UNIFORM, 1), (Stage.ANNEALING, 1), (Stage.CONTROL, 2)):
        assert not torch.equal(canvases(stage, seed), saqa)


def test_streams_of_stages_and_seeds_never_meet(tmp_path: Path) -> None:
    streams = [{options(tmp_path, stage, seed).stream for stage in Stage} for seed in range(4)]
    assert [len(of_seed) for of_seed in streams] == [3] * 4
    assert len(set().union(*streams)) == 12


def test_a_model_keeps_the_runs_behind_it(start: QuantizedDetector, teacher: Detector, tmp_path: Path) -> None:
    assert start.training == ()
    stopped = train_qat(start, teacher, replace(options(tmp_path / "u", Stage.UNIFORM), stop_after_s=0.0))
    uniform = TrainingRun(Stage.UNIFORM, 1, 4, 16, 4, SIZE, 3e-3)
    assert stopped.model.training == (uniform,)
    loaded = load_quantized(stopped.path)
    chosen = replace(options(tmp_path / "s", Stage.SAQA, seed=2), images=13)
    saqa = load_quantized(train_qat(loaded, teacher, chosen).path)
    assert saqa.training == (uniform, TrainingRun(Stage.SAQA, 2, 16, 16, 4, SIZE, 3e-3))
    assert saqa.double().training == saqa.training
    assert str(uniform) == "uniform, seed 1, 4 of 16 canvases of 48 px, 4 a step, learning rate 0.003"


def test_the_runs_behind_a_model_are_no_part_of_what_it_is(start: QuantizedDetector, tmp_path: Path) -> None:
    """Hashes of models, by which accuracies are kept and starts are known, are those of models without them."""
    told = replace(start, training=(TrainingRun(Stage.CONTROL, 0, 64, 64, 64, 112, 5e-4),))
    assert quantizers_to_json(told) == quantizers_to_json(start)
    assert quantized_sha256(told) == quantized_sha256(start)
    saved = [save_quantized(one, tmp_path / str(len(one.training))) / "manifest.json" for one in (told, start)]
    with_run, without = (json.loads(manifest.read_text()) for manifest in saved)
    assert (len(with_run.pop("training")), without.pop("training")) == (1, [])
    assert with_run == without


@pytest.mark.parametrize(
    ("training", "message"),
    [
        ({}, "no list"),
        ([{}], "seed"),
        ([{"stage": "other"}], "other"),
        ([{"seed": -1}], "seed -1 is no integer from 0"),
        ([{"batch": 4.0}], "batch 4.0 is no integer"),
        ([{"images": True}], "images True is no integer"),
        ([{"learning_rate": "fast"}], "fast"),
        ([7], "int"),
    ],
)
def test_broken_runs_are_named(start: QuantizedDetector, tmp_path: Path, training: object, message: str) -> None:
    run = TrainingRun(Stage.UNIFORM, 0, 64, 64, 64, 112, 5e-4)
    manifest = save_quantized(replace(start, training=(run,)), tmp_path / "model") / "manifest.json"
    described = json.loads(manifest.read_text())
    known = described["training"][0]
    if isinstance(training, list) and isinstance(training[0], dict) and training[0]:
        training = [known | training[0]]
    manifest.write_text(json.dumps(described | {"training": training}))
    with pytest.raises(InputError, match=message) as refused:
        load_quantized(manifest.parent)
    assert refused.value.field == "training"
    del described["training"]  # models saved before runs were noted
    manifest.write_text(json.dumps(described))
    assert load_quantized(manifest.parent).training == ()


def test_what_each_share_of_the_recipe_does(start: QuantizedDetector, teacher: Detector, tmp_path: Path) -> None:
    """One step: the teacher's share changes what is learned, and gradients are scaled down to their cap."""
    told: list[float] = []

    def weights(name: str, chosen: QatOptions, by: Detector | None) -> dict[str, Tensor]:
        chosen = replace(chosen, out=tmp_path / name, images=4)
        model = train_qat(start, by, chosen, lambda report: told.append(report.distillation)).model
        return dict(model.detector.state_dict())

    chosen = options(tmp_path, Stage.UNIFORM)
    both = weights("both", chosen, teacher)
    alone = weights("alone", replace(chosen, distillation=0.0), None)
    still = weights("still", replace(chosen, max_gradient_norm=0.0), teacher)
    assert told[0] > 0
    assert told[1] == 0
    assert any(not torch.equal(both[name], alone[name]) for name in both)
    before = start.detector.state_dict()
    assert all(torch.equal(still[name], before[name]) for name in before)


def test_the_learning_rate_is_a_cosine_between_its_ends(tmp_path: Path) -> None:
    chosen = replace(options(tmp_path, Stage.UNIFORM), images=39)
    assert chosen.steps == 10
    ends = chosen.learning_rate, chosen.final_rate
    share = math.cos(math.pi / 20) ** 2  # after a tenth of the steps; a straight line would be at 0.9
    expected = [ends[0], ends[1] + (ends[0] - ends[1]) * share, sum(ends) / 2, ends[1]]
    assert [chosen.rate(step) for step in (0, 1, 5, 10)] == pytest.approx(expected)
