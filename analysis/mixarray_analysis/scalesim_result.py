"""What SCALE-Sim's timing rule says of a topology: typed, as JSON, as its COMPUTE_REPORT.csv and for people."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

JSON_NAME = "scalesim.json"
COMPUTE_REPORT_NAME = "COMPUTE_REPORT.csv"
COMPUTE_REPORT_COLUMNS = (
    "LayerID",
    "Total Cycles (incl. prefetch)",
    "Total Cycles",
    "Stall Cycles",
    "Overall Util %",
    "Mapping Efficiency %",
    "Compute Util %",
)
MOST_ROWS = 200
"""Layers that the table for people shows."""

Percent = Annotated[float, PlainSerializer(lambda value: None if isnan(value) else value, return_type=float | None)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ScaleSimLayerResult(_Frozen):
    """One layer; counts are in words, cycles without stalls."""

    name: str
    m: int
    n: int
    k: int
    macs: int
    compute_cycles: int
    sram_ifmap_reads: int
    sram_filter_reads: int
    sram_ofmap_writes: int
    overall_util_percent: Percent = Field(description="null where SCALE-Sim divides by zero: a layer of 0 cycles")
    mapping_efficiency_percent: float
    compute_util_percent: float


class ScaleSimTotals(_Frozen):
    """Sums over the layers."""

    layers: int
    macs: int
    compute_cycles: int
    sram_ifmap_reads: int
    sram_filter_reads: int
    sram_ofmap_writes: int


class ScaleSimResult(_Frozen):
    """The content of `scalesim.json`; it holds no time of day and no path."""

    schema_version: Literal["1.0"] = "1.0"
    timing: Literal["scalesim"] = "scalesim"
    topology: str
    topology_sha256: str
    config: str
    config_sha256: str
    run_name: str
    rows: int
    columns: int
    dataflow: str = Field(description="ws, os or is")
    totals: ScaleSimTotals
    layers: tuple[ScaleSimLayerResult, ...]
    notes: tuple[str, ...] = Field(description="what the files ask for and this rule does not give")
    git_revision: str
    versions: Mapping[str, str]

    def to_json(self) -> str:
        """The text of `scalesim.json`."""
        return self.model_dump_json(indent=2) + "\n"


def totals_over(layers: tuple[ScaleSimLayerResult, ...]) -> ScaleSimTotals:
    """Sums over the layers."""
    return ScaleSimTotals(
        layers=len(layers),
        macs=sum(layer.macs for layer in layers),
        compute_cycles=sum(layer.compute_cycles for layer in layers),
        sram_ifmap_reads=sum(layer.sram_ifmap_reads for layer in layers),
        sram_filter_reads=sum(layer.sram_filter_reads for layer in layers),
        sram_ofmap_writes=sum(layer.sram_ofmap_writes for layer in layers),
    )


def compute_report(result: ScaleSimResult) -> str:
    """COMPUTE_REPORT.csv in SCALE-Sim 3.0.0's columns and punctuation.

    Stalls and prefetch are not modelled: the stall column is 0, and both totals are the compute cycles.
    """
    lines = [", ".join(COMPUTE_REPORT_COLUMNS) + ","]
    for number, layer in enumerate(result.layers):
        cycles = layer.compute_cycles
        utils = layer.overall_util_percent, layer.mapping_efficiency_percent, layer.compute_util_percent
        lines.append(", ".join(str(value) for value in (number, cycles, cycles, 0, *utils)) + ",")
    return "\n".join(lines) + "\n"


def report_rows(result: ScaleSimResult) -> tuple[tuple[str, ...], list[list[str]]]:
    """(headings, cells) of the table for people: a row for each of the first layers and one with the totals of all."""
    headings = ("layer", "M", "N", "K", "cycles", "util %", "ifmap reads", "filter reads", "ofmap writes")
    rows = [
        [
            layer.name,
            *(f"{size:,}" for size in (layer.m, layer.n, layer.k, layer.compute_cycles)),
            f"{layer.overall_util_percent:.2f}",
            *_counts(layer),
        ]
        for layer in result.layers[:MOST_ROWS]
    ]
    pes = result.rows * result.columns
    util = 100 * result.totals.macs / (result.totals.compute_cycles * pes) if result.totals.compute_cycles else 0.0
    rows.append(["total", "", "", "", f"{result.totals.compute_cycles:,}", f"{util:.2f}", *_counts(result.totals)])
    return headings, rows


def table_notes(result: ScaleSimResult) -> tuple[str, ...]:
    """What stands below the table: the notes of the result, and how many of its layers the table leaves out."""
    shown = f"the first {MOST_ROWS} of {len(result.layers):,} layers are shown; --json and --out have all"
    return result.notes + ((shown,) if len(result.layers) > MOST_ROWS else ())


def _counts(of: ScaleSimLayerResult | ScaleSimTotals) -> list[str]:
    return [f"{count:,}" for count in (of.sram_ifmap_reads, of.sram_filter_reads, of.sram_ofmap_writes)]
