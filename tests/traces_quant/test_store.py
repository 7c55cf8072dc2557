"""Quantized models on disk."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor

from mixarray.errors import InputError
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.store import load_quantized, save_quantized


@pytest.fixture
def saved(model: QuantizedDetector, tmp_path: Path) -> Path:
    return save_quantized(model, tmp_path / "quantized")


def edit(path: Path, change: dict[str, object]) -> None:
    manifest = path / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | change))


def test_what_is_loaded_is_what_was_saved(
    model: QuantizedDetector, saved: Path, images: Tensor, facts: tuple[ImageFacts, ...]
) -> None:
    again = load_quantized(saved)
    assert again.options == model.options
    assert again.source == "random"
    assert torch.equal(
        again.run(images, again.plan(400, facts)).output, model.run(images, model.plan(400, facts)).output
    )


def test_equal_models_give_equal_bytes(model: QuantizedDetector, saved: Path, tmp_path: Path) -> None:
    again = save_quantized(model, tmp_path / "again")
    for name in ("manifest.json", "model.safetensors"):
        assert (again / name).read_bytes() == (saved / name).read_bytes()


def test_an_existing_path_is_refused(model: QuantizedDetector, saved: Path) -> None:
    with pytest.raises(InputError, match="exists"):
        save_quantized(model, saved)
    assert save_quantized(model, saved, force=True) == saved


@pytest.mark.parametrize("name", ["manifest.json", "model.safetensors"])
def test_truncated_and_missing_files_are_named(saved: Path, name: str) -> None:
    content = (saved / name).read_bytes()
    (saved / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=name):
        load_quantized(saved)
    (saved / name).unlink()
    with pytest.raises(InputError, match=name):
        load_quantized(saved)


def test_a_weight_that_is_nan_is_named(saved: Path) -> None:
    state = load((saved / "model.safetensors").read_bytes())
    state["head.fc1.weight"][0, 0] = float("nan")
    content = save(state)
    (saved / "model.safetensors").write_bytes(content)
    edit(saved, {"sha256": hashlib.sha256(content).hexdigest()})
    with pytest.raises(InputError, match=r"head\.fc1\.weight"):
        load_quantized(saved)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"format": "other"}, "format"),
        ({"options": {}}, "options"),
        ({"detector": {"backbone": 1}}, "detector"),
        ({"weights": {}}, "weights"),
        ({"activations": {}}, "activations"),
        ({"activations": {"patch_embed.input@8": {"step": float("nan"), "zero_point": 0}}}, "patch_embed"),
    ],
)
def test_broken_manifests_name_the_field(saved: Path, change: dict[str, object], field: str) -> None:
    edit(saved, change)
    with pytest.raises(InputError, match=field):
        load_quantized(saved)
