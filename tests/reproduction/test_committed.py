"""What is committed of the measurements belongs together."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from mixarray_analysis.reproduction.budgets import SHORTER
from mixarray_analysis.reproduction.runs import SEARCH_MACHINES, SEEDS, every_run

SEARCHES = Path(__file__).parents[2] / "docs" / "reproduction" / "results" / "search"
MEASURED = ("compression", "accuracy", "accuracy_low", "accuracy_high", "n")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def measured(rows: list[dict[str, str]]) -> list[tuple[str, ...]]:
    return [tuple(row[name] for name in MEASURED) for row in rows]


def test_nothing_is_left_to_measure() -> None:
    assert "not measured yet" not in (SEARCHES.parents[2] / "reproduction.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("home", "images"), [("results", 100_000), (SHORTER, 32_000)])
def test_budgets_are_not_mixed(home: str, images: int) -> None:
    told = sorted((SEARCHES.parents[1] / home).glob("*/training.json"))
    assert len(told) == len({run.name for run in every_run() if run.part})
    trainings = [one for path in told for one in json.loads(path.read_text(encoding="utf-8"))]
    assert {(one["images"], one["budget_images"], one["size"], one["batch"]) for one in trainings} == {
        (images, images, 112, 16)
    }


def test_both_budgets_were_trained_by_one_recipe() -> None:
    """Stages, seeds and learning rates of every model."""
    home = SEARCHES.parents[1]
    for path in sorted((home / "results").glob("*/training.json")):
        recipes = [
            [(one["stage"], one["seed"], one["learning_rate"]) for one in json.loads(told.read_text(encoding="utf-8"))]
            for told in (path, home / SHORTER / path.parent.name / path.name)
        ]
        assert recipes[0] == recipes[1], path


@pytest.mark.parametrize("machine", SEARCH_MACHINES)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_picture_shows_the_fronts_that_were_searched(machine: str, seed: int) -> None:
    shown = [
        row
        for row in rows_of(SEARCHES / "fronts.csv")
        if (row["accelerator"], row["seed"]) == (machine, str(seed)) and row["searched_on"]
    ]
    for searched_on, name in (("BOPs", f"bops_s{seed}"), ("cycles", f"cycles_{machine}_s{seed}")):
        drawn = [row for row in shown if row["searched_on"] == searched_on]
        assert measured(drawn) == measured(rows_of(SEARCHES / name / "front.csv"))


@pytest.mark.parametrize("machine", SEARCH_MACHINES)
def test_the_table_counts_the_settings_of_the_picture(machine: str) -> None:
    shown = rows_of(SEARCHES / "fronts.csv")
    for row in rows_of(SEARCHES / "compare.csv"):
        if row["accelerator"] == machine:
            for column, searched_on in (("settings_bops", "BOPs"), ("settings_own", "cycles")):
                place = machine, row["seed"], searched_on
                settings = [one for one in shown if (one["accelerator"], one["seed"], one["searched_on"]) == place]
                assert len(settings) == int(row[column])
