"""What each column of `mappings.csv` means, with its unit; a test holds the writer to it."""

from __future__ import annotations

from collections.abc import Mapping

MAPPING_COLUMNS: Mapping[str, str] = {
    "workload": "number of the distinct workload (images with equal group sizes share one)",
    "operator": "number of the GEMM in execution order",
    "name": "name of the GEMM",
    "array": "number of the array that it, or the part in this row, runs on",
    "groups": "groups of equal precision in this row: bits of their windows (0: does not vary) : batch x rows",
    "m": "rows of all groups in this row (of a batched GEMM: of one element)",
    "n": "output columns",
    "k": "reduction depth",
    "search": "exhaustive: the best choice of the whole space; fixed: the documented form; fused: the documented form "
    "of a fused pair, whose chains are never alone",
    "tile_rows": "rows of a tile of M",
    "tile_columns": "columns of a tile of N",
    "tile_depth": "values of K in a tile",
    "order": "loops over tiles from outside to inside",
    "doubled": "operands whose buffer is divided, so that the next tile arrives while one is used",
    "cycles": "cycles of its chain alone, from an empty pipeline, all operands from DRAM and all results to it; "
    "empty if fused",
    "traffic_bits": "bits that its chain alone moves from and to DRAM, before they are rounded up to bursts; empty if "
    "fused",
    "runner_up": "the second best choice: rows x columns x depth, order, doubled; empty if there is none",
    "runner_up_cycles": "cycles of the runner-up alone; empty if there is none",
    "bound_cycles": "lower bound of the cycles, from amounts alone; empty unless exhaustive",
    "candidates": "points of the mapping space; empty unless exhaustive",
    "bounded": "candidates whose fine bound was needed; empty unless exhaustive",
    "evaluated": "candidates that were lowered and run; empty unless exhaustive",
    "form": "where two forms were compared as wholes, the one that was taken. Parts that run together on two arrays: "
    "exhaustive or fixed; a pair of chains with mapping.attention or mapping.mlp: best: layerwise or fused",
    "form_cycles": "cycles of all parts of the chain, or of both chains of the pair, alone in that form",
    "other_form": "the form that was not taken",
    "other_form_cycles": "cycles alone in the other form",
    "array_reuse": "residency in the array: the longest stream over one stationary tile: rows (input-stationary: "
    "columns of N; output-stationary: values of K)",
    "weight_fetches": "residency in the buffer: how often each weight comes from DRAM, on average; empty if batched",
    "resident_inputs": "residency between operators: tensors that its chain reads without DRAM",
    "resident_outputs": "residency between operators: tensors that its chain leaves on the chip",
}
