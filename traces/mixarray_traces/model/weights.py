"""Reading weights: local files, and the names of timm, Hugging Face and Microsoft checkpoints."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

StateDict = dict[str, Tensor]


class NamingScheme(Enum):
    """Whose names a state dict uses."""

    OWN = "timm >= 0.9, which are the own names"
    HUGGING_FACE = "Hugging Face, as saved or as in memory"
    MICROSOFT = "Microsoft"


_HF_ATTENTION = {
    "self.query": "q",
    "self.key": "k",
    "self.value": "v",
    "q_proj": "q",
    "k_proj": "k",
    "v_proj": "v",
}
_HF_RENAMES = (
    (r"^swin\.", ""),
    (r"^embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^embeddings\.norm\.", "patch_embed.norm."),
    (r"^encoder\.layers\.", "layers."),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."),
    (r"(blocks\.\d+)\.output\.dense\.", r"\1.mlp.fc2."),
    (r"\.attention\.(?:output\.dense|o_proj)\.", ".attn.proj."),
    (r"\.attention\.(?:self|relative_position_bias)\.(relative_position_)", r".attn.\1"),
    (r"^layernorm\.", "norm."),
    (r"^classifier\.", "head.fc."),
)
_DERIVED = re.compile(r"(relative_position_index|attn_mask|mask_token)$")
"""Entries that other programs save and that follow from the shape."""


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
    for name, tensor in content.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise ValueError(f"{path}: {name} holds NaN or infinity")
    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in content.items()}


def load_into(model: nn.Module, state: StateDict, origin: str) -> None:
    """Copy tensors into a model whose names they already bear.

    Args:
        model: the target.
        state: own names; derived entries (position indices, masks) are ignored.
        origin: named in errors, usually the file.

    Raises:
        ValueError: keys are missing, unexpected or of another shape; the message lists them.
    """
    wanted = model.state_dict()
    given = {name: tensor for name, tensor in state.items() if not _DERIVED.search(name)}
    problems = [f"missing {name}" for name in wanted if name not in given]
    problems += [f"unexpected {name}" for name in given if name not in wanted]
    problems += [
        f"{name} has shape {tuple(given[name].shape)}, expected {tuple(value.shape)}"
        for name, value in wanted.items()
        if name in given and given[name].shape != value.shape
    ]
    if problems:
        more = f" and {len(problems) - 8} more" if len(problems) > 8 else ""
        raise ValueError(f"{origin}: does not fit the model: {'; '.join(problems[:8])}{more}")
    bad = [name for name, tensor in given.items() if tensor.is_floating_point() and not torch.isfinite(tensor).all()]
    if bad:
        raise ValueError(f"{origin}: {bad[0]} holds NaN or infinity")
    model.load_state_dict(given)


def to_own_names(state: StateDict) -> StateDict:
    """A Swin state dict under the own names (timm >= 0.9), whatever scheme it uses.

    The prefixes `model.`, `module.` and `backbone.` are removed where every key bears them.
    """
    state = _without_prefix(state)
    scheme = naming_scheme(state)
    if scheme is NamingScheme.HUGGING_FACE:
        state = _from_hugging_face(state)
    if scheme in (NamingScheme.MICROSOFT, NamingScheme.HUGGING_FACE):
        state = {_moved_downsample(name): tensor for name, tensor in state.items()}
    return {name: tensor for name, tensor in state.items() if not _DERIVED.search(name)}


def naming_scheme(state: StateDict) -> NamingScheme:
    """Whose names a state dict without outer prefix uses."""
    if any(re.search(r"\.layernorm_before\.", name) for name in state):
        return NamingScheme.HUGGING_FACE
    if any(name.startswith("layers.0.downsample.") for name in state) or "head.weight" in state:
        return NamingScheme.MICROSOFT
    return NamingScheme.OWN


def _from_hugging_face(state: StateDict) -> StateDict:
    out: StateDict = {}
    parts: dict[str, dict[str, Tensor]] = {}
    for name, tensor in state.items():
        renamed = name
        for pattern, replacement in _HF_RENAMES:
            renamed = re.sub(pattern, replacement, renamed)
        split = re.match(r"(.*)\.attention\.(self\.query|self\.key|self\.value|[qkv]_proj)\.(weight|bias)$", renamed)
        if split is None:
            out[renamed] = tensor
            continue
        block, part, kind = split.groups()
        parts.setdefault(f"{block}.attn.qkv.{kind}", {})[_HF_ATTENTION[part]] = tensor
    for name, pieces in parts.items():
        if set(pieces) != {"q", "k", "v"}:
            raise ValueError(f"{name}: only {', '.join(sorted(pieces))} of q, k and v are present")
        out[name] = torch.cat([pieces["q"], pieces["k"], pieces["v"]])
    return out


def _moved_downsample(name: str) -> str:
    """Microsoft and Hugging Face count a merging to the stage before it, timm to the stage after it."""
    name = re.sub(r"^head\.(weight|bias)$", r"head.fc.\1", name)
    found = re.match(r"layers\.(\d+)\.downsample\.(.*)", name)
    return f"layers.{int(found.group(1)) + 1}.downsample.{found.group(2)}" if found else name


def _without_prefix(state: StateDict) -> StateDict:
    for prefix in ("module.", "model.", "backbone."):
        if state and all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
    return state


def _read_safetensors(path: Path) -> StateDict:
    try:
        return dict(load_file(path))
    except (SafetensorError, OSError, ValueError) as error:
        raise ValueError(f"{path}: not a readable safetensors file: {error}") from error


def _read_torch(path: Path) -> StateDict:
    try:
        content: object = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load raises many types on damaged files
        raise ValueError(f"{path}: not a readable PyTorch file: {error}") from error
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
