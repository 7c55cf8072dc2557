"""What a bundle holds, as numbers: the answer of `mixarray inspect`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from mixarray.trace.baseline import ratio_zero_workload
from mixarray.trace.bops import bops
from mixarray.trace.bundle import Bundle
from mixarray.trace.padding import WHOLE_BLOCK_NOTE, Padding


@dataclass(frozen=True, slots=True)
class StageSummary:
    """Windows of one stage over all its blocks and images: number, share by activation bits, mean score."""

    stage: int
    blocks: int
    windows_per_block: int
    windows_by_bits: tuple[tuple[int, int], ...]
    mean_score: float


@dataclass(frozen=True, slots=True)
class LayerSummary:
    """A tensor with bits of its own: an activation's by branch, the high one first, or those of a weight."""

    tensor: str
    bits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BundleSummary:
    """The facts of a bundle. `macs` are those of the first image; `bops_speedup` is that of all images together.

    `precision` is that of the layers that are not in `layers`.
    """

    model: str
    model_source: str
    method: str
    precision: str
    input_height: int
    input_width: int
    images: int
    score: str
    score_note: str
    seed: int
    derived: str
    ratio: float
    ratio_actual: float
    pruning: float
    pruning_actual: float
    promotion: str
    padding: str
    bops_speedup: float
    distinct_workloads: int
    operators: int
    operators_by_kind: tuple[tuple[str, int], ...]
    macs: int
    recorded_tensor_files: int
    stages: tuple[StageSummary, ...]
    layers: tuple[LayerSummary, ...]
    sha256: str
    git_revision: str


def inspect_bundle(bundle: Bundle) -> BundleSummary:
    """Summarize a bundle that was read (and so checked)."""
    manifest = bundle.manifest
    distinct = bundle.distinct_workloads()
    reference = ratio_zero_workload(bundle)
    run = sum(bops(workload) * len(images) for workload, images in distinct)
    kinds = Counter(op.kind.value for op in bundle.topology.operators)
    branches = manifest.activation_bits_high, manifest.activation_bits_low
    return BundleSummary(
        model=manifest.model,
        model_source=manifest.model_source.value,
        method=manifest.method,
        precision="/".join(f"W{manifest.weight_bits}A{bits}" for bits in branches),
        input_height=manifest.input_height,
        input_width=manifest.input_width,
        images=len(bundle.images),
        score=manifest.score,
        score_note=manifest.score_note,
        seed=manifest.seed,
        derived=manifest.derived.value,
        ratio=manifest.ratio_thousandths / 1000,
        ratio_actual=bundle.ratio_actual,
        pruning=manifest.pruning_thousandths / 1000,
        pruning_actual=bundle.pruning_actual,
        promotion=manifest.promotion.value,
        padding=manifest.padding.value + (f" ({WHOLE_BLOCK_NOTE})" if manifest.padding is Padding.BLOCK else ""),
        bops_speedup=bops(reference) * len(bundle.images) / run,
        distinct_workloads=len(distinct),
        operators=len(bundle.topology.operators),
        operators_by_kind=tuple(sorted(kinds.items())),
        macs=bundle.workload(0).macs,
        recorded_tensor_files=sum(name.startswith("tensors/") for name in manifest.files),
        stages=_stages(bundle),
        layers=_layers(bundle),
        sha256=bundle.sha256,
        git_revision=manifest.git_revision,
    )


def _stages(bundle: Bundle) -> tuple[StageSummary, ...]:
    table = bundle.windows
    found = []
    for stage in np.unique(table.stage):
        rows = table.stage == stage
        bits, counts = np.unique(table.bits[rows], return_counts=True)
        blocks = len(np.unique(table.block[rows]))
        found.append(
            StageSummary(
                stage=int(stage),
                blocks=blocks,
                windows_per_block=int(table.window[rows].max()) + 1,
                windows_by_bits=tuple((int(b), int(c)) for b, c in zip(bits[::-1], counts[::-1], strict=True)),
                mean_score=float(table.score[rows].mean()),
            )
        )
    return tuple(found)


def _layers(bundle: Bundle) -> tuple[LayerSummary, ...]:
    """The tensors that the manifest gives bits of their own, in the order of the topology."""
    given = bundle.manifest.allocation
    if given is None:
        return ()
    named = {*given.activations, *(f"{operator}.weight" for operator in given.weights)}
    bits: dict[str, list[int]] = {}
    for tensor in sorted(bundle.topology.tensors, key=lambda one: (one.tensor, -one.window_bits)):
        if tensor.name in named:
            bits.setdefault(tensor.name, []).append(tensor.bits)
    return tuple(LayerSummary(name, tuple(found)) for name, found in bits.items())
