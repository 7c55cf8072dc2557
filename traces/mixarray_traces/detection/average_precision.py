"""Average precision as COCO defines it: 101 recall points, all areas, at most 100 detections per image and class.

Equal to pycocotools (Lin et al., "Microsoft COCO", ECCV 2014; `COCOeval`), in numpy, with bootstrap over canvases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IOU_THRESHOLDS: npt.NDArray[np.float64] = np.linspace(0.5, 0.95, 10)
RECALL_POINTS: npt.NDArray[np.float64] = np.linspace(0.0, 1.0, 101)
MAX_DETECTIONS = 100
"""Per canvas and class, best scores first."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CanvasRecord:
    """Matched detections of one canvas: all that its share in an average precision needs.

    Attributes:
        scores: float64 (n,).
        labels: int64 (n,).
        hits: bool (thresholds, n): the detection took an object of its class at this IoU threshold.
        objects: int64 (classes,): annotated objects per class.
    """

    scores: Floats
    labels: npt.NDArray[np.int64]
    hits: npt.NDArray[np.bool_]
    objects: npt.NDArray[np.int64]


@dataclass(frozen=True)
class AveragePrecision:
    """Means over the classes that occur, 0 to 1; NaN where no object is annotated.

    Attributes:
        ap50: at IoU 0.50.
        ap50_95: mean over IoU 0.50, 0.55, ..., 0.95.
        per_class: (classes,) at IoU 0.50; NaN for a class that does not occur.
    """

    ap50: float
    ap50_95: float
    per_class: Floats


@dataclass(frozen=True)
class Interval:
    """A value with its bootstrap interval over canvases."""

    value: float
    low: float
    high: float


def match_canvas(
    boxes: npt.ArrayLike,
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    true_boxes: npt.ArrayLike,
    true_labels: npt.ArrayLike,
    *,
    num_classes: int,
) -> CanvasRecord:
    """Match the detections of one canvas with its objects, greedily by score, per class and IoU threshold.

    Args:
        boxes: (n, 4) detected, x0 y0 x1 y1 in px.
        scores: (n,).
        labels: (n,), 0 to num_classes - 1.
        true_boxes: (m, 4) annotated.
        true_labels: (m,).
        num_classes: number of classes.

    Raises:
        ValueError: lengths differ, a label is out of range, a score is NaN.
    """
    found = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    truth = np.asarray(true_boxes, dtype=np.float64).reshape(-1, 4)
    score = np.asarray(scores, dtype=np.float64).reshape(-1)
    label = np.asarray(labels, dtype=np.int64).reshape(-1)
    true_label = np.asarray(true_labels, dtype=np.int64).reshape(-1)
    _check(found, score, label, truth, true_label, num_classes=num_classes)
    order = _kept_order(score, label)
    found, score, label = found[order], score[order], label[order]
    hits = np.zeros((len(IOU_THRESHOLDS), len(score)), dtype=np.bool_)
    for kind in np.unique(label):
        ours = np.flatnonzero(label == kind)
        hits[:, ours] = _greedy_hits(pairwise_iou(found[ours], truth[true_label == kind]))
    return CanvasRecord(score, label, hits, np.bincount(true_label, minlength=num_classes).astype(np.int64))


def pairwise_iou(first: Floats, second: Floats) -> Floats:
    """Intersection over union (n, m) of boxes (n, 4) and (m, 4), x0 y0 x1 y1."""
    sides = np.minimum(first[:, None, 2:], second[None, :, 2:]) - np.maximum(first[:, None, :2], second[None, :, :2])
    shared = np.clip(sides, 0, None).prod(axis=2)
    area_first = (first[:, 2:] - first[:, :2]).prod(axis=1)
    area_second = (second[:, 2:] - second[:, :2]).prod(axis=1)
    union = area_first[:, None] + area_second[None, :] - shared
    iou: Floats = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return iou


def average_precision(records: Sequence[CanvasRecord]) -> AveragePrecision:
    """Average precision over canvases.

    Raises:
        ValueError: no records.
    """
    ranking = _Ranking(records)
    weights = np.ones(len(records), dtype=np.int64)
    table = ranking.table(weights, IOU_THRESHOLDS.size)
    means = _mean_over_classes(table)
    return AveragePrecision(ap50=float(means[0]), ap50_95=float(means.mean()), per_class=table[0])


def bootstrap_interval(records: Sequence[CanvasRecord], n: int = 1000, seed: int = 0, level: float = 0.95) -> Interval:
    """AP50 with a basic bootstrap interval within 0 to 1: `n` resamples of the canvases."""
    samples = _bootstrap(_Ranking(records), _resamples(len(records), n, seed))
    interval = _basic_interval(average_precision(records).ap50, samples, level)
    return Interval(interval.value, max(interval.low, 0.0), min(interval.high, 1.0))


def bootstrap_difference(
    records: Sequence[CanvasRecord],
    reference: Sequence[CanvasRecord],
    n: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """AP50 of `records` minus that of `reference` on the same canvases, paired: both see the same resamples.

    Raises:
        ValueError: the two differ in length or in the objects of a canvas.
    """
    if len(records) != len(reference):
        raise ValueError(f"{len(records)} canvases against {len(reference)} of the reference")
    if any(not np.array_equal(a.objects, b.objects) for a, b in zip(records, reference, strict=True)):
        raise ValueError("the two results are not of the same canvases: their annotated objects differ")
    weights = _resamples(len(records), n, seed)
    samples = _bootstrap(_Ranking(records), weights) - _bootstrap(_Ranking(reference), weights)
    value = average_precision(records).ap50 - average_precision(reference).ap50
    return _basic_interval(value, samples, level)


class _Ranking:
    """All detections, per class by falling score, ready to be counted with any number of copies of each canvas."""

    def __init__(self, records: Sequence[CanvasRecord]) -> None:
        if not records:
            raise ValueError("average precision of no canvases")
        scores = np.concatenate([record.scores for record in records])
        labels = np.concatenate([record.labels for record in records])
        hits = np.concatenate([record.hits for record in records], axis=1)
        canvas = np.repeat(np.arange(len(records)), [len(record.scores) for record in records])
        self.objects = np.stack([record.objects for record in records])
        order = np.argsort(-scores, kind="stable")
        chosen = [order[labels[order] == kind] for kind in range(self.objects.shape[1])]
        self.canvas = [canvas[index] for index in chosen]
        self.hits = [hits[:, index] for index in chosen]

    def table(self, copies: npt.NDArray[np.int64], thresholds: int) -> Floats:
        """AP (thresholds, classes) with `copies` (canvases,) of each canvas; NaN for a class without objects."""
        objects = copies @ self.objects
        out = np.full((thresholds, len(self.hits)), np.nan)
        for kind in np.flatnonzero(objects):
            weight = copies[self.canvas[kind]]
            used = weight > 0
            weight, hits = weight[used], self.hits[kind][:thresholds, used]
            found = np.cumsum(weight)
            for row in range(thresholds):
                out[row, kind] = _interpolated(np.cumsum(weight * hits[row]), found, int(objects[kind]))
        return out


def _interpolated(true: npt.NDArray[np.int64], found: npt.NDArray[np.int64], objects: int) -> float:
    """Mean over 101 recall points of the best precision at that recall or above."""
    if not len(found):
        return 0.0
    precision = true / (found + np.spacing(1))
    envelope = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    return float(envelope[np.searchsorted(true / objects, RECALL_POINTS, side="left")].mean())


def _greedy_hits(iou: Floats) -> npt.NDArray[np.bool_]:
    """Hits (thresholds, n) of detections in score order, from their IoU (n, m) with the objects of their class."""
    hits = np.zeros((len(IOU_THRESHOLDS), iou.shape[0]), dtype=np.bool_)
    if not iou.size:
        return hits
    taken = np.zeros((len(IOU_THRESHOLDS), iou.shape[1]), dtype=np.bool_)
    rows = np.arange(len(IOU_THRESHOLDS))
    for index in np.flatnonzero(iou.max(axis=1) >= IOU_THRESHOLDS[0]):
        free = np.where(taken, -1.0, iou[index])
        best = iou.shape[1] - 1 - np.argmax(free[:, ::-1], axis=1)
        hit = free[rows, best] >= np.minimum(IOU_THRESHOLDS, 1 - 1e-10)
        hits[:, index] = hit
        taken[rows[hit], best[hit]] = True
    return hits


def _kept_order(score: Floats, label: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Indices by falling score, at most 100 of each class."""
    order = np.argsort(-score, kind="stable")
    rank = np.zeros(len(order), dtype=np.int64)
    for kind in np.unique(label):
        ours = np.flatnonzero(label[order] == kind)
        rank[ours] = np.arange(len(ours))
    return order[rank < MAX_DETECTIONS]


def _mean_over_classes(table: Floats) -> Floats:
    present = ~np.isnan(table[0])
    return table[:, present].mean(axis=1) if present.any() else np.full(len(table), np.nan)


def _resamples(canvases: int, n: int, seed: int) -> npt.NDArray[np.int64]:
    """Copies of each canvas in each resample, (n, canvases)."""
    rng = np.random.default_rng(np.random.SeedSequence((seed, canvases)))
    return rng.multinomial(canvases, np.full(canvases, 1 / canvases), size=n).astype(np.int64)


def _bootstrap(ranking: _Ranking, copies: npt.NDArray[np.int64]) -> Floats:
    return np.array([float(_mean_over_classes(ranking.table(row, 1))[0]) for row in copies])


def _basic_interval(value: float, samples: Floats, level: float) -> Interval:
    """The basic bootstrap interval, 2 * value - quantiles (Davison and Hinkley 1997, section 5.2).

    Copies of a canvas lift the precision envelope, so resampled AP lies above the AP itself; reflecting the quantiles
    takes that bias out, which plain percentiles would keep.
    """
    low, high = np.nanquantile(samples, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(2 * value - high), float(2 * value - low))


def _check(
    found: Floats,
    score: Floats,
    label: npt.NDArray[np.int64],
    truth: Floats,
    true_label: npt.NDArray[np.int64],
    *,
    num_classes: int,
) -> None:
    if not len(found) == len(score) == len(label):
        raise ValueError(f"{len(found)} boxes, {len(score)} scores and {len(label)} labels")
    if len(truth) != len(true_label):
        raise ValueError(f"{len(truth)} annotated boxes and {len(true_label)} labels")
    both = np.concatenate((label, true_label))
    if both.size and (both.min() < 0 or both.max() >= num_classes):
        raise ValueError(f"labels must be 0 to {num_classes - 1}")
    if np.isnan(score).any() or np.isnan(found).any():
        raise ValueError("a score or box is NaN")
