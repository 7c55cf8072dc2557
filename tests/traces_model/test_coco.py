"""COCO's json: boxes, crowds, categories with gaps in their ids, and refusals that name the field."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mixarray.errors import InputError
from mixarray_traces.data.coco import CocoImages, open_coco

CONTENT: dict[str, Any] = {
    "images": [
        {"id": 9, "file_name": "b.png", "height": 30, "width": 40},
        {"id": 4, "file_name": "a.png", "height": 20, "width": 20},
    ],
    "categories": [{"id": 90, "name": "dog"}, {"id": 3, "name": "cat"}],
    "annotations": [
        {"id": 1, "image_id": 9, "category_id": 90, "bbox": [1, 2, 10, 20], "iscrowd": 0},
        {"id": 2, "image_id": 9, "category_id": 3, "bbox": [0.5, 0, 4, 4]},
        {"id": 3, "image_id": 9, "category_id": 3, "bbox": [0, 0, 40, 30], "iscrowd": 1},
        {"id": 4, "image_id": 9, "category_id": 3, "bbox": [5, 5, 0, 3], "iscrowd": 0},
    ],
}


def opened(content: Any, tmp_path: Path) -> CocoImages:
    (tmp_path / "i.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return open_coco(tmp_path / "i.json", tmp_path / "photographs")


def test_boxes_labels_and_crowds(tmp_path: Path) -> None:
    data = opened(CONTENT, tmp_path)
    assert data.classes == ("cat", "dog")
    empty, full = data.images
    assert (empty.path.name, full.path.name) == ("a.png", "b.png")
    assert empty.objects.boxes.shape == empty.crowds.boxes.shape == (0, 4)
    assert full.objects.boxes.tolist() == [[1, 2, 11, 22], [0.5, 0, 4.5, 4], [5, 5, 5, 8]]
    assert full.objects.labels.tolist() == [1, 0, 0]
    assert full.crowds.boxes.tolist() == [[0, 0, 40, 30]]
    assert full.crowds.labels.tolist() == [0]


def test_whole_numbers_may_be_written_as_fractions(tmp_path: Path) -> None:
    """As tables do that had an empty cell."""
    content = edited("annotations.0.image_id", 9.0)
    content["images"][0] |= {"id": 9.0, "height": 30.0}
    image = opened(content, tmp_path).images[1]
    assert image.height == 30
    assert type(image.height) is int
    assert len(image.objects.labels) == 3


def test_photographs_in_folders_keep_their_names_apart(tmp_path: Path) -> None:
    content = edited("images.0.file_name", "x/a.png")
    data = opened(content, tmp_path)
    assert [data.name(index) for index in range(2)] == ["a.png", "x/a.png"]
    assert data.images[1].path == tmp_path / "photographs" / "x" / "a.png"


def test_no_annotations_at_all_are_objects_of_none(tmp_path: Path) -> None:
    data = opened(edited("annotations", []), tmp_path)
    assert [len(image.objects.labels) for image in data.images] == [0, 0]


def test_a_photograph_comes_with_its_objects(tmp_path: Path) -> None:
    data = opened(CONTENT, tmp_path)
    (tmp_path / "photographs").mkdir()
    Image.fromarray(np.full((30, 40, 3), 7, np.uint8)).save(tmp_path / "photographs" / "b.png")
    canvas = data.canvas(1)
    assert canvas.image.shape == (30, 40, 3)
    assert canvas.labels.tolist() == [1, 0, 0]
    assert canvas.crowd_boxes.tolist() == [[0, 0, 40, 30]]
    with pytest.raises(InputError, match=r"a\.png: cannot be read as an image: No such file"):
        data.canvas(0)
    with pytest.raises(InputError, match=r"i\.json: images: 1 of 2 photographs are missing, such as .*a\.png"):
        data.check_files((0, 1))
    data.check_files((1,))
    Image.fromarray(np.zeros((20, 21, 3), np.uint8)).save(tmp_path / "photographs" / "a.png")
    with pytest.raises(InputError, match=r"a\.png: is 20x21 px; .*i\.json says 20x20"):
        data.canvas(0)


def edited(path: str, value: Any) -> dict[str, Any]:
    content = copy.deepcopy(CONTENT)
    place: Any = content
    *steps, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for step in steps:
        place = place[step]
    place[last] = value
    return content


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("images", None, "images: is missing or no list"),
        ("images", [], "images: is empty"),
        ("images.0", 3, "images.0: is no object"),
        ("images.0.id", 4, "images.1.id: 4 stands twice"),
        ("images.0.id", "9", "images.0.id: '9' is no whole number from 0"),
        ("images.0.file_name", "", "images.9.file_name: '' is no text"),
        ("images.0.height", None, "images.9.height: None is no whole number from 0"),
        ("categories.0.id", True, "categories.0.id: True is no whole number from 0"),
        ("categories.0.name", 1, "categories.90.name: 1 is no text"),
        ("annotations.1.image_id", 5, "annotations.1.image_id: 5 is no image"),
        ("annotations.0.category_id", 2, "annotations.0.category_id: 2 is no category"),
        ("annotations.0.bbox", [1, 2, 3], "annotations.0.bbox: [1, 2, 3] is not [x, y, width, height] in numbers"),
        ("annotations.0.bbox", [1, 2, 3, float("nan")], "is not [x, y, width, height] in numbers"),
        ("annotations.0.bbox", [1, 2, 3, 1e308], "is not [x, y, width, height] in numbers up to 1,000,000"),
        ("annotations.0.bbox", [1, 2, 10**400, 4], "is not [x, y, width, height] in numbers up to 1,000,000"),
        ("annotations.0.iscrowd", "0", "annotations.0.iscrowd: '0' is neither 0 nor 1"),
        ("annotations.0.iscrowd", None, "annotations.0.iscrowd: None is neither 0 nor 1"),
        ("images.0.id", 9.5, "images.0.id: 9.5 is no whole number from 0"),
        ("annotations.0.bbox", [1, 2, -3, 4], "annotations.0.bbox: [1, 2, -3, 4] has a negative side"),
    ],
)
def test_refusals_name_the_field(tmp_path: Path, path: str, value: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        opened(edited(path, value), tmp_path)
    assert message in str(caught.value)


def test_what_is_no_annotation_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no JSON object with images"):
        opened([1], tmp_path)
    with pytest.raises(InputError, match="is no JSON: "):
        opened("{", tmp_path)
    with pytest.raises(InputError, match="is nested too deeply"):
        opened("[" * 100_000 + "]" * 100_000, tmp_path)
    with pytest.raises(InputError, match=r"gone\.json: cannot be read"):
        open_coco(tmp_path / "gone.json", tmp_path)
    with pytest.raises(InputError, match="categories: has 2; the model has 80 classes"):
        opened(CONTENT, tmp_path).check_classes(80)
    with pytest.raises(InputError, match="holds 2 photographs; 3 are asked for"):
        opened(CONTENT, tmp_path).sample(3, 0)
