"""A folder per class: order, preparation by hand, drawing, refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mixarray.errors import InputError
from mixarray_traces.data.image_folder import open_image_folder
from mixarray_traces.data.preparation import Preparation


def photograph(path: Path, height: int, width: int, value: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((height, width, 3), value, dtype=np.uint8)).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Class names in an order other than that of their making; a list and a hidden folder to be left alone."""
    for number, name in enumerate(("n03", "n01", "n02")):
        for copy in range(2):
            photograph(tmp_path / name / f"{copy}.PNG", 40, 60, value=10 * number + copy)
    (tmp_path / "labels.txt").write_text("n01 cat")
    (tmp_path / ".cache").mkdir()
    (tmp_path / "n01" / "about.txt").write_text("a cat")
    return tmp_path


def test_classes_are_numbered_by_name(folder: Path) -> None:
    data = open_image_folder(folder, Preparation(8, 10))
    assert data.classes == ("n01", "n02", "n03")
    assert [file.label for file in data.files] == [0, 0, 1, 1, 2, 2]
    assert [data.name(index) for index in range(3)] == ["n01/0.PNG", "n01/1.PNG", "n02/0.PNG"]
    assert [int(data.image(index)[0, 0, 0]) for index in range(6)] == [10, 11, 20, 21, 0, 1]


def test_folders_inside_a_class_belong_to_it(folder: Path) -> None:
    photograph(folder / "n02" / "more" / "a.png", 40, 60, value=77)
    photograph(folder / "n02" / ".hidden" / "a.png", 40, 60)
    data = open_image_folder(folder, Preparation(8, 10))
    assert [data.name(index) for index in range(len(data.files))][2:5] == ["n02/0.PNG", "n02/1.PNG", "n02/more/a.png"]
    assert data.files[4].label == 1


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_every_kind_of_pixel_becomes_rgb(folder: Path, mode: str) -> None:
    random = np.random.default_rng(0)
    picture = Image.fromarray(random.integers(0, 256, (32, 32, 3), dtype=np.uint8)).convert(mode)
    file = folder / "n01" / ("0.tif" if mode == "CMYK" else "0.PNG")
    (folder / "n01" / "0.PNG").unlink()
    picture.save(file, **({"transparency": bytes([0, 128])} if mode == "P" else {}))
    assert np.array_equal(open_image_folder(folder, Preparation(32, 32)).image(0), np.asarray(picture.convert("RGB")))


def test_pixels_of_more_than_eight_bits_are_refused(folder: Path) -> None:
    Image.fromarray(np.full((32, 32), 40_000, np.uint16)).save(folder / "n01" / "0.PNG")
    with pytest.raises(InputError, match="mode I;16 are not 8 bits a channel"):
        open_image_folder(folder).image(0)


def test_the_shorter_side_is_resized_and_the_centre_taken() -> None:
    """A photograph of one colour per column, three px wide each: after halving, the centre columns are known."""
    columns = np.repeat(np.arange(20, dtype=np.uint8) * 10, 3)
    pixels = np.broadcast_to(columns[None, :, None], (30, 60, 3))
    whole = Preparation(crop=30, resize=30).apply(np.ascontiguousarray(pixels))
    assert np.array_equal(whole, pixels[:, 15:45])
    thirds = Preparation(crop=6, resize=10).apply(np.ascontiguousarray(pixels))
    assert thirds.shape == (6, 6, 3)
    assert np.abs(thirds[0, :, 0].astype(int) - np.arange(7, 13) * 10).max() <= 1


@pytest.mark.parametrize(("height", "width"), [(7, 50), (50, 7), (3, 3), (224, 224)])
def test_every_shape_gives_the_crop(height: int, width: int) -> None:
    assert Preparation(21, 24).apply(np.zeros((height, width, 3), np.uint8)).shape == (21, 21, 3)


def test_a_sample_is_drawn_by_the_seed_without_repeats(folder: Path) -> None:
    data = open_image_folder(folder)
    assert data.sample(6, 0) == tuple(range(6))
    assert data.sample(3, 1) == data.sample(3, 1)
    assert len({data.sample(3, seed) for seed in range(20)}) > 1
    with pytest.raises(InputError, match="holds 6 photographs; 7 are asked for"):
        data.sample(7, 0)


def test_refusals_name_the_place(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no directory with a folder per class"):
        open_image_folder(tmp_path / "gone")
    with pytest.raises(InputError, match="holds no folder"):
        open_image_folder(folder / "n01")
    data = open_image_folder(folder)
    with pytest.raises(InputError, match="has 3 class folders; the model has 4 classes"):
        data.check_classes(4)
    (folder / "n01" / "0.PNG").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"n01/0\.PNG: cannot be read as an image"):
        data.image(0)
    (folder / "n04").mkdir()
    with pytest.raises(InputError, match=r"n04: holds no photograph"):
        open_image_folder(folder)
    with pytest.raises(InputError, match="24 px is below the crop of 32 px"):
        Preparation(32, 24)
