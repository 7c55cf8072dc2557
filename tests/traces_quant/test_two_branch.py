"""The two-branch block: equal to the plain model, to the uniform models, and to itself in other batches."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from mixarray.errors import InputError
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.model.detector import repeat_2x2
from mixarray_traces.model.swin import SwinBlock, add_bias
from mixarray_traces.model.windows import from_windows, to_windows
from mixarray_traces.quantization.arithmetic import Arithmetic, ArithmeticKind
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.ratios import Ratios


def uniform_block(block: SwinBlock, name: str, x: Tensor, arithmetic: Arithmetic, bits: int) -> Tensor:
    """A block at one precision, without groups: whole maps in map order, the bias and mask of the plain model."""
    grid = block.grid(x.shape[1], x.shape[2])
    windows = to_windows(block.norm1(x), grid)
    q, k, v = block.attn.split_heads(arithmetic.linear(f"{name}.attn.qkv", windows, bits))
    logits = arithmetic.matmul(f"{name}.attn.qk", q * block.attn.scale, k.transpose(-2, -1), bits)
    weights = torch.softmax(add_bias(logits, block.attention_bias(grid)), dim=-1)
    mixed = arithmetic.matmul(f"{name}.attn.av", weights, v, bits).transpose(1, 2).reshape(windows.shape)
    x = x + from_windows(arithmetic.linear(f"{name}.attn.proj", mixed, bits), grid)
    hidden = functional.gelu(arithmetic.linear(f"{name}.mlp.fc1", block.norm2(x), bits))
    return x + arithmetic.linear(f"{name}.mlp.fc2", hidden, bits)


@torch.no_grad()
def uniform(model: QuantizedDetector, images: Tensor, bits: int) -> Tensor:
    """The whole detector at one precision inside the blocks, 8 bits outside."""
    arithmetic, backbone, head = model.arithmetic(), model.detector.backbone, model.detector.head
    patches = functional.unfold(images, 4, stride=4).transpose(1, 2)
    side = images.shape[-1] // 4
    x = backbone.patch_embed.norm(arithmetic.linear("patch_embed", patches, 8)).reshape(len(images), side, side, -1)
    maps = []
    for stage, layer in enumerate(backbone.layers):
        if stage:
            normed = layer.downsample.norm(layer.downsample.gather(x))
            x = arithmetic.linear(f"stages.{stage - 1}.downsample.reduction", normed, 8)
        for number, block in enumerate(layer.blocks):
            x = uniform_block(block, f"stages.{stage}.blocks.{number}", x, arithmetic, bits)
        maps.append(x)
    fine = arithmetic.linear("head.fine", head.norm_fine(maps[-2]), 8)
    coarse = arithmetic.linear("head.coarse", head.norm_coarse(maps[-1]), 8)
    joined = fine + repeat_2x2(coarse, fine.shape[1], fine.shape[2])
    hidden = functional.gelu(arithmetic.linear("head.fc1", head.norm(joined), 8))
    return arithmetic.linear("head.fc2", hidden, 8)


@pytest.mark.parametrize("ratio", [0, 300, 800, 1000])
@pytest.mark.parametrize("size", [(128, 128), (90, 123)])
def test_quantizers_off_is_the_plain_model(
    exact: QuantizedDetector, images: Tensor, facts: tuple[ImageFacts, ...], ratio: int, size: tuple[int, int]
) -> None:
    inputs = images[:, :, : size[0], : size[1]].double()
    run = exact.run(inputs, exact.plan(ratio, facts, "random"), exact.arithmetic(ArithmeticKind.FLOAT))
    with torch.no_grad():
        expected = exact.detector(inputs)
    torch.testing.assert_close(run.output, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("ratio", "bits"), [(0, 8), (1000, 4)])
def test_one_branch_alone_is_the_uniform_model_bit_for_bit(
    model: QuantizedDetector, images: Tensor, facts: tuple[ImageFacts, ...], ratio: int, bits: int
) -> None:
    run = model.run(images, model.plan(ratio, facts))
    assert torch.equal(run.output, uniform(model, images, bits))
    mixed = model.run(images, model.plan(100, facts))
    assert not torch.equal(mixed.output, run.output)


def test_the_branches_differ_and_the_output_lies_between(
    model: QuantizedDetector, images: Tensor, facts: tuple[ImageFacts, ...]
) -> None:
    with torch.no_grad():
        plain = model.detector(images)
    errors = [
        float((model.run(images, model.plan(ratio, facts)).output - plain).square().mean()) for ratio in (0, 500, 1000)
    ]
    assert errors[0] < errors[1] < errors[2]


def test_a_batch_equals_its_images_alone(
    exact: QuantizedDetector, images: Tensor, facts: tuple[ImageFacts, ...]
) -> None:
    together = exact.run(images.double(), exact.plan(400, facts, "random"))
    for index in range(len(images)):
        alone = exact.run(images[index : index + 1].double(), exact.plan(400, facts[index : index + 1], "random"))
        torch.testing.assert_close(together.output[index : index + 1], alone.output, rtol=0, atol=1e-10)
        for one, many in zip(alone.windows, together.windows, strict=True):
            assert torch.equal(one.low[0], many.low[index])


def test_groups_have_the_sizes_of_the_ratio_and_are_nested(
    model: QuantizedDetector, images: Tensor, facts: tuple[ImageFacts, ...]
) -> None:
    ratios = Ratios(((100,), (250,), (0, 500, 800)))
    windows = {(w.stage, w.block): w for w in model.run(images, model.plan(ratios, facts)).windows}
    counts = {key: {int(n) for n in w.low.sum(dim=1)} for key, w in windows.items()}
    # 128 px: maps of 32, 16 and 8 tokens are cut into 25, 9 and 4 windows; high = floor(n * (1 - ratio)).
    assert counts[0, 0] == counts[0, 1] == {25 - 22}
    assert counts[1, 0] == {9 - 6}
    assert [counts[2, block] for block in range(6)] == [{0}, {0}, {2}, {2}, {4}, {4}]
    for block in range(4):
        assert bool((windows[2, block].low <= windows[2, block + 2].low).all())


def test_the_lowest_scores_run_low_and_each_grid_ranks_once(
    model: QuantizedDetector, images: Tensor, facts: tuple[ImageFacts, ...]
) -> None:
    windows = {(w.stage, w.block): w for w in model.run(images, model.plan(400, facts)).windows}
    first = windows[0, 0]
    for scores, low in zip(first.scores, first.low, strict=True):
        assert scores[low].max() <= scores[~low].min()
    assert torch.equal(windows[2, 0].scores, windows[2, 4].scores)
    assert torch.equal(windows[2, 1].ranks, windows[2, 5].ranks)
    assert windows[0, 1].grid.shift == 3
    assert not torch.equal(windows[0, 0].scores, windows[0, 1].scores)


def test_falling_or_missing_ratios_are_refused(model: QuantizedDetector) -> None:
    with pytest.raises(InputError, match="must not fall"):
        Ratios(((0,), (0,), (400, 200, 200)))
    with pytest.raises(InputError, match="block pairs"):
        model.plan(Ratios(((0,), (0,))), ())
    with pytest.raises(InputError, match="out of range"):
        model.plan(900, ())
