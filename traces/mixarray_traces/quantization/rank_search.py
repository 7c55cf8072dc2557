"""How much rank each linear operator of a block gets: a differentiable search (inspired by AIQViT, methods 6a).

Known: the rank is chosen per layer by differentiable architecture search. A guess (tagged [INF] there): a mixture of
truncated B A, of every candidate the first r columns, weighted by a softmax of architecture weights; these are trained
on one half of the calibration images, B and A on the other; the largest weight wins, and B and A are trained anew.
Ours: the two kinds of step take turns; the softmax has a fixed temperature; nothing in the loss speaks for small ranks,
so a rank below the largest candidate wins by generalising to the other half.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

import torch
from torch import Tensor

from mixarray_traces.quantization.aiqvit_options import AiqvitOptions
from mixarray_traces.quantization.reconstruction import BlockTask, Learned, step


def search_ranks(task: BlockTask, seed: int) -> dict[str, int]:
    """The rank of every linear operator of a block, of the options' candidates; ties go to the smaller one."""
    options, random = task.options, Random(seed)
    learned = Learned.begin(task, dict.fromkeys(task.weights, options.ranks[-1]), torch.Generator().manual_seed(seed))
    logits = {name: torch.zeros(len(options.ranks), requires_grad=True) for name in task.weights}
    for_weights = torch.optim.Adam(learned.parameters(), options.learning_rate)
    for_ranks = torch.optim.Adam(logits.values(), options.rank_learning_rate)
    count, branches = len(task.targets), tuple(task.inputs)
    first, second = task.curriculum(range(0, count, 2), options.search_iterations), range(1, count, 2)
    for iteration in range(options.search_iterations):
        branch = branches[iteration % len(branches)]
        numbers = first.draw(iteration, options.batch, random)
        step(for_weights, task, learned, numbers, branch, _detached(all_gates(logits, options)))
        numbers = sorted(random.sample(second, min(options.batch, len(second))))
        step(for_ranks, task, learned, numbers, branch, all_gates(logits, options))
    return {name: options.ranks[int(one.argmax())] for name, one in logits.items()}


def all_gates(logits: Mapping[str, Tensor], options: AiqvitOptions) -> dict[str, Tensor]:
    """`gates` of every operator."""
    temperature = options.temperature_thousandths / 1000
    return {name: gates(one, options.ranks, temperature) for name, one in logits.items()}


def gates(logits: Tensor, ranks: Sequence[int], temperature: float) -> Tensor:
    """What the mixture multiplies each of the first ranks[-1] columns of B by, (ranks[-1],).

    Column j belongs to all candidates above j, so its factor is the sum of their weights.
    """
    weights = torch.softmax(logits / temperature, dim=0)
    columns = torch.arange(ranks[-1]).unsqueeze(1)
    return ((columns < torch.tensor(ranks)) * weights).sum(dim=1)


def _detached(found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: one.detach() for name, one in found.items()}
