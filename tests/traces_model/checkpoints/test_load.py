"""Checkpoint files as models: shapes read or given, refusals that name the tensor and both shapes."""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from mixarray.errors import InputError
from mixarray_traces.checkpoints.load import CheckpointOptions, load_backbone_state, load_checkpoint
from mixarray_traces.checkpoints.naming import NamingScheme
from mixarray_traces.checkpoints.shape import swin_config_of
from mixarray_traces.model.classifier import Classifier
from mixarray_traces.model.config import SWIN_B, SWIN_S, SWIN_T, DetectorConfig, SwinConfig
from mixarray_traces.model.detector import Detector
from mixarray_traces.model.swin import SwinTransformer
from mixarray_traces.model.weights import StateDict, load_into

IMAGES = torch.linspace(-1, 1, 3 * 40 * 56).reshape(1, 3, 40, 56)


def contiguous(state: StateDict) -> StateDict:
    return {name: tensor.clone().contiguous() for name, tensor in state.items()}


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".pth"])
def test_a_classifier_in_any_file_is_the_same_function(
    state: StateDict, config: SwinConfig, tmp_path: Path, naming: Any, suffix: str
) -> None:
    file = tmp_path / f"weights{suffix}"
    if suffix == ".safetensors":
        save_file(contiguous(naming.rename(state)), file)
    else:
        torch.save({"model" if suffix == ".pt" else "state_dict": naming.rename(state)}, file)
    plain = SwinTransformer(config).eval()
    load_into(plain, state, "plain")
    loaded = load_checkpoint(file)
    assert isinstance(loaded, Classifier)
    assert loaded.config.backbone == replace(config, num_classes=None)
    with torch.no_grad():
        assert torch.equal(loaded(IMAGES), plain(IMAGES))
        assert torch.equal(load_checkpoint(file, CheckpointOptions(naming=naming.scheme))(IMAGES), plain(IMAGES))


def test_a_classifier_of_mmpretrain_and_one_of_ours(
    state: StateDict, config: SwinConfig, mmpretrain: Callable[[StateDict], StateDict], tmp_path: Path
) -> None:
    """Both hold `backbone.*` beside `head.*`."""
    plain = SwinTransformer(config).eval()
    load_into(plain, state, "plain")
    torch.save({"state_dict": mmpretrain(state)}, tmp_path / "theirs.pth")
    theirs = load_checkpoint(tmp_path / "theirs.pth")
    torch.save(theirs.state_dict(), tmp_path / "ours.pt")
    ours = load_checkpoint(tmp_path / "ours.pt")
    with torch.no_grad():
        assert torch.equal(theirs(IMAGES), plain(IMAGES))
        assert torch.equal(ours(IMAGES), plain(IMAGES))


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float8_e4m3fn])
def test_shorter_floats_are_widened(state: StateDict, tmp_path: Path, kind: torch.dtype) -> None:
    save_file({name: tensor.to(kind) for name, tensor in state.items()}, tmp_path / "w.safetensors")
    loaded = load_checkpoint(tmp_path / "w.safetensors").state_dict()
    name = "layers.0.blocks.0.attn.qkv.weight"
    assert torch.equal(loaded[f"backbone.{name}"], state[name].to(kind).float())


@pytest.mark.parametrize("published", [SWIN_T, SWIN_S, SWIN_B])
def test_published_shapes_are_read_from_the_tensors(published: SwinConfig) -> None:
    with torch.device("meta"):
        state = dict(SwinTransformer(published).state_dict())
    assert swin_config_of(state, "memory") == published


def test_a_detector_with_our_head_and_a_backbone_of_other_names(
    state: StateDict, namings: dict[str, Any], config: SwinConfig, tmp_path: Path
) -> None:
    detector = Detector(DetectorConfig(replace(config, num_classes=None), 8, 16, 7)).eval()
    backbone = {name: tensor for name, tensor in state.items() if not name.startswith(("norm.", "head."))}
    load_into(detector.backbone, backbone, "memory")
    head = {name: tensor for name, tensor in detector.state_dict().items() if name.startswith("head.")}
    theirs = {f"backbone.{name}": tensor for name, tensor in namings["mmdet"].rename(backbone).items()}
    torch.save(theirs | head, tmp_path / "d.pt")
    loaded = load_checkpoint(tmp_path / "d.pt")
    assert isinstance(loaded, Detector)
    assert loaded.config == detector.config
    with torch.no_grad():
        assert torch.equal(loaded(IMAGES), detector(IMAGES))


def test_the_head_of_others_is_left_out_of_a_backbone(
    state: StateDict, namings: dict[str, Any], config: SwinConfig
) -> None:
    loaded = load_backbone_state(namings["mmdet"].rename(state) | {"norm1.weight": torch.ones(16)}, "memory")
    plain = SwinTransformer(config).eval()
    load_into(plain, state, "plain")
    with torch.no_grad():
        assert torch.equal(loaded(IMAGES), plain.forward_features(IMAGES)[-1])


def refusal(state: StateDict, tmp_path: Path, options: CheckpointOptions | None = None) -> str:
    file = tmp_path / "w.pt"
    torch.save(state, file)
    with pytest.raises(InputError) as caught:
        load_checkpoint(file, options)
    assert str(caught.value).startswith(str(file))
    return str(caught.value)


def test_misfits_are_named_with_both_shapes(state: StateDict, namings: dict[str, Any], tmp_path: Path) -> None:
    changed = dict(state)
    del changed["layers.1.blocks.0.norm1.weight"]
    changed["layers.0.blocks.0.attn.logit_scale"] = torch.zeros(1)
    changed["patch_embed.norm.bias"] = torch.zeros(9)
    message = refusal(namings["torchvision"].rename(changed), tmp_path)
    for part in (
        "missing backbone.layers.1.blocks.0.norm1.weight",
        "unexpected backbone.layers.0.blocks.0.attn.logit_scale",
        "backbone.patch_embed.norm.bias has shape (9,), expected (8,)",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("name", "tensor", "part"),
    [
        ("patch_embed.norm.bias", torch.zeros(8, dtype=torch.int32), "is torch.int32, floating point is expected"),
        ("patch_embed.norm.bias", torch.zeros(8, dtype=torch.complex64), "is torch.complex64, floating point"),
        ("patch_embed.norm.bias", torch.full((8,), torch.inf), "patch_embed.norm.bias holds NaN or infinity"),
        ("patch_embed.proj.weight", torch.zeros(0, 3, 4, 4), "(0, 3, 4, 4); 4 dimensions above 0 are expected"),
        ("patch_embed.proj.weight", torch.zeros(8, 1, 4, 4), "reads 1 channels of an image; images here have 3"),
        ("layers.0.blocks.0.mlp.fc1.weight", torch.zeros(20, 8), "has 20 outputs; a multiple of the 8 channels"),
    ],
)
def test_tensors_of_no_use_are_refused(
    state: StateDict, tmp_path: Path, name: str, tensor: torch.Tensor, part: str
) -> None:
    assert part in refusal(state | {name: tensor}, tmp_path)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
@pytest.mark.parametrize("damage", ["empty", "cut", "other"])
def test_damaged_files_are_told_in_one_sentence(state: StateDict, tmp_path: Path, suffix: str, damage: str) -> None:
    file = tmp_path / f"w{suffix}"
    save_file(state, file) if suffix == ".safetensors" else torch.save(state, file)
    content = file.read_bytes()
    file.write_bytes({"empty": b"", "cut": content[: len(content) // 2], "other": b"<html>not found"}[damage])
    with pytest.raises(InputError, match=r"not a readable (PyTorch|safetensors) file: ") as caught:
        load_checkpoint(file)
    assert len(str(caught.value).removeprefix(str(file))) < 150


def test_objects_besides_tensors_are_named(state: StateDict, tmp_path: Path) -> None:
    torch.save({"model": state, "arguments": argparse.Namespace(lr=1)}, tmp_path / "w.pt")
    with pytest.raises(InputError, match=r"w\.pt: holds argparse\.Namespace; only tensors are read") as caught:
        load_checkpoint(tmp_path / "w.pt")
    assert "weights_only" not in str(caught.value), "nobody is told to run the file's code"


def test_a_named_architecture_must_fit(state: StateDict, tmp_path: Path) -> None:
    message = refusal(state, tmp_path, CheckpointOptions(arch=SWIN_T))
    assert "backbone.patch_embed.proj.weight has shape (8, 3, 4, 4), expected (96, 3, 4, 4)" in message


def test_a_wrong_naming_is_refused(state: StateDict, namings: dict[str, Any], tmp_path: Path) -> None:
    message = refusal(namings["mmdet"].rename(state), tmp_path, CheckpointOptions(naming=NamingScheme.TIMM))
    assert "patch_embed.proj.weight: is missing" in message


@pytest.mark.parametrize(
    ("name", "tensor", "part"),
    [
        ("head.fc.weight", None, "holds a backbone without a head"),
        ("head.fc.weight", torch.zeros(3), "head.fc.weight: has shape (3,); 2 dimensions above 0 are expected"),
        ("patch_embed.proj.weight", None, "patch_embed.proj.weight: is missing"),
        (
            "layers.0.blocks.0.attn.relative_position_bias_table",
            torch.zeros(48, 1),
            "has 48 rows; a window of w tokens a side has (2w - 1)^2",
        ),
    ],
)
def test_what_the_shape_is_read_from_must_be_there(
    state: StateDict, tmp_path: Path, name: str, tensor: torch.Tensor | None, part: str
) -> None:
    changed = {
        key: value for key, value in state.items() if key != name and (key != "head.fc.bias" or tensor is not None)
    }
    assert part in refusal(changed | ({} if tensor is None else {name: tensor}), tmp_path)


def test_a_stage_without_blocks_is_refused(state: StateDict, tmp_path: Path) -> None:
    changed = {name: tensor for name, tensor in state.items() if not name.startswith("layers.1.blocks.")}
    assert "has blocks in 2 of 3 stages" in refusal(changed, tmp_path)


class _Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("must-not-appear"),))


def test_no_code_of_the_file_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.pt").write_bytes(pickle.dumps({"model": _Bomb()}, protocol=2))
    with pytest.raises(InputError, match="holds getattr; only tensors are read"):
        load_checkpoint(tmp_path / "w.pt")
    assert not (tmp_path / "must-not-appear").exists()
