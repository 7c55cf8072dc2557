"""Average precision: equal to pycocotools, bootstrap, refusals."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, replace

import numpy as np
import pytest

from mixarray_traces.detection.average_precision import (
    CanvasRecord,
    average_precision,
    bootstrap_difference,
    bootstrap_interval,
    match_canvas,
)

CASES = 1000


@dataclass(frozen=True)
class Scene:
    """Detections and objects of one canvas; boxes on whole pixels so that both sides compute the same IoU."""

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    true_boxes: np.ndarray
    true_labels: np.ndarray
    is_crowd: np.ndarray

    def matched(self, classes: int) -> CanvasRecord:
        objects = self.true_boxes[~self.is_crowd], self.true_labels[~self.is_crowd]
        crowds = self.true_boxes[self.is_crowd], self.true_labels[self.is_crowd]
        return match_canvas(self.boxes, self.scores, self.labels, *objects, *crowds, num_classes=classes)


def random_scene(
    rng: np.random.Generator, classes: int, crowded: bool, ties: bool = True, crowds: float = 0.0
) -> Scene:
    """`crowds`: share of annotations that are crowds; `crowded`: up to 260 detections."""
    objects = int(rng.integers(0, 9))
    corner = rng.integers(0, 60, (objects, 2))
    true_boxes = np.concatenate((corner, corner + rng.integers(4, 30, (objects, 2))), axis=1).astype(np.float64)
    true_labels = rng.integers(0, classes, objects)
    boxes, labels = [], []
    for _ in range(int(rng.integers(0, 260 if crowded else 16))):
        if objects and rng.random() < 0.8:
            chosen = int(rng.integers(objects))
            jitter = true_boxes[chosen] + rng.integers(-3, 4, 4)
            box, label = jitter, int(true_labels[chosen]) if rng.random() < 0.8 else int(rng.integers(classes))
        else:
            box, label = np.array([5, 5, 30, 40]) + rng.integers(-4, 5, 4), int(rng.integers(classes))
        box = np.concatenate((box[:2], np.maximum(box[2:], box[:2] + 1)))
        boxes.append(box)
        labels.append(label)
    scores = rng.integers(0, 30, len(boxes)) / 30 if ties else rng.random(len(boxes))
    is_crowd = rng.random(objects) < crowds
    found = np.array(boxes).reshape(-1, 4), scores, np.array(labels, dtype=np.int64)
    return Scene(*found, true_boxes, true_labels, is_crowd)


def matched(scenes: list[Scene], classes: int) -> list[CanvasRecord]:
    return [scene.matched(classes) for scene in scenes]


def coco_stats(scenes: list[Scene], classes: int) -> tuple[float, float]:
    """AP50:95 and AP50 of pycocotools; NaN where it reports -1."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def xywh(box: np.ndarray) -> list[float]:
        return [float(box[0]), float(box[1]), float(box[2] - box[0]), float(box[3] - box[1])]

    truth, found = COCO(), []
    annotations = []
    for image, scene in enumerate(scenes, start=1):
        for box, label, crowd in zip(scene.true_boxes, scene.true_labels, scene.is_crowd, strict=True):
            side = xywh(box)
            number = len(annotations) + 1
            annotations.append(
                {"id": number, "image_id": image, "category_id": int(label) + 1, "bbox": side, "iscrowd": int(crowd)}
                | {"area": side[2] * side[3]}
            )
        for box, score, label in zip(scene.boxes, scene.scores, scene.labels, strict=True):
            found.append({"image_id": image, "category_id": int(label) + 1, "bbox": xywh(box), "score": float(score)})
    truth.dataset = {
        "images": [{"id": image + 1} for image in range(len(scenes))],
        "annotations": annotations,
        "categories": [{"id": kind + 1} for kind in range(classes)],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(found), "bbox")
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.params.maxDets = [100]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, 0]
    present = precision[0, 0] > -1
    if not present.any():
        return float("nan"), float("nan")
    return float(precision[:, :, present].mean()), float(precision[0][:, present].mean())


@pytest.mark.needs("pycocotools")
def test_equals_pycocotools_on_random_cases() -> None:
    """1,000 cases: 1 to 3 canvases, 1 to 4 classes, ties, crowds, empty canvases, over 100 detections of a class."""
    rng = np.random.default_rng(11)
    compared = 0
    for case in range(CASES):
        classes = int(rng.integers(1, 5))
        crowded = case % 20 == 0
        crowds = 0.3 * (case % 2)
        scenes = [random_scene(rng, classes, crowded, crowds=crowds) for _ in range(int(rng.integers(1, 4)))]
        if not any(len(scene.scores) for scene in scenes):
            scenes.append(random_scene(rng, classes, crowded=True))
            if not len(scenes[-1].scores):
                continue
        ours = average_precision(matched(scenes, classes))
        ap, ap50 = coco_stats(scenes, classes)
        np.testing.assert_allclose((ours.ap50_95, ours.ap50), (ap, ap50), rtol=0, atol=1e-12, err_msg=f"case {case}")
        compared += not np.isnan(ap)
    assert compared > 0.9 * CASES


def test_hand_example() -> None:
    """One object found twice, one missed: precision 1 up to recall 0.5, so 51 of 101 points."""
    record = match_canvas(
        [[0, 0, 10, 10], [0, 0, 10, 9]], [0.9, 0.8], [0, 0], [[0, 0, 10, 10], [50, 50, 60, 60]], [0, 0], num_classes=1
    )
    result = average_precision([record])
    assert result.ap50 == pytest.approx(51 / 101)
    assert result.ap50_95 == pytest.approx(51 / 101)


@pytest.mark.parametrize(
    ("box", "crowd_label", "ap50"),
    [
        ([10, 10, 20, 20], 0, 1.0),
        ([10, 10, 20, 20], 1, 0.5),
        ([35, 10, 45, 20], 0, 1.0),
        ([36, 10, 46, 20], 0, 0.5),
    ],
    ids=["within", "of another class", "half within", "less than half within"],
)
def test_a_detection_in_a_crowd(box: list[int], crowd_label: int, ap50: float) -> None:
    """The one object is found behind it: precision 1 where the first detection is ignored, 1/2 where it is wrong."""
    found = [box, [60, 60, 70, 70]], [0.9, 0.8], [0, 0]
    record = match_canvas(*found, [[60, 60, 70, 70]], [0], [[0, 0, 40, 40]], [crowd_label], num_classes=2)
    assert record.ignored[0].tolist() == [ap50 == 1.0, False]
    assert average_precision([record]).ap50 == pytest.approx(ap50)


def test_any_number_of_detections_lie_in_one_crowd_and_objects_come_first() -> None:
    """A hit stays a hit though it lies in a crowd too."""
    boxes = [[0, 0, 10, 10], [20, 20, 30, 30], [21, 21, 31, 31]]
    record = match_canvas(
        boxes, [0.9, 0.8, 0.7], [0, 0, 0], [[0, 0, 10, 10]], [0], [[0, 0, 50, 50]], [0], num_classes=1
    )
    assert record.hits[0].tolist() == [True, False, False]
    assert record.ignored[0].tolist() == [False, True, True]
    assert record.objects.tolist() == [1]
    without = match_canvas(boxes, [0.9, 0.8, 0.7], [0, 0, 0], [[0, 0, 10, 10]], [0], num_classes=1)
    assert not without.ignored.any()


def records(seed: int, count: int = 40) -> list[CanvasRecord]:
    rng = np.random.default_rng(seed)
    return matched([random_scene(rng, 3, crowded=False, ties=False, crowds=0.2) for _ in range(count)], 3)


def test_weighted_resampling_equals_copied_canvases() -> None:
    from mixarray_traces.detection.average_precision import _Ranking

    ours = records(5)
    copies = np.random.default_rng(2).integers(0, 4, len(ours))
    copied = [record for record, times in zip(ours, copies, strict=True) for _ in range(times)]
    weighted = _Ranking(ours).table(copies, 10)
    np.testing.assert_allclose(weighted[0], average_precision(copied).per_class, atol=1e-12)


def test_bootstrap_interval_is_seeded_and_contains_the_value() -> None:
    ours = records(7)
    first, second = bootstrap_interval(ours, 200, seed=3), bootstrap_interval(ours, 200, seed=3)
    assert first == second
    assert first.low < first.value < first.high
    assert bootstrap_interval(ours, 200, seed=4) != first


def test_paired_difference() -> None:
    ours = records(7)
    same = bootstrap_difference(ours, ours, 50)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    worse = [replace(record, hits=record.hits & (record.scores > 0.5)) for record in ours]
    difference = bootstrap_difference(worse, ours, 200)
    assert difference.low <= difference.value < 0
    assert difference.high < 0
    with pytest.raises(ValueError, match="not of the same canvases"):
        bootstrap_difference(records(8), ours, 10)
    with pytest.raises(ValueError, match="39 canvases against 40"):
        bootstrap_difference(ours[1:], ours, 10)


def test_bad_input_is_refused() -> None:
    box = [[0, 0, 1, 1]]
    with pytest.raises(ValueError, match="labels must be 0 to 1"):
        match_canvas(box, [0.5], [2], box, [0], num_classes=2)
    with pytest.raises(ValueError, match="NaN"):
        match_canvas(box, [float("nan")], [0], box, [0], num_classes=2)
    with pytest.raises(ValueError, match="1 boxes, 2 scores"):
        match_canvas(box, [0.5, 0.4], [0], box, [0], num_classes=2)
    with pytest.raises(ValueError, match="1 annotated boxes and 0 labels"):
        match_canvas(box, [0.5], [0], box, [], num_classes=2)
    with pytest.raises(ValueError, match="0 annotated boxes and 1 labels"):
        match_canvas(box, [0.5], [0], box, [0], [], [0], num_classes=2)
    with pytest.raises(ValueError, match="no canvases"):
        average_precision([])
    assert np.isnan(average_precision([match_canvas([], [], [], [], [], num_classes=2)]).ap50)
