"""Pruned windows, promotion and whole-block padding in the model: bit for bit, and each with a fault it must catch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from mixarray.trace.padding import Padding
from mixarray.trace.ratio import Promotion
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.model.swin import SwinBlock, normalise
from mixarray_traces.model.windows import from_windows, to_windows
from mixarray_traces.quantization.arithmetic import ArithmeticKind
from mixarray_traces.quantization.network import BlockStep, BlockWindows, NetworkRun
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.ratios import AnyRatios, RatioChoice, Ratios
from mixarray_traces.quantization.two_branch import Branch, run_block
from mixarray_traces.quantization.window_rows import PADDED, window_rows

Facts = tuple[ImageFacts, ...]
PRUNING = Ratios(((300,), (200,), (0, 400, 200)), ((100,), (300,), (0, 200, 500)))


def steps_of(model: QuantizedDetector, images: Tensor, ratios: AnyRatios, facts: Facts) -> list[BlockStep]:
    steps: list[BlockStep] = []
    model.run(images, model.plan(ratios, facts, "random"), watch=steps.append)
    return steps


def rows_of(windows: BlockWindows, chosen: Tensor) -> Tensor:
    """Rows of the flat map that hold the real tokens of the chosen windows, (images, windows) bool."""
    image, window = chosen.nonzero(as_tuple=True)
    rows = window_rows(windows.grid)[window]
    flat = rows + (image * windows.grid.height * windows.grid.width).unsqueeze(1)
    return flat[rows != PADDED]


def identity_violation(step: BlockStep) -> str:
    """A pruned window whose output is not its input, or another window whose output is, or nothing."""
    before, after = (part.flatten(0, 2) for part in (step.before, step.after))
    pruned, kept = (rows_of(step.windows, part) for part in (step.windows.pruned, ~step.windows.pruned))
    if not torch.equal(before[pruned], after[pruned]):
        return f"{step.name}: a pruned window changed"
    return f"{step.name}: a kept token did not change" if (before[kept] == after[kept]).all(dim=1).any() else ""


def test_pruned_windows_keep_their_input_bit_for_bit(model: QuantizedDetector, images: Tensor, facts: Facts) -> None:
    steps = steps_of(model, images, PRUNING, facts)
    assert [identity_violation(step) for step in steps] == [""] * 10
    # 25, 9 and 4 windows: floor(25 * 0.9) = 22, floor(9 * 0.7) = 6 and floor(4 * 0.8), floor(4 * 0.5) are kept
    counts = [int(step.windows.pruned.sum()) // len(images) for step in steps]
    assert counts == [3, 3, 3, 3, 0, 0, 1, 1, 2, 2]


@torch.no_grad()
def test_pruned_windows_that_run_low_are_noticed(model: QuantizedDetector, images: Tensor, facts: Facts) -> None:
    step = steps_of(model, images, PRUNING, facts)[0]
    everyone = Branch(4, torch.arange(step.windows.pruned.numel()))
    after = run_block(step.module, step.name, step.before, step.windows.grid, (everyone,), model.arithmetic())
    assert "a pruned window changed" in identity_violation(replace(step, after=after))
    assert "did not change" in identity_violation(replace(step, after=step.before))


def test_a_block_of_pruned_windows_is_the_identity(model: QuantizedDetector, images: Tensor, facts: Facts) -> None:
    ratios = Ratios(((0,), (0,), (0, 0, 0)), ((0,), (1000,), (0, 0, 1000)))
    for step in steps_of(model, images, ratios, facts):
        whole = bool(step.windows.pruned.all())
        assert whole == (step.name[7] == "1" or step.name.endswith(("2.blocks.4", "2.blocks.5")))
        assert torch.equal(step.before, step.after) == whole


@pytest.mark.parametrize("ratio", [0, 400, 1000])
def test_nothing_pruned_is_the_model_as_it_was(
    model: QuantizedDetector, images: Tensor, facts: Facts, ratio: int
) -> None:
    """Also where promotion by ratios is allowed but none occurs."""
    plain = model.run(images, model.plan(ratio, facts))
    explicit = Ratios(*(Ratios.uniform(part, model.depths).compression for part in (ratio, 0)), Promotion.RATIOS)
    for same in (RatioChoice(ratio, 0), explicit):
        assert torch.equal(model.run(images, model.plan(same, facts)).output, plain.output)
    if ratio < 1000:
        pruned = model.run(images, model.plan(RatioChoice(ratio, 100), facts))
        assert not torch.equal(pruned.output, plain.output)


def nested_violation(run: NetworkRun) -> str:
    """A window that runs better in a later block on the same grid of its stage, or nothing."""
    worst: dict[tuple[int, bool], Tensor] = {}
    for seen in run.windows:
        level = seen.low.long() + 2 * seen.pruned.long()
        key = seen.stage, seen.grid.shift > 0
        before = worst.get(key, level)
        if bool((level < before).any()):
            return f"stage {seen.stage} block {seen.block}"
        worst[key] = torch.maximum(level, before)
    return ""


def test_sets_are_nested_on_both_grids(model: QuantizedDetector, images: Tensor, facts: Facts) -> None:
    ratios = Ratios(((300,), (200,), (250, 500, 250)), ((100,), (300,), (0, 0, 500)))
    run = model.run(images, model.plan(ratios, facts))
    assert nested_violation(run) == ""
    assert {seen.grid.shift for seen in run.windows if seen.stage == 2} == {0, 3}


@pytest.mark.parametrize(
    ("ratios", "promotion", "where"),
    [
        (((250, 500, 250), (0, 250, 0)), Promotion.RATIOS, "stage 2 block 4"),
        (((500, 500, 500), (0, 0, 0)), Promotion.RATIOS, ""),
        (((500, 500, 500), (0, 0, 0)), Promotion.RANKING, "stage 2 block"),
    ],
)
def test_promotion_happens_where_it_is_allowed(
    model: QuantizedDetector,
    images: Tensor,
    facts: Facts,
    ratios: tuple[tuple[int, ...], tuple[int, ...]],
    promotion: Promotion,
    where: str,
) -> None:
    low, pruned = ratios
    asked = Ratios(((0,), (0,), low), ((0,), (0,), pruned), promotion)
    found = nested_violation(model.run(images, model.plan(asked, facts, "l2")))
    assert found.startswith(where) if where else found == ""


def test_every_block_ranks_its_own_input_where_ranking_promotes(
    model: QuantizedDetector, images: Tensor, facts: Facts
) -> None:
    def scores(promotion: Promotion) -> dict[tuple[int, int], Tensor]:
        run = model.run(images, model.plan(RatioChoice(400, 0, promotion), facts, "l2"))
        return {(seen.stage, seen.block): seen.scores for seen in run.windows}

    once, anew = scores(Promotion.RATIOS), scores(Promotion.RANKING)
    assert torch.equal(once[0, 0], anew[0, 0])
    assert not torch.equal(once[0, 1], anew[0, 1])
    assert torch.equal(once[2, 0], once[2, 4])
    assert not torch.equal(anew[2, 0], anew[2, 4])


def whole_block(block: SwinBlock, x: Tensor) -> Tensor:
    """SparseViT's order on a whole map, written anew: pad, roll, cut, then the block on windows alone."""
    grid = block.grid(x.shape[1], x.shape[2])
    windows = to_windows(x, grid)
    windows = windows + block.attn(normalise(block.norm1, windows), block.attention_bias(grid))
    windows = windows + block.mlp(normalise(block.norm2, windows))
    return from_windows(windows, grid)


Runner = Callable[[SwinBlock, Tensor, Padding], Tensor]


def padding_violation(run: Runner, block: SwinBlock, x: Tensor) -> float:
    """The largest difference to SparseViT's order."""
    with torch.no_grad():
        return float((run(block, x, Padding.BLOCK) - whole_block(block, x)).abs().max())


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("side", [(16, 10), (14, 14)])
def test_whole_block_padding_is_sparsevits(exact: QuantizedDetector, side: tuple[int, int], number: int) -> None:
    block = exact.detector.backbone.layers[0].blocks[number]  # type: ignore[union-attr, index]
    assert isinstance(block, SwinBlock)
    x = torch.randn(2, *side, 32, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    arithmetic, grid = exact.arithmetic(ArithmeticKind.FLOAT), block.grid(*side)

    def run(module: SwinBlock, features: Tensor, padding: Padding) -> Tensor:
        branches = tuple(Branch(8, torch.arange(part, 2 * grid.count, 2)) for part in range(2))
        return run_block(module, f"stages.0.blocks.{number}", features, grid, branches, arithmetic, padding)

    assert padding_violation(run, block, x) < 1e-12
    attention_only = padding_violation(lambda module, features, _: run(module, features, Padding.ATTENTION), block, x)
    padded = side != (14, 14)
    assert (attention_only > 1e-3) == padded
    with torch.no_grad():
        assert float((run(block, x, Padding.ATTENTION) - block(x)).abs().max()) < 1e-12


def test_whole_block_padding_prunes_and_quantizes_alike(model: QuantizedDetector, images: Tensor, facts: Facts) -> None:
    plan = model.plan(PRUNING, facts, "random", Padding.BLOCK)
    steps: list[BlockStep] = []
    run = model.run(images, plan, watch=steps.append)
    assert [identity_violation(step) for step in steps] == [""] * 10
    assert not torch.equal(run.output, model.run(images, model.plan(PRUNING, facts, "random")).output)
