"""Run by the interpreter of SCALE-Sim's environment: `peer_script.py FOLDER ...`, one JSON line per folder on stdout.

A folder holds run.cfg and topology.csv, and form.txt with `gemm` or `convolution`. This file imports nothing of ours,
for that environment has nothing of ours. A line holds every layer: name, M, N, K, SCALE-Sim's compute report (without
the prefetch) and SRAM counts; the text of its COMPUTE_REPORT.csv; and the CPU and wall seconds that the run took.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any


def run(folder: Path, scratch: Path) -> dict[str, Any]:
    """What SCALE-Sim says about one folder."""
    scalesim = import_module("scalesim.scale_sim").scalesim
    gemm = (folder / "form.txt").read_text().strip() == "gemm"
    layout = scratch / "layout.csv"  # SCALE-Sim opens one in any case, and uses none of it here
    layout.write_text("header,\n")
    wall, cpu = time.perf_counter(), time.process_time()
    simulation = scalesim(
        save_disk_space=True,
        verbose=False,
        config=str(folder / "run.cfg"),
        topology=str(folder / "topology.csv"),
        layout=str(layout),
        input_type_gemm=gemm,
    )
    simulation.run_scale(top_path=str(scratch))
    seconds = {"wall_seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    layers = [layer(simulation, number) for number in range(simulation.topo.get_num_layers())]
    (report,) = scratch.glob("*/COMPUTE_REPORT.csv")
    return {"layers": layers, "compute_report": report.read_text(), **seconds}


def layer(simulation: Any, number: int) -> dict[str, Any]:
    """The answer for one layer."""
    topology, simulated = simulation.topo, simulation.runner.single_layer_sim_object_list[number]
    _, total, stall, overall, mapping, compute = simulated.get_compute_report_items()
    counts = simulated.get_detail_report_items()
    filters = topology.get_layer_num_filters(number)
    return {
        "name": topology.get_layer_name(number),
        "m": int(topology.get_layer_num_ofmap_px(number) // filters),
        "n": int(filters),
        "k": int(topology.get_layer_window_size(number)),
        "total_cycles": int(total),
        "stall_cycles": int(stall),
        "sram_ifmap_reads": int(counts[2]),
        "sram_filter_reads": int(counts[5]),
        "sram_ofmap_writes": int(counts[8]),
        "overall_util": float(overall),
        "mapping_eff": float(mapping),
        "compute_util": float(compute),
    }


def main() -> None:
    """Run every folder given."""
    for folder in sys.argv[1:]:
        # Beside what is asked, so that whoever asked removes it even if this process is killed.
        with tempfile.TemporaryDirectory(dir=folder) as scratch, redirect_stdout(sys.stderr):
            answer = run(Path(folder), Path(scratch))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
