"""Which cells answer for which object, and the training loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from mixarray_traces.model.decode import cell_boxes, cell_centres

CENTRE_RADIUS_CELLS = 1.0
"""A cell may answer for an object whose centre is at most this many cells away in x and in y."""
BOX_LOSS_WEIGHT = 2.0


@dataclass(frozen=True)
class Batch:
    """One training batch.

    Attributes:
        images: uint8 (batch, size, size, 3).
        boxes: float32 (batch, most objects, 4), x0 y0 x1 y1 in px; rows beyond an image's objects are 0.
        labels: int64 (batch, most objects); -1 beyond an image's objects.
    """

    images: npt.NDArray[np.uint8]
    boxes: Tensor
    labels: Tensor


@dataclass(frozen=True)
class LossTerms:
    """The loss of one batch (a scalar tensor with gradient) and its parts."""

    total: Tensor
    classes: float
    boxes: float


def assign_cells(boxes: Tensor, labels: Tensor, centres: Tensor, stride: int) -> Tensor:
    """The object each cell answers for: the nearest centre within reach, inside its box.

    Args:
        boxes: (batch, objects, 4) in px.
        labels: (batch, objects), -1 where there is no object.
        centres: (cells, 2), x then y in px.
        stride: px per cell.

    Returns:
        int64 (batch, cells): index of the object, or -1.
    """
    middle = (boxes[..., :2] + boxes[..., 2:]) / 2
    offset = (centres[None, :, None] - middle[:, None]).abs()
    inside = (centres[None, :, None] > boxes[:, None, :, :2]) & (centres[None, :, None] < boxes[:, None, :, 2:])
    reach = (offset <= CENTRE_RADIUS_CELLS * stride) & inside
    allowed = reach.all(dim=3) & (labels >= 0)[:, None]
    distance = torch.where(allowed, offset.square().sum(dim=3), torch.inf)
    nearest = distance.min(dim=2)
    return torch.where(torch.isfinite(nearest.values), nearest.indices, -1)


def detection_loss(head_output: Tensor, batch: Batch, stride: int) -> LossTerms:
    """Quality focal loss of the classes (Li et al., NeurIPS 2020) plus GIoU loss of the boxes.

    The target of the right class is the IoU of the predicted box, that of all others 0.

    Args:
        head_output: (batch, h, w, classes + 4), any float type; the loss is computed in float32.
        batch: the annotation.
        stride: px per cell.
    """
    count, height, width, channels = head_output.shape
    flat = head_output.float().reshape(count, height * width, channels)
    centres = cell_centres(height, width, stride, flat)
    owner = assign_cells(batch.boxes, batch.labels, centres, stride)
    image, cell = (owner >= 0).nonzero(as_tuple=True)
    target_boxes = batch.boxes[image, owner[image, cell]]
    predicted = cell_boxes(flat[image, cell, -4:], centres[cell], stride)
    iou, giou = paired_giou(predicted, target_boxes)

    logits = flat[..., :-4]
    quality = torch.zeros_like(logits)
    quality[image, cell, batch.labels[image, owner[image, cell]]] = iou.detach().clamp(min=0.05)
    focus = (quality - torch.sigmoid(logits)).square()
    entropy = functional.binary_cross_entropy_with_logits(logits, quality, reduction="none")
    positives = max(1, len(cell))
    class_loss = (focus * entropy).sum() / positives
    box_loss = (1 - giou).sum() / positives
    return LossTerms(class_loss + BOX_LOSS_WEIGHT * box_loss, class_loss.item(), box_loss.item())


def paired_giou(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and generalised IoU (Rezatofighi et al., CVPR 2019) of boxes (n, 4) pair by pair, each (n,)."""
    shared_sides = (torch.minimum(first[:, 2:], second[:, 2:]) - torch.maximum(first[:, :2], second[:, :2])).clamp(
        min=0
    )
    hull_sides = torch.maximum(first[:, 2:], second[:, 2:]) - torch.minimum(first[:, :2], second[:, :2])
    shared, hull = shared_sides.prod(dim=1), hull_sides.prod(dim=1)
    areas = (first[:, 2:] - first[:, :2]).prod(dim=1) + (second[:, 2:] - second[:, :2]).prod(dim=1)
    union = areas - shared
    iou = shared / union
    return iou, iou - (hull - union) / hull
