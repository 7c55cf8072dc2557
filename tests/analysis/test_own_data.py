"""A user's classifier and detector from the command line: quantize, evaluate, record, simulate; and refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mixarray_analysis.cli import main
from mixarray_traces.model.config import DetectorConfig, SwinConfig
from mixarray_traces.model.detector import Detector
from mixarray_traces.model.swin import SwinTransformer

SHAPE = SwinConfig(8, (2, 2), (1, 2), window_size=4)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`c.pth`, a classifier, and `d.pt`, a detector; `data`, a folder per class; `i.json` with its directory `i`."""
    root, random = tmp_path_factory.mktemp("own"), np.random.default_rng(0)

    def photograph(path: Path, height: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (height, 80, 3), dtype=np.uint8)).save(path)

    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.save(
            {"model": SwinTransformer(SwinConfig(**{**vars(SHAPE), "num_classes": 2})).state_dict()}, root / "c.pth"
        )
        torch.save(Detector(DetectorConfig(SHAPE, 8, 16, 2)).state_dict(), root / "d.pt")
    for number in range(4):
        photograph(root / "data" / "ab"[number % 2] / f"{number}.png", 70)
        photograph(root / "i" / f"{number}.png", 64 + number)
    images = [{"id": n, "file_name": f"{n}.png", "height": 64 + n, "width": 80} for n in range(4)]
    boxes = [{"id": n, "image_id": n, "category_id": 1, "bbox": [1, 1, 40, 30]} for n in range(4)]
    categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    (root / "i.json").write_text(json.dumps({"images": images, "annotations": boxes, "categories": categories}))
    return root


def run(place: Path, line: str) -> int:
    """A command whose arguments with a `/` in front are files of `place`."""
    return main([str(place / word[1:]) if word.startswith("/") else word for word in line.split()])


CLASSIFIER = "quantize --checkpoint /c.pth --data /data --n 3 --size 64 -q -o"
DETECTOR = "quantize --checkpoint /d.pt --data /i.json --image-dir /i --n 2 -q -o"


def test_a_classifier_from_checkpoint_to_cycles(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(place, f"{CLASSIFIER} /q") == 0
    assert run(place, "evaluate --model /q --data /data --ratios 0,0.5 --json -q") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["arithmetic"], row["ratio"], row["n"]) for row in rows] == [
        ("float", 0, 4),
        ("fake", 0, 4),
        ("fake", 0.5, 4),
    ]
    assert run(place, "evaluate --model /q --data /data --ratios 0,0.5") == 0
    assert "top-1 [95 %]" in capsys.readouterr().out
    assert run(place, "record --model /q --data /data --n 2 --ratio 0.5 -q -o /b") == 0
    assert json.loads((place / "b" / "manifest.json").read_text())["input_height"] == 64
    assert run(place, "simulate /b -q") == 0


def test_a_detector_on_annotated_photographs(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(place, f"{DETECTOR} /qd") == 0
    assert run(place, "evaluate --model /qd --data /i.json --image-dir /i --ratios 0,0.5 --json -q") == 0
    rows = json.loads(capsys.readouterr().out)
    kinds = [(row["arithmetic"], row["ratio"], row["n"]) for row in rows]
    assert kinds == [("float", 0, 4), ("fake", 0, 4), ("fake", 0.5, 4)]
    assert run(place, "evaluate --model /qd --data /i.json --image-dir /i --ratios 0,0.5") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["model", "float", "quantized", "quantized"]
    assert lines[1].split()[1:3] == ["-", "-"]
    assert run(place, "record --model /qd --data /i.json --image-dir /i --ratio 0.5 -q -o /bd") == 0
    assert run(place, "evaluate --model /qd --data /i.json --ratios 0") == 2
    assert "--image-dir: is missing" in capsys.readouterr().err
    assert run(place, "evaluate --model /qd --data /i.json --image-dir /i --size 64 --ratios 0") == 2
    assert "--size: is for canvases and classifiers" in capsys.readouterr().err


@pytest.mark.parametrize("rule", ["shrink", "pad"])
def test_the_rule_for_small_maps_is_kept(place: Path, rule: str) -> None:
    assert run(place, f"{DETECTOR} /{rule} --small-maps {rule}") == 0
    saved = json.loads((place / rule / "manifest.json").read_text())
    assert saved["detector"]["backbone"]["small_map_rule"] == rule


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f"{CLASSIFIER} /x --naming caffe", "--naming: 'caffe' is unknown; allowed: timm, hugging_face"),
        (f"{CLASSIFIER} /x --arch swin_x", "--arch: 'swin_x' is unknown; allowed: swin_t"),
        (f"{CLASSIFIER} /x --arch swin_t", "has shape (8, 3, 4, 4), expected (96, 3, 4, 4)"),
        (f"{CLASSIFIER} /x --small-maps grow", "--small-maps: 'grow' is unknown; allowed: shrink, pad"),
        ("quantize --checkpoint /c.pth --small-maps pad -o /x", "--data: is missing"),
        (f"{CLASSIFIER} /x --mean 1,2", "--mean: '1,2' is not R,G,B"),
        (f"{CLASSIFIER} /x --deviation 1,0,1", "deviation (1.0, 0.0, 1.0) must be above 0"),
        (f"{CLASSIFIER} /x --prefix encoder.", "no tensor's name begins with 'encoder.'"),
        (f"{CLASSIFIER} /x --image-dir /i", "--image-dir: is for a detector's json"),
        (f"{CLASSIFIER} /x --n 9", "holds 4 photographs; 9 are asked for"),
        ("quantize --checkpoint /c.pth --arch swin_t -o /x", "--data: is missing"),
        ("quantize --data /data -o /x", "--checkpoint: is missing"),
        ("evaluate --image-dir /i", "--image-dir: goes with --data"),
        ("record --ratio 0 --image-dir /i -o /x", "--image-dir: goes with --data"),
        ("record --ratio 0 --data /data --image /data/a/0.png -o /x", "--image: or --data, not both"),
        (f"{DETECTOR} /x --mean 0,0,0", "--mean, --deviation: are for classifiers"),
        (f"{DETECTOR} /x --size 64", "--size: is for canvases and classifiers"),
        ("evaluate --data /data --split test", "--split: is for drawn canvases"),
        ("evaluate --data /data", "--image-dir: is missing"),
    ],
)
def test_mistakes_are_told_in_one_line(
    place: Path, line: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(place, line) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (place / "x").exists()
