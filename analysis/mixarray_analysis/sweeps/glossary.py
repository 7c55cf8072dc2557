"""What each column of a sweep's data set means, with its unit; a test holds the writer and the page to it."""

from __future__ import annotations

from collections.abc import Mapping

IDENTITY: Mapping[str, str] = {
    "point": "hash of what was asked and of `content`; no two rows share it",
    "content": "hash of topology, resolved accelerator, group sizes and code; rows that share it ran the same",
    "status": "done or failed",
    "error": "why the point failed; of a point that is done: why it has no speedups; else empty",
}
ASKED: Mapping[str, str] = {
    "model": "label of the model",
    "input_height_px": "height of the image",
    "input_width_px": "width of the image",
    "accelerator": "name of the accelerator before anything was set",
    "overrides": "fields set, as `--set` takes them, with spaces between",
    "setting": "ratios as they are typed, with what is pruned and promoted",
    "ratio": "nominal share of low windows, the mean where block pairs differ",
    "pruning": "nominal share of pruned windows, the mean where block pairs differ",
    "ratios_by_pair": "nominal shares of low windows, pairs behind commas, stages behind slashes",
    "pruning_by_pair": "nominal shares of pruned windows, in the same form",
}
MACHINE: Mapping[str, str] = {
    "arrays": "rows x columns of every array, in order",
    "rows": "rows of the first array",
    "columns": "columns of the first array",
    "dataflow": "dataflow of the first array",
    "pe_style": "PE style of the first array",
    "pes": "PEs of all arrays",
    "peak_macs_per_cycle": "most MACs per cycle in any mode, all arrays",
    "activation_kib": "capacity of the activation buffer",
    "weight_kib": "capacity of the weight buffer",
    "accumulator_kib": "capacity of the accumulator buffer of each array",
    "vector_lanes": "lanes of the vector unit",
    "dram_bits_per_cycle": "bandwidth of all DRAM channels together, per array clock cycle",
    "clock_mhz": "clock of the arrays",
    "area_mm2": "area of PEs and buffers; empty: the energy table has no areas",
    "area_low_mm2": "area with every constant at its low end",
    "area_high_mm2": "area with every constant at its high end",
}
RESULT: Mapping[str, str] = {
    "ratio_actual": "share of low windows that ran, over all blocks",
    "pruning_actual": "share of pruned windows, over all blocks",
    "bops": "bit operations of the blocks per weight bit, as published, counted from the rows that ran",
    "macs": "multiply-accumulates that ran",
    "cycles": "array clock cycles until the last result",
    "latency_ms": "cycles at the accelerator's clock",
    "energy_uj": "energy in microjoule",
    "energy_low_uj": "energy with every constant at its low end",
    "energy_high_uj": "energy with every constant at its high end",
    "edp_uj_ms": "energy times delay: energy_uj x latency_ms",
    "edp_low_uj_ms": "energy_low_uj x latency_ms",
    "edp_high_uj_ms": "energy_high_uj x latency_ms",
    "utilization": "PE-cycles doing a useful MAC pass over PEs x cycles",
    "peak_mac_utilization": "MACs over peak_macs_per_cycle x cycles",
    "dram_read_bits": "bits read from DRAM, whole bursts",
    "dram_write_bits": "bits written to DRAM, whole bursts",
    "bops_speedup": "bops at ratio 0 of the same model over bops",
    "simulated_speedup": "cycles at ratio 0 of the same model on the same accelerator over cycles",
}
SWEEP_COLUMNS: Mapping[str, str] = {**IDENTITY, **ASKED, **MACHINE, **RESULT}
