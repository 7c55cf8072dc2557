"""The detector: shapes, decoding, suppression."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mixarray_traces.model.config import SWIN_TINY_TEST, DetectorConfig
from mixarray_traces.model.decode import DecodeOptions, box_iou, decode, suppress
from mixarray_traces.model.detector import build_detector, images_to_input, load_detector, repeat_2x2

TINY = DetectorConfig(SWIN_TINY_TEST, head_dim=8, head_hidden_dim=8)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (50, 75), (33, 129)])
def test_output_has_one_cell_per_stride(height: int, width: int) -> None:
    detector = build_detector(replace(TINY, backbone=replace(SWIN_TINY_TEST, depths=(1, 1))))
    output = detector(torch.zeros(1, 3, height, width))
    assert TINY.stride == 4
    assert output.shape == (1, math.ceil(height / 4), math.ceil(width / 4), 14)


def test_head_is_linear_layernorm_and_gelu_only() -> None:
    kinds = {type(module) for module in build_detector().head.children()}
    assert kinds == {nn.Linear, nn.LayerNorm}


def test_repeat_2x2_is_nearest_and_cropped() -> None:
    x = torch.arange(4.0).reshape(1, 2, 2, 1)
    assert repeat_2x2(x, 3, 4)[0, :, :, 0].tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3]]


def test_images_to_input_normalises() -> None:
    images = np.zeros((1, 2, 3, 3), dtype=np.uint8)
    images[0, 0, 0] = (255, 0, 255)
    tensor = images_to_input(images)
    assert tensor.shape == (1, 3, 2, 3)
    assert tensor[0, :, 0, 0].tolist() == [2.0, -2.0, 2.0]
    with pytest.raises(ValueError, match="uint8"):
        images_to_input(images.astype(np.float32))  # type: ignore[arg-type]


def head_output(cells: dict[tuple[int, int], tuple[int, float]], classes: int = 2) -> torch.Tensor:
    """A 4x4 map, stride 8, boxes of 16x16 px around the cells, logits as given."""
    output = torch.zeros(1, 4, 4, classes + 4)
    output[..., :classes] = -20
    for (row, column), (label, logit) in cells.items():
        output[0, row, column, label] = logit
    return output


def test_decode_places_boxes_and_sorts() -> None:
    found = decode(head_output({(1, 1): (0, 1.0), (2, 3): (1, 2.0)}), 8, 32, 30)[0]
    assert found.labels.tolist() == [1, 0]
    assert found.boxes.tolist() == [[20.0, 12.0, 30.0, 28.0], [4.0, 4.0, 20.0, 20.0]], "clipped at the right edge"
    torch.testing.assert_close(found.scores, torch.sigmoid(torch.tensor([2.0, 1.0])))


def test_decode_suppresses_within_a_class_only() -> None:
    output = head_output({(1, 1): (0, 1.0), (1, 2): (0, 2.0)})
    overlap = DecodeOptions(max_overlap=0.3)
    assert decode(output, 8, 32, 32, overlap)[0].scores.tolist() == [pytest.approx(1 / (1 + math.exp(-2)))]
    assert len(decode(output, 8, 32, 32, DecodeOptions(max_overlap=0.4))[0].scores) == 2
    assert len(decode(head_output({(1, 1): (0, 1.0), (1, 2): (1, 2.0)}), 8, 32, 32, overlap)[0].scores) == 2


def test_decode_limits_and_empty() -> None:
    output = head_output({(row, column): (0, 3.0) for row in range(4) for column in range(4)})
    options = DecodeOptions(max_overlap=0.9, max_detections=5)
    assert len(decode(output, 8, 32, 32, options)[0].scores) == 5
    assert decode(head_output({}), 8, 32, 32)[0].boxes.shape == (0, 4)
    assert decode(output.double(), 8, 32, 32)[0].boxes.dtype == torch.float64


def test_suppression_equals_the_textbook_loop() -> None:
    torch.manual_seed(1)
    corner = torch.rand(60, 2) * 40
    boxes = torch.cat((corner, corner + 5 + torch.rand(60, 2) * 20), dim=1)
    labels = torch.randint(0, 3, (60,))
    kept: list[int] = []
    for index in range(60):
        rivals = [k for k in kept if labels[k] == labels[index]]
        if all(box_iou(boxes[k : k + 1], boxes[index : index + 1]).item() <= 0.4 for k in rivals):
            kept.append(index)
    assert suppress(boxes, labels, 0.4).tolist() == kept
    assert 5 < len(kept) < 60


def test_load_detector_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "other.pt"
    torch.save(build_detector(TINY).state_dict(), path)
    assert not load_detector(path, TINY).training
    with pytest.raises(ValueError, match=r"other\.pt: does not fit the model"):
        load_detector(path)
