"""Every naming scheme comes back bit-equal, and a wrong order of merged patches does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from mixarray_traces.checkpoints import naming as naming_module
from mixarray_traces.checkpoints.naming import naming_scheme, to_own_names
from mixarray_traces.checkpoints.unfold import norm_from_unfold, reduction_from_unfold
from mixarray_traces.model.config import SwinConfig
from mixarray_traces.model.swin import PatchMerging
from mixarray_traces.model.weights import StateDict


def differing(found: StateDict, expected: StateDict) -> set[str]:
    assert found.keys() == expected.keys()
    return {name for name in expected if not torch.equal(found[name], expected[name])}


@pytest.mark.parametrize("prefix", ["", "backbone.", "module.model.", "model.backbone."])
def test_every_scheme_comes_back_bit_equal(state: StateDict, naming: Any, prefix: str) -> None:
    renamed = {prefix + name: tensor for name, tensor in naming.rename(state).items()}
    assert not differing(to_own_names(renamed), state)
    assert not differing(to_own_names(renamed, naming.scheme), state)


def test_the_scheme_is_told_from_the_names(state: StateDict, naming: Any) -> None:
    assert naming_scheme(naming.rename(state)) is naming.scheme


def test_a_part_of_a_larger_model_is_taken_by_its_prefix(state: StateDict, naming: Any) -> None:
    whole = {f"backbone.{name}": tensor for name, tensor in naming.rename(state).items()} | {
        "neck.conv": torch.zeros(1)
    }
    assert not differing(to_own_names(whole, naming.scheme, prefix="backbone."), state)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 3, 1), (3, 1, 2, 0)])
def test_another_order_of_patches_is_noticed(
    state: StateDict, namings: dict[str, Any], order: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planted fault: mmdetection's merging read in a wrong order spoils every merging and nothing else."""
    monkeypatch.setattr("mixarray_traces.checkpoints.unfold._OURS_IN_UNFOLD", order)
    spoilt = differing(to_own_names(namings["mmdet"].rename(state)), state)
    assert spoilt == {name for name in state if ".downsample." in name}


def test_no_permutation_at_all_is_noticed(
    state: StateDict, namings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(naming_module, "_own_layout", lambda own, tensor: tensor)
    assert differing(to_own_names(namings["mmdet"].rename(state)), state) == {
        name for name in state if ".downsample." in name
    }


def test_merging_in_unfolds_order_is_the_same_function(
    config: SwinConfig, unfold_order: Callable[[Tensor], Tensor]
) -> None:
    """torch's own Unfold, fed as mmdetection feeds it, against our gather: outputs agree, not only tensors."""
    torch.manual_seed(1)
    ours = PatchMerging(config.embed_dim).double()
    torch.nn.init.normal_(ours.norm.weight)
    x = torch.randn(2, 6, 4, config.embed_dim, dtype=torch.float64)
    columns = torch.nn.functional.unfold(x.permute(0, 3, 1, 2), kernel_size=2, stride=2).transpose(1, 2)
    norm, reduction = unfold_order(ours.norm.weight.detach()), unfold_order(ours.reduction.weight.detach())
    theirs = torch.nn.functional.layer_norm(columns, columns.shape[-1:], norm) @ reduction.T
    torch.testing.assert_close(ours(x).flatten(1, 2), theirs, rtol=1e-12, atol=1e-12)
    assert torch.equal(reduction_from_unfold(reduction), ours.reduction.weight)
    assert torch.equal(norm_from_unfold(norm), ours.norm.weight)


def test_detection_output_norms_are_kept_apart(state: StateDict, namings: dict[str, Any]) -> None:
    stage_norm = {"hidden_states_norms.stage2.weight": torch.ones(16)}
    assert "norm1.weight" in to_own_names(namings["hugging_face_saved"].rename(state) | stage_norm)
    assert "norm1.weight" in to_own_names(namings["mmdet"].rename(state) | {"norm1.weight": torch.ones(16)})


def test_what_is_no_swin_is_refused() -> None:
    with pytest.raises(ValueError, match=r"is no Swin transformer under the names of timm, .*it holds conv\.weight"):
        to_own_names({"conv.weight": torch.zeros(1)})
    with pytest.raises(ValueError, match=r"no tensor's name begins with 'swin\.'"):
        to_own_names({"conv.weight": torch.zeros(1)}, prefix="swin.")


def test_missing_and_uneven_parts_of_qkv_are_named(state: StateDict, namings: dict[str, Any]) -> None:
    theirs = namings["hugging_face_saved"].rename(state)
    without = {name: tensor for name, tensor in theirs.items() if ".key.bias" not in name}
    with pytest.raises(ValueError, match=r"qkv\.bias: only q, v of q, k and v"):
        to_own_names(without)
    name = next(name for name in theirs if name.endswith("self.key.bias"))
    with pytest.raises(ValueError, match=r"qkv\.bias: the shapes of q, k and v differ: k \(3,\)"):
        to_own_names(theirs | {name: torch.zeros(3)})


def test_two_names_of_one_tensor_are_refused(state: StateDict, namings: dict[str, Any]) -> None:
    theirs = namings["hugging_face_saved"].rename(state) | {
        "swin.encoder.layers.0.blocks.0.mlp.fc1.bias": torch.zeros(32)
    }
    with pytest.raises(ValueError, match=r"another tensor is layers\.0\.blocks\.0\.mlp\.fc1\.bias too"):
        to_own_names(theirs)
