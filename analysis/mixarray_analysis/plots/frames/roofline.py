"""The roofline of a run: each GEMM's operations per DRAM byte and per second, under the roofs of the accelerator.

Roofline model: Williams, Waterman and Patterson, CACM 2009. What is ours: which bytes and which time a GEMM has.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import Accelerator
from mixarray.errors import InputError
from mixarray.result.read import read_run
from mixarray_analysis.plots.frames.layers import added_cycles, read_layers, weighted_mean

COLUMNS = ["what", "name", "mode", "macs", "dram_bytes", "cycles", "operations_per_byte", "tops"]
GEMM, WHOLE, ROOF = "gemm", "run", "roof"
OPERATIONS_PER_MAC = 2
BITS_PER_BYTE = 8


def roofline_frame(run: Path) -> pd.DataFrame:
    """One row per GEMM, one for the whole run and one per roof (COLUMNS), mean per image.

    mode: streaming x stationary bits; of a GEMM with several groups all of them. dram_bytes: of a GEMM what its own
    jobs move (operands it fetches, sums it spills), of the run everything. cycles: from the last result of the GEMM
    before to its own. A roof is the most of its mode; its operations_per_byte is the ridge, where bandwidth suffices.
    GEMMs that move nothing have no intensity (NaN). Raises InputError for a run without GEMMs.
    """
    machine = load_accelerator(str(run / "accelerator.yaml"))
    layers = read_layers(run)
    gemms = layers[layers["macs"] > 0].copy()
    if gemms.empty:
        raise InputError(str(run), "ran no GEMM", "layers")
    gemms["dram_bytes"] = (gemms["dram_read_bits"] + gemms["dram_write_bits"]) / BITS_PER_BYTE
    gemms["mode"] = [" + ".join(dict.fromkeys(modes.split())) for modes in gemms["modes"]]
    parts = [
        part.assign(cycles=added_cycles(part["first_start_cycles"], part["last_ready_cycles"]))
        for _, part in gemms.groupby("workload")
    ]
    points = weighted_mean(pd.concat(parts), ["operator", "name", "mode"], ["macs", "dram_bytes", "cycles"])
    totals = read_run(run).totals
    moved = (totals.dram_read_bits + totals.dram_write_bits) / BITS_PER_BYTE
    whole = {"name": "whole run", "mode": "", "macs": totals.macs, "dram_bytes": moved, "cycles": totals.cycles}
    every = pd.concat([points.assign(what=GEMM), pd.DataFrame([{"what": WHOLE, **whole}])], ignore_index=True)
    operations = OPERATIONS_PER_MAC * every["macs"]
    every["operations_per_byte"] = (operations / every["dram_bytes"]).where(every["dram_bytes"] > 0)
    every["tops"] = operations / every["cycles"] * machine.clock_mhz / 1e6
    used = {mode for modes in gemms["modes"] for mode in modes.split()}
    return pd.concat([every, _roofs(machine, used)], ignore_index=True)[COLUMNS]


def _roofs(machine: Accelerator, used: set[str]) -> pd.DataFrame:
    """The peak of every mode that ran: all arrays that have it, at all their lanes; the highest first."""
    peak_macs: dict[str, float] = {}
    for array in machine.arrays:
        for mode in array.pe_modes:
            name = f"{mode.stream_bits}x{mode.stationary_bits}"
            peak_macs[name] = peak_macs.get(name, 0) + array.pes * mode.macs_per_pe_cycle
    bits_per_cycle = sum(channel.bits_per_cycle for channel in machine.dram_channels)
    rows = [
        {
            **{"what": ROOF, "name": f"peak {name}", "mode": name},
            "operations_per_byte": OPERATIONS_PER_MAC * macs * BITS_PER_BYTE / float(bits_per_cycle),
            "tops": OPERATIONS_PER_MAC * macs * machine.clock_mhz / 1e6,
        }
        for name, macs in sorted(peak_macs.items(), key=lambda item: (-item[1], item[0]))
        if name in used
    ]
    return pd.DataFrame(rows)
