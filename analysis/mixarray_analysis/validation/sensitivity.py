"""What `compare` says of rankings under other constants, against costing the same runs anew with these constants.

For two GEMMs of nearly equal energy: DRAM at its low and high ends, SRAM x0.6 and x1.6, every leakage, an INT4
multiply-accumulate at 0.25 and 0.43 of an INT8 one (energy.md 6: sensitivity). Each side is costed by the product; what
is examined is that `compare` asks all of these, moves the right constants, and draws the right conclusion.
"""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache

from mixarray.accelerator.enums import Leakage
from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import Accelerator
from mixarray.cost import energy as costing
from mixarray.cost.pe_time import stream_cycles
from mixarray.cost.tables import EnergyTable, Estimate, Key, energy_table
from mixarray.result.run import run_result
from mixarray.simulation import Simulation, simulate
from mixarray.trace.workload import single_gemm
from mixarray_analysis.assumptions import End, Kind
from mixarray_analysis.comparing import Outcome, Run, compare_pair
from mixarray_analysis.ranking import Verdict
from mixarray_analysis.validation.model_faults import ModelFault, in_model

PRESETS = ("packed_w4_32x32", "plain_int8_32x32")
BITS = {"packed_w4_32x32": ((4, 4), (8, 4)), "plain_int8_32x32": ((8, 8), (8, 4))}
ROUNDING = 1e-9
TIE = 1e-3
"""Energies this near are called equal: `compare` says so."""
INT8 = Key("pe_cycle_plain", 8, 8)
FACTORS, RATIOS = (0.6, 1.6), (0.25, 0.43)
WANTED = frozenset(
    {
        *(f"DRAM {end}" for end in End),
        *(f"SRAM x{factor}" for factor in FACTORS),
        *(f"leakage {leakage}" for leakage in Leakage),
        *(f"INT4:INT8 MAC {ratio}" for ratio in RATIOS),
    }
)
"""The sensitivities that every pair of runs is asked, by name."""


def draw_pair(seed: int, case: int) -> tuple[Simulation, Simulation]:
    """A GEMM on one machine, and of some on the other the one whose energy is nearest."""
    draw = random.Random(f"{seed}/{case}/sensitivity")
    names = draw.sample(PRESETS, 2)
    n, k = 32 * draw.randint(1, 4), 64 * draw.randint(1, 4)
    first = _simulated(names[0], 16 * draw.randint(2, 10), n, k, draw.choice(BITS[names[0]]))
    n, k, bits = 32 * draw.randint(1, 4), 64 * draw.randint(1, 4), draw.choice(BITS[names[1]])
    others = [_simulated(names[1], rows, n, k, bits) for rows in range(16, 400, 64)]
    return first, min(others, key=lambda done: abs(done.energy.total_pj - first.energy.total_pj))


def pair_violation(first: Simulation, second: Simulation) -> str:
    """How the comparison of two runs disagrees with costing them anew, in words, or nothing."""
    compared = compare_pair(_run("first", first), _run("second", second))
    asked = {one.assumption.name: one for one in compared.outcomes if one.assumption.kind is Kind.SENSITIVITY}
    if set(asked) != WANTED:
        return f"not asked: {sorted(WANTED - set(asked))}; beyond these: {sorted(set(asked) - WANTED)}"
    nominal = first.energy.total_pj, second.energy.total_pj
    for name in sorted(asked):
        found = _outcome_violation(asked[name], nominal, (_costed(first, name), _costed(second, name)))
        if found:
            return f"{first.accelerator.name} and {second.accelerator.name}, {name}: {found}"
    return ""


def flips_of(first: Simulation, second: Simulation) -> set[str]:
    """The sensitivities that flip the ranking, by costing anew."""
    nominal = first.energy.total_pj, second.energy.total_pj
    return {name for name in WANTED if _verdict(nominal, (_costed(first, name), _costed(second, name))) == "flips"}


def _outcome_violation(outcome: Outcome, nominal: tuple[float, float], wanted: tuple[float, float]) -> str:
    for ours, other in zip((outcome.first_uj, outcome.second_uj), wanted, strict=True):
        if ours is None or abs(ours * 1e6 - other) > ROUNDING * other:
            return f"{ours} uJ, costed anew {other * 1e-6} uJ"
    verdict = _verdict(nominal, wanted)
    return "" if outcome.verdict == Verdict(verdict) else f"{outcome.verdict}, by the energies {verdict}"


def _verdict(nominal: tuple[float, float], wanted: tuple[float, float]) -> str:
    """holds, flips, equal or parts, from two pairs of energies."""
    before, after = (first - second for first, second in (nominal, wanted))
    if abs(after) <= TIE * max(wanted):
        return "equal"
    if abs(before) <= TIE * max(nominal):
        return "parts"
    return "holds" if before * after > 0 else "flips"


def _costed(done: Simulation, name: str) -> float:
    """pJ of a run, costed anew by the function that costs every run, with the constants of a sensitivity."""
    machine = done.accelerator
    what, _, value = name.rpartition(" ")
    if what == "leakage":
        machine = load_accelerator(machine.name, (f"leakage={value}",))
    table = _table(energy_table(machine.energy_table), machine, what, value)
    streams = stream_cycles(done.schedule.units, done.execution.busy_cycles)
    with in_model(ModelFault(name, (costing,), "energy_table", lambda table_name: table)):
        return costing.energy(done.execution.actions, done.execution.total_cycles, machine, streams).total_pj


def _table(table: EnergyTable, machine: Accelerator, what: str, value: str) -> EnergyTable:
    rows = dict(table.rows)
    match what:
        case "DRAM":
            rows |= {key: _fixed(getattr(row, value)) for key, row in rows.items() if key.action.startswith("dram_")}
        case "SRAM":
            rows[Key("sram_scale")] = _fixed(float(value.removeprefix("x")))
        case "INT4:INT8 MAC":
            for array in machine.arrays:
                macs = {(mode.stream_bits, mode.stationary_bits): mode.macs_per_pe_cycle for mode in array.pe_modes}
                if (4, 4) in macs:
                    pj = float(value) * macs[4, 4] * rows[INT8].value
                    rows[Key(f"pe_cycle_{array.pe_style}", 4, 4)] = _fixed(pj)
    return replace(table, rows=rows)


def _fixed(value: float) -> Estimate:
    return Estimate(value, value, value)


@cache
def _simulated(preset: str, m: int, n: int, k: int, bits: tuple[int, int]) -> Simulation:
    return simulate(single_gemm(m, n, k, *bits), load_accelerator(preset))


def _run(name: str, done: Simulation) -> Run:
    result = run_result([(done, 1)], source="drawn", trace_sha256=None, seed=None, speedup=None)
    return Run(name, result, done.accelerator, energy_table(done.accelerator.energy_table))
