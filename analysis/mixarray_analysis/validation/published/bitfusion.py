"""Cycles and stalls that Bit Fusion's simulator recorded, beside our writing of its rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from mixarray.timing.bitfusion import BitFusionArray, bitfusion_timing
from mixarray.timing.tile_search import Layer, TileTiming
from mixarray_analysis.validation.published.figure import Comparison, Sourced, read_published

Rule = Callable[[BitFusionArray, Layer], TileTiming]


class BitFusionRow(Sourced):
    """One layer on one configuration; `bits` are those of both operands."""

    network: str
    layer: str
    rows: int
    columns: int
    weight_kib: int
    activation_kib: int
    sum_kib: int
    bandwidth_bits: int
    batch: int
    side: int
    inputs: int
    outputs: int
    bits: int
    total_cycles: int
    stall_cycles: int


@cache
def _rows() -> tuple[BitFusionRow, ...]:
    return read_published("bitfusion_layers.csv", BitFusionRow)


def bitfusion_layers(rule: Rule = bitfusion_timing) -> Iterator[Comparison]:
    """Every recorded layer, one at a time: total and stall cycles, to be met exactly."""
    return (_compare(row, rule) for row in _rows())


def _compare(row: BitFusionRow, rule: Rule) -> Comparison:
    buffers = row.weight_kib, row.activation_kib, row.sum_kib
    array = BitFusionArray(row.rows, row.columns, *buffers, row.bandwidth_bits)
    ours = rule(array, Layer(row.batch, row.side, row.inputs, row.outputs, row.bits, row.bits))
    published = TileTiming(row.total_cycles, row.stall_cycles)
    agrees = (ours.total_cycles, ours.stall_cycles) == (row.total_cycles, row.stall_cycles)
    what = f"{row.network} {row.layer}, {row.rows}x{row.columns}, {row.bandwidth_bits} bits per cycle"
    return Comparison(what, _text(published), _text(ours), agrees, row.source, row.status)


def _text(timing: TileTiming) -> str:
    return f"{timing.total_cycles:,} cycles, {timing.stall_cycles:,} of them stalls"
