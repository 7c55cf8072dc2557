"""Reconstructing a quantized model block by block, from the first to the last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from mixarray_traces.model.kinds import Model
from mixarray_traces.model.swin import SwinBlock
from mixarray_traces.quantization.aiqvit_options import AiqvitOptions, BlockInputs, SoftmaxCodes
from mixarray_traces.quantization.arithmetic import Arithmetic, ArithmeticKind
from mixarray_traces.quantization.low_rank import LowRank
from mixarray_traces.quantization.network import blocks_of, named_weights, stages_of
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.rank_search import search_ranks
from mixarray_traces.quantization.reconstruction import BlockTask, Chooser, train
from mixarray_traces.quantization.running import embed, merge
from mixarray_traces.quantization.settle import Settled, settle
from mixarray_traces.quantization.two_branch import Branch, run_block

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Maps:
    """What stands before a block, a map (1, height, width, C) per image: of the float model, and of both branches."""

    exact: list[Tensor]
    quantized: dict[int, list[Tensor]]


@torch.no_grad()
def reconstruct_blocks(
    model: QuantizedDetector,
    options: AiqvitOptions,
    images: Sequence[Tensor],
    choose: Chooser,
    progress: Progress | None = None,
) -> QuantizedDetector:
    """Train the low-rank weights and intervals of every block on `images` (1, 3, height, width).

    The targets are the float model's maps. `choose` gives weights their steps. The seed is that of the calibration.
    """
    network, other = model.network, model.options.other_bits
    exact, fake = model.products(ArithmeticKind.FLOAT), model.products()
    high, low = model.options.high_bits, model.options.low_bits
    first = [embed(network, one, fake, other)[0] for one in images]
    maps = Maps([embed(network, one, exact, other)[0] for one in images], {high: first, low: list(first)})
    weights, calibration, low_rank = named_weights(network), model.calibration, dict[str, LowRank]()
    layers, total, done = model.options.layer_bits, sum(model.depths), 0
    for stage, blocks in enumerate(map(blocks_of, stages_of(network))):
        if stage:
            merged = partial(_merged, network, stage - 1, other)
            maps = Maps(
                [merged(exact, one) for one in maps.exact],
                {branch: [merged(fake, one) for one in found] for branch, found in maps.quantized.items()},
            )
        for number, block in enumerate(blocks):
            name = f"stages.{stage}.blocks.{number}"
            own = {operator: one for operator, one in weights.items() if operator.startswith(f"{name}.")}
            targets = [_run(block, name, exact, high, one) for one in maps.exact]
            float_inputs = options.block_inputs is BlockInputs.FLOAT
            inputs = dict.fromkeys(maps.quantized, maps.exact) if float_inputs else maps.quantized
            task = BlockTask(block, name, inputs, targets, own, calibration, options, layers, choose)
            settled = reconstruct(task, _seed(model.options.seed, done))
            low_rank |= settled.low_rank
            calibration = settled.calibration
            after = partial(_run, block, name, settled.arithmetic(task))
            maps = Maps(targets, {branch: [after(branch, one) for one in m] for branch, m in maps.quantized.items()})
            done += 1
            if progress:
                progress(done, total)
    return replace(model, calibration=calibration, low_rank=low_rank, _arithmetics={})


@torch.enable_grad()
def reconstruct(task: BlockTask, seed: int) -> Settled:
    """Find the ranks, where the options ask for a search, train, and quantize what was trained.

    A search may find no rank at all; without an interval there is nothing to train then.
    """
    rank = task.options.rank
    ranks = search_ranks(task, seed) if rank is None else dict.fromkeys(task.weights, rank)
    if task.options.softmax is SoftmaxCodes.BASE and not any(ranks.values()):
        return Settled.unchanged(task)
    return settle(task, train(task, ranks, seed))


def _run(block: SwinBlock, name: str, arithmetic: Arithmetic, branch: int, features: Tensor) -> Tensor:
    grid = block.grid(*features.shape[1:3])
    everyone = Branch(branch, torch.arange(len(features) * grid.count))
    return run_block(block, name, features, grid, (everyone,), arithmetic)


def _merged(network: Model, stage: int, branch: int, arithmetic: Arithmetic, features: Tensor) -> Tensor:
    return merge(network, stage, features, arithmetic, branch)[0]


def _seed(seed: int, block: int) -> int:
    """A seed of its own for every block."""
    return int(np.random.SeedSequence((seed, block)).generate_state(1)[0])
