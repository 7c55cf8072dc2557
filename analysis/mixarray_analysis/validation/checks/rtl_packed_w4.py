"""The packed W4 weight-stationary array in SystemVerilog against the array model and NumPy, on random GEMMs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mixarray.array.events import EventLog, make_log
from mixarray_analysis.validation.check import Check, Mutants, Outcome, Progress, Tier, compare_cases
from mixarray_analysis.validation.rtl.build import VERILATOR, Patch
from mixarray_analysis.validation.rtl.difference import log_difference
from mixarray_analysis.validation.rtl.packed_w4 import build_packed_w4, run
from mixarray_analysis.validation.rtl.packed_w4_cases import compare, make_case

Design = tuple[int, int, Patch | None]
"""Rows, columns, and a fault if one is planted."""

SHAPES = ((4, 4), (8, 8), (16, 16), (8, 4), (4, 16))
MUTANT_SHAPE = (4, 4)
MUTANT_CASES = 60
SHIFTED_EVENT = "an event of the model one cycle late"

ARRAY, PE, CONTROLLER = "packed_w4_array.sv", "packed_w4_pe.sv", "packed_w4_controller.sv"
ROW_ISSUE, ACCUMULATOR, WEIGHT_PORT = "packed_w4_row_issue.sv", "packed_w4_accumulator.sv", "packed_w4_weight_port.sv"

FAULTS = {
    "sign": Patch(PE, "{is_signed & nibble[3], nibble}", "{1'b0, nibble}"),
    "low nibble of a weight taken as signed": Patch(PE, "mode != MODE_8X8 || pass", "1'b1"),
    "nibble select": Patch(PE, "number(codes[7:4]", "number(codes[3:0]"),
    "slot select": Patch(PE, "tile[!two_codes && pass]", "tile[0]"),
    "shift in the PE": Patch(PE, "32'(high) <<< 4", "32'(high) <<< 3"),
    "shift of the second pass": Patch(ACCUMULATOR, "sum <<< 4", "sum"),
    "buffer select": Patch(PE, "slots[row_tag.buffer])", "slots[0])"),
    "buffer written": Patch(PE, "slots[load_tag.buffer] <=", "slots[0] <="),
    "load off by one": Patch(PE, "load_tag.valid && load_tag.row == 0", "load_tag.valid && load_tag.row == 1"),
    "tile one row short": Patch(ARRAY, "load_row + 1 ==", "load_row + 2 =="),
    "activation skew off by one": Patch(ARRAY, ".DELAY(r)", ".DELAY(r == ROWS - 1 ? r + 1 : r)"),
    "weight skew off by one": Patch(ARRAY, ".DELAY(c)", ".DELAY(c == COLUMNS - 1 ? c + 1 : c)"),
    "all activations but the first row one cycle late": Patch(ARRAY, ".DELAY(r)", ".DELAY(r == 0 ? 0 : r + 1)"),
    "single taken as double": Patch(CONTROLLER, "policy == LOAD_DOUBLE", "policy != LOAD_SERIAL"),
    "serial does not wait": Patch(CONTROLLER, "draining && !tile_drained", "1'b0"),
    "drained one cycle late": Patch(CONTROLLER, "draining && !tile_drained", "draining"),
    "an empty slot costs a pass": Patch(
        ROW_ISSUE, "offered.mode == MODE_8X4 && both_slots", "offered.mode == MODE_8X4"
    ),
    "a row taken during a second pass": Patch(ROW_ISSUE, "allowed && !held", "allowed"),
    "sums not started afresh": Patch(ACCUMULATOR, "tag.first ? weighed", "1'b0 ? weighed"),
    "beats not collected": Patch(WEIGHT_PORT, "collected | (beat << filled_bits)", "(beat << filled_bits)"),
}


def check_cases(cases: int, seed: int, progress: Progress) -> Outcome:
    """Case i runs on shape i mod 5; all shapes are built first."""
    with tempfile.TemporaryDirectory() as folder:
        shapes = SHAPES[:cases]
        libraries = _build([(*shape, None) for shape in shapes], Path(folder))

        def disagreement(number: int) -> str:
            place = number % len(SHAPES)
            case = make_case(seed, number, SHAPES[place])
            found = compare(case, libraries[place])
            return f"case {number} of seed {seed} ({case.describe()}): {found}" if found else ""

        return compare_cases(cases, progress, disagreement)


def check_mutants(seed: int) -> Mutants:
    """Each fault is built into the hardware and must be noticed within a few cases; so must a wrong model."""
    with tempfile.TemporaryDirectory() as folder:
        sound, *faulty = _build([(*MUTANT_SHAPE, fault) for fault in (None, *FAULTS.values())], Path(folder))
        caught = [name for name, library in zip(FAULTS, faulty, strict=True) if notices(seed, library)]
        if _notices_shifted_event(seed, sound):
            caught.append(SHIFTED_EVENT)
    return Mutants((*FAULTS, SHIFTED_EVENT), tuple(caught))


def notices(seed: int, library: Path) -> bool:
    """Whether any of a few cases disagrees with the hardware in `library`."""
    return any(compare(make_case(seed, number, MUTANT_SHAPE), library) for number in range(MUTANT_CASES))


def _build(designs: Sequence[Design], folder: Path) -> list[Path]:
    """The libraries, built side by side; the compilers are processes of their own, so threads suffice."""
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        builds = [pool.submit(build_packed_w4, rows, columns, folder, fault) for rows, columns, fault in designs]
        return [finished.result() for finished in builds]


def _notices_shifted_event(seed: int, library: Path) -> bool:
    """One event in the middle of a log that agreed, moved by one cycle."""
    case = make_case(seed, 0, MUTANT_SHAPE)
    logged = run(library, case.array, case.gemms, case.noise_seed).log
    return not log_difference(_shifted(logged, 0), logged) and bool(log_difference(_shifted(logged, 1), logged))


def _shifted(log: EventLog, cycles: int) -> EventLog:
    table = log.table()
    table[len(table) // 2, 0] += cycles
    return make_log([table])


CHECK = Check(
    name="rtl_packed_w4",
    title="packed W4 weight-stationary RTL: every event and every sum",
    against="array model, NumPy",
    tier=Tier.RTL,
    cases=1250,
    run=check_cases,
    mutants=check_mutants,
    needs=(VERILATOR,),
)
