"""A reader's own classifier, detector and photographs, small and drawn at random, under the names of the page."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from mixarray_traces.model.config import DetectorConfig, SwinConfig
from mixarray_traces.model.detector import Detector
from mixarray_traces.model.swin import SwinTransformer

SHAPE = {"embed_dim": 8, "depths": (2, 2), "num_heads": (1, 2), "window_size": 4}
CLASSES = ("cat", "dog")
HEIGHT, WIDTH, PHOTOGRAPHS = 70, 80, 4


def photograph(path: Path, random: np.random.Generator) -> None:
    """Noise as a PNG file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(random.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)).save(path)


def annotations() -> dict[str, object]:
    """COCO's json: a box on every photograph."""
    numbers = range(PHOTOGRAPHS)
    return {
        "images": [{"id": n, "file_name": f"{n}.png", "height": HEIGHT, "width": WIDTH} for n in numbers],
        "annotations": [{"id": n, "image_id": n, "category_id": 1, "bbox": [1, 1, 40, 30]} for n in numbers],
        "categories": [{"id": at, "name": name} for at, name in enumerate(CLASSES, 1)],
    }


def main() -> None:
    """Write everything into this directory."""
    random = np.random.default_rng(0)
    torch.manual_seed(0)
    classifier = SwinTransformer(SwinConfig(**SHAPE, num_classes=len(CLASSES)))
    torch.save(classifier.state_dict(), "swin_tiny_patch4_window7_224.pth")
    torch.save(Detector(DetectorConfig(SwinConfig(**SHAPE), 8, 16, len(CLASSES))).state_dict(), "detector.pt")
    for split in ("train", "val"):
        for number in range(PHOTOGRAPHS):
            photograph(Path("imagenet", split, CLASSES[number % 2], f"{number}.png"), random)
            photograph(Path(split, f"{number}.png"), random)
        Path(f"instances_{split}.json").write_text(json.dumps(annotations()), encoding="utf-8")


if __name__ == "__main__":
    main()
