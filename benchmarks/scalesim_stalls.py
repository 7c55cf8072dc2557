"""SCALE-Sim 3.0.0's stalls and prefetch against the size of its buffers: the numbers of docs/scalesim.md.

Runs SCALE-Sim in its own environment (`make peers`), with the memory settings changed and all else as in our checks.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from mixarray.trace.scalesim_topology import Form
from mixarray_analysis.validation.scalesim.peer import SCALESIM, Question, ask, peer_python
from mixarray_analysis.validation.scalesim.questions import config_text, topology_text

BUFFER_KEYS = ("IfmapSramSzkB", "FilterSramSzkB", "OfmapSramSzkB")
BANK_KEYS = ("IfmapSRAMBankBandwidth", "FilterSRAMBankBandwidth")
WORDS_PER_CYCLE = 4
STALL_KB, PREFETCH_KB = (1, 2, 4, 8, 16, 32), (64, 1024, 8192)


def changed(config: str, keys: Sequence[str], value: object) -> str:
    """The configuration with these keys set; ValueError unless each is there once."""
    for key in keys:
        config, found = re.subn(rf"^{key}: .*$", f"{key}: {value}", config, flags=re.MULTILINE)
        if found != 1:
            raise ValueError(f"{key} stands there {found} times")
    return config


def cycles(configs: Sequence[str], gemm: tuple[int, int, int]) -> list[list[str]]:
    """The cells of COMPUTE_REPORT.csv for one GEMM under each configuration: prefetch included, total, stalls, ..."""
    topology = topology_text(Form.GEMM, [gemm])
    with TemporaryDirectory() as folder:
        replies = ask([Question(config, topology, Form.GEMM) for config in configs], Path(folder))
    return [reply.compute_report.splitlines()[1].split(", ")[1:] for reply in replies]


def print_row(name: str, cells: Sequence[object]) -> None:
    """One line of a table."""
    print(f"{name:32}" + "".join(f"{cell:>9}" for cell in cells))


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.parse_args(arguments)
    if peer_python() is None:
        parser.error(f"needs SCALE-Sim: {SCALESIM.obtain}")
    user = changed(config_text(8, 8, "ws"), ("InterfaceBandwidth",), "USER")
    user = changed(user, ("Bandwidth",), WORDS_PER_CYCLE)
    banked = changed(user, BANK_KEYS, WORDS_PER_CYCLE)
    print(f"GEMM 96x64x48 on 8x8 ws, InterfaceBandwidth USER, Bandwidth {WORDS_PER_CYCLE}: Total Cycles")
    print_row("buffers, kB", STALL_KB)
    for name, config in ((f"bank bandwidths {WORDS_PER_CYCLE}", banked), ("bank bandwidths 16", user)):
        found = cycles([changed(config, BUFFER_KEYS, size) for size in STALL_KB], (96, 64, 48))
        print_row(name, [cells[1] for cells in found])
    print("\nGEMM 5x4x3 on 32x32 ws, InterfaceBandwidth CALC")
    print_row("buffers, kB", PREFETCH_KB)
    found = cycles([changed(config_text(32, 32, "ws"), BUFFER_KEYS, size) for size in PREFETCH_KB], (5, 4, 3))
    print_row("Total Cycles", [cells[1] for cells in found])
    print_row("Total Cycles (incl. prefetch)", [cells[0] for cells in found])


if __name__ == "__main__":
    main()
