"""From the head's output to detections: scores, boxes, non-maximum suppression."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

MAX_LOG_DISTANCE = 4.0
"""A side of a box lies at most stride * exp(4) px from its cell."""


@dataclass(frozen=True)
class Detections:
    """Detections of one image, best first.

    Attributes:
        boxes: float (n, 4), x0 y0 x1 y1 in px.
        scores: float (n,), 0 to 1.
        labels: int64 (n,).
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor


@dataclass(frozen=True)
class DecodeOptions:
    """How detections are chosen.

    Attributes:
        min_score: lower scores are dropped.
        max_candidates: best (cell, class) pairs that enter the suppression.
        max_overlap: of two boxes of one class with a larger IoU the worse is dropped.
        max_detections: detections kept per image.
    """

    min_score: float = 0.02
    max_candidates: int = 600
    max_overlap: float = 0.55
    max_detections: int = 100


def cell_centres(height: int, width: int, stride: int, like: Tensor) -> Tensor:
    """Centres (height * width, 2), x then y in px, of the head's cells, row by row."""
    rows = (torch.arange(height, dtype=like.dtype, device=like.device) + 0.5) * stride
    columns = (torch.arange(width, dtype=like.dtype, device=like.device) + 0.5) * stride
    return torch.stack((columns.repeat(height), rows.repeat_interleave(width)), dim=1)


def cell_boxes(log_distances: Tensor, centres: Tensor, stride: int) -> Tensor:
    """Boxes (..., cells, 4) from log distances (..., cells, 4): left, top, right, bottom in units of the stride."""
    distances = stride * torch.exp(log_distances.clamp(max=MAX_LOG_DISTANCE))
    return torch.cat((centres - distances[..., :2], centres + distances[..., 2:]), dim=-1)


def decode(
    head_output: Tensor, stride: int, image_height: int, image_width: int, options: DecodeOptions | None = None
) -> list[Detections]:
    """Detections of every image.

    Args:
        head_output: (batch, h, w, classes + 4).
        stride: px per cell.
        image_height, image_width: boxes are clipped to this, in px.
        options: thresholds; None for the defaults.

    Returns:
        One `Detections` per image, in the dtype of `head_output`. Equal scores keep the order of cells, then classes.
    """
    chosen = DecodeOptions() if options is None else options
    batch, height, width, channels = head_output.shape
    flat = head_output.reshape(batch, height * width, channels)
    boxes = cell_boxes(flat[..., -4:], cell_centres(height, width, stride, flat), stride)
    limits = torch.tensor((image_width, image_height) * 2, dtype=boxes.dtype, device=boxes.device)
    boxes = torch.minimum(boxes.clamp(min=0), limits)
    scores = torch.sigmoid(flat[..., :-4])
    return [_choose(boxes[image], scores[image], chosen) for image in range(batch)]


def _choose(boxes: Tensor, scores: Tensor, options: DecodeOptions) -> Detections:
    classes = scores.shape[1]
    order = torch.argsort(scores.reshape(-1), descending=True, stable=True)[: options.max_candidates]
    ranked = scores.reshape(-1)[order]
    order, ranked = order[ranked >= options.min_score], ranked[ranked >= options.min_score]
    candidates, labels = boxes[order // classes], order % classes
    kept = suppress(candidates, labels, options.max_overlap)[: options.max_detections]
    return Detections(boxes=candidates[kept], scores=ranked[kept], labels=labels[kept])


def suppress(boxes: Tensor, labels: Tensor, max_overlap: float) -> Tensor:
    """Greedy non-maximum suppression within each class.

    Args:
        boxes: (n, 4), x0 y0 x1 y1, best first.
        labels: (n,).
        max_overlap: largest IoU of two kept boxes of one class.

    Returns:
        int64 indices of the kept boxes, best first.
    """
    clash = (box_iou(boxes, boxes) > max_overlap) & (labels[:, None] == labels[None, :])
    rivals = clash.triu(1).cpu().numpy()
    alive = torch.ones(len(boxes), dtype=torch.bool).numpy()
    for index in range(len(alive)):
        if alive[index]:
            alive &= ~rivals[index]
    return torch.from_numpy(alive).nonzero()[:, 0].to(boxes.device)


def box_iou(first: Tensor, second: Tensor) -> Tensor:
    """Intersection over union (n, m) of boxes (n, 4) and (m, 4), x0 y0 x1 y1; 0 where both are empty."""
    upper = torch.maximum(first[:, None, :2], second[None, :, :2])
    lower = torch.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = (lower - upper).clamp(min=0).prod(dim=2)
    area_first = (first[:, 2:] - first[:, :2]).prod(dim=1)
    area_second = (second[:, 2:] - second[:, :2]).prod(dim=1)
    union = area_first[:, None] + area_second[None, :] - shared
    return torch.where(union > 0, shared / union, torch.zeros_like(union))
