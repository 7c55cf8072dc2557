"""Reading weights from local files into a model that bears the same names."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

StateDict = dict[str, Tensor]
DERIVED = re.compile(r"(relative_position_index|attn_mask|mask_token)$")
"""Entries that other programs save and that follow from the shape."""
_FOREIGN = re.compile(r"GLOBAL (\S+) was not an allowed global")
"""How `torch.load` names what a pickle holds besides tensors."""
_SHOWN = 4
"""Names of each kind of misfit that an error lists."""


def read_state_dict(path: Path) -> StateDict:
    """Tensors of a local `.safetensors`, `.pt` or `.pth` file, floating ones as float32.

    A `.pt` file is read without executing code; a dict under `model`, `state_dict` or `weights` is taken.

    Raises:
        ValueError: the file is missing, unreadable, of another kind, or holds NaN or infinity; the message names it.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    if path.suffix == ".safetensors":
        content = _read_safetensors(path)
    elif path.suffix in (".pt", ".pth", ".bin"):
        content = _read_torch(path)
    else:
        raise ValueError(f"{path}: weights must be .safetensors, .pt, .pth or .bin")
    state = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in content.items()}
    for name, tensor in state.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise ValueError(f"{path}: {name} holds NaN or infinity")
    return state


def load_into(model: nn.Module, state: StateDict, origin: str) -> None:
    """Copy tensors into a model whose names they already bear.

    Args:
        model: the target.
        state: own names; derived entries (position indices, masks) are ignored.
        origin: named in errors, usually the file.

    Raises:
        ValueError: keys are missing, unexpected, of another shape or no real numbers; the message lists them.
    """
    wanted = model.state_dict()
    given = {name: tensor for name, tensor in state.items() if not DERIVED.search(name)}
    missing = [f"missing {name}" for name in wanted if name not in given]
    surplus = [f"unexpected {name}" for name in given if name not in wanted]
    shapes = [
        f"{name} has shape {tuple(given[name].shape)}, expected {tuple(value.shape)}"
        for name, value in wanted.items()
        if name in given and given[name].shape != value.shape
    ]
    shapes += [
        f"{name} is {given[name].dtype}, floating point is expected"
        for name in wanted
        if name in given and not given[name].is_floating_point()
    ]
    if missing or surplus or shapes:
        parts = "; ".join(_first(part) for part in (shapes, missing, surplus) if part)
        raise ValueError(f"{origin}: does not fit the model: {parts}")
    bad = [name for name, tensor in given.items() if tensor.is_floating_point() and not torch.isfinite(tensor).all()]
    if bad:
        raise ValueError(f"{origin}: {bad[0]} holds NaN or infinity")
    model.load_state_dict(given)


def _first(problems: list[str]) -> str:
    """Enough of them to see what is wrong, and how many there are."""
    more = f" and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    return "; ".join(problems[:_SHOWN]) + more


def _read_safetensors(path: Path) -> StateDict:
    try:
        return dict(load_file(path))
    except (SafetensorError, OSError, ValueError) as error:
        raise ValueError(f"{path}: not a readable safetensors file: {error}") from error


def _why_unreadable(error: Exception) -> str:
    """PyTorch's own text advises to run the file's code; what is wrong is in one of its words, if anywhere."""
    foreign = _FOREIGN.search(str(error))
    if foreign:
        return f"holds {foreign[1]}; only tensors are read, as no code of a file is run: save its state dict alone"
    return "not a readable PyTorch file: it is damaged or of another kind"


def _read_torch(path: Path) -> StateDict:
    try:
        content: object = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load raises many types on damaged files
        raise ValueError(f"{path}: {_why_unreadable(error)}") from error
    for key in ("model", "state_dict", "weights"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not content:
        raise ValueError(f"{path}: holds no state dict")
    state: StateDict = {}
    for name, tensor in content.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise ValueError(f"{path}: entry {name!r} of the state dict is not a tensor")
        state[name] = tensor
    return state
