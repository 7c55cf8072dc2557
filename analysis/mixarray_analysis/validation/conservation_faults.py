"""Mistakes in counting and costing, one at a time: in functions of the product, or in what a run says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from mixarray.accelerator.model import Accelerator
from mixarray.cost import energy as costing
from mixarray.cost.pe_time import stream_cycles
from mixarray.cost.tables import EnergyTable, Estimate
from mixarray.cost.unit_energy import unit_energy
from mixarray.mapping.schedule import Action
from mixarray.simulation import Simulation, simulate
from mixarray.trace.workload import Workload, single_gemm
from mixarray_analysis.validation.check import Mutants
from mixarray_analysis.validation.conservation import (
    READ,
    WRITTEN,
    Run,
    draw_gemm,
    gemm_violation,
    ratio_violation,
)
from mixarray_analysis.validation.model_faults import ModelFault, in_model

MUTANT_CASES = 4
"""Both presets, each with and without leakage."""
ACCESS = Action("buffers.activation", "read")
GEMM_OPERATORS = len(single_gemm(1, 1, 1, 8, 8).operators)
Counts = Mapping[Action, int]
Tamper = Callable[[Workload, Counts], Counts]


def _bounds_exchanged(action: Action, accelerator: Accelerator, table: EnergyTable) -> Estimate:
    right = unit_energy(action, accelerator, table)
    return Estimate(right.value, right.high, right.low)


def _reads_free(action: Action, accelerator: Accelerator, table: EnergyTable) -> Estimate:
    return unit_energy(action, accelerator, table).times(float(action.name != "read"))


COSTING = (
    ModelFault("idle and unused PEs not counted", (costing,), "inactive", lambda *given: {}),
    ModelFault("leakage left out", (costing,), "leakage_energy", lambda *given: ()),
    ModelFault("low and high ends exchanged", (costing,), "unit_energy", _bounds_exchanged),
    ModelFault("reads of buffers cost nothing", (costing,), "unit_energy", _reads_free),
)
"""In the functions that cost a run."""

COUNTING: Mapping[str, Tamper] = {
    "DRAM reads in bytes": lambda work, counts: {**counts, READ: counts[READ] // 8},
    "results never written": lambda work, counts: {**counts, WRITTEN: 0},
    "stationary operand read twice": lambda work, counts: {**counts, READ: counts[READ] + _stationary_bits(work)},
    "one access more in every run": lambda work, counts: {**counts, ACCESS: counts[ACCESS] + 1},
    "a low branch costs although nothing runs in it": lambda work, counts: {
        **counts,
        WRITTEN: counts[WRITTEN] + len(work.tensors) - len({tensor for tensor, _ in work.tensors}),
    },
}
"""In the counts of a run, before the product costs them."""
WIDENED = "8-bit operands, whatever was asked for"


def caught_faults(seed: int) -> Mutants:
    """Plant every fault in turn."""
    caught = []
    for fault in COSTING:
        with in_model(fault):
            caught += [fault.name] * _shows(simulate, seed)
    caught += [name for name, tamper in COUNTING.items() if _shows(_tampered(tamper), seed)]
    caught += [WIDENED] * _shows(_widened, seed)
    return Mutants((*(fault.name for fault in COSTING), *COUNTING, WIDENED), tuple(caught))


def _shows(run: Run, seed: int) -> bool:
    return bool(ratio_violation(run)) or any(gemm_violation(draw_gemm(seed, case), run) for case in range(MUTANT_CASES))


def _tampered(tamper: Tamper) -> Run:
    def run(workload: Workload, accelerator: Accelerator) -> Simulation:
        done = simulate(workload, accelerator)
        execution = replace(done.execution, actions=tamper(workload, done.execution.actions))
        streams = stream_cycles(done.schedule.units, execution.busy_cycles)
        spent = costing.energy(execution.actions, execution.total_cycles, accelerator, streams)
        return replace(done, execution=execution, energy=spent)

    return run


def _widened(workload: Workload, accelerator: Accelerator) -> Simulation:
    op = workload.operators[0].operator
    gemm = single_gemm(op.m, op.n, op.k, 8, 8) if len(workload.operators) <= GEMM_OPERATORS else workload
    return simulate(gemm, accelerator)


def _stationary_bits(workload: Workload) -> int:
    grouped = workload.operators[0]
    return grouped.operator.k * grouped.operator.n * grouped.groups[0].stationary_bits
