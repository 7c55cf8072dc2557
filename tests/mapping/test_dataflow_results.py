"""What users see of a dataflow: columns, modes, words and energies of a whole run."""

from __future__ import annotations

import pytest

from mixarray.accelerator.enums import Dataflow
from mixarray.mapping.schedule import JobKind
from mixarray.result.glossary import LAYER_COLUMNS
from mixarray.result.layers import layer_rows
from mixarray.result.run import run_result
from mixarray.simulation import simulate
from mixarray.trace.workload import single_gemm
from mixarray_analysis.sentence import WORDS
from mixarray_analysis.simulation import count

PORTS = {
    Dataflow.WEIGHT_STATIONARY: "weight_port_busy_cycles",
    Dataflow.INPUT_STATIONARY: "weight_port_busy_cycles",
    Dataflow.OUTPUT_STATIONARY: "result_port_busy_cycles",
}


@pytest.mark.parametrize("dataflow", Dataflow)
def test_layers_say_which_port_was_busy_and_conserve_energy_and_cycles(dataflow, machine, block):
    simulation = simulate(block(6, 2, 2), machine("plain", f"arrays.0.dataflow={dataflow}"), timeline=True)
    rows = layer_rows([(simulation, 1)])
    assert all(list(row) == list(LAYER_COLUMNS) for row in rows)
    gemms = [row for row in rows if row["kind"] == "gemm"]
    assert len(gemms) == 6
    assert all(row[PORTS[dataflow]] > 0 and row["array_busy_cycles"] > 0 for row in gemms)
    (other,) = set(PORTS.values()) - {PORTS[dataflow]}
    assert not any(row[other] for row in rows)
    assert sum(row["energy_pj"] for row in rows) == pytest.approx(simulation.energy.total_pj)
    assert sum(row["attributed_cycles"] for row in rows) == simulation.execution.total_cycles
    assert {kind.value for _, kind in simulation.attribution.by_unit_and_kind()} <= set(WORDS)
    counted = count([(simulation, 1)]).gemm_array_cycles
    assert list(counted.values()) == [row["array_busy_cycles"] + row[PORTS[dataflow]] for row in gemms]


def test_every_kind_of_array_work_has_words():
    assert {JobKind.ARRAY_LOAD, JobKind.STREAM, JobKind.DRAIN} <= set(WORDS)


@pytest.mark.parametrize(
    ("dataflow", "widened"),
    [
        (Dataflow.WEIGHT_STATIONARY, "8x4 in 8x8"),
        (Dataflow.INPUT_STATIONARY, "4x8 in 8x8"),
        (Dataflow.OUTPUT_STATIONARY, "8x4 in 8x8"),
    ],
)
def test_wider_modes_are_reported_as_the_array_sees_them(dataflow, widened, machine):
    simulation = simulate(single_gemm(50, 40, 30, 8, 4), machine("plain", f"arrays.0.dataflow={dataflow}"))
    result = run_result([(simulation, 1)], source="test", trace_sha256=None, seed=None, speedup=None)
    assert result.widened == (widened,)
    assert layer_rows([(simulation, 1)])[0]["modes"] == "8x8"
