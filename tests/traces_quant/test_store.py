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


def test_weights_of_another_detector_are_refused_in_a_short_line(saved: Path) -> None:
    content = save({"other.weight": torch.zeros(1)})
    (saved / "model.safetensors").write_bytes(content)
    edit(saved, {"sha256": hashlib.sha256(content).hexdigest()})
    with pytest.raises(InputError, match=r"model\.safetensors: does not fit .* more") as refused:
        load_quantized(saved)
    assert len(refused.value.message) < 600


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("format", "other", "format"),
        ("source", "nobody", "source"),
        ("options", {}, "options"),
        ("options/method", "magic", "options.method"),
        ("options/weight_bits", 9, "options.weight_bits"),
        ("options/high_bits", 8.0, "options.high_bits"),
        ("options/low_bits", 8, "options.low_bits"),
        ("detector", {"backbone": 1}, "detector"),
        ("weights", {}, "weights.head.coarse"),
        ("weights/head.fc1/bits", 4, "weights.head.fc1.bits"),
        ("weights/stages.0.blocks.0.attn.qkv/bits", 8, "weights.stages.0.blocks.0.attn.qkv.bits"),
        ("weights/head.fc1/steps", [1.0], "weights.head.fc1.steps"),
        ("weights/head.fc9", {"bits": 8, "steps": [1.0]}, "weights.head.fc9"),
        ("activations", {}, "activations.head.coarse.input@8"),
        ("activations/patch_embed.input@4", {"step": 1.0, "zero_point": 0}, "activations.patch_embed.input@4"),
        ("activations/stages.0.blocks.0.attn.qk.left@6", {"step": 1.0, "zero_point": 0}, "attn.qk.left@6"),
        ("activations/patch_embed.input@eight", {"step": 1.0, "zero_point": 0}, "patch_embed.input@eight"),
        ("activations/patch_embed.input", {"step": 1.0, "zero_point": 0}, "activations.patch_embed.input"),
        ("activations/patch_embed.input@8", {"step": float("nan"), "zero_point": 0}, "patch_embed.input@8"),
        ("activations/patch_embed.input@8", {"step": 1.0, "zero_point": 300}, "patch_embed.input@8"),
        ("activations/patch_embed.input@8", {"step": 1.0, "zero_point": True}, "patch_embed.input@8"),
    ],
)
def test_broken_manifests_name_the_field(saved: Path, path: str, value: object, field: str) -> None:
    manifest = saved / "manifest.json"
    described = json.loads(manifest.read_text())
    *parents, last = path.split("/")
    entry = described
    for name in parents:
        entry = entry[name]
    entry[last] = value
    manifest.write_text(json.dumps(described))
    with pytest.raises(InputError) as refused:
        load_quantized(saved)
    assert refused.value.where == str(manifest)
    assert (refused.value.field or "").endswith(field)
