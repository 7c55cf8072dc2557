"""What the committed result files say: the files of `mixarray evaluate`, `sweep`, `explain`, `study sqnr`, `search`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mixarray.errors import InputError
from mixarray_analysis.reproduction.runs import TIMES

Floats = npt.NDArray[np.float64]


class NotMeasuredError(Exception):
    """A result that is not there; its text names the run that makes it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """AP50 of one model at one setting on n canvases, 0 to 1, with its 95 % bootstrap interval.

    compression, pruning: nominal, thousandths, the same for every block pair; low_actual, pruned_actual: counted shares
    of windows. samples: AP50 in resamples of the canvases, equal resamples wherever n is equal.
    """

    compression: int
    pruning: int
    low_actual: float
    pruned_actual: float
    ap50: float
    ap50_low: float
    ap50_high: float
    n: int
    samples: Floats


@dataclass(frozen=True, slots=True)
class Cost:
    """What a setting costs, as a share of what ratio 0 costs.

    bops: bit operations of the blocks as MixA-Q counts them, from the rows that ran. cycles: simulated, by accelerator.
    """

    bops: float
    cycles: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Training:
    """Canvases that a training saw, their side in px, and how many made a step."""

    images: int
    size: int
    batch: int


@dataclass(frozen=True, slots=True)
class Results:
    """The files below `directory`. Every function raises NotMeasuredError for a file that is not there."""

    directory: Path

    def measured(self, run: str, compression: int = 0, pruning: int = 0) -> Measured:
        """One setting of the evaluation `run` (a name of `runs.every_run`)."""
        for one in self.evaluation(run):
            if (one.compression, one.pruning) == (compression, pruning):
                return one
        raise NotMeasuredError(run)

    def evaluation(self, run: str) -> tuple[Measured, ...]:
        """All settings of an evaluation, in its order."""
        rows, resamples = self._rows(f"{run}.csv", run), self._lines(f"{run}.resamples.csv", run)
        columns = np.array(resamples[1:], np.float64).T
        if len(columns) != len(rows):
            message = f"has {len(columns)} settings, {run}.csv has {len(rows)}"
            raise InputError(str(self.directory / f"{run}.resamples.csv"), message)
        return tuple(_measured(row, samples) for row, samples in zip(rows, columns, strict=True))

    def cost(self, model: str, compression: int, pruning: int) -> Cost:
        """The cost of a setting of `model`."""
        run = f"{model}/costs"
        places = [row for row in self._rows(f"{run}.csv", run) if _setting(row) == (compression, pruning)]
        if not places:
            raise NotMeasuredError(run)
        cycles = {row["accelerator"]: 1 / float(row["simulated_speedup"]) for row in places}
        return Cost(1 / float(places[0]["bops_speedup"]), cycles)

    def cycles(self, model: str) -> dict[str, int]:
        """Simulated cycles of ratio 0 of `model`, by accelerator."""
        rows = self._rows(f"{model}/costs.csv", f"{model}/costs")
        return {row["accelerator"]: int(row["cycles"]) for row in rows if _setting(row) == (0, 0)}

    def waterfall(self, model: str) -> dict[str, dict[str, float]]:
        """Speedup over ratio 0 by accelerator and step of `mixarray explain`, the steps in their order."""
        found: dict[str, dict[str, float]] = {}
        for row in self._rows(f"{model}/waterfall.csv", f"{model}/waterfall"):
            found.setdefault(row["accelerator"], {})[row["name"]] = float(row["speedup"])
        return found

    def sqnr(self, model: str) -> dict[int, float]:
        """Mean SQNR by stage in dB against the float network, over windows of both branches that are not exact."""
        sums: dict[int, list[float]] = {}
        for row in self._rows(f"{model}/sqnr.csv", f"{model}/sqnr"):
            if row["reference"] == "network" and row["sqnr_db"]:
                windows = int(row["windows"]) - int(row["exact"])
                total = sums.setdefault(int(row["stage"]), [0.0, 0.0])
                total[0] += windows * float(row["sqnr_db"])
                total[1] += windows
        return {stage: decibels / windows for stage, (decibels, windows) in sorted(sums.items())}

    def sqnr_canvases(self, model: str) -> int:
        """How many canvases its SQNR is of."""
        return int(self._rows(f"{model}/sqnr.csv", f"{model}/sqnr")[0]["images"])

    def trainings(self, model: str) -> tuple[Training, ...]:
        """Every training behind a model, the first one first; empty where the model does not say."""
        runs: list[dict[str, int]] = json.loads(self._text(f"{model}/training.json", model))
        return tuple(Training(run["images"], run["size"], run["batch"]) for run in runs)

    def seconds(self, run: str) -> int | None:
        """What a run took, of the last one that ran from its start to its end; None where none was timed."""
        path = self.directory / TIMES
        lines = path.read_text(encoding="utf-8").split() if path.exists() else []
        times = {name: int(seconds) for name, seconds in (line.split(",") for line in lines)}
        return times.get(run)

    def rankings(self, run: str) -> list[dict[str, str]]:
        """The rows of a `mixarray study rankings`."""
        return self._rows(f"{run}.csv", run)

    def search(self, name: str) -> tuple[Mapping[str, str], Sequence[Mapping[str, str]]]:
        """Ratio 0 and the front of a search, rows of its `front.csv`."""
        baseline: dict[str, object] = json.loads(self._text(f"search/{name}/search.json", name))["baseline"]
        return {key: str(value) for key, value in baseline.items()}, self._rows(f"search/{name}/front.csv", name)

    def space(self, machine: str) -> dict[str, Any]:
        """What `mixarray search enumerate` found on an accelerator."""
        run = f"space_{machine}"
        found: dict[str, Any] = json.loads(self._text(f"search/{run}.json", run))
        return found

    def compared(self) -> dict[str, list[dict[str, str]]]:
        """The rows of `mixarray search compare`, by accelerator."""
        found: dict[str, list[dict[str, str]]] = {}
        for row in self._rows("search/compare.csv", "search/compare"):
            found.setdefault(row["accelerator"], []).append(row)
        return found

    def _rows(self, name: str, run: str) -> list[dict[str, str]]:
        headings, *lines = self._lines(name, run)
        return [dict(zip(headings, line, strict=True)) for line in lines]

    def _lines(self, name: str, run: str) -> list[list[str]]:
        return list(csv.reader(io.StringIO(self._text(name, run), newline="")))

    def _text(self, name: str, run: str) -> str:
        path = self.directory / name
        if not path.exists():
            raise NotMeasuredError(run)
        return path.read_text(encoding="utf-8")


def _measured(row: Mapping[str, str], samples: Floats) -> Measured:
    shares = float(row["ratio_actual"]), float(row["pruning_actual"])
    values = float(row["ap50"]), float(row["ap50_low"]), float(row["ap50_high"])
    return Measured(*_setting(row), *shares, *values, int(row["n"]), samples)


def _setting(row: Mapping[str, str]) -> tuple[int, int]:
    return round(1000 * float(row["ratio"])), round(1000 * float(row["pruning"]))
