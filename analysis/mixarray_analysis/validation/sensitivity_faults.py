"""Mistakes in what `compare` asks, in the constants that it moves, and in what it concludes, one at a time."""

from __future__ import annotations

from collections.abc import Mapping

from mixarray.accelerator.model import Accelerator
from mixarray.cost.recost import priced_pj
from mixarray.cost.tables import EnergyTable, Estimate, Key
from mixarray.mapping.schedule import Action
from mixarray_analysis import assumptions, comparing
from mixarray_analysis.assumptions import Assumption, End
from mixarray_analysis.ranking import Verdict
from mixarray_analysis.validation.check import Mutants
from mixarray_analysis.validation.model_faults import ModelFault, in_model
from mixarray_analysis.validation.sensitivity import INT8, draw_pair, pair_violation

MUTANT_CASES = 12


def _per_cycle(ratio: float, table: EnergyTable, accelerator: Accelerator) -> dict[Key, float]:
    return {Key(f"pe_cycle_{array.pe_style}", 4, 4): ratio * table.rows[INT8].value for array in accelerator.arrays}


def _no_leakage(
    counts: Mapping[Action, int | float], cycles: int | float, accelerator: Accelerator, table: EnergyTable
) -> Estimate:
    return priced_pj(counts, 0 * cycles, accelerator, table)


FAULTS = (
    ModelFault("SRAM not asked at x1.6", (assumptions,), "SRAM_FACTORS", (0.6,)),
    ModelFault("INT4 asked at 0.40", (assumptions,), "MAC_RATIOS", (0.25, 0.40)),
    ModelFault("leakage left out", (comparing,), "priced_pj", _no_leakage),
    ModelFault("ends of bands exchanged", (End,), "of", lambda end, row: row.high if end is End.LOW else row.low),
    ModelFault("constants never moved", (Assumption,), "table", lambda assumed, table, machine: table),
    ModelFault("an INT4 ratio of cycles for one of MACs", (assumptions,), "_int4_cycles", _per_cycle),
    ModelFault("every ranking holds", (comparing,), "verdict_of", lambda *orders: Verdict.HOLDS),
    ModelFault("every ranking flips", (comparing,), "verdict_of", lambda *orders: Verdict.FLIPS),
)


def caught_faults(seed: int) -> Mutants:
    """Plant every fault in turn and compare a few pairs."""
    pairs = [draw_pair(seed, case) for case in range(MUTANT_CASES)]
    caught = []
    for fault in FAULTS:
        with in_model(fault):
            caught += [fault.name] * any(pair_violation(*pair) for pair in pairs)
    return Mutants(tuple(fault.name for fault in FAULTS), tuple(caught))
