"""Reading weights from files, and clear refusals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from mixarray_traces.model.config import SWIN_TINY_TEST
from mixarray_traces.model.swin import SwinTransformer
from mixarray_traces.model.weights import StateDict, load_into, read_state_dict

CONFIG = replace(SWIN_TINY_TEST, num_classes=3)


@pytest.fixture
def state() -> StateDict:
    torch.manual_seed(0)
    return dict(SwinTransformer(CONFIG).state_dict())


def test_files_round_trip(state: StateDict, tmp_path: Path) -> None:
    save_file({name: tensor.half() for name, tensor in state.items()}, tmp_path / "a.safetensors")
    torch.save({"model": state}, tmp_path / "b.pth")
    half = read_state_dict(tmp_path / "a.safetensors")
    assert all(tensor.dtype == torch.float32 for tensor in half.values())
    load_into(SwinTransformer(CONFIG), half, "a")
    full = read_state_dict(tmp_path / "b.pth")
    assert all(torch.equal(full[name], state[name]) for name in state)


def test_misfits_are_listed(state: StateDict) -> None:
    changed = dict(state)
    del changed["norm.weight"]
    changed["surplus.weight"] = torch.zeros(1)
    changed["patch_embed.proj.bias"] = torch.zeros(9)
    with pytest.raises(ValueError, match=r"w\.pt: does not fit the model") as caught:
        load_into(SwinTransformer(CONFIG), changed, "w.pt")
    order = ("has shape (9,)", "missing norm.weight", "unexpected surplus")
    assert sorted(order, key=str(caught.value).index) == list(order), "shapes first: they say what went wrong"
    for part in ("missing norm.weight", "unexpected surplus.weight", "proj.bias has shape (9,), expected (8,)"):
        assert part in str(caught.value)


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
