"""A model at one input size, opened once: its topology, and the windows that ratios divide into groups."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np

from mixarray.errors import InputError
from mixarray.trace.bundle import Bundle, read_bundle
from mixarray.trace.model import Topology
from mixarray.trace.padding import Padding
from mixarray.trace.ratio import Promotion
from mixarray.trace.workload import Assignment, WindowCount
from mixarray_analysis.sweeps.spec import SHIPPED, InputPx, ModelSpec
from mixarray_traces.importance.default import DEFAULT_SCORE
from mixarray_traces.importance.order import random_scores, rank_windows
from mixarray_traces.quantization.ratios import Ratios
from mixarray_traces.record.graph import Precision
from mixarray_traces.record.shape import MapGrid, shape_named
from mixarray_traces.record.topology import block_grids, build_topology

Place = tuple[int, int]
"""(stage, block)."""
Groups = tuple[tuple[int, int, int], ...]
"""(high, low, pruned) windows of every block, (stage, block) ascending."""
ORDER_SEED = 0
"""Of the window order of a model that no image went through; it matters only where windows are padded."""


@dataclass(frozen=True, slots=True, eq=False)
class OpenModel:
    """A model at one input size.

    branch_bits: activation bits of the high and the low branch. window_rows: tokens of a whole window. tokens: by
    (stage, block) the real tokens of the n most important windows, for n from 0 to all of them. sha256: of all that
    decides what is computed.
    """

    label: str
    height_px: int
    width_px: int
    topology: Topology
    branch_bits: tuple[int, int]
    window_rows: int
    tokens: Mapping[Place, tuple[int, ...]]
    sha256: str

    @property
    def depths(self) -> tuple[int, ...]:
        """Blocks per stage."""
        stages = [stage for stage, _ in self.tokens]
        return tuple(stages.count(stage) for stage in sorted(set(stages)))

    def groups(self, ratios: Ratios) -> Groups:
        """What ratios come to on whole windows."""
        return tuple(ratios.sizes(*place, len(tokens) - 1) for place, tokens in self.tokens.items())

    @property
    def all_high(self) -> Groups:
        """Ratio 0: every window in the high branch."""
        return tuple((len(tokens) - 1, 0, 0) for tokens in self.tokens.values())

    def assignment(self, groups: Groups) -> Assignment:
        """The windows and their real tokens by bits, the most important windows at the high ones."""
        found: dict[Place, tuple[WindowCount, ...]] = {}
        for (place, tokens), (high, low, pruned) in zip(self.tokens.items(), groups, strict=True):
            edges = (0, high, high + low, high + low + pruned)
            counts = [
                WindowCount(bits, last - first, tokens[last] - tokens[first])
                for bits, first, last in zip((*self.branch_bits, 0), edges, edges[1:], strict=False)
            ]
            found[place] = tuple(count for count in counts if count.windows)
        return found


def open_models(spec: ModelSpec, promotion: Promotion) -> Iterator[OpenModel]:
    """The model at each of its input sizes; InputError where it cannot be opened."""
    if spec.bundle is not None:
        yield _of_bundle(spec, read_bundle(spec.bundle), promotion)
    else:
        for size in spec.sizes():
            yield _of_shape(spec, size, promotion) if spec.shape else _of_quantized(spec, size, promotion)


def _of_shape(spec: ModelSpec, size: InputPx, promotion: Promotion) -> OpenModel:
    shape, bits = shape_named(str(spec.shape)), spec.branch_bits or Precision().branch_bits
    padding = spec.padding or Padding.ATTENTION
    topology = build_topology(shape, *size, None, Precision(branch_bits=bits), padding=padding, promotion=promotion)
    return _opened(spec.label or shape.name, size, topology, (bits[0], bits[-1]), block_grids(shape, *size))


def _of_quantized(spec: ModelSpec, size: InputPx, promotion: Promotion) -> OpenModel:
    from mixarray_analysis.models import open_model
    from mixarray_traces.record.recorder import shape_of, topology_of

    model = open_model(None if spec.quantized == SHIPPED else Path(str(spec.quantized)))
    padding, score = spec.padding or Padding.ATTENTION, spec.score or DEFAULT_SCORE
    topology = topology_of(model, *size, score, padding, promotion)
    bits = model.options.high_bits, model.options.low_bits
    label = spec.label or Path(str(spec.quantized)).name
    return _opened(label, size, topology, bits, block_grids(shape_of(model.detector), *size))


def _opened(
    label: str, size: InputPx, topology: Topology, bits: tuple[int, int], grids: Mapping[Place, MapGrid]
) -> OpenModel:
    """Windows in the order that a recording of random windows has with the same seed."""
    by_rank: dict[Place, list[int]] = {}
    for (stage, block), grid in grids.items():
        ranks = rank_windows(random_scores(ORDER_SEED, stage, grid.shift > 0, grid.windows))
        tokens = grid.window_tokens()
        by_rank[stage, block] = [tokens[window] for window in np.argsort(ranks)]
    window = next(iter(grids.values())).window
    return _finish(label, size, topology, bits, window**2, by_rank)


def _of_bundle(spec: ModelSpec, bundle: Bundle, promotion: Promotion) -> OpenModel:
    """The first image's windows in their recorded order; ratios are those of the points, not the recorded ones."""
    manifest, windows = bundle.manifest, bundle.windows
    if manifest.promotion is not promotion:
        message = f"was recorded with promotion {manifest.promotion.value}, the sweep says {promotion.value}"
        raise InputError(str(bundle.path), message, "promotion")
    if manifest.activation_bits_low == manifest.activation_bits_high:
        raise InputError(str(bundle.path), "has one precision in both branches, so ratios change nothing", "bits")
    by_rank: dict[Place, list[int]] = {}
    for (image, stage, block), rows in windows.blocks():
        if image == 0:
            by_rank[stage, block] = [int(n) for n in windows.tokens[rows][np.argsort(windows.rank[rows])]]
    bits = manifest.activation_bits_high, manifest.activation_bits_low
    size = manifest.input_height, manifest.input_width
    label = spec.label or bundle.path.name
    return _finish(label, size, bundle.topology, bits, manifest.window_size**2, by_rank)


def _finish(
    label: str,
    size: InputPx,
    topology: Topology,
    bits: tuple[int, int],
    window_rows: int,
    by_rank: Mapping[Place, list[int]],
) -> OpenModel:
    sums = {place: tuple(accumulate(tokens, initial=0)) for place, tokens in sorted(by_rank.items())}
    identity = repr((topology, bits, window_rows, sorted(sums.items())))
    return OpenModel(label, *size, topology, bits, window_rows, sums, hashlib.sha256(identity.encode()).hexdigest())
