"""Result files of every run, made up: AP50 falls with what a setting saves, and resamples scatter around it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest

from mixarray_analysis.reproduction.results import Results
from mixarray_analysis.reproduction.runs import FEWER_COSTED, SEEDS, Run, every_run

AccuracyOf = Callable[[str, int, int], float]
"""AP50 of (run, compression, pruning)."""
EVALUATION = (
    "ratio", "ratio_actual", "ap50", "ap50_low", "ap50_high", "ap", "n", "score", "difference_low", "difference_high",
    "pruning", "pruning_actual", "pair_ratios", "pair_pruning", "padding",
)  # fmt: skip
RESAMPLES, SPREAD, CANVASES = 200, 0.001, 64


def plain_accuracy(_run: str, compression: int, pruning: int) -> float:
    """Pruning costs more than compression by as much; nothing depends on the model."""
    return 0.7 - 0.05 * compression / 1000 - 0.4 * pruning / 1000


def settings_of(run: Run) -> list[tuple[int, int]]:
    """(compression, pruning) that the words of a run ask for."""
    words = list(run.words)
    low = words[words.index("--ratios") + 1].split(";")
    pruned = words[words.index("--pruning") + 1].split(";") if "--pruning" in words else ["0"] * len(low)
    asked = [(round(1000 * float(q)), round(1000 * float(p))) for q, p in zip(low, pruned, strict=True)]
    return list(dict.fromkeys([(0, 0), *asked])) if any(p for _, p in asked) else asked


def write_csv(path: Path, rows: Iterable[Sequence[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def write_evaluation(home: Path, run: Run, accuracy: AccuracyOf, n: int = CANVASES) -> None:
    """Files as `mixarray evaluate -o --resamples` writes them; the noise is the same in every run."""
    settings = settings_of(run)
    values = [accuracy(run.name, *setting) for setting in settings]
    rows = [
        (q / 1000, q / 1000, value, value - 0.02, value + 0.02, value, n, "l2", "", "", p / 1000, p / 1000, "", "", "")
        for (q, p), value in zip(settings, values, strict=True)
    ]
    write_csv(home / f"{run.name}.csv", [EVALUATION, *rows])
    noise = np.random.default_rng(0).normal(0, SPREAD, RESAMPLES)
    columns = [
        [f"{value + part * (1 + q / 1000):.6f}" for part in noise]
        for value, (q, _) in zip(values, settings, strict=True)
    ]
    write_csv(home / f"{run.name}.resamples.csv", [[f"{q} {p}" for q, p in settings], *zip(*columns, strict=True)])


def write_costs(home: Path, run: Run) -> None:
    """As `mixarray sweep` writes its summary: BOPs as published, cycles that save half as much; fewer bits a tenth."""
    machines = run.words[run.words.index("-a") + 1].split(",")
    saved = [(q, p, q / 2000 + p / 1000) for q, p in settings_of(run)]
    zero = 900 if run.name.split("/")[0] in FEWER_COSTED else 1000
    rows = [
        (name, q / 1000, p / 1000, 1 / (1 - part), 1 / (1 - part / 2), round(zero * (1 - part / 2)))
        for name in machines
        for q, p, part in saved
    ]
    headings = ("accelerator", "ratio", "pruning", "bops_speedup", "simulated_speedup", "cycles")
    write_csv(home / f"{run.name}.csv", [headings, *rows])


def write_waterfall(home: Path, run: Run) -> None:
    """As `mixarray explain` writes it: a step takes a tenth, and on the second machine a fifth."""
    machines = run.words[run.words.index("-a") + 1].split(",")
    steps = [(place, number, 1.4 - place * number / 10) for place in (1, 2) for number in range(3)]
    rows = [(machines[place - 1], number, f"step {number}", speedup) for place, number, speedup in steps]
    write_csv(home / f"{run.name}.csv", [("accelerator", "step", "name", "speedup"), *rows])


def write_sqnr(home: Path, run: Run) -> None:
    """One decibel more after SAQA in every stage."""
    gain = 1.0 if run.name.startswith("saqa") else 0.0
    headings = ("reference", "stage", "branch", "sqnr_db", "pooled_db", "windows", "exact", "images")
    rows = [
        ("network", stage, branch, 10 - stage + gain, "", 100, 0, 32)
        for stage in range(3)
        for branch in ("high", "low")
    ]
    write_csv(home / f"{run.name}.csv", [headings, *rows, ("block", 0, "high", 40.0, "", 100, 0, 32)])


def write_rankings(home: Path, run: Run) -> None:
    """A tenth lost at chance, two in reverse."""
    words = list(run.words)
    names = words[words.index("--rankings") + 1].split(",")
    score = words[words.index("--score") + 1] if "--score" in words else "l2"
    lost = {"true": 0.0, "oracle": 0.0, "random": -0.1, "reversed": -0.2}
    rows = [
        (name, score, "0.375/0.375", 0.391, 0.7 + lost[name], 0.65, 0.75, CANVASES, lost[name], lost[name] - 0.01, 0.01)
        for name in names
    ]
    headings = (
        "ranking", "score", "compression", "low_actual", "ap50", "ap50_low", "ap50_high", "n", "difference",
        "difference_low", "difference_high",
    )  # fmt: skip
    write_csv(home / f"{run.name}.csv", [headings, *rows])


def write_space(home: Path, run: Run) -> None:
    """Two searches that find nine tenths of the true front."""
    searches = [{"evaluations": 140 + seed, "hypervolume_ratio": 0.9, "igd_plus": 0.01} for seed in range(2)]
    found = {"settings": 13365, "simulated": 220, "misled": {"mean": 0.02, "most": 0.05}, "distances": searches}
    path = home / "search" / f"{run.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found), encoding="utf-8")


def write_searches(home: Path) -> None:
    """Three searches on BOPs whose best setting at 1.35x loses 0.002, and a comparison."""
    headings = ("bops", "search_accuracy", "accuracy", "accuracy_low", "accuracy_high", "n")
    for seed in SEEDS:
        folder = home / "search" / f"bops_s{seed}"
        rows = [
            (900, 0.71, 0.702, 0.69, 0.71, 500),
            (740, 0.70, 0.698, 0.69, 0.71, 500),
            (600, 0.6, 0.6, 0.5, 0.7, 500),
        ]
        write_csv(folder / "front.csv", [headings, *rows])
        zero = dict(zip(headings, (1000, 0.7, 0.7, 0.69, 0.71, 500), strict=True))
        (folder / "search.json").write_text(json.dumps({"baseline": zero}), encoding="utf-8")
    compared = (
        "accelerator", "objective", "seed", "hypervolume_ratio", "gain_mean", "gain_least", "gain_most",
        "settings_bops", "settings_own",
    )  # fmt: skip
    cases = [("a", "cycles", seed, 1.01 + seed / 100, 0.02, 0.01, 0.03, 16, 15) for seed in range(2)]
    write_csv(home / "search" / "compare.csv", [compared, *cases, ("b", "cycles", 0, "", "", "", "", 3, 2)])


def write_all(home: Path, accuracy: AccuracyOf = plain_accuracy, n: int = CANVASES) -> Results:
    for run in every_run():
        kind = run.words[0]
        if kind == "evaluate":
            write_evaluation(home, run, accuracy, n)
        elif kind == "sweep":
            write_costs(home, run)
        elif kind == "explain":
            write_waterfall(home, run)
        elif kind == "study":
            (write_sqnr if run.words[1] == "sqnr" else write_rankings)(home, run)
        elif "enumerate" in run.words:
            write_space(home, run)
        elif kind == "qat":
            (home / run.name).mkdir(parents=True, exist_ok=True)
            budgets = [{"images": 32000, "size": 112, "batch": 16}] * (1 if "--model" not in run.words else 2)
            (home / run.name / "training.json").write_text(json.dumps(budgets), encoding="utf-8")
    write_searches(home)
    return Results(home)


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Everything measured, as `plain_accuracy` says."""
    return write_all(tmp_path_factory.mktemp("docs") / "reproduction" / "results")
