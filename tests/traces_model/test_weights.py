"""Reading weights: every naming scheme, and clear refusals."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from mixarray_traces.model.config import SWIN_TINY_TEST
from mixarray_traces.model.swin import SwinTransformer
from mixarray_traces.model.weights import StateDict, load_into, read_state_dict, to_own_names

CONFIG = replace(SWIN_TINY_TEST, num_classes=3)


@pytest.fixture
def state() -> StateDict:
    torch.manual_seed(0)
    return dict(SwinTransformer(CONFIG).state_dict())


def microsoft_names(state: StateDict) -> StateDict:
    """As Microsoft's code saves them: merging counted to the stage before, buffers saved."""
    out = {
        name.replace("layers.1.downsample", "layers.0.downsample").replace("head.fc.", "head."): tensor
        for name, tensor in state.items()
    }
    out["layers.0.blocks.0.attn.relative_position_index"] = torch.zeros(16, 16, dtype=torch.int64)
    out["layers.0.blocks.1.attn_mask"] = torch.zeros(4, 16, 16)
    return out


def hugging_face_saved_names(state: StateDict) -> StateDict:
    """As on the model hub."""
    out: StateDict = {}
    for own_name, tensor in state.items():
        name = hugging_face_name(own_name)
        if ".attn.qkv." in name:
            for part, piece in zip(("query", "key", "value"), tensor.chunk(3), strict=True):
                out[name.replace("attn.qkv", f"attention.self.{part}")] = piece
        else:
            out[name] = tensor
    return out


def hugging_face_name(own_name: str) -> str:
    name = own_name
    for pattern, theirs in (
        (r"^layers\.1\.downsample", "layers.0.downsample"),
        (r"^layers\.", "swin.encoder.layers."),
        (r"attn\.proj", "attention.output.dense"),
        (r"attn\.relative_position", "attention.self.relative_position"),
        (r"norm1", "layernorm_before"),
        (r"norm2", "layernorm_after"),
        (r"mlp\.fc1", "intermediate.dense"),
        (r"mlp\.fc2", "output.dense"),
        (r"^norm\.", "swin.layernorm."),
        (r"^head\.fc\.", "classifier."),
        (r"^patch_embed\.proj", "swin.embeddings.patch_embeddings.projection"),
        (r"^patch_embed\.norm", "swin.embeddings.norm"),
    ):
        name = re.sub(pattern, theirs, name)
    return name


@pytest.mark.parametrize("prefix", ["", "backbone.", "module.model."])
def test_schemes_are_recognised(state: StateDict, prefix: str) -> None:
    for renamed in (state, microsoft_names(state), hugging_face_saved_names(state)):
        back = to_own_names({prefix + name: tensor for name, tensor in renamed.items()})
        assert back.keys() == state.keys()
        assert all(torch.equal(back[name], state[name]) for name in state)


def test_files_round_trip(state: StateDict, tmp_path: Path) -> None:
    save_file({name: tensor.half() for name, tensor in state.items()}, tmp_path / "a.safetensors")
    torch.save({"model": microsoft_names(state)}, tmp_path / "b.pth")
    half = read_state_dict(tmp_path / "a.safetensors")
    assert all(tensor.dtype == torch.float32 for tensor in half.values())
    load_into(SwinTransformer(CONFIG), half, "a")
    full = to_own_names(read_state_dict(tmp_path / "b.pth"))
    assert all(torch.equal(full[name], state[name]) for name in state)


def test_misfits_are_listed(state: StateDict) -> None:
    changed = dict(state)
    del changed["norm.weight"]
    changed["surplus.weight"] = torch.zeros(1)
    changed["patch_embed.proj.bias"] = torch.zeros(9)
    with pytest.raises(ValueError, match=r"w\.pt: does not fit the model") as caught:
        load_into(SwinTransformer(CONFIG), changed, "w.pt")
    for part in ("missing norm.weight", "unexpected surplus.weight", "proj.bias has shape (9,), expected (8,)"):
        assert part in str(caught.value)


def test_missing_k_of_qkv_is_named(state: StateDict) -> None:
    theirs = {name: t for name, t in hugging_face_saved_names(state).items() if ".key.bias" not in name}
    with pytest.raises(ValueError, match=r"qkv\.bias: only q, v of q, k and v"):
        to_own_names(theirs)


@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
def test_nan_is_refused(state: StateDict, tmp_path: Path, poison: float) -> None:
    state["norm.bias"][1] = poison
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match=r"w\.safetensors: norm\.bias holds NaN or infinity"):
        read_state_dict(tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match=r"memory: norm\.bias holds NaN"):
        load_into(SwinTransformer(CONFIG), state, "memory")


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    for name in ("w.safetensors", "w.pt"):
        (tmp_path / name).write_bytes(b"not weights")
        with pytest.raises(ValueError, match=name):
            read_state_dict(tmp_path / name)
    with pytest.raises(ValueError, match=r"gone\.pt: no such file"):
        read_state_dict(tmp_path / "gone.pt")
    (tmp_path / "w.onnx").write_bytes(b"")
    with pytest.raises(ValueError, match=r"w\.onnx: weights must be"):
        read_state_dict(tmp_path / "w.onnx")
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(ValueError, match=r"list\.pt: holds no state dict"):
        read_state_dict(tmp_path / "list.pt")
    torch.save({"a": 1}, tmp_path / "number.pt")
    with pytest.raises(ValueError, match="entry 'a' of the state dict is not a tensor"):
        read_state_dict(tmp_path / "number.pt")
