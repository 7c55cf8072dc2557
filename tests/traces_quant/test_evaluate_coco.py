"""AP on annotated photographs equals matching every photograph by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from mixarray.errors import InputError
from mixarray_traces.data.coco import Annotated, CocoImages, open_coco
from mixarray_traces.data.items import CLASS_NAMES
from mixarray_traces.detection.average_precision import average_precision, match_canvas
from mixarray_traces.detection.evaluate_coco import evaluate_coco
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.model.decode import decode
from mixarray_traces.quantization.arithmetic import ArithmeticKind
from mixarray_traces.quantization.quantized import QuantizedDetector

SIZES = ((64, 96), (70, 64))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, model: QuantizedDetector) -> CocoImages:
    """Photographs of two sizes whose objects are some of what the model itself finds, so that there are hits."""
    root, random = tmp_path_factory.mktemp("coco"), np.random.default_rng(3)
    images, annotations = [], []
    for number, (height, width) in enumerate(SIZES):
        pixels = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / f"{number}.png")
        images.append({"id": number, "file_name": f"{number}.png", "height": height, "width": width})
        for box, label in zip(*found(model, pixels), strict=True):
            x0, y0, x1, y1 = box
            entry = {"image_id": number, "category_id": int(label), "bbox": [x0, y0, x1 - x0, y1 - y0]}
            annotations.append(entry | {"id": len(annotations)})
    categories = [{"id": number, "name": name} for number, name in enumerate(CLASS_NAMES)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (root / "i.json").write_text(json.dumps(content))
    return open_coco(root / "i.json", root)


def found(model: QuantizedDetector, pixels: np.ndarray) -> tuple[list[list[float]], list[int]]:
    first = detections(model, pixels, 0)
    return first.boxes[:3].double().tolist(), first.labels[:3].tolist()


def detections(model: QuantizedDetector, pixels: np.ndarray, ratio: int):  # type: ignore[no-untyped-def]
    run = model.run(model.detector.to_input(np.stack([pixels])), model.plan(ratio, (ImageFacts(),)))
    return decode(run.output, model.detector.config.stride, *pixels.shape[:2])[0]


def test_rows_equal_matching_by_hand(model: QuantizedDetector, data: CocoImages) -> None:
    first, *rows = evaluate_coco(model, data, (0, 500))
    assert (first.arithmetic, first.n, first.ap50) == (ArithmeticKind.FLOAT, 2, float_ap50(model, data))
    assert [(row.arithmetic, row.n) for row in rows] == [(ArithmeticKind.FAKE, 2)] * 2
    for row, ratio in zip(rows, (0, 500), strict=True):
        records = []
        for index in range(2):
            canvas = data.canvas(index)
            one = detections(model, canvas.image, ratio)
            parts = one.boxes.numpy(), one.scores.numpy(), one.labels.numpy(), canvas.boxes, canvas.labels
            records.append(match_canvas(*parts, num_classes=len(CLASS_NAMES)))
        assert row.ap50 == average_precision(records).ap50
    assert rows[0].ap50 > 0.5, "the objects are what the model finds at ratio 0"
    assert torch.isfinite(torch.tensor([rows[1].difference_low, rows[1].difference_high])).all()


def float_ap50(model: QuantizedDetector, data: CocoImages) -> float:
    """By the plain detector, without the quantized network."""
    records = []
    for canvas in (data.canvas(0), data.canvas(1)):
        with torch.no_grad():
            output = model.detector(model.detector.to_input(np.stack([canvas.image])))
        one = decode(output, model.detector.config.stride, *canvas.image.shape[:2])[0]
        parts = one.boxes.numpy(), one.scores.numpy(), one.labels.numpy(), canvas.boxes, canvas.labels
        records.append(match_canvas(*parts, num_classes=len(CLASS_NAMES)))
    return average_precision(records).ap50


def test_crowds_are_no_objects_and_take_what_lies_in_them(model: QuantizedDetector, data: CocoImages) -> None:
    """A crowd of every class over all of a photograph: nothing there is wrong any more. Left out, as a fault, it is."""
    labels = np.arange(len(CLASS_NAMES))
    whole = np.tile(np.array([[0, 0, 96, 70]], np.float32), (len(labels), 1))
    crowded = replace(data, images=tuple(replace(one, crowds=Annotated(whole, labels)) for one in data.images))
    plain, ignoring = (evaluate_coco(model, one, (0,))[1].ap50 for one in (data, crowded))
    assert plain < ignoring == 1.0


def test_refusals(model: QuantizedDetector, data: CocoImages) -> None:
    with pytest.raises(InputError, match="categories: has 9; the model has 10 classes"):
        evaluate_coco(model, replace(data, classes=data.classes[:9]), (0,))
    with pytest.raises(InputError, match="no image is chosen"):
        evaluate_coco(model, data, (0,), ())


def test_boxes_read_as_corners_are_noticed(model: QuantizedDetector, data: CocoImages) -> None:
    """The planted fault: width and height taken for the lower right corner."""

    def as_corners(boxes: np.ndarray) -> np.ndarray:
        return np.concatenate((boxes[:, :2], boxes[:, 2:] - boxes[:, :2]), axis=1)

    images = tuple(
        replace(image, objects=replace(image.objects, boxes=as_corners(image.objects.boxes))) for image in data.images
    )
    right, wrong = (evaluate_coco(model, one, (0,))[1].ap50 for one in (data, replace(data, images=images)))
    assert wrong < right
