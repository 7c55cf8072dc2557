"""Results from executions counted by hand: totals, speedups, files, and that equal runs give equal bytes."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from mixarray.accelerator.load import load_accelerator
from mixarray.cost.energy import energy
from mixarray.engine.attribution import Attribution
from mixarray.engine.timeline import Execution, OperatorCounts
from mixarray.mapping.schedule import Action, JobKind, Schedule
from mixarray.result.glossary import LAYER_COLUMNS
from mixarray.result.layers import layer_rows
from mixarray.result.run import RunResult, run_result, speedup_over, work_of
from mixarray.result.totals import Weighted, totals_of
from mixarray.result.write import write_run
from mixarray.simulation import Simulation
from mixarray.trace.workload import single_gemm

ACCELERATOR = load_accelerator("packed_w4_32x32")
UNITS = ("arrays.0", "arrays.0.weight_port", "vector_units.0", "dram_channels.0")


def made_up(cycles: int, stream_bits: int = 8) -> Simulation:
    """One GEMM of 64x32x64, 4-bit weights: one fold, 64 streamed rows, everything else invented."""
    workload = single_gemm(64, 32, 64, stream_bits, 4)
    passes = 2 if stream_bits == 8 else 1
    useful = 64 * 32 * 32 * passes
    actions = {
        Action("arrays.0", f"pe_cycle_{stream_bits}x4"): useful,
        Action("dram_channels.0", "read_bits"): 1024,
        Action("dram_channels.0", "write_bits"): 256,
    }
    busy = {(0, JobKind.STREAM): 64 * passes, (1, JobKind.ARRAY_LOAD): 32, (3, JobKind.DRAM_STORE): 6}
    streams = {"arrays.0": 64 * passes}
    counts = OperatorCounts(0, 0, cycles, busy, workload.macs, useful, actions)
    execution = Execution("event", cycles, 9, busy, workload.macs, useful, actions, (counts,), None)
    walk = {(0, UNITS[0], JobKind.STREAM): cycles - 10, (0, UNITS[3], JobKind.DRAM_STORE): 10}
    attribution = Attribution(cycles, 2, walk)
    spent = energy(actions, cycles, ACCELERATOR, streams)
    return Simulation(workload, ACCELERATOR, Schedule(UNITS, ()), execution, spent, attribution)


def result_of(simulations: Weighted) -> RunResult:
    return run_result(simulations, source="test", trace_sha256="0" * 64, seed=3, speedup=None)


def test_totals_by_hand() -> None:
    totals = totals_of([(made_up(1000), 1)])
    assert (totals.cycles, totals.latency_ms) == (1000, 0.002)
    assert totals.macs == 64 * 32 * 64
    assert totals.utilization == pytest.approx(64 * 32 * 32 * 2 / (1024 * 1000))
    assert totals.peak_mac_utilization == pytest.approx(64 * 32 * 64 / (1024 * 2 * 1000))
    assert (totals.dram_read_bits, totals.dram_write_bits) == (1024, 256)
    assert totals.energy_low_uj < totals.energy_uj < totals.energy_high_uj


def test_means_are_weighted_by_images_and_stay_integers_where_they_can() -> None:
    totals = totals_of([(made_up(1000), 3), (made_up(2000), 1)])
    assert totals.cycles == 1250
    assert isinstance(totals.cycles, int)
    assert totals_of([(made_up(1000), 2), (made_up(1001), 1)]).cycles == pytest.approx(1000 + 1 / 3)


def test_speedups_have_a_baseline_and_three_scopes() -> None:
    speedup = speedup_over(work_of([(made_up(800, stream_bits=4), 2)]), work_of([(made_up(1000), 1)]), "ratio 0")
    assert (speedup.baseline, speedup.baseline_cycles) == ("ratio 0", 1000)
    assert speedup.bops_blocks == 2.0
    assert speedup.gemms == 2.0  # 128 cycles of streams over 64; loads and everything else are not in it
    assert speedup.simulated == 1.25


def test_gains_of_gemms_are_means_over_the_images() -> None:
    mixed, reference = work_of([(made_up(800, stream_bits=4), 1), (made_up(1000), 3)]), work_of([(made_up(1000), 1)])
    assert speedup_over(mixed, reference, "ratio 0").gemms == pytest.approx(128 / ((64 + 3 * 128) / 4))


def test_energy_entries_sum_to_the_total_and_attribution_to_the_cycles() -> None:
    result = result_of([(made_up(1000), 3), (made_up(2000), 1)])
    assert sum(entry.pj for entry in result.energy) / 1e6 == pytest.approx(result.totals.energy_uj)
    assert sum(entry.low_pj for entry in result.energy) / 1e6 == pytest.approx(result.totals.energy_low_uj)
    assert sum(entry.cycles for entry in result.attribution) == result.totals.cycles
    assert result.attribution[0].kind is JobKind.STREAM


def test_attribution_is_empty_without_a_timeline() -> None:
    assert result_of([(replace(made_up(1000), attribution=None), 1)]).attribution == ()


def test_operands_in_a_wider_mode_are_reported() -> None:
    simulation = made_up(1000)
    narrow = replace(simulation, workload=single_gemm(4, 4, 4, 2, 4))
    assert result_of([(simulation, 1)]).widened == ()
    assert result_of([(narrow, 1)]).widened == ("2x4 in 4x4",)


def test_layer_rows_use_the_glossary_and_conserve_energy_and_cycles() -> None:
    simulation = made_up(1000)
    rows = layer_rows([(simulation, 2)])
    assert all(list(row) == list(LAYER_COLUMNS) for row in rows)
    assert sum(float(row["energy_pj"] or 0) for row in rows) == pytest.approx(simulation.energy.total_pj)
    assert sum(int(row["attributed_cycles"] or 0) for row in rows) == 1000
    gemm, machine = rows
    assert (gemm["groups"], gemm["modes"], gemm["images"]) == ("0:1x64", "8x4", 2)
    assert (gemm["array_busy_cycles"], gemm["weight_port_busy_cycles"], gemm["dram_busy_cycles"]) == (128, 32, 6)
    assert (machine["operator"], machine["kind"]) == (-1, "machine")


def test_files_agree_and_equal_runs_give_equal_bytes(tmp_path: Path) -> None:
    simulations = [(made_up(1000), 1)]
    contents = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        write_run(folder, result_of(simulations), simulations, ACCELERATOR)
        contents.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert contents[0] == contents[1]
    assert set(contents[0]) == {"run.json", "layers.csv", "layers.parquet", "mappings.csv", "accelerator.yaml"}
    with (tmp_path / "one" / "layers.csv").open() as file:
        rows = list(csv.DictReader(file))
    table = pq.read_table(tmp_path / "one" / "layers.parquet")
    assert table.column_names == list(rows[0]) == list(LAYER_COLUMNS)
    assert [str(value) for value in table["macs"].to_pylist()] == [row["macs"] for row in rows]


def test_run_json_reads_back_and_carries_its_provenance() -> None:
    result = result_of([(made_up(1000), 1)])
    data = json.loads(result.to_json())
    assert data["totals"]["cycles"] == 1000
    assert data["trace_sha256"] == "0" * 64
    assert data["versions"]["numpy"]
    assert data["git_revision"]
    assert RunResult.model_validate_json(result.to_json()) == result
    with pytest.raises(ValidationError):
        RunResult.model_validate({**data, "surprise": 1})
