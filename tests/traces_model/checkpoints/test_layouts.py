"""Names as the other programs' files have them, typed out and not derived: one block, one merging, the ends."""

from __future__ import annotations

import pytest
import torch

from mixarray_traces.checkpoints.naming import NamingScheme, naming_scheme, to_own_names
from mixarray_traces.model.weights import StateDict

OWN = {
    "patch_embed.proj.weight",
    "patch_embed.norm.bias",
    "layers.1.downsample.norm.weight",
    "layers.1.downsample.reduction.weight",
    "layers.2.blocks.1.norm1.weight",
    "layers.2.blocks.1.attn.relative_position_bias_table",
    "layers.2.blocks.1.attn.qkv.weight",
    "layers.2.blocks.1.attn.proj.bias",
    "layers.2.blocks.1.norm2.weight",
    "layers.2.blocks.1.mlp.fc1.weight",
    "layers.2.blocks.1.mlp.fc2.bias",
}
HEAD = {"norm.weight", "head.fc.weight"}

MICROSOFT = """
patch_embed.proj.weight patch_embed.norm.bias layers.0.downsample.norm.weight layers.0.downsample.reduction.weight
layers.2.blocks.1.norm1.weight layers.2.blocks.1.attn.relative_position_bias_table layers.2.blocks.1.attn.qkv.weight
layers.2.blocks.1.attn.proj.bias layers.2.blocks.1.norm2.weight layers.2.blocks.1.mlp.fc1.weight
layers.2.blocks.1.mlp.fc2.bias layers.2.blocks.1.attn_mask layers.2.blocks.1.attn.relative_position_index
norm.weight head.weight
"""
TORCHVISION = """
features.0.0.weight features.0.2.bias features.2.norm.weight features.2.reduction.weight features.5.1.norm1.weight
features.5.1.attn.relative_position_bias_table features.5.1.attn.relative_position_index features.5.1.attn.qkv.weight
features.5.1.attn.proj.bias features.5.1.norm2.weight features.5.1.mlp.0.weight features.5.1.mlp.3.bias
norm.weight head.weight
"""
HUGGING_FACE = """
swin.embeddings.patch_embeddings.projection.weight swin.embeddings.norm.bias
swin.encoder.layers.0.downsample.norm.weight swin.encoder.layers.0.downsample.reduction.weight
swin.encoder.layers.2.blocks.1.layernorm_before.weight
swin.encoder.layers.2.blocks.1.attention.self.relative_position_bias_table
swin.encoder.layers.2.blocks.1.attention.self.relative_position_index
swin.encoder.layers.2.blocks.1.attention.self.query.weight swin.encoder.layers.2.blocks.1.attention.self.key.weight
swin.encoder.layers.2.blocks.1.attention.self.value.weight swin.encoder.layers.2.blocks.1.attention.output.dense.bias
swin.encoder.layers.2.blocks.1.layernorm_after.weight swin.encoder.layers.2.blocks.1.intermediate.dense.weight
swin.encoder.layers.2.blocks.1.output.dense.bias swin.layernorm.weight classifier.weight
"""
TIMM = " ".join(OWN | HEAD)
MMDET_BODY = """
backbone.patch_embed.projection.weight backbone.patch_embed.norm.bias backbone.stages.0.downsample.norm.weight
backbone.stages.0.downsample.reduction.weight backbone.stages.2.blocks.1.norm1.weight
backbone.stages.2.blocks.1.attn.w_msa.relative_position_bias_table
backbone.stages.2.blocks.1.attn.w_msa.relative_position_index backbone.stages.2.blocks.1.attn.w_msa.qkv.weight
backbone.stages.2.blocks.1.attn.w_msa.proj.bias backbone.stages.2.blocks.1.norm2.weight
backbone.stages.2.blocks.1.ffn.layers.0.0.weight backbone.stages.2.blocks.1.ffn.layers.1.bias
"""
MMDET = MMDET_BODY + " ".join(f"backbone.norm{stage}.weight" for stage in range(4))
MMPRETRAIN = MMDET_BODY + "backbone.norm3.weight head.fc.weight"

CASES = {
    "microsoft": (MICROSOFT, NamingScheme.MICROSOFT, OWN | HEAD),
    "torchvision": (TORCHVISION, NamingScheme.TORCHVISION, OWN | HEAD),
    "hugging_face": (HUGGING_FACE, NamingScheme.HUGGING_FACE, OWN | HEAD),
    "timm": (TIMM, NamingScheme.TIMM, OWN | HEAD),
    "mmdet": (MMDET, NamingScheme.MMDET, OWN | {f"norm{stage}.weight" for stage in range(4)}),
    "mmpretrain": (MMPRETRAIN, NamingScheme.MMDET, OWN | {"norm3.weight", "head.fc.weight"}),
}


def tensors(names: str) -> StateDict:
    return {name: torch.zeros(4, 4) if "reduction" in name else torch.zeros(4) for name in names.split()}


@pytest.mark.parametrize("case", CASES)
def test_published_names_become_ours(case: str) -> None:
    names, scheme, expected = CASES[case]
    state = tensors(names)
    assert set(to_own_names(state)) == expected
    assert set(to_own_names(state, scheme)) == expected
    assert naming_scheme(state) is scheme


@pytest.mark.parametrize("case", ["microsoft", "torchvision", "hugging_face", "mmdet"])
def test_names_behind_an_unknown_prefix_are_refused_with_it(case: str) -> None:
    state = tensors(CASES[case][0])
    inner = next(name for name in state if "patch_embed" in name or name.startswith("features.0.0"))
    known = inner.split("patch_embed")[0].removesuffix("embeddings.") if "patch_embed" in inner else ""
    wrapped = {f"net.{name}": tensor for name, tensor in state.items()} | {"neck.weight": torch.zeros(1)}
    with pytest.raises(ValueError, match="holds more than the Swin transformer behind 'net") as caught:
        to_own_names(wrapped)
    prefix = str(caught.value).split("'")[1]
    assert prefix == f"net.{known}"
    assert set(to_own_names(wrapped, prefix=prefix)) >= OWN
