"""Package data: the trained detector, its model card, test items and background photographs."""

from importlib.resources import files
from pathlib import Path


def shipped_path(name: str) -> Path:
    """Path of one shipped file or folder, for example `detector.safetensors`."""
    return Path(str(files("mixarray_traces.shipped"))) / name
