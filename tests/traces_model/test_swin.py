"""The Swin transformer: equal to Hugging Face's on copied random weights, any size, window helpers."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mixarray_traces.checkpoints.naming import to_own_names
from mixarray_traces.model.config import SWIN_B, SWIN_S, SWIN_T, DetectorConfig, SwinConfig
from mixarray_traces.model.detector import build_detector
from mixarray_traces.model.swin import PatchMerging, SwinTransformer
from mixarray_traces.model.weights import load_into
from mixarray_traces.model.windows import (
    SmallMapRule,
    WindowGrid,
    from_windows,
    relative_position_index,
    shift_attention_mask,
    to_windows,
    window_grid,
    window_partition,
    window_reverse,
)

CONFIG = SwinConfig(16, (2, 2, 2, 2), (1, 2, 4, 8), num_classes=5, small_map_rule=SmallMapRule.PAD)


def peer_and_own(config: SwinConfig) -> tuple[torch.nn.Module, SwinTransformer]:
    """Hugging Face's model with random weights, and ours with the same."""
    import transformers

    torch.manual_seed(3)
    peer = transformers.SwinForImageClassification(
        transformers.SwinConfig(
            image_size=224,
            embed_dim=config.embed_dim,
            depths=list(config.depths),
            num_heads=list(config.num_heads),
            window_size=config.window_size,
            num_labels=config.num_classes,
            attn_implementation="eager",
        )
    ).eval()
    with torch.no_grad():
        for parameter in peer.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    own = SwinTransformer(config).eval()
    load_into(own, to_own_names(peer.state_dict()), "peer")
    return peer, own


def assert_equal_maps(
    peer: torch.nn.Module, own: SwinTransformer, images: torch.Tensor, always_partition: bool
) -> None:
    with torch.no_grad():
        theirs = peer.swin(
            images,
            always_partition=always_partition,
            output_hidden_states=True,
            output_hidden_states_before_downsampling=True,
        )
        ours = own.forward_features(images)
        logits = own(images)
        their_logits = peer.classifier(theirs.pooler_output)
    for stage, own_map in enumerate(ours):
        their_map = theirs.reshaped_hidden_states[stage + 1].permute(0, 2, 3, 1)
        torch.testing.assert_close(own_map, their_map, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(logits, their_logits, rtol=1e-4, atol=1e-4)


@pytest.mark.needs("transformers")
@pytest.mark.parametrize(("height", "width"), [(90, 123), (224, 224), (28, 40), (13, 9)])
def test_equals_hugging_face_where_small_maps_are_padded(height: int, width: int) -> None:
    """The rule of detection (`always_partition`): small maps are padded and shifted."""
    peer, own = peer_and_own(CONFIG)
    assert_equal_maps(peer, own, torch.randn(2, 3, height, width), always_partition=True)


@pytest.mark.needs("transformers")
@pytest.mark.parametrize(("height", "width"), [(224, 224), (224, 301)])
def test_equals_hugging_face_where_small_maps_shrink_the_window(height: int, width: int) -> None:
    """The rule of classification; the last map is 7x7 and 7x10: not larger than the window, so not shifted."""
    peer, own = peer_and_own(replace(CONFIG, small_map_rule=SmallMapRule.SHRINK))
    images = torch.randn(2, 3, height, width)
    assert_equal_maps(peer, own, images, always_partition=False)
    padded = SwinTransformer(CONFIG).eval()
    padded.load_state_dict(own.state_dict())
    assert not torch.allclose(padded(images), own(images), atol=1e-4), "the rule must matter here"


@pytest.mark.needs("transformers")
def test_shrunk_window_geometry_equals_hugging_face() -> None:
    """Below the window Hugging Face's bias no longer fits its window; with the bias at zero, attention still agrees."""
    peer, own = peer_and_own(replace(CONFIG, small_map_rule=SmallMapRule.SHRINK))
    layer = peer.swin.encoder.layers[0].blocks[1]
    layer.set_shift_and_window_size((5, 9))
    assert (layer.shift_size, layer.window_size) == (0, 5)
    grid = own.layers[0].blocks[1].grid(5, 9)
    assert (grid.shift, grid.window) == (0, 5)
    assert own.forward_features(torch.randn(1, 3, 20, 36))[0].shape == (1, 5, 9, 16)


def test_state_dict_uses_timm_names() -> None:
    names = set(SwinTransformer(replace(SWIN_T, num_classes=10)).state_dict())
    for name in (
        "patch_embed.proj.weight",
        "patch_embed.norm.bias",
        "layers.1.downsample.norm.weight",
        "layers.1.downsample.reduction.weight",
        "layers.2.blocks.5.norm1.weight",
        "layers.2.blocks.5.attn.qkv.bias",
        "layers.2.blocks.5.attn.proj.weight",
        "layers.2.blocks.5.attn.relative_position_bias_table",
        "layers.2.blocks.5.norm2.weight",
        "layers.2.blocks.5.mlp.fc1.weight",
        "layers.2.blocks.5.mlp.fc2.bias",
        "norm.weight",
        "head.fc.bias",
    ):
        assert name in names
    assert not any("index" in name or "mask" in name for name in names)


@pytest.mark.parametrize(
    ("config", "millions"),
    [(SWIN_T, 28.288354), (SWIN_S, 49.606258), (SWIN_B, 87.768224)],
)
def test_parameter_counts_of_the_presets(config: SwinConfig, millions: float) -> None:
    """As timm reports for 1000 classes."""
    with torch.device("meta"):
        model = SwinTransformer(replace(config, num_classes=1000))
    assert sum(p.numel() for p in model.parameters()) == round(millions * 1e6)


def test_shipped_shape_has_about_1_4_million_parameters() -> None:
    assert sum(p.numel() for p in build_detector(DetectorConfig()).parameters()) == 1_425_532


@pytest.mark.parametrize("shift", [0, 3])
def test_windows_round_trip(shift: int) -> None:
    x = torch.randn(2, 15, 22, 3)
    grid = WindowGrid(15, 22, 7, shift)
    windows = to_windows(x, grid)
    assert windows.shape == (2 * grid.count, 49, 3)
    assert grid.count == 3 * 4
    torch.testing.assert_close(from_windows(windows, grid), x, rtol=0, atol=0)
    y = torch.arange(2 * 14 * 21, dtype=torch.float32).reshape(2, 14, 21, 1)
    torch.testing.assert_close(window_reverse(window_partition(y, 7), 7, 14, 21), y, rtol=0, atol=0)
    assert window_partition(y, 7)[1, :3, 0].tolist() == [7.0, 8.0, 9.0], "windows go row by row"


def test_padding_enters_after_norm1_as_zeros() -> None:
    windows = to_windows(torch.ones(1, 5, 5, 1), WindowGrid(5, 5, 4, 0))
    assert windows.sum() == 25
    assert windows.shape == (4, 16, 1)


def test_shift_mask_separates_exactly_the_tokens_that_were_not_neighbours() -> None:
    """Independent statement: two tokens of a shifted window may meet iff they lie within a window's reach unrolled."""
    size, window, shift = 8, 4, 2
    mask = shift_attention_mask(size, size, window, shift)
    places = torch.stack(torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij"), dim=2)
    rolled = window_partition(torch.roll(places, (-shift, -shift), (0, 1))[None].float(), window)
    near = ((rolled[:, :, None] - rolled[:, None]).abs() < window).all(dim=3)
    assert torch.equal(mask == 0, near)


def test_relative_position_index_of_a_smaller_window_reads_the_same_offsets() -> None:
    table = torch.arange(13 * 13)
    full = table[relative_position_index(7)].reshape(7, 7, 7, 7)
    small = table[relative_position_index(3, 7)].reshape(3, 3, 3, 3)
    assert torch.equal(full[:3, :3, :3, :3], small)


def test_small_map_rules() -> None:
    assert window_grid(5, 20, 7, 3, SmallMapRule.SHRINK) == WindowGrid(5, 20, 5, 0)
    assert window_grid(7, 20, 7, 3, SmallMapRule.SHRINK) == WindowGrid(7, 20, 7, 0)
    assert window_grid(5, 20, 7, 3, SmallMapRule.PAD) == WindowGrid(5, 20, 7, 3)
    assert window_grid(8, 20, 7, 3, SmallMapRule.SHRINK) == WindowGrid(8, 20, 7, 3)


def test_merging_pads_odd_maps_and_orders_the_four_tokens() -> None:
    gathered = PatchMerging(1).gather(torch.arange(9.0).reshape(1, 3, 3, 1))
    assert gathered[0, 0, 0].tolist() == [0.0, 3.0, 1.0, 4.0]
    assert gathered[0, 1, 1].tolist() == [8.0, 0.0, 0.0, 0.0]


def test_bad_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        SwinConfig(32, (2, 2), (1,))
    with pytest.raises(ValueError, match="heads do not divide"):
        SwinConfig(32, (2,), (3,))
    with pytest.raises(ValueError, match="at least 1"):
        SwinConfig(32, (0,), (1,))
