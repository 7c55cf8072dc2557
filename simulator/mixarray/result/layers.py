"""One tidy row per operator of every distinct workload, and one for the machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import fsum

from mixarray.cost.energy import action_energy
from mixarray.cost.pe_time import split_zeros, stream_cycles
from mixarray.engine.timeline import OperatorCounts
from mixarray.mapping.schedule import dram_bits
from mixarray.result.totals import Weighted
from mixarray.simulation import Simulation
from mixarray.trace.model import OperatorKind
from mixarray.trace.workload import GroupedOperator

Cell = int | float | str | None
Row = Mapping[str, Cell]

BUSY_COLUMNS = {
    "arrays": "array_busy_cycles",
    "arrays.weight_port": "weight_port_busy_cycles",
    "arrays.result_port": "result_port_busy_cycles",
    "vector_units": "vector_busy_cycles",
    "dram_channels": "dram_busy_cycles",
}
"""Units without their numbers: those of several arrays count together."""


def layer_rows(simulations: Weighted) -> list[Row]:
    """Rows in order of workload and operator; columns as in the glossary."""
    rows: list[Row] = []
    for number, (simulation, images) in enumerate(simulations):
        head: dict[str, Cell] = {"workload": number, "images": images}
        attributed = _attributed(simulation)
        own = [_operator_row(simulation, counts, attributed, head) for counts in simulation.execution.operators]
        rows += own
        spent = fsum(float(row["energy_pj"] or 0) for row in own)
        rows.append(_machine_row(simulation, attributed, head, simulation.energy.total_pj - spent))
    return rows


def _attributed(simulation: Simulation) -> Counter[int] | None:
    if simulation.attribution is None:
        return None
    found: Counter[int] = Counter()
    for (operator, _, _), cycles in simulation.attribution.cycles.items():
        found[operator] += cycles
    return found


def _operator_row(
    simulation: Simulation, counts: OperatorCounts, attributed: Counter[int] | None, head: Mapping[str, Cell]
) -> dict[str, Cell]:
    grouped = simulation.workload.operators[counts.operator]
    op = grouped.operator
    zeros = {} if simulation.zeros is None else simulation.zeros[counts.operator]
    items = action_energy(split_zeros(counts.actions, zeros), simulation.accelerator)
    return {
        **head,
        "operator": counts.operator,
        **{"name": op.name, "kind": op.kind.value, "stage": op.stage, "block": op.block, "grid": op.grid.value},
        **{"batch": op.batch, "m": op.m, "n": op.n, "k": op.k},
        "groups": " ".join(f"{g.bits}:{g.batch}x{g.rows}" for g in grouped.groups),
        **_places(simulation, grouped),
        "macs": counts.macs,
        "useful_pe_cycles": counts.useful_pe_cycles,
        "unused_pe_cycles": _unused_pe_cycles(simulation, counts),
        "first_start_cycles": counts.first_start_cycles,
        "last_ready_cycles": counts.last_ready_cycles,
        **_busy(simulation, counts),
        "attributed_cycles": None if attributed is None else attributed[counts.operator],
        "dram_read_bits": dram_bits(counts.actions.items(), "read_bits"),
        "dram_write_bits": dram_bits(counts.actions.items(), "write_bits"),
        "energy_pj": fsum(item.pj for item in items),
    }


def _machine_row(
    simulation: Simulation, attributed: Counter[int] | None, head: Mapping[str, Cell], energy_pj: float
) -> dict[str, Cell]:
    total = simulation.execution.total_cycles
    none: dict[str, Cell] = {**dict.fromkeys(BUSY_COLUMNS.values(), 0), "array_busy_cycles_by_array": ""}
    return {
        **head,
        "operator": -1,
        **{"name": "unused, idle, leakage", "kind": "machine", "stage": -1, "block": -1, "grid": "none"},
        **{"batch": 0, "m": 0, "n": 0, "k": 0, "groups": "", "operand_bits": "", "arrays": "", "modes": ""},
        **{"macs": 0, "useful_pe_cycles": 0},
        "unused_pe_cycles": 0,
        "first_start_cycles": 0,
        "last_ready_cycles": total,
        **none,
        "attributed_cycles": None if attributed is None else attributed[-1],
        "dram_read_bits": 0,
        "dram_write_bits": 0,
        "energy_pj": energy_pj,
    }


def _places(simulation: Simulation, grouped: GroupedOperator) -> dict[str, Cell]:
    """The bits of both operands of each group of a GEMM, the array that it runs on, and its mode there."""
    if grouped.operator.kind is not OperatorKind.GEMM:
        return {"operand_bits": "", "arrays": "", "modes": ""}
    accelerator = simulation.accelerator
    places = [accelerator.array_for(group.stream_bits, group.stationary_bits) for group in grouped.groups]
    return {
        "operand_bits": " ".join(f"{group.stream_bits}x{group.stationary_bits}" for group in grouped.groups),
        "arrays": " ".join(str(index) for index, _ in places),
        "modes": " ".join(f"{mode.stream_bits}x{mode.stationary_bits}" for _, mode in places),
    }


def _unused_pe_cycles(simulation: Simulation, counts: OperatorCounts) -> int:
    """What its streams leave empty: PEs of the array that streams, minus those doing a useful MAC pass."""
    pes = {f"arrays.{number}": array.pes for number, array in enumerate(simulation.accelerator.arrays)}
    streams = stream_cycles(simulation.schedule.units, counts.busy_cycles)
    return sum(pes[name] * cycles for name, cycles in streams.items()) - counts.useful_pe_cycles


def _busy(simulation: Simulation, counts: OperatorCounts) -> dict[str, Cell]:
    """Occupied cycles by unit. Raises KeyError for a unit that no column shows."""
    found: Counter[str] = Counter(dict.fromkeys(BUSY_COLUMNS.values(), 0))
    by_array = [0] * len(simulation.accelerator.arrays)
    for (unit, _), cycles in counts.busy_cycles.items():
        names = simulation.schedule.units[unit].split(".")
        column = BUSY_COLUMNS[".".join(name for name in names if not name.isdecimal())]
        found[column] += cycles
        if column == BUSY_COLUMNS["arrays"]:
            by_array[int(names[1])] += cycles
    return {
        **{name: found[name] for name in BUSY_COLUMNS.values()},
        "array_busy_cycles_by_array": " ".join(map(str, by_array)),
    }
