"""Recorded answers of SCALE-Sim 3.0.0: all agree, and every planted fault is noticed."""

from __future__ import annotations

import csv

from mixarray.accelerator.scalesim_config import DATAFLOWS, read_scalesim_config
from mixarray_analysis.validation.checks.scalesim_golden import CHECK
from mixarray_analysis.validation.scalesim.compare import Subject, compare_run
from mixarray_analysis.validation.scalesim.golden import golden_dir, golden_runs


def test_every_recorded_layer_agrees() -> None:
    done: list[int] = []
    outcome = CHECK.run(CHECK.cases, 0, done.append)
    assert (outcome.mismatches, outcome.first_mismatch) == (0, "")
    recorded = sum(len(run.answers) for run in golden_runs())
    assert outcome.cases == CHECK.cases == sum(done) == recorded


def test_every_fault_is_noticed() -> None:
    mutants = CHECK.mutants(0)
    assert mutants.planted == mutants.caught
    assert len(mutants.planted) >= 24


def test_fewer_cases_when_asked() -> None:
    assert CHECK.run(7, 0, lambda _: None).cases == 7


def test_all_three_dataflows_and_shapes_that_are_no_square_are_recorded() -> None:
    configs = [read_scalesim_config(run.config) for run in golden_runs()]
    assert {config.dataflow_key for config in configs if config.rows != config.columns} == set(DATAFLOWS)


def test_a_missing_layer_is_a_mismatch_of_the_whole_run() -> None:
    run = golden_runs()[0]
    found = compare_run(Subject(read=lambda path: Subject().read(path)[1:]), run)
    assert len(found) == len(run.answers)
    assert all("layers instead of" in text for text in found)


def test_the_topology_of_swin_t_is_the_list_it_was_recorded_for() -> None:
    """The names, sizes and order of the golden GEMMs."""
    for stem in ("scalesim_3.0.0_ws_32x32", "scalesim_3.0.0_ws_128x128"):
        with (golden_dir() / f"{stem}.csv").open(encoding="utf-8", newline="") as file:
            rows = [(row["layer"], int(row["M"]), int(row["N"]), int(row["K"])) for row in csv.DictReader(file)]
        layers = Subject().read(golden_dir() / f"{stem}.topology.csv")
        assert [(layer.name, layer.m, layer.n, layer.k) for layer in layers] == rows
        assert len(rows) == 23
