"""Record what SCALE-Sim 3.0.0 answers: writes STEM.csv beside each STEM.cfg and STEM.topology.csv named.

Needs `make peers`. Usage: `.venv/bin/python benchmarks/record_scalesim.py tests/golden/scalesim/*_conv.cfg`
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from mixarray.trace.scalesim_topology import read_topology, topology_form
from mixarray_analysis.validation.scalesim.golden import COLUMNS, TOPOLOGY_SUFFIX
from mixarray_analysis.validation.scalesim.peer import SCALESIM, Question, ask, peer_python


def record(config: Path) -> Path:
    """Ask SCALE-Sim and write its answers in the columns of the golden files."""
    topology = config.with_suffix(TOPOLOGY_SUFFIX)
    texts = config.read_text(encoding="utf-8"), topology.read_text(encoding="utf-8")
    with TemporaryDirectory() as folder:
        (reply,) = ask([Question(*texts, topology_form(topology))], Path(folder))
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


def configuration(text: str) -> Path:
    """A `.cfg` with its topology beside it."""
    path = Path(text)
    for needed in (path, path.with_suffix(TOPOLOGY_SUFFIX)):
        if not needed.is_file():
            raise argparse.ArgumentTypeError(f"no such file: {needed}")
    if path.suffix != ".cfg":
        raise argparse.ArgumentTypeError(f"{path} is no STEM.cfg")
    return path


def main(arguments: Sequence[str] | None = None) -> None:
    """Record every configuration named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("configs", nargs="+", type=configuration, metavar="STEM.cfg")
    chosen = parser.parse_args(arguments)
    if peer_python() is None:
        parser.error(f"needs SCALE-Sim: {SCALESIM.obtain}")
    for config in chosen.configs:
        print(record(config))


if __name__ == "__main__":
    main()
