"""Record what SCALE-Sim 3.0.0 answers: writes STEM.csv beside each STEM.cfg and STEM.topology.csv named.

Needs `make peers`. Usage: `.venv/bin/python benchmarks/record_scalesim.py tests/golden/scalesim/*_conv.cfg`
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from mixarray.trace.scalesim_topology import read_topology
from mixarray_analysis.validation.scalesim.golden import COLUMNS, TOPOLOGY_SUFFIX
from mixarray_analysis.validation.scalesim.peer import Question, ask


def record(config: Path) -> Path:
    """Ask SCALE-Sim and write its answers in the columns of the golden files."""
    topology = config.with_suffix(TOPOLOGY_SUFFIX)
    text = topology.read_text(encoding="utf-8")
    question = Question(config.read_text(encoding="utf-8"), text, gemm="IFMAP" not in text.splitlines()[0])
    with TemporaryDirectory() as folder:
        (reply,) = ask([question], Path(folder))
    names = [layer.name for layer in read_topology(topology)]
    target = config.with_suffix(".csv")
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for name, answer in zip(names, reply.run.answers, strict=True):
            t = answer.timing
            sizes = answer.m, answer.n, answer.k, 1, answer.m * answer.n * answer.k
            utils = t.overall_util_percent, t.mapping_efficiency_percent, t.compute_util_percent
            counts = t.sram_ifmap_reads, t.sram_filter_reads, t.sram_ofmap_writes
            writer.writerow((name, *sizes, t.compute_cycles, answer.stall_cycles, *utils, *counts))
    return target


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(record(Path(argument)))
