"""The names that programs give to the tensors of a Swin transformer, turned into ours (timm >= 0.9).

Own names: `patch_embed.{proj,norm}`, `layers.i.downsample.{norm,reduction}` (counted to the stage after the merging),
`layers.i.blocks.j.{norm1,attn.{qkv,proj,relative_position_bias_table},norm2,mlp.{fc1,fc2}}`, `norm`, `head.fc`; and
`norm0`, `norm1`, ... for the LayerNorms that detection backbones put on the map of each stage. Sources: the code of
timm 1.0, transformers 5, torchvision 0.28, Microsoft's Swin-Transformer, mmdetection 3 and mmpretrain 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from enum import StrEnum

import torch
from torch import Tensor

from mixarray_traces.checkpoints.unfold import norm_from_unfold, reduction_from_unfold
from mixarray_traces.model.weights import DERIVED, StateDict

Renames = tuple[tuple[str, str], ...]


class NamingScheme(StrEnum):
    """Whose names a state dict uses."""

    TIMM = "timm"
    HUGGING_FACE = "hugging_face"
    TORCHVISION = "torchvision"
    MICROSOFT = "microsoft"
    MMDET = "mmdet"


_PREFIXES = ("module.", "model.", "backbone.")
_MARKS: tuple[tuple[str, NamingScheme], ...] = (
    (r"\.layernorm_before\.", NamingScheme.HUGGING_FACE),
    (r"\.attn\.w_msa\.", NamingScheme.MMDET),
    (r"^features\.0\.0\.", NamingScheme.TORCHVISION),
    (r"^layers\.0\.downsample\.|^head\.weight$", NamingScheme.MICROSOFT),
    (r"^layers\.\d+\.blocks\.\d+\.attn\.qkv\.", NamingScheme.TIMM),
)
"""What only one scheme's names hold, looked for in this order."""
_HEAD: Renames = ((r"^head\.(weight|bias)$", r"head.fc.\1"),)
_HUGGING_FACE: Renames = (
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
_TORCHVISION: Renames = (
    *_HEAD,
    (r"^features\.0\.0\.", "patch_embed.proj."),
    (r"^features\.0\.2\.", "patch_embed.norm."),
    (r"\.mlp\.0\.", ".mlp.fc1."),
    (r"\.mlp\.3\.", ".mlp.fc2."),
)
_MMDET: Renames = (
    (r"^patch_embed\.projection\.", "patch_embed.proj."),
    (r"^stages\.", "layers."),
    (r"\.attn\.w_msa\.", ".attn."),
    (r"\.ffn\.layers\.0\.0\.", ".mlp.fc1."),
    (r"\.ffn\.layers\.1\.", ".mlp.fc2."),
)
_RENAMES = {
    NamingScheme.TIMM: (),
    NamingScheme.HUGGING_FACE: _HUGGING_FACE,
    NamingScheme.TORCHVISION: _TORCHVISION,
    NamingScheme.MICROSOFT: _HEAD,
    NamingScheme.MMDET: _MMDET,
}
_EMBEDDING = "patch_embed.proj.weight"
_INNER_EMBEDDING = re.compile(
    r"(.+\.)(?:patch_embed\.proj|patch_embed\.projection|embeddings\.patch_embeddings\.projection|features\.0\.0)\.weight$"
)
_COUNTED_BEFORE = (NamingScheme.HUGGING_FACE, NamingScheme.MICROSOFT, NamingScheme.MMDET)
"""Schemes that count a merging to the stage before it."""
_PART = re.compile(r"(.*)\.attention\.(?:self\.)?(query|key|value|q_proj|k_proj|v_proj)\.(weight|bias)$")


def to_own_names(state: StateDict, scheme: NamingScheme | None = None, prefix: str = "") -> StateDict:
    """A Swin state dict under the own names and in the own layout.

    Args:
        state: what a file holds. The prefixes `model.`, `module.` and `backbone.` are removed where every name has
            them, `backbone.` also where all others begin with `head.`; position indices and masks, which follow from
            the shape, are left out.
        scheme: whose names they are; None to tell from the names.
        prefix: only names that begin with this are read, without it: `backbone.` takes the backbone of a detector.

    Raises:
        ValueError: the names are of no known scheme, two of them are of the same tensor, q, k or v is missing, or the
            names of a Swin transformer have a prefix that others have not.
    """
    state = _without_backbone(without_prefix(_only(state, prefix)))
    chosen = scheme or naming_scheme(state)
    merged = _joined_qkv(state) if chosen is NamingScheme.HUGGING_FACE else state
    found: StateDict = {}
    for name, tensor in merged.items():
        own = _own_name(name, chosen)
        if DERIVED.search(own):
            continue
        if own in found:
            raise ValueError(f"{name}: another tensor is {own} too")
        found[own] = _own_layout(own, tensor) if chosen is NamingScheme.MMDET else tensor
    if _EMBEDDING not in found:
        _refuse_inner(state)
    return found


def naming_scheme(state: StateDict) -> NamingScheme:
    """Whose names a state dict without outer prefix uses; ValueError where no scheme is recognised."""
    for mark, scheme in _MARKS:
        if any(re.search(mark, name) for name in state):
            return scheme
    known = ", ".join(NamingScheme)
    first = ", ".join(sorted(state)[:3]) or "nothing"
    _refuse_inner(state)
    raise ValueError(f"is no Swin transformer under the names of {known}; it holds {first}, ...")


def _refuse_inner(state: StateDict) -> None:
    """ValueError that names the prefix where a patch embedding is behind one."""
    for name in sorted(state):
        if found := _INNER_EMBEDDING.match(name):
            raise ValueError(f"holds more than the Swin transformer behind {found[1]!r}: give this as the prefix")


def without_prefix(state: StateDict) -> StateDict:
    """The state dict without `module.`, `model.` and `backbone.` where every name begins so."""
    shorter = True
    while shorter:
        shorter = False
        for prefix in _PREFIXES:
            if state and all(name.startswith(prefix) for name in state):
                state, shorter = {name.removeprefix(prefix): tensor for name, tensor in state.items()}, True
    return state


def _without_backbone(state: StateDict) -> StateDict:
    """Without `backbone.` where a classification head stands beside the backbone, as in mmpretrain and in our own."""
    if all(name.startswith(("backbone.", "head.")) for name in state):
        return {name.removeprefix("backbone."): tensor for name, tensor in state.items()}
    return state


def _only(state: StateDict, prefix: str) -> StateDict:
    chosen = {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
    if not chosen:
        raise ValueError(f"no tensor's name begins with {prefix!r}")
    return chosen


def _own_name(name: str, scheme: NamingScheme) -> str:
    for pattern, replacement in _RENAMES[scheme]:
        name = re.sub(pattern, replacement, name)
    if scheme is NamingScheme.TORCHVISION:
        return re.sub(r"^features\.(\d+)\.(.*)$", _torchvision_stage, name)
    if scheme in _COUNTED_BEFORE:
        name = re.sub(r"^layers\.(\d+)\.downsample\.", lambda m: f"layers.{int(m[1]) + 1}.downsample.", name)
    return re.sub(r"^hidden_states_norms\.stage(\d+)\.", lambda m: f"norm{int(m[1]) - 1}.", name)


def _torchvision_stage(found: re.Match[str]) -> str:
    """torchvision numbers embedding, stage, merging, stage, ... in one row: stages are odd, mergings even."""
    place, rest = int(found[1]), found[2]
    return f"layers.{place // 2}.blocks.{rest}" if place % 2 else f"layers.{place // 2}.downsample.{rest}"


def _own_layout(own: str, tensor: Tensor) -> Tensor:
    convert: Callable[[Tensor], Tensor] | None = None
    if own.endswith(".downsample.reduction.weight") and tensor.dim() == 2:
        convert = reduction_from_unfold
    elif ".downsample.norm." in own and tensor.dim() == 1:
        convert = norm_from_unfold
    return tensor if convert is None or tensor.shape[-1] % 4 else convert(tensor)


def _joined_qkv(state: StateDict) -> StateDict:
    """Hugging Face keeps q, k and v apart; here they are one matrix, in this order."""
    parts: dict[str, dict[str, Tensor]] = {}
    rest: StateDict = {}
    for name, tensor in state.items():
        found = _PART.match(name)
        if found is None:
            rest[name] = tensor
        else:
            parts.setdefault(f"{found[1]}.attn.qkv.{found[3]}", {})[found[2][0]] = tensor
    return rest | dict(_concatenated(parts))


def _concatenated(parts: dict[str, dict[str, Tensor]]) -> Iterator[tuple[str, Tensor]]:
    for name, pieces in parts.items():
        if set(pieces) != {"q", "k", "v"}:
            raise ValueError(f"{name}: only {', '.join(sorted(pieces))} of q, k and v are present")
        if len({piece.shape for piece in pieces.values()}) != 1:
            shapes = ", ".join(f"{part} {tuple(piece.shape)}" for part, piece in sorted(pieces.items()))
            raise ValueError(f"{name}: the shapes of q, k and v differ: {shapes}")
        yield name, torch.cat([pieces["q"], pieces["k"], pieces["v"]])
