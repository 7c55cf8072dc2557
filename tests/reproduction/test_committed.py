"""What is committed of the measurements belongs together."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from mixarray_analysis.reproduction.runs import SEARCH_MACHINES, SEEDS

SEARCHES = Path(__file__).parents[2] / "docs" / "reproduction" / "results" / "search"
MEASURED = ("compression", "accuracy", "accuracy_low", "accuracy_high", "n")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def measured(rows: list[dict[str, str]]) -> list[tuple[str, ...]]:
    return [tuple(row[name] for name in MEASURED) for row in rows]


def test_nothing_is_left_to_measure() -> None:
    assert "not measured yet" not in (SEARCHES.parents[2] / "reproduction.md").read_text(encoding="utf-8")


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
