"""What each column of `layers.csv` and `layers.parquet` means, with its unit; a test holds the writer to it."""

from __future__ import annotations

from collections.abc import Mapping

LAYER_COLUMNS: Mapping[str, str] = {
    "workload": "number of the distinct workload (images with equal group sizes share one)",
    "images": "images this workload stands for",
    "operator": "number of the operator in execution order; -1: the machine (unused and idle PE-cycles, leakage)",
    "name": "name of the operator",
    "kind": "what it does",
    "stage": "stage of the Swin transformer, -1 outside the blocks",
    "block": "block within the stage, -1 outside the blocks",
    "grid": "window grid: regular, shifted, or none",
    "batch": "batch of the operator's shape",
    "m": "rows per batch element",
    "n": "output columns",
    "k": "reduction depth of a GEMM, 0 otherwise",
    "groups": "groups of equal precision, widest first: bits of their windows (0: does not vary) : batch x rows",
    "operand_bits": "bits of the operands of these groups of a GEMM, activations x weights or activations; empty "
    "unless a GEMM",
    "arrays": "number of the array that each group runs on; empty unless a GEMM",
    "modes": "modes of the groups on their arrays, streaming x stationary bits (activations x weights unless "
    "input-stationary); empty unless a GEMM",
    "macs": "multiply-accumulates that ran",
    "useful_pe_cycles": "PE-cycles doing a useful MAC pass",
    "unused_pe_cycles": "PE-cycles of its streams without one: the empty edges of its tiles",
    "first_start_cycles": "cycle in which the operator's first job started",
    "last_ready_cycles": "cycle in which its last result existed",
    "array_busy_cycles": "cycles its streams and mode switches occupied arrays, all arrays together",
    "weight_port_busy_cycles": "cycles its stationary loads occupied the weight port (0 if output-stationary)",
    "result_port_busy_cycles": "cycles its sums took to leave the array (0 unless output-stationary)",
    "vector_busy_cycles": "cycles its jobs occupied the vector unit",
    "dram_busy_cycles": "cycles its transfers occupied the memory channels",
    "array_busy_cycles_by_array": "array_busy_cycles of each array, in their order; empty for the machine",
    "attributed_cycles": "cycles of the critical chain that belong to it; empty if the timeline was not kept",
    "dram_read_bits": "bits it read from DRAM, whole bursts",
    "dram_write_bits": "bits it wrote to DRAM, whole bursts",
    "energy_pj": "energy of its actions; the rows of a workload sum to its total",
}
