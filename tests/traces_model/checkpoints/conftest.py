"""Random weights under the own names, and own names to every other program's.

The renamings are written by hand from the other programs' code: the reverse of what is tested.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor

from mixarray_traces.checkpoints.naming import NamingScheme
from mixarray_traces.model.config import SWIN_TINY_TEST, SwinConfig
from mixarray_traces.model.swin import SwinTransformer
from mixarray_traces.model.weights import StateDict


def rename(state: StateDict, renames: tuple[tuple[str, str], ...]) -> StateDict:
    out: StateDict = {}
    for own, tensor in state.items():
        name = own
        for pattern, theirs in renames:
            name = re.sub(pattern, theirs, name)
        out[name] = tensor
    return out


def merging_before(name: str) -> str:
    return re.sub(r"layers\.(\d+)\.downsample", lambda found: f"layers.{int(found[1]) - 1}.downsample", name)


def timm(state: StateDict) -> StateDict:
    return dict(state)


def microsoft(state: StateDict) -> StateDict:
    """Merging counted to the stage before, a flat head, buffers saved."""
    out = rename({merging_before(name): tensor for name, tensor in state.items()}, ((r"^head\.fc\.", "head."),))
    out["layers.0.blocks.0.attn.relative_position_index"] = torch.zeros(16, 16, dtype=torch.int64)
    out["layers.0.blocks.1.attn_mask"] = torch.zeros(4, 16, 16)
    return out


def hugging_face_saved(state: StateDict) -> StateDict:
    """As on the model hub."""
    return _hugging_face(
        state,
        ("self.query", "self.key", "self.value"),
        (
            (r"attn\.proj", "attention.output.dense"),
            (r"attn\.relative_position", "attention.self.relative_position"),
            (r"mlp\.fc1", "intermediate.dense"),
            (r"mlp\.fc2", "output.dense"),
        ),
    )


def hugging_face_in_memory(state: StateDict) -> StateDict:
    """As transformers 5 names its modules."""
    return _hugging_face(
        state,
        ("q_proj", "k_proj", "v_proj"),
        (
            (r"attn\.proj", "attention.o_proj"),
            (r"attn\.relative_position", "attention.relative_position_bias.relative_position"),
        ),
    )


def _hugging_face(state: StateDict, parts: tuple[str, ...], renames: tuple[tuple[str, str], ...]) -> StateDict:
    common = (
        (r"^layers\.", "swin.encoder.layers."),
        (r"norm1", "layernorm_before"),
        (r"norm2", "layernorm_after"),
        (r"^norm\.", "swin.layernorm."),
        (r"^head\.fc\.", "classifier."),
        (r"^patch_embed\.proj", "swin.embeddings.patch_embeddings.projection"),
        (r"^patch_embed\.norm", "swin.embeddings.norm"),
    )
    split: StateDict = {}
    for own, tensor in state.items():
        if ".attn.qkv." not in own:
            split[own] = tensor
            continue
        for part, piece in zip(parts, tensor.chunk(3), strict=True):
            split[own.replace("attn.qkv", f"attention.{part}")] = piece
    return rename({merging_before(name): tensor for name, tensor in split.items()}, renames + common)


def torchvision(state: StateDict) -> StateDict:
    renames = (
        (r"^patch_embed\.proj", "features.0.0"),
        (r"^patch_embed\.norm", "features.0.2"),
        (r"mlp\.fc1", "mlp.0"),
        (r"mlp\.fc2", "mlp.3"),
        (r"^head\.fc\.", "head."),
    )
    placed = {
        re.sub(
            r"^layers\.(\d+)\.(blocks|downsample)\.",
            lambda found: f"features.{2 * int(found[1]) + (found[2] == 'blocks')}.",
            name,
        ): tensor
        for name, tensor in state.items()
    }
    out = rename(placed, renames)
    out["features.1.0.attn.relative_position_index"] = torch.zeros(256, dtype=torch.int64)
    return out


def unfold_order(tensor: Tensor) -> Tensor:
    """As mmdetection's converter does: patches 0 2 1 3, then channels outside."""
    rows = tensor.reshape(-1, 4, tensor.shape[-1] // 4)[:, [0, 2, 1, 3]].transpose(1, 2)
    return rows.reshape(tensor.shape)


def mmdet(state: StateDict) -> StateDict:
    permuted = {name: unfold_order(tensor) if ".downsample." in name else tensor for name, tensor in state.items()}
    return rename(
        {merging_before(name): tensor for name, tensor in permuted.items()},
        (
            (r"^layers\.", "stages."),
            (r"^patch_embed\.proj", "patch_embed.projection"),
            (r"\.attn\.", ".attn.w_msa."),
            (r"mlp\.fc1", "ffn.layers.0.0"),
            (r"mlp\.fc2", "ffn.layers.1"),
        ),
    )


def mmpretrain(state: StateDict) -> StateDict:
    """A classifier: the norm before the head is called as a detection backbone's, and the head stands beside it."""
    last = max(int(name.split(".")[1]) for name in state if name.startswith("layers."))
    named = rename(mmdet(state), ((r"^norm\.", f"norm{last}."),))
    return {name if name.startswith("head.") else f"backbone.{name}": tensor for name, tensor in named.items()}


@dataclass(frozen=True)
class Naming:
    """A scheme, and how it renames an own state dict."""

    scheme: NamingScheme
    rename: Callable[[StateDict], StateDict]


NAMINGS = {
    "timm": Naming(NamingScheme.TIMM, timm),
    "microsoft": Naming(NamingScheme.MICROSOFT, microsoft),
    "hugging_face_saved": Naming(NamingScheme.HUGGING_FACE, hugging_face_saved),
    "hugging_face_in_memory": Naming(NamingScheme.HUGGING_FACE, hugging_face_in_memory),
    "torchvision": Naming(NamingScheme.TORCHVISION, torchvision),
    "mmdet": Naming(NamingScheme.MMDET, mmdet),
}

CONFIG = replace(SWIN_TINY_TEST, depths=(2, 2, 2), num_heads=(1, 2, 4), num_classes=3)


@pytest.fixture(scope="session")
def config() -> SwinConfig:
    return CONFIG


@pytest.fixture
def state() -> StateDict:
    generator = torch.Generator().manual_seed(0)
    own = SwinTransformer(CONFIG).state_dict()
    return {name: torch.randn(tensor.shape, generator=generator) for name, tensor in own.items()}


@pytest.fixture(params=NAMINGS)
def naming(request: pytest.FixtureRequest) -> Naming:
    """Every naming in turn."""
    return NAMINGS[request.param]


@pytest.fixture(scope="session", name="mmpretrain")
def mmpretrain_fixture() -> Callable[[StateDict], StateDict]:
    return mmpretrain


@pytest.fixture(scope="session")
def namings() -> dict[str, Naming]:
    return NAMINGS


@pytest.fixture(scope="session", name="unfold_order")
def unfold_order_fixture() -> Callable[[Tensor], Tensor]:
    return unfold_order
