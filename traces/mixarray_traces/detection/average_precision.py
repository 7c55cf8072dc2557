"""Average precision as COCO defines it: 101 recall points, all areas, at most 100 detections per image and class.

Equal to pycocotools (Lin et al., "Microsoft COCO", ECCV 2014; `COCOeval`), in numpy, with bootstrap over canvases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mixarray_traces.detection.overlap import Floats, pairwise_iou, share_inside

IOU_THRESHOLDS: npt.NDArray[np.float64] = np.linspace(0.5, 0.95, 10)
_REACHED = np.minimum(IOU_THRESHOLDS, 1 - 1e-10)
"""What an overlap must be at least, as pycocotools compares."""
RECALL_POINTS: npt.NDArray[np.float64] = np.linspace(0.0, 1.0, 101)
MAX_DETECTIONS = 100
"""Per canvas and class, best scores first."""


@dataclass(frozen=True)
class CanvasRecord:
    """Matched detections of one canvas: all that its share in an average precision needs.

    Attributes:
        scores: float64 (n,).
        labels: int64 (n,).
        hits: bool (thresholds, n): the detection took an object of its class at this IoU threshold.
        ignored: bool (thresholds, n): it took none, but lies in a crowd of its class: neither right nor wrong.
        objects: int64 (classes,): annotated objects per class, without crowds.
    """

    scores: Floats
    labels: npt.NDArray[np.int64]
    hits: npt.NDArray[np.bool_]
    ignored: npt.NDArray[np.bool_]
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
    crowd_boxes: npt.ArrayLike = (),
    crowd_labels: npt.ArrayLike = (),
    *,
    num_classes: int,
) -> CanvasRecord:
    """Match the detections of one canvas with its objects, greedily by score, per class and IoU threshold.

    What takes no object is ignored where the share of it that lies in a crowd of its class is at least the threshold;
    any number of detections may lie in one crowd.

    Args:
        boxes: (n, 4) detected, x0 y0 x1 y1 in px.
        scores: (n,).
        labels: (n,), 0 to num_classes - 1.
        true_boxes: (m, 4) annotated.
        true_labels: (m,).
        crowd_boxes: (k, 4) annotated as crowds.
        crowd_labels: (k,).
        num_classes: number of classes.

    Raises:
        ValueError: lengths differ, a label is out of range, a score is NaN.
    """
    found = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    truth = np.asarray(true_boxes, dtype=np.float64).reshape(-1, 4)
    score = np.asarray(scores, dtype=np.float64).reshape(-1)
    label = np.asarray(labels, dtype=np.int64).reshape(-1)
    true_label = np.asarray(true_labels, dtype=np.int64).reshape(-1)
    crowd = np.asarray(crowd_boxes, dtype=np.float64).reshape(-1, 4)
    crowd_label = np.asarray(crowd_labels, dtype=np.int64).reshape(-1)
    _check(found, score, label, (truth, crowd), (true_label, crowd_label), num_classes=num_classes)
    order = _kept_order(score, label)
    found, score, label = found[order], score[order], label[order]
    hits = np.zeros((len(IOU_THRESHOLDS), len(score)), dtype=np.bool_)
    in_crowd = np.zeros_like(hits)
    for kind in np.unique(label):
        ours = np.flatnonzero(label == kind)
        hits[:, ours] = _greedy_hits(pairwise_iou(found[ours], truth[true_label == kind]))
        shares = share_inside(found[ours], crowd[crowd_label == kind]).max(axis=1, initial=0.0)
        in_crowd[:, ours] = shares >= _REACHED[:, None]
    objects = np.bincount(true_label, minlength=num_classes).astype(np.int64)
    return CanvasRecord(score, label, hits, in_crowd & ~hits, objects)


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


@dataclass(frozen=True)
class Resampled:
    """AP50 of a result and in resamples of its canvases: made once, for its own interval and for all differences.

    Attributes:
        value: AP50.
        samples: AP50 in every resample. As many canvases are resampled alike whatever was found on them, so samples of
            two results on the same canvases may be subtracted one by one.
        objects: int64 (canvases, classes), annotated ones: by these two results are known to be of the same canvases.
    """

    value: float
    samples: Floats
    objects: npt.NDArray[np.int64]

    @classmethod
    def of(cls, records: Sequence[CanvasRecord], n: int = 1000, seed: int = 0) -> Resampled:
        """`n` resamples of the canvases."""
        ranking = _Ranking(records)
        samples = _bootstrap(ranking, _resamples(len(records), n, seed))
        return cls(average_precision(records).ap50, samples, ranking.objects)

    def interval(self, level: float = 0.95) -> Interval:
        """AP50 with its basic bootstrap interval within 0 to 1."""
        interval = basic_interval(self.value, self.samples, level)
        return Interval(interval.value, max(interval.low, 0.0), min(interval.high, 1.0))

    def minus(self, reference: Resampled, level: float = 0.95) -> Interval:
        """AP50 minus that of `reference` on the same canvases, paired: both see the same resamples.

        Raises:
            ValueError: the two differ in canvases, in the objects of one, or in the number of resamples.
        """
        if len(self.objects) != len(reference.objects):
            raise ValueError(f"{len(self.objects)} canvases against {len(reference.objects)} of the reference")
        if not np.array_equal(self.objects, reference.objects):
            raise ValueError("the two results are not of the same canvases: their annotated objects differ")
        return basic_interval(self.value - reference.value, self.samples - reference.samples, level)


def bootstrap_interval(records: Sequence[CanvasRecord], n: int = 1000, seed: int = 0, level: float = 0.95) -> Interval:
    """AP50 with a basic bootstrap interval within 0 to 1: `n` resamples of the canvases."""
    return Resampled.of(records, n, seed).interval(level)


def bootstrap_difference(
    records: Sequence[CanvasRecord],
    reference: Sequence[CanvasRecord],
    n: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """`Resampled.minus` of two results; raises as it does."""
    return Resampled.of(records, n, seed).minus(Resampled.of(reference, n, seed), level)


class _Ranking:
    """All detections, per class by falling score, ready to be counted with any number of copies of each canvas."""

    def __init__(self, records: Sequence[CanvasRecord]) -> None:
        if not records:
            raise ValueError("average precision of no canvases")
        scores = np.concatenate([record.scores for record in records])
        labels = np.concatenate([record.labels for record in records])
        hits = np.concatenate([record.hits for record in records], axis=1)
        counted = ~np.concatenate([record.ignored for record in records], axis=1)
        canvas = np.repeat(np.arange(len(records)), [len(record.scores) for record in records])
        self.objects = np.stack([record.objects for record in records])
        order = np.argsort(-scores, kind="stable")
        chosen = [order[labels[order] == kind] for kind in range(self.objects.shape[1])]
        self.canvas = [canvas[index] for index in chosen]
        self.hits = [hits[:, index] for index in chosen]
        self.counted = [counted[:, index] for index in chosen]

    def table(self, copies: npt.NDArray[np.int64], thresholds: int) -> Floats:
        """AP (thresholds, classes) with `copies` (canvases,) of each canvas; NaN for a class without objects."""
        objects = copies @ self.objects
        out = np.full((thresholds, len(self.hits)), np.nan)
        for kind in np.flatnonzero(objects):
            weight = copies[self.canvas[kind]]
            used = weight > 0
            weight, hits, counted = weight[used], self.hits[kind][:thresholds, used], self.counted[kind][:, used]
            for row in range(thresholds):
                true, found = np.cumsum(weight * hits[row]), np.cumsum(weight * counted[row])
                out[row, kind] = _interpolated(true, found, int(objects[kind]))
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
        hit = free[rows, best] >= _REACHED
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


def basic_interval(value: float, samples: Floats, level: float = 0.95) -> Interval:
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
    annotated: tuple[Floats, Floats],
    annotated_label: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    *,
    num_classes: int,
) -> None:
    if not len(found) == len(score) == len(label):
        raise ValueError(f"{len(found)} boxes, {len(score)} scores and {len(label)} labels")
    for boxes, labels in zip(annotated, annotated_label, strict=True):
        if len(boxes) != len(labels):
            raise ValueError(f"{len(boxes)} annotated boxes and {len(labels)} labels")
    every = np.concatenate((label, *annotated_label))
    if every.size and (every.min() < 0 or every.max() >= num_classes):
        raise ValueError(f"labels must be 0 to {num_classes - 1}")
    if np.isnan(score).any() or np.isnan(found).any():
        raise ValueError("a score or box is NaN")
