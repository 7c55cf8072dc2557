"""Golden files: what SCALE-Sim 3.0.0 answered once, beside the configuration and topology that it was asked."""

from __future__ import annotations

import csv
from importlib.resources import files
from pathlib import Path

from mixarray.timing.scalesim import ScaleSimTiming
from mixarray_analysis.validation.scalesim.compare import Answer, PeerRun

TOPOLOGY_SUFFIX = ".topology.csv"
COLUMNS = (
    *("layer", "M", "N", "K", "count", "macs", "total_cycles", "stall_cycles"),
    *("overall_util", "mapping_eff", "compute_util", "sram_ifmap_reads", "sram_filter_reads", "sram_ofmap_writes"),
)


def golden_dir() -> Path:
    """The folder of the golden files: package data in an installed wheel, the tests' folder in a checkout."""
    packaged = Path(str(files("mixarray_analysis"))) / "validation" / "golden"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[4] / "tests" / "golden" / "scalesim"


def golden_runs() -> tuple[PeerRun, ...]:
    """All recorded runs, in the order of their names."""
    return tuple(
        PeerRun(config, config.with_suffix(TOPOLOGY_SUFFIX), _answers(config.with_suffix(".csv")))
        for config in sorted(golden_dir().glob("*.cfg"))
    )


def _answers(file: Path) -> tuple[Answer, ...]:
    with file.open(encoding="utf-8", newline="") as lines:
        return tuple(_answer(row) for row in csv.DictReader(lines))


def _answer(row: dict[str, str]) -> Answer:
    """One row; `total_cycles` are compute cycles, for its stalls are 0."""
    timing = ScaleSimTiming(
        compute_cycles=int(row["total_cycles"]),
        sram_ifmap_reads=int(row["sram_ifmap_reads"]),
        sram_filter_reads=int(row["sram_filter_reads"]),
        sram_ofmap_writes=int(row["sram_ofmap_writes"]),
        overall_util_percent=float(row["overall_util"]),
        mapping_efficiency_percent=float(row["mapping_eff"]),
        compute_util_percent=float(row["compute_util"]),
    )
    return Answer(int(row["M"]), int(row["N"]), int(row["K"]), int(row["stall_cycles"]), timing)
