"""Signal to quantization noise of every window, by stage and branch, in dB.

The signal is a block's output in float, the noise what the quantized block's output differs from it, both summed over
the real tokens and all channels of a window. Against which float output is not said in any source on MixA-Q (it prints
6.9 to 13.7 dB per stage): both readings are here, `Reference`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixarray.errors import InputError
from mixarray.trace.padding import Padding
from mixarray_traces.data.canvas import open_source
from mixarray_traces.data.items import Split
from mixarray_traces.detection.evaluate import EVALUATION_SIZE
from mixarray_traces.evaluation import Progress
from mixarray_traces.importance.context import sums_over_windows
from mixarray_traces.importance.default import DEFAULT_SCORE
from mixarray_traces.quantization.arithmetic import Arithmetic, ArithmeticKind
from mixarray_traces.quantization.network import BlockStep, Plan
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.ratios import AnyRatios, Ratios
from mixarray_traces.quantization.two_branch import Branch, run_block
from mixarray_traces.record.recorder import image_facts


class Reference(StrEnum):
    """What a block's quantized output is held against.

    NETWORK: the float network's output at the same block, nothing pruned: errors of all earlier blocks count. BLOCK:
    the float block on the quantized network's own input: this block's errors alone.
    """

    NETWORK = "network"
    BLOCK = "block"


class WindowBranch(StrEnum):
    """How a window ran."""

    HIGH = "high"
    LOW = "low"
    PRUNED = "pruned"


@dataclass(frozen=True, slots=True)
class SqnrRow:
    """The windows of one stage that ran in one branch, over all its blocks and images.

    sqnr_db: mean over windows of 10 log10(signal / noise); pooled_db: the same of the sums over windows. windows: how
    many; exact: those without noise, left out of sqnr_db (NaN where all are exact; pooled_db is then infinite).
    """

    reference: Reference
    stage: int
    branch: WindowBranch
    sqnr_db: float
    pooled_db: float
    windows: int
    exact: int
    images: int


Floats = NDArray[np.float64]
Key = tuple[Reference, int, WindowBranch]
"""Reference, stage, branch."""


@dataclass(frozen=True, slots=True)
class WindowEnergies:
    """Signal and noise of the windows of one block that ran in one branch, (windows,) each: sums of squares."""

    key: Key
    signal: Floats
    noise: Floats


@torch.no_grad()
def sqnr_rows(
    model: QuantizedDetector,
    ratio: AnyRatios,
    n: int = 16,
    size: int = EVALUATION_SIZE,
    split: Split = Split.TEST,
    seed: int = 0,
    score: str = DEFAULT_SCORE,
    references: Sequence[Reference] = tuple(Reference),
    padding: Padding = Padding.ATTENTION,
    progress: Progress | None = None,
) -> list[SqnrRow]:
    """SQNR per reference, stage and branch over the first n canvases of a stream, one canvas at a time.

    Branches without windows have no row. Raises InputError for a ratio or score that is not allowed.
    """
    if n < 1:
        raise InputError("study", f"{n} canvases; at least 1", "n")
    source = open_source(split)
    found: dict[Key, list[WindowEnergies]] = {}
    for index in range(n):
        canvas = source.draw(seed, index, size)
        plan = model.plan(ratio, (image_facts(seed, index, canvas.boxes),), score, padding)
        for part in window_energies(model, model.detector.to_input(canvas.image[None]), plan, references):
            found.setdefault(part.key, []).append(part)
        if progress:
            progress(index + 1, n)
    return [_row(key, parts, n) for key, parts in sorted(found.items(), key=lambda item: _order(item[0]))]


@torch.no_grad()
def window_energies(
    model: QuantizedDetector,
    images: Tensor,
    plan: Plan,
    references: Sequence[Reference],
    arithmetic: ArithmeticKind = ArithmeticKind.FAKE,
) -> list[WindowEnergies]:
    """Every window of a run, block by block; branches without windows are left out."""
    exact = model.arithmetic(ArithmeticKind.FLOAT)
    network = _float_maps(model, images, plan, exact) if Reference.NETWORK in references else {}
    found: list[WindowEnergies] = []

    def watch(step: BlockStep) -> None:
        for reference in references:
            expected = network[step.name] if reference is Reference.NETWORK else _float_block(step, plan, exact)
            signal, noise = _energies(expected, step), _energies(step.after - expected, step)
            for branch, chosen in _branches(step).items():
                if chosen.any():
                    key = reference, step.windows.stage, branch
                    found.append(WindowEnergies(key, signal[chosen], noise[chosen]))

    model.run(images, plan, model.arithmetic(arithmetic), watch)
    return found


def decibels(signal: Floats, noise: Floats) -> Floats:
    """10 log10(signal / noise), element by element: infinite without noise, NaN without either."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(10 * np.log10(signal / noise), np.float64)


def _float_maps(model: QuantizedDetector, images: Tensor, plan: Plan, exact: Arithmetic) -> dict[str, Tensor]:
    """Every block's output in the float network, nothing pruned, by the block's name."""
    maps: dict[str, Tensor] = {}

    def keep(step: BlockStep) -> None:
        maps[step.name] = step.after

    model.run(images, replace(plan, ratios=Ratios.uniform(0, model.depths)), exact, keep)
    return maps


def _float_block(step: BlockStep, plan: Plan, exact: Arithmetic) -> Tensor:
    """The block in float on the input that it had."""
    grid = step.windows.grid
    everyone = Branch(plan.high_bits, torch.arange(len(step.before) * grid.count, device=step.before.device))
    return run_block(step.module, step.name, step.before, grid, (everyone,), exact, plan.padding)


def _energies(values: Tensor, step: BlockStep) -> Floats:
    """Sums of squares over the real tokens of every window, (images, windows)."""
    energy = sums_over_windows(values.double().square().sum(dim=-1), step.windows.grid)
    return np.asarray(energy.cpu().numpy(), np.float64)


def _branches(step: BlockStep) -> dict[WindowBranch, NDArray[np.bool_]]:
    low, pruned = step.windows.low.cpu().numpy(), step.windows.pruned.cpu().numpy()
    return {WindowBranch.HIGH: ~(low | pruned), WindowBranch.LOW: low, WindowBranch.PRUNED: pruned}


def _order(key: Key) -> tuple[int, int, int]:
    reference, stage, branch = key
    return list(Reference).index(reference), stage, list(WindowBranch).index(branch)


def _row(key: Key, parts: Sequence[WindowEnergies], images: int) -> SqnrRow:
    signal = np.concatenate([part.signal for part in parts])
    noise = np.concatenate([part.noise for part in parts])
    noisy = noise > 0
    values = decibels(signal[noisy], noise[noisy])
    mean = float(values.mean()) if len(values) else float("nan")
    pooled = float(decibels(signal.sum(keepdims=True), noise.sum(keepdims=True))[0])
    return SqnrRow(*key, mean, pooled, len(signal), int((~noisy).sum()), images)
