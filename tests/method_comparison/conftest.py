"""Result files of every run of the page, made up: AP50 and costs follow from method and precision."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, fields
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from mixarray_analysis.method_comparison.cost import Cost
from mixarray_analysis.method_comparison.results import Compared, every_model, every_shape
from mixarray_analysis.method_comparison.subjects import MACHINES
from mixarray_analysis.method_comparison.timing import Quantized

EVALUATION = ("ratio", "ratio_actual", "ap50", "ap50_low", "ap50_high", "n", "pruning", "pruning_actual")
RESAMPLES, SPREAD, CANVASES = 100, 0.001, 64
LOSSES = {"w4a8": 0.01, "w4a4": 0.1, "w6a6": 0.02, "mixed_5": 0.03}
CYCLES = {"w4a8": 800, "w4a4": 500, "w6a6": 1000, "mixed_5": 900}
BOPS = {"w4a8": 32, "w4a4": 16, "w6a6": 36, "mixed_5": 25}

Value = TypeVar("Value")


def by_bits(values: Mapping[str, Value], name: str) -> Value:
    return next(value for bits, value in values.items() if name.endswith(bits))


def accuracy_of(name: str) -> float:
    return 0.7 - by_bits(LOSSES, name) + (0.05 if name.startswith("aiqvit") else 0.0)


def cost_of(name: str, machine: str) -> Cost:
    """A side path takes 100 cycles in thin GEMMs; rounding up makes all 64 of 36 in 64 BOPs."""
    cycles, bops = by_bits(CYCLES, name), by_bits(BOPS, name)
    thin = 100 if "side_path" in name or "rank" in name else 0
    total = cycles + thin
    shifts, shift_uj = (7, 0.5) if "mptq" in name else (0, 0.0)
    return Cost(
        machine, total, total / 1000, 0.1 * cycles, 0.05 * cycles, 0.2 * cycles, bops, 64 if bops == 36 else bops, 64,
        1000 + thin, 100.0, 10, 0.5, 5, 0.25, thin, float(thin), shifts, shift_uj, "0.1.0", "abc", "trace", "machine",
        "fast", "table",
    )  # fmt: skip


def write_csv(path: Path, rows: Iterable[Sequence[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def write_costs(home: Path, name: str) -> None:
    rows = [astuple(cost_of(name, machine)) for machine in MACHINES]
    write_csv(home / name / "costs.csv", [[field.name for field in fields(Cost)], *rows])


def write_accuracy(home: Path, name: str, value: float, n: int = CANVASES) -> None:
    write_csv(home / name / "accuracy.csv", [EVALUATION, (0.0, 0.0, value, value - 0.02, value + 0.02, n, 0.0, 0.0)])
    noise = np.random.default_rng(0).normal(0, SPREAD, RESAMPLES)
    write_csv(home / name / "accuracy.resamples.csv", [["0 0"], *([f"{value + part:.6f}"] for part in noise)])


@pytest.fixture
def compared(tmp_path: Path) -> Compared:
    """Everything measured."""
    home = tmp_path / "methods" / "results"
    for name in every_model():
        write_accuracy(home, name, accuracy_of(name))
        write_costs(home, name)
        took = Quantized(12.3, 2, 32, 224, 0)
        (home / name / "quantized.json").write_text(json.dumps(asdict(took)), encoding="utf-8")
    for name in every_shape():
        write_costs(home, name)
    return Compared(home)
