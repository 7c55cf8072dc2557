"""Block reconstruction: low-rank weights and softmax intervals trained so that a quantized block gives the float one's
output (BRECQ, Li et al., ICLR 2021; used by AIQViT as methods reference 6a says).

Everything else stays as calibration chose it. A guess: rounding passes gradients straight through, also where a value
is clipped; branches take turns, iteration by iteration, each loss in units of its branch's first; on a side path A and
B are trained without being quantized, which happens behind the training. Ours: A begins as a seeded normal of deviation
1 / sqrt(inputs), B as zero, so that training starts at the block as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

import torch
from torch import Tensor
from torch.nn import functional

from mixarray_traces.model.swin import SwinBlock
from mixarray_traces.quantization.aiqvit_options import AiqvitOptions, Compensation
from mixarray_traces.quantization.allocation import LayerBits
from mixarray_traces.quantization.arithmetic import Arithmetic, Calibration, FakeArithmetic, Weight
from mixarray_traces.quantization.curriculum import Curriculum, make_curriculum
from mixarray_traces.quantization.interval import IntervalLearner, IntervalParams
from mixarray_traces.quantization.low_rank import LowRank
from mixarray_traces.quantization.quantizers import ActivationQuantizer, WeightQuantizer
from mixarray_traces.quantization.two_branch import Branch, run_block

Chooser = Callable[[str, Tensor], WeightQuantizer]
"""The quantizer of a weight: (operator, matrix (outputs, inputs))."""


@dataclass(frozen=True)
class BlockTask:
    """A block to be reconstructed.

    inputs: by branch, a map (1, height, width, C) per image. targets: what the float block gives, per image. weights:
    the float parameters of its linear operators. layers: the model's bits. choose: the rule for the steps of weights.
    """

    block: SwinBlock
    name: str
    inputs: Mapping[int, Sequence[Tensor]]
    targets: Sequence[Tensor]
    weights: Mapping[str, Weight]
    calibration: Calibration
    options: AiqvitOptions
    layers: LayerBits
    choose: Chooser

    @property
    def merges(self) -> bool:
        """Whether B A goes into the weights before they are quantized."""
        return self.options.compensation is Compensation.MERGED

    @cached_property
    def quantized(self) -> dict[str, Tensor]:
        """The weights as calibration quantized them."""
        return {name: rounded_weight(one.matrix, self.calibration.weights[name]) for name, one in self.weights.items()}

    @cached_property
    def start(self) -> Arithmetic:
        """The block as calibration left it."""
        return FakeArithmetic(self.weights, self.calibration)

    def run(self, numbers: Sequence[int], branch: int, arithmetic: Arithmetic) -> Iterator[tuple[Tensor, Tensor]]:
        """(output, target) of images `numbers`, all windows in one branch; images of one size run together."""
        by_size: dict[torch.Size, list[int]] = {}
        for number in numbers:
            by_size.setdefault(self.targets[number].shape, []).append(number)
        for size, alike in by_size.items():
            inputs = torch.cat([self.inputs[branch][number] for number in alike])
            grid = self.block.grid(size[1], size[2])
            everyone = Branch(branch, torch.arange(len(alike) * grid.count))
            output = run_block(self.block, self.name, inputs, grid, (everyone,), arithmetic)
            yield output, torch.cat([self.targets[number] for number in alike])

    def loss(self, numbers: Sequence[int], branch: int, arithmetic: Arithmetic) -> Tensor:
        """Mean squared error over all elements of the images."""
        pairs = list(self.run(numbers, branch, arithmetic))
        total = torch.stack([functional.mse_loss(output, target, reduction="sum") for output, target in pairs]).sum()
        return total / sum(target.numel() for _, target in pairs)

    @cached_property
    @torch.no_grad()
    def first_losses(self) -> dict[int, list[float]]:
        """By branch and image, of the block as calibration left it."""
        images = range(len(self.targets))
        return {branch: [float(self.loss([one], branch, self.start)) for one in images] for branch in self.inputs}

    @cached_property
    def scales(self) -> dict[int, float]:
        """By branch, what its loss is divided by while it is trained, so that branches weigh alike."""
        return {branch: max(sum(found) / len(found), 1e-12) for branch, found in self.first_losses.items()}

    def curriculum(self, numbers: Sequence[int], total: int) -> Curriculum:
        """Of `total` iterations over images `numbers`."""
        losses = [sum(branches) for branches in zip(*self.first_losses.values(), strict=True)]
        return make_curriculum(losses, numbers, self.options, total)


@dataclass(frozen=True)
class Learned:
    """What is trained: by operator, A (r, inputs) and B (outputs, r); by (tensor, branch), intervals."""

    a: Mapping[str, Tensor]
    b: Mapping[str, Tensor]
    intervals: Mapping[tuple[str, int], IntervalLearner]

    @classmethod
    def begin(cls, task: BlockTask, ranks: Mapping[str, int], generator: torch.Generator) -> Learned:
        """As training starts; operators of rank 0 have no A and B."""
        a, b = dict[str, Tensor](), dict[str, Tensor]()
        for name, rank in ranks.items():
            if rank:
                outputs, inputs = task.weights[name].matrix.shape
                a[name] = (torch.randn(rank, inputs, generator=generator) * inputs**-0.5).requires_grad_()
                b[name] = torch.zeros(outputs, rank, requires_grad=True)
        intervals = {
            key: IntervalLearner.of(quantizer)
            for key, quantizer in task.calibration.activations.items()
            if key[0].startswith(f"{task.name}.") and isinstance(quantizer, IntervalParams)
        }
        return cls(a, b, intervals)

    def parameters(self) -> list[Tensor]:
        """All leaves."""
        borders = [border for one in self.intervals.values() for border in (one.low, one.high)]
        return [*self.a.values(), *self.b.values(), *borders]

    def low_rank(self, bits: int) -> dict[str, LowRank]:
        """The matrices as they stand now."""
        return {name: LowRank(a.detach().clone(), self.b[name].detach().clone(), bits) for name, a in self.a.items()}


class LearningArithmetic:
    """A block's products with gradients for what is learned; lives for one step.

    `gates` (r,) by operator weigh the columns of B (`rank_search.py`).
    """

    def __init__(self, task: BlockTask, learned: Learned, gates: Mapping[str, Tensor] | None = None) -> None:
        self._task = task
        self._learned = learned
        self._gates = gates or {}

    def linear(self, name: str, inputs: Tensor, branch: int) -> Tensor:
        """See `Arithmetic.linear`."""
        task, values = self._task, self._quantized(f"{name}.input", inputs, branch)
        bias, a, b = task.weights[name].bias, self._learned.a.get(name), self._learned.b.get(name)
        if a is None or b is None:
            return functional.linear(values, task.quantized[name], bias)
        b = b * self._gates[name] if name in self._gates else b
        if not task.merges:
            main = functional.linear(values, task.quantized[name], bias)
            return main + functional.linear(functional.linear(values, a), b)
        matrix = task.weights[name].matrix + b @ a
        rounding = rounded_weight(matrix.detach(), task.calibration.weights[name]) - matrix.detach()
        return functional.linear(values, matrix + rounding, bias)

    def matmul(self, name: str, left: Tensor, right: Tensor, branch: int) -> Tensor:
        """See `Arithmetic.matmul`."""
        return self._quantized(f"{name}.left", left, branch) @ self._quantized(f"{name}.right", right, branch)

    def _quantized(self, tensor: str, values: Tensor, branch: int) -> Tensor:
        if (tensor, branch) in self._learned.intervals:
            return self._learned.intervals[tensor, branch].values(values)
        quantizer = self._task.calibration.activations[tensor, branch]
        return values + (_rounded(values.detach(), quantizer) - values.detach())


def train(task: BlockTask, ranks: Mapping[str, int], seed: int) -> Learned:
    """Train matrices of these ranks by operator, and the intervals, for the iterations of the options."""
    options, random = task.options, Random(seed)
    learned = Learned.begin(task, ranks, torch.Generator().manual_seed(seed))
    optimizer = torch.optim.Adam(learned.parameters(), options.learning_rate)
    curriculum = task.curriculum(range(len(task.targets)), options.iterations)
    branches = tuple(task.inputs)
    for iteration in range(options.iterations):
        numbers = curriculum.draw(iteration, options.batch, random)
        step(optimizer, task, learned, numbers, branches[iteration % len(branches)])
    return learned


def step(
    optimizer: torch.optim.Optimizer,
    task: BlockTask,
    learned: Learned,
    numbers: Sequence[int],
    branch: int,
    gates: Mapping[str, Tensor] | None = None,
) -> None:
    """One step of an optimizer on images `numbers`, all windows in one branch."""
    optimizer.zero_grad()
    loss = task.loss(numbers, branch, LearningArithmetic(task, learned, gates)) / task.scales[branch]
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    for interval in learned.intervals.values():
        interval.keep_open()


def rounded_weight(matrix: Tensor, quantizer: WeightQuantizer) -> Tensor:
    """The quantized weight (outputs, inputs)."""
    return quantizer.multiplicands(matrix) * quantizer.steps.to(matrix).unsqueeze(1)


def _rounded(values: Tensor, quantizer: ActivationQuantizer) -> Tensor:
    step = quantizer.step
    return quantizer.multiplicands(values) * (step.to(values) if isinstance(step, Tensor) else step)
