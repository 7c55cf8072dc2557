"""A bundle from a shape alone: untrained weights, windows chosen at random, no model run. No torch.

Cycles depend on the sizes of the groups only, so such a trace serves for latency and energy; it has no accuracy.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mixarray.provenance import git_revision, package_versions
from mixarray.trace.bundle import write_bundle
from mixarray.trace.manifest import SCHEMA_VERSION, AllocatedBits, Derived, Manifest, ModelSource
from mixarray.trace.model import Role, Topology
from mixarray.trace.padding import Padding
from mixarray.trace.windows import WindowTable
from mixarray_traces.importance.order import random_scores, rank_windows
from mixarray_traces.quantization.allocation import Allocation
from mixarray_traces.quantization.ratios import AnyRatios, Ratios, ratios_at
from mixarray_traces.record.graph import IMAGE, UNCALIBRATED, WEIGHT, Precision, Quantizers
from mixarray_traces.record.shape import ClassifierShape, SwinShape
from mixarray_traces.record.table import TableBuilder
from mixarray_traces.record.topology import block_grids, build_topology

RANDOM_NOTE = "random window choice: no model ran, weights are untrained, accuracy does not apply"


def random_bundle(
    shape: SwinShape,
    height: int,
    width: int,
    ratio: AnyRatios,
    seed: int,
    path: Path | str,
    force: bool = False,
    classes: int | None = None,
    precision: Precision | None = None,
    padding: Padding = Padding.ATTENTION,
    quantizers: Quantizers = UNCALIBRATED,
) -> Path:
    """Write the bundle of one image of height x width px at a ratio in thousandths; `classes` adds a classifier head.

    The windows stand in for those that a score would choose: the work of the default score is part of the topology.
    Raises InputError for a ratio or size that is not allowed, an allocation of
    layers that do not exist, or where `path` exists.
    """
    chosen = precision or Precision()
    ratios = ratios_at(ratio, shape.depths)
    head = None if classes is None else ClassifierShape(classes)
    network = shape, height, width, head, chosen, quantizers
    topology = build_topology(*network, padding=padding, promotion=ratios.promotion)
    if chosen.allocation is not None:
        _check_names(chosen.allocation, topology)
    own = chosen.layer_bits.needed()
    manifest = Manifest(
        schema_version=SCHEMA_VERSION,
        model=shape.name,
        model_source=ModelSource.RANDOM,
        window_size=shape.window,
        input_height=height,
        input_width=width,
        images=(f"random-{seed}",),
        method="none",
        activation_bits_high=chosen.branch_bits[0],
        activation_bits_low=chosen.branch_bits[-1],
        weight_bits=chosen.weight_bits,
        allocation=own and AllocatedBits(**own.to_json()),
        ratio_thousandths=ratios.nominal,
        pair_ratios_thousandths=ratios.compression,
        pruning_thousandths=ratios.nominal_pruning,
        pair_pruning_thousandths=ratios.pruning,
        promotion=ratios.promotion,
        padding=padding,
        score="random",
        score_note=RANDOM_NOTE,
        seed=seed,
        derived=Derived.NONE,
        git_revision=git_revision(),
        versions=package_versions(),
    )
    windows = _random_windows(shape, height, width, ratios, seed, chosen)
    return write_bundle(path, manifest, topology, windows, {}, force)


def _check_names(allocation: Allocation, topology: Topology) -> None:
    names = {role: [tensor.name for tensor in topology.tensors if tensor.role is role] for role in Role}
    operators = [name.removesuffix(WEIGHT) for name in names[Role.WEIGHT]]
    allocation.check_names(operators, [name for name in names[Role.ACTIVATION] if name != IMAGE])


def _random_windows(
    shape: SwinShape, height: int, width: int, ratios: Ratios, seed: int, precision: Precision
) -> WindowTable:
    """One random order per stage and grid, as a score would give."""
    table = TableBuilder()
    for (stage, block), grid in block_grids(shape, height, width).items():
        scores = random_scores(seed, stage, grid.shift > 0, grid.windows)
        ranks = rank_windows(scores)
        sizes = ratios.sizes(stage, block, grid.windows)
        by_rank = np.repeat((precision.branch_bits[0], precision.branch_bits[-1], 0), sizes)
        bits = by_rank[ranks]
        table.add(0, stage, block, grid, scores, ranks, bits)
    return table.finish()
