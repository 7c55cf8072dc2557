"""`--json` where a command has a result to print: the same as its files and tables, and nothing else on stdout."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import yaml

from mixarray_analysis.cli import main
from mixarray_analysis.search.compare import Case, panel_of
from mixarray_analysis.search.compare_files import comparison_values, write_comparison
from mixarray_analysis.search.front import Trade
from mixarray_analysis.search.hardware import Objective
from mixarray_analysis.search.results import Found, FrontRow, found_values
from mixarray_analysis.search.settings import Limits, Settings, Stopped
from mixarray_analysis.tables import to_json

ROW = FrontRow("0 1", "0/0.1", "0", 0.05, 0.0, 0.5, 0.4, 0.3, 0.6, 500, 100, 1000, 1.0, 2.0, 2.0)


def test_an_accelerator_is_that_of_its_yaml(capsys: pytest.CaptureFixture[str]) -> None:
    shown = []
    for form in ((), ("--json",)):
        assert main(["accelerators", "show", "packed_w4_32x32", "--set", "arrays.0.rows=64", *form]) == 0
        shown.append(capsys.readouterr().out)
    assert yaml.safe_load(shown[0]) == json.loads(shown[1])
    assert json.loads(shown[1])["arrays"][0]["rows"] == 64


def test_a_search_tells_its_front() -> None:
    settings = Settings(Objective.CYCLES, "packed_w4_32x32", (), "", "a", "b", 448, 64, 0, 0, 20, False, "random")
    found = Found(settings, Limits(), Stopped.GENERATIONS, 20, 100, (ROW,), ROW, 0.5, 0.4)
    told = json.loads(to_json(found_values(found)))
    assert told["settings"]["objective"] == "cycles"
    assert [FrontRow(**row) for row in told["front"]] == [ROW]
    assert (told["stopped"], told["evaluations"], told["hypervolume"]) == ("generations", 100, 0.5)


def test_a_comparison_tells_its_table(tmp_path: Path) -> None:
    fronts = (Trade(0.5, 0.4),), (Trade(0.6, 0.4),)
    panel = panel_of([Case("small", Objective.CYCLES, 0, *fronts, (ROW,), (ROW,), ROW)])
    told = comparison_values([panel])
    table, *_ = write_comparison([panel], tmp_path, force=False)
    with table.open(newline="") as file:
        assert [{name: "" if value is None else str(value) for name, value in row.items()} for row in told] == list(
            csv.DictReader(file)
        )
