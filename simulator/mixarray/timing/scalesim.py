"""SCALE-Sim 3.0.0's timing rule in closed form: compute cycles, SRAM accesses and utilisations of one GEMM.

Its rule, not ours: every fold loads, streams and drains before the next one begins, and partial sums are written once
per fold of K and never read back. Memory stalls are no part of it. Source: the lengths of the demand matrices that
`systolic_compute_ws`, `_is` and `_os` of SCALE-Sim 3.0.0 build; the counts are in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

from mixarray.accelerator.enums import Dataflow


@dataclass(frozen=True, slots=True)
class ScaleSimTiming:
    """What SCALE-Sim reports of one layer without stalls; counts in words, the rest in percent.

    overall_util_percent is NaN where SCALE-Sim divides by zero: a layer that it counts as 0 cycles.
    """

    compute_cycles: int
    sram_ifmap_reads: int
    sram_filter_reads: int
    sram_ofmap_writes: int
    overall_util_percent: float
    mapping_efficiency_percent: float
    compute_util_percent: float


def scalesim_timing(dataflow: Dataflow, rows: int, columns: int, m: int, n: int, k: int) -> ScaleSimTiming:
    """One GEMM of (m, k) by (k, n) on a `rows` x `columns` array; all sizes are at least 1.

    m: pixels of the output map, n: filters, k: values of one filter, where the layer is a convolution.
    """
    over_rows, over_columns, streamed = _laid_out(dataflow, m, n, k)
    row_folds, column_folds = -(-over_rows // rows), -(-over_columns // columns)
    folds = row_folds * column_folds
    output_stationary = dataflow is Dataflow.OUTPUT_STATIONARY
    fold_cycles = (rows if output_stationary else 2 * rows) + columns + streamed - 2
    # SCALE-Sim takes the length of a demand matrix for this figure; with a stationary operand that one is longer.
    counted_cycles = fold_cycles if output_stationary else fold_cycles + columns - 1
    compute_cycles = fold_cycles * folds - 1
    pes, used = rows * columns, over_rows * over_columns
    ifmap_reads, filter_reads, ofmap_writes = _accesses(dataflow, row_folds, column_folds, m, n, k)
    return ScaleSimTiming(
        compute_cycles=compute_cycles,
        sram_ifmap_reads=ifmap_reads,
        sram_filter_reads=filter_reads,
        sram_ofmap_writes=ofmap_writes + (folds * (rows + columns) if output_stationary else 0),
        overall_util_percent=100 * m * n * k / (compute_cycles * pes) if compute_cycles else nan,
        mapping_efficiency_percent=100 * used / (folds * pes),
        compute_util_percent=100 * used * streamed / (folds * pes * counted_cycles),
    )


def _laid_out(dataflow: Dataflow, m: int, n: int, k: int) -> tuple[int, int, int]:
    """(values over the array's rows, over its columns, steps that stream through)."""
    match dataflow:
        case Dataflow.WEIGHT_STATIONARY:
            return k, n, m
        case Dataflow.INPUT_STATIONARY:
            return k, m, n
        case Dataflow.OUTPUT_STATIONARY:
            return m, n, k


def _accesses(dataflow: Dataflow, row_folds: int, column_folds: int, m: int, n: int, k: int) -> tuple[int, int, int]:
    """(reads of the input map, reads of the filters, writes of the output map) in words."""
    match dataflow:
        case Dataflow.WEIGHT_STATIONARY:
            return m * k * column_folds, k * n, m * n * row_folds
        case Dataflow.INPUT_STATIONARY:
            return m * k, k * n * column_folds, m * n * row_folds
        case Dataflow.OUTPUT_STATIONARY:
            return m * k * column_folds, k * n * row_folds, m * n
