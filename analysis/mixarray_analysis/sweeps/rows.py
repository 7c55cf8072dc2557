"""Rows of the data set: one per point, in the columns of the glossary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from mixarray.cost.area import area_mm2
from mixarray.cost.tables import energy_table
from mixarray.points import PointTotals
from mixarray_analysis.sweeps.glossary import ASKED, IDENTITY, RESULT, SWEEP_COLUMNS
from mixarray_analysis.sweeps.machines import Machine
from mixarray_analysis.sweeps.models import Groups
from mixarray_analysis.sweeps.points import Point
from mixarray_traces.quantization.ratios import Pairs, RatioChoice, Ratios, pairs_text

PJ_PER_UJ = 1e6
Row = tuple[Any, ...]
DONE, FAILED = "done", "failed"

_TEXT = {
    *IDENTITY,
    *("model", "accelerator", "overrides", "setting", "ratios_by_pair", "pruning_by_pair"),
    *("arrays", "dataflow", "pe_style"),
}
_WHOLE = {
    *("input_height_px", "input_width_px", "rows", "columns", "pes", "clock_mhz", "vector_lanes"),
    *("activation_kib", "weight_kib", "accumulator_kib"),
    *("bops", "macs", "cycles", "dram_read_bits", "dram_write_bits"),
}
SCHEMA = pa.schema(
    [(name, pa.string() if name in _TEXT else pa.int64() if name in _WHOLE else pa.float64()) for name in SWEEP_COLUMNS]
)
RESULTS = ("status", "error", *RESULT)
"""What rows of equal content share."""


def table_of(rows: Sequence[Row]) -> pa.Table:
    """Rows of `row_of` as a table."""
    columns = zip(*rows, strict=True) if rows else [()] * len(SCHEMA)
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)], SCHEMA)


def row_of(point: Point, machine: Row, result: Row) -> Row:
    """A row from `machine_row` of the point's machine and a result in the order of RESULTS."""
    status, error, *numbers = result
    return (point.identity.hex(), point.content.hex(), status, error, *_asked(point), *machine, *numbers)


def point_text(point: Point) -> str:
    """A point on one line."""
    return asked_text(dict(zip(ASKED, _asked(point), strict=True)))


def asked_text(row: Mapping[str, Any]) -> str:
    """The same of the columns of a row that say what was asked."""
    machine = f"{row['accelerator']} {row['overrides']}".strip()
    return f"{row['model']} {row['input_height_px']}x{row['input_width_px']} on {machine}, ratio {row['setting']}"


def _asked(point: Point) -> Row:
    ratios, model = point.ratios, point.model
    return (
        model.label,
        model.height_px,
        model.width_px,
        point.machine.base,
        " ".join(point.machine.overrides),
        _choice(ratios).label,
        ratios.nominal / 1000,
        ratios.nominal_pruning / 1000,
        pairs_text(ratios.compression),
        pairs_text(ratios.pruning),
    )


def _choice(ratios: Ratios) -> RatioChoice:
    return RatioChoice(_together(ratios.compression), _together(ratios.pruning), ratios.promotion)


def _together(pairs: Pairs) -> int | Pairs:
    """One number where all pairs agree."""
    every = {ratio for stage in pairs for ratio in stage}
    return every.pop() if len(every) == 1 else pairs


def machine_row(machine: Machine) -> Row:
    """The columns of MACHINE."""
    accelerator = machine.accelerator
    first, buffers = accelerator.arrays[0], accelerator.buffers
    area = area_mm2(accelerator, energy_table(accelerator.energy_table))
    return (
        " ".join(f"{array.rows}x{array.columns}" for array in accelerator.arrays),
        first.rows,
        first.columns,
        first.dataflow.value,
        first.pe_style,
        machine.pes,
        machine.peak_macs_per_cycle,
        buffers.activation.capacity_kib,
        buffers.weight.capacity_kib,
        buffers.accumulator.capacity_kib,
        accelerator.vector_units[0].lanes,
        float(sum(channel.bits_per_cycle for channel in accelerator.dram_channels)),
        accelerator.clock_mhz,
        *((None, None, None) if area is None else (area.value, area.low, area.high)),
    )


def done_result(machine: Machine, groups: Groups, totals: PointTotals, baseline: PointTotals | str) -> Row:
    """The columns of RESULTS of a point that ran; `baseline` is ratio 0, or why that failed."""
    cycles = totals.total_cycles
    latency_ms = machine.accelerator.cycles_to_ms(cycles)
    energy_uj = [pj / PJ_PER_UJ for pj in (totals.energy_pj, totals.energy_low_pj, totals.energy_high_pj)]
    return (
        DONE,
        f"ratio 0: {baseline}" if isinstance(baseline, str) else "",
        *_shares(groups),
        totals.bops,
        totals.macs,
        cycles,
        latency_ms,
        *energy_uj,
        *(one * latency_ms for one in energy_uj),
        totals.useful_pe_cycles / (machine.pes * cycles),
        totals.macs / (machine.peak_macs_per_cycle * cycles),
        totals.dram_read_bits,
        totals.dram_write_bits,
        *((None, None) if isinstance(baseline, str) else _speedups(totals, baseline)),
    )


def failed_result(groups: Groups, error: str) -> Row:
    """The columns of RESULTS of a point that failed."""
    return (FAILED, error, *_shares(groups), *[None] * (len(RESULT) - 2))


def _speedups(totals: PointTotals, baseline: PointTotals) -> tuple[float | None, float]:
    return baseline.bops / totals.bops if totals.bops else None, baseline.total_cycles / totals.total_cycles


def _shares(groups: Groups) -> tuple[float, float]:
    """Shares of low and of pruned windows among the windows of all blocks."""
    every = sum(map(sum, groups))
    return sum(low for _, low, _ in groups) / every, sum(pruned for *_, pruned in groups) / every
