"""The canvas generator and its sources: frozen bytes, exact boxes, disjoint splits, clear errors."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mixarray_traces.data.backgrounds import BACKGROUND_NAMES, crop_mirrored, load_backgrounds
from mixarray_traces.data.canvas import (
    GENERATOR_VERSION,
    MAX_ITEM_PX,
    MIN_ITEM_PX,
    Canvas,
    CanvasSource,
    draw_canvas,
    open_source,
)
from mixarray_traces.data.images import load_image
from mixarray_traces.data.items import CLASS_NAMES, FULL_SET_FOLDER, Split, load_items, read_full_set, read_sprite
from mixarray_traces.shipped import shipped_path

TEST_HASHES = {
    (0, 0, 112): "d73005b76302d624edbf541ece1b2bb76d6f09831504fc2dde842075b1f24ef9",
    (0, 1, 224): "9bd19708c80164a0f7385aed274acb55e79cb9bbcddeb486d1ed2abb021a873b",
    (7, 3, 448): "7850a918bc77b6108045fa52682ae28e6e75669d12198a8751cd281826310afd",
}
"""Frozen with generator version 1: a change of any of them needs a new version and a newly trained model."""
TRAIN_HASHES = {
    Split.TRAIN: "7ade2012d4ba21518d2e98851f5adc65c2cd08a9078633c18b2be3edd07b08ff",
    Split.VALIDATION: "7fb0315873357b4395b20f723c82f366cb8d839ceaa33322e6cadcaf4020220d",
}


@pytest.fixture(scope="module")
def source() -> CanvasSource:
    return open_source(Split.TEST)


def digest(canvas: Canvas) -> str:
    content = canvas.image.tobytes() + canvas.boxes.astype("<f4").tobytes() + canvas.labels.astype("<i8").tobytes()
    return hashlib.sha256(content).hexdigest()


def test_test_canvases_are_frozen(source: CanvasSource) -> None:
    assert GENERATOR_VERSION == 1
    assert {key: digest(source.draw(*key)) for key in TEST_HASHES} == TEST_HASHES


@pytest.mark.needs("fashion-mnist")
def test_training_canvases_are_frozen() -> None:
    assert {split: digest(draw_canvas(split, 0, 5, 224)) for split in TRAIN_HASHES} == TRAIN_HASHES


def test_annotation_is_well_formed(source: CanvasSource) -> None:
    counts, longest = [], []
    for index in range(60):
        canvas = source.draw(1, index, 128)
        assert canvas.image.shape == (128, 128, 3)
        assert canvas.image.dtype == np.uint8
        assert canvas.boxes.dtype == np.float32
        assert canvas.labels.dtype == np.int64
        assert canvas.boxes.min() >= 0
        assert canvas.boxes.max() <= 128
        sides = canvas.boxes[:, 2:] - canvas.boxes[:, :2]
        assert sides.min() >= 2
        counts.append(len(canvas.labels))
        longest += sides.max(axis=1).tolist()
    assert min(counts) >= 1
    assert max(counts) == 5
    assert 2.5 < np.mean(counts) < 3.5
    assert max(longest) <= MAX_ITEM_PX
    assert np.quantile(longest, 0.05) >= MIN_ITEM_PX - 2


@pytest.mark.parametrize("size", [64, 448])
def test_item_size_and_density_do_not_depend_on_the_canvas(source: CanvasSource, size: int) -> None:
    canvases = [source.draw(2, index, size) for index in range(4 * (448 // size))]
    density = sum(len(c.labels) for c in canvases) / (len(canvases) * size**2) * 128**2
    longest = np.concatenate([(c.boxes[:, 2:] - c.boxes[:, :2]).max(axis=1) for c in canvases])
    assert 2 < density < 5
    assert abs(np.mean(longest) - 22) < 2


def test_boxes_are_exact(source: CanvasSource) -> None:
    """Drawing the same canvas without its last item changes pixels in the last box's surroundings only."""
    for index in range(10):
        canvas = source.draw(3, index, 96)
        bare = CanvasSource(source.split, _blank(source), source.photos).draw(3, index, 96)
        changed = np.flatnonzero((canvas.image != bare.image).any(axis=2))
        rows, columns = np.unravel_index(changed, (96, 96))
        inside = np.zeros(len(changed), dtype=bool)
        for x0, y0, x1, y1 in canvas.boxes:
            inside |= (columns >= x0 - 2) & (columns < x1 + 2) & (rows >= y0 - 2) & (rows < y1 + 2)
        assert inside.all()


def _blank(source: CanvasSource) -> object:
    """The same items, invisible: no pixel is opaque, so nothing is drawn and nothing else changes."""
    return type(source.items)(np.zeros_like(source.items.images), source.items.labels, source.items.bounds)


def test_stream_is_random_access(source: CanvasSource) -> None:
    assert digest(source.draw(4, 9, 64)) == digest(draw_canvas(Split.TEST, 4, 9, 64))
    assert len({digest(source.draw(seed, index, 64)) for seed in range(3) for index in range(3)}) == 9


def test_too_small_or_negative_is_refused(source: CanvasSource) -> None:
    with pytest.raises(ValueError, match="canvas of 16 px"):
        source.draw(0, 0, 16)
    with pytest.raises(ValueError, match="negative"):
        source.draw(0, -1, 64)


def test_backgrounds_are_disjoint_and_all_listed() -> None:
    assert not set(BACKGROUND_NAMES["train"]) & set(BACKGROUND_NAMES["test"])
    for part, names in BACKGROUND_NAMES.items():
        assert {file.stem for file in (shipped_path("backgrounds") / part).iterdir()} == set(names)
    assert len(load_backgrounds(Split.VALIDATION)) == len(load_backgrounds(Split.TRAIN)) == 5


def test_crop_continues_as_a_mirror_image() -> None:
    photo = np.arange(3, dtype=np.uint8).reshape(1, 3, 1).repeat(3, axis=2)
    assert crop_mirrored(photo, 0, 1, 1, 7)[0, :, 0].tolist() == [1, 2, 2, 1, 0, 0, 1]


def test_shipped_items() -> None:
    items = load_items(Split.TEST)
    assert items.images.shape == (2000, 28, 28)
    assert np.bincount(items.labels).tolist() == [200] * len(CLASS_NAMES)
    top, left, bottom, right = items.bounds[17]
    assert (items.images[17, top:bottom, left:right] >= 16).any(axis=1).all() or bottom - top > 1
    assert items.images[17, :top].max(initial=0) < 16


@pytest.mark.needs("fashion-mnist")
def test_splits_follow_the_official_one() -> None:
    train, held_out = load_items(Split.TRAIN), load_items(Split.VALIDATION)
    assert (len(train.labels), len(held_out.labels)) == (55_000, 5_000)
    images, labels = read_full_set(FULL_SET_FOLDER, "t10k")
    shipped, shipped_labels = read_sprite(shipped_path("items_test.webp"))
    for kind in (0, 9):
        assert np.array_equal(shipped[shipped_labels == kind], images[labels == kind][:200])


def test_absent_full_set_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="apt-get install dataset-fashion-mnist"):
        load_items(Split.TRAIN, tmp_path)


def test_damaged_full_set_is_named(tmp_path: Path) -> None:
    for name in ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"):
        (tmp_path / name).write_bytes(b"damaged")
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte\.gz: not a gzip file"):
        load_items(Split.TRAIN, tmp_path)


def test_load_image(tmp_path: Path) -> None:
    file = tmp_path / "photo.png"
    Image.new("L", (5, 3), 7).save(file)
    assert load_image(file).shape == (3, 5, 3)
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(ValueError, match=r"photo\.png: cannot be read as an image"):
        load_image(file)
    with pytest.raises(ValueError, match=r"gone\.png"):
        load_image(tmp_path / "gone.png")
    (tmp_path / "text.png").write_text("hello")
    with pytest.raises(ValueError, match=r"text\.png"):
        load_image(tmp_path / "text.png")


def test_shipped_data_stays_small() -> None:
    files = [shipped_path("items_test.webp"), *shipped_path("backgrounds").rglob("*.webp")]
    assert sum(file.stat().st_size for file in files) < 3_000_000


def test_licences_list_every_data_file_with_its_hash() -> None:
    table = (Path(__file__).parents[2] / "DATA_LICENSES.md").read_text(encoding="utf-8")
    root = shipped_path("")
    for file in root.rglob("*"):
        if file.suffix not in {".webp", ".safetensors", ".json"}:
            continue
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        assert f"| `{file.relative_to(root).as_posix()}` | `{digest}` |" in table


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_pixels_wider_than_8_bits_are_refused_not_clipped(tmp_path: Path, dtype: type) -> None:
    Image.fromarray(np.full((40, 40), 300, dtype=dtype)).save(tmp_path / "wide.tiff")
    with pytest.raises(ValueError, match=r"wide\.tiff.*not 8 bits"):
        load_image(tmp_path / "wide.tiff")
