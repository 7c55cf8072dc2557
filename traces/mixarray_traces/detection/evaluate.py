"""Evaluating a detector on drawn canvases, and which windows contain objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mixarray_traces.data.canvas import Canvas, CanvasSource
from mixarray_traces.data.items import CLASS_NAMES
from mixarray_traces.detection.average_precision import CanvasRecord, match_canvas
from mixarray_traces.model.config import SwinConfig
from mixarray_traces.model.decode import DecodeOptions, Detections, decode
from mixarray_traces.model.detector import images_to_input

EVALUATION_SIZE = 448
"""Side of the evaluated canvases, in px: 256, 64 and 16 windows in the three stages of the shipped model."""


def evaluate(
    forward: Callable[[Tensor], Tensor],
    canvases: Iterator[Canvas],
    stride: int,
    *,
    batch: int = 4,
    dtype: torch.dtype = torch.float32,
    options: DecodeOptions | None = None,
) -> Iterator[CanvasRecord]:
    """Run a detector over canvases of one size and match its detections, canvas by canvas.

    Args:
        forward: normalised images (batch, 3, h, w) to head output (batch, h / stride, w / stride, classes + 4).
        canvases: what to evaluate on, for example `canvas_stream(...)`.
        stride: px per cell of the head.
        batch: canvases per call of `forward`.
        dtype: type of the model input.
        options: thresholds of the decoding; None for the defaults.

    Yields:
        One record per canvas, in order; for `average_precision` and `bootstrap_interval`.
    """
    for group in _grouped(canvases, batch):
        images = np.stack([canvas.image for canvas in group])
        with torch.inference_mode():
            output = forward(images_to_input(images, dtype))
            found = decode(output, stride, images.shape[1], images.shape[2], options)
        for canvas, detections in zip(group, found, strict=True):
            yield match_detections(detections, canvas)


def match_detections(detections: Detections, canvas: Canvas, num_classes: int = len(CLASS_NAMES)) -> CanvasRecord:
    """The record of one canvas; by default of the generator's classes."""
    return match_canvas(
        detections.boxes.numpy(),
        detections.scores.numpy(),
        detections.labels.numpy(),
        canvas.boxes,
        canvas.labels,
        canvas.crowd_boxes,
        canvas.crowd_labels,
        num_classes=num_classes,
    )


def canvas_stream(source: CanvasSource, seed: int, count: int, size: int = EVALUATION_SIZE) -> Iterator[Canvas]:
    """The first `count` canvases of a stream."""
    return (source.draw(seed, index, size) for index in range(count))


def object_windows(
    boxes: npt.NDArray[np.float32], height: int, width: int, config: SwinConfig, stage: int
) -> npt.NDArray[np.bool_]:
    """Which windows of a stage's regular grid contain at least a part of an object.

    Args:
        boxes: (n, 4), x0 y0 x1 y1 in px.
        height, width: the image, in px.
        config: shape of the model.
        stage: 0 for the first.

    Returns:
        bool (windows,), row by row.
    """
    side = config.stride(stage) * config.window_size
    mask = np.zeros((-(-height // side), -(-width // side)), dtype=np.bool_)
    for x0, y0, x1, y1 in np.asarray(boxes, dtype=np.float64).tolist():
        rows = slice(max(0, int(y0 // side)), int(-(-y1 // side)))
        mask[rows, max(0, int(x0 // side)) : int(-(-x1 // side))] = True
    return mask.reshape(-1)


def object_window_shares(canvases: Iterator[Canvas], config: SwinConfig) -> tuple[float, ...]:
    """Share of windows that contain at least a part of an object, per stage, 0 to 1."""
    masks: list[list[npt.NDArray[np.bool_]]] = [[] for _ in range(config.num_stages)]
    for canvas in canvases:
        height, width = canvas.image.shape[:2]
        for stage in range(config.num_stages):
            masks[stage].append(object_windows(canvas.boxes, height, width, config, stage))
    return tuple(float(np.concatenate(stage).mean()) for stage in masks)


def _grouped(canvases: Iterator[Canvas], size: int) -> Iterator[list[Canvas]]:
    group: list[Canvas] = []
    for canvas in canvases:
        group.append(canvas)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
