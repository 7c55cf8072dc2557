"""mappings.csv: its columns are the glossary's, its figures those of the runs."""

from __future__ import annotations

import csv

import pytest

from mixarray.engine.event import run_event
from mixarray.mapping.build import lower_alone, plan_workload
from mixarray.result.mapping_glossary import MAPPING_COLUMNS
from mixarray.result.mappings import mapping_rows
from mixarray.result.run import run_result
from mixarray.result.write import write_run
from mixarray.simulation import simulate
from mixarray.trace.workload import single_gemm

SMALL = ("arrays.0.rows=8", "arrays.0.columns=8", "buffers.activation.capacity_kib=8", "buffers.weight.capacity_kib=8")
EXHAUSTIVE = "mapping.search=exhaustive"
ONLY_SEARCHED = ("runner_up", "runner_up_cycles", "bound_cycles", "candidates", "bounded", "evaluated")


def rows_of(workload, accelerator):
    return mapping_rows([(simulate(workload, accelerator), 1)])


def written(directory, workload, accelerator):
    simulations = [(simulate(workload, accelerator), 1)]
    result = run_result(simulations, source="test", trace_sha256=None, seed=None, speedup=None)
    directory.mkdir()
    write_run(directory, result, simulations, accelerator)
    return (directory / "mappings.csv").read_bytes()


def test_the_file_has_the_glossary_s_columns_and_the_same_bytes_again(tmp_path, machine, block):
    accelerator = machine("packed", *SMALL, EXHAUSTIVE)
    first, again = (written(tmp_path / name, block(4, 2, 1), accelerator) for name in ("one", "two"))
    assert first == again
    rows = list(csv.DictReader(first.decode().splitlines()))
    assert list(rows[0]) == list(MAPPING_COLUMNS)
    assert [row["name"] for row in rows] == ["qkv", "qk", "av", "proj", "fc1", "fc2"]


def test_the_search_reports_what_it_did(machine, block):
    for row in rows_of(block(4, 2, 1), machine("packed", *SMALL, EXHAUSTIVE)):
        assert row["search"] == "exhaustive"
        assert row["bound_cycles"] <= row["cycles"] <= row["runner_up_cycles"]
        assert 2 <= row["evaluated"] <= row["candidates"]
        assert row["bounded"] <= row["candidates"]
        assert row["runner_up"].count("x") == 2


@pytest.mark.parametrize("flow", ["weight_stationary", "input_stationary", "output_stationary"])
def test_the_fixed_form_has_no_runner_up_and_its_own_figures(flow, machine, block):
    workload = block(4, 2, 1)
    accelerator = machine("plain", *SMALL, f"arrays.0.dataflow={flow}", "dram_channels.0.burst_bits=1")
    plans = [plan for (plan,) in plan_workload(workload, accelerator).sections if plan.chain.gemm is not None]
    rows = rows_of(workload, accelerator)
    assert len(rows) == len(plans) == 6
    for row, plan in zip(rows, plans, strict=True):
        run = run_event(lower_alone(accelerator, plan), len(workload.operators))
        assert (row["search"], row["cycles"]) == ("fixed", run.total_cycles)
        moved = sum(n for action, n in run.actions.items() if action.component == "dram_channels.0")
        assert row["traffic_bits"] == moved
        assert all(row[name] is None for name in ONLY_SEARCHED)


def test_three_levels_of_residency_are_told(machine, layers):
    accelerator = machine("packed", "buffers.activation.capacity_kib=64", "buffers.weight.capacity_kib=16")
    first, second = rows_of(layers(2, 300, 64), accelerator)
    assert first["array_reuse"] == 256  # rows that an accumulator slot holds
    assert (first["weight_fetches"], second["weight_fetches"]) == (1.0, 1.0)
    assert first["resident_outputs"] == second["resident_inputs"] != ""
    assert (first["resident_inputs"], second["resident_outputs"]) == ("", "")


def test_weights_that_do_not_stay_are_fetched_for_every_tile(machine):
    accelerator = machine("packed", "buffers.weight.capacity_kib=8", "buffers.activation.capacity_kib=32")
    (row,) = rows_of(single_gemm(400, 128, 256, 8, 4), accelerator)
    assert row["weight_fetches"] == -(-400 // row["tile_rows"])


def test_parts_on_arrays_of_their_own_have_rows_of_their_own(machine, mixed_gemm):
    sequential = machine("packed", *SMALL, EXHAUSTIVE, "mapping.group_order=sequential")
    rows = rows_of(mixed_gemm(30, 10, 16, 24), sequential)
    assert [(row["groups"], row["m"]) for row in rows] == [("8:1x20", 20), ("4:1x10", 10)]
    assert len({row["cycles"] for row in rows}) == 2


def test_fused_pairs_keep_their_form(machine, block):
    accelerator = machine("packed", EXHAUSTIVE, "mapping.attention=fused")
    rows = {row["name"]: row for row in rows_of(block(4, 2, 1), accelerator)}
    assert {name for name, row in rows.items() if row["search"] == "fused"} == {"qk", "av"}
    assert rows["qk"]["cycles"] is None
    assert rows["qkv"]["search"] == "exhaustive"
