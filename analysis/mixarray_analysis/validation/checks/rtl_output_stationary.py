"""The INT8 output-stationary array in SystemVerilog against the array model and NumPy, on random GEMMs."""

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
from mixarray_analysis.validation.rtl.output_stationary import build_output_stationary, run
from mixarray_analysis.validation.rtl.output_stationary_cases import Case, compare, make_case

SHAPES = ((4, 4), (8, 8), (16, 16), (8, 4), (4, 16))
MUTANT_SHAPE = (4, 4)
MUTANT_CASES = 40
SHIFTED_EVENT = "an event of the model one cycle late"

LATE_DRAIN = """logic settled;
  always_ff @(posedge clock) settled <= pending;
  assign begins = pending & settled & ~draining;"""

FAULTS = {
    "sign": Patch("os_pe.sv", "32'(product)", "32'(unsigned'(product))"),
    "first flag": Patch("os_pe.sv", "(step_in.first ? 32'sd0 : sum)", "sum"),
    "hold select": Patch("os_pe.sv", "drain_in.first ? sum", "drain_in.last ? sum"),
    "hold kept": Patch("os_pe.sv", "hold       <= result_in", "if (drain_in.first) hold <= result_in"),
    "drain one row short": Patch("os_controller.sv", "? 16'(ROWS) :", "? 16'(ROWS - 1) :"),
    "drain one cycle late": Patch("os_controller.sv", "assign begins = pending & ~draining;", LATE_DRAIN),
    "activation skew": Patch("os_array.sv", ".DEPTH(r)", ".DEPTH(r == ROWS - 1 ? r + 1 : r)"),
    "weight skew": Patch("os_array.sv", ".DEPTH(c)", ".DEPTH(c == COLUMNS - 1 ? c + 1 : c)"),
    "single taken as double": Patch("os_controller.sv", "free = ~pending & ~draining", "free = ~pending | begins"),
    "serial does not wait": Patch(
        "os_controller.sv", "free = ~undrained | drained", "free = ~undrained | drained | begins"
    ),
    "double does not wait": Patch("os_controller.sv", "free = ~pending | begins", "free = 1'b1"),
    "port one lane short": Patch("os_port.sv", "filled + Width'(lanes)", "filled + Width'(lanes - 16'd1)"),
}


def check_cases(cases: int, seed: int, progress: Progress) -> Outcome:
    """Case i runs on shape i mod 5; all shapes are built first."""
    with tempfile.TemporaryDirectory() as folder:
        libraries = _build([(shape, None) for shape in SHAPES[:cases]], Path(folder))

        def disagreement(number: int) -> str:
            place = number % len(SHAPES)
            case = make_case(seed, number, SHAPES[place])
            found = compare(case, libraries[place])
            return f"case {number} of seed {seed} ({case.describe()}): {found}" if found else ""

        return compare_cases(cases, progress, disagreement)


def check_mutants(seed: int) -> Mutants:
    """Each fault is built into the hardware and must be noticed within a few cases; so must a wrong model."""
    with tempfile.TemporaryDirectory() as folder:
        sound, *faulty = _build([(MUTANT_SHAPE, None), *((MUTANT_SHAPE, f) for f in FAULTS.values())], Path(folder))
        caught = [name for name, library in zip(FAULTS, faulty, strict=True) if notices(seed, library)]
        if _notices_shifted_event(make_case(seed, 0, MUTANT_SHAPE), sound):
            caught.append(SHIFTED_EVENT)
    return Mutants((*FAULTS, SHIFTED_EVENT), tuple(caught))


def notices(seed: int, library: Path) -> bool:
    """Whether any of a few cases disagrees with the hardware in `library`."""
    return any(compare(make_case(seed, number, MUTANT_SHAPE), library) for number in range(MUTANT_CASES))


def _build(designs: Sequence[tuple[tuple[int, int], Patch | None]], folder: Path) -> list[Path]:
    """The libraries of (shape, fault), built side by side; the compilers are processes, so threads suffice."""

    def make(design: tuple[tuple[int, int], Patch | None]) -> Path:
        (rows, columns), fault = design
        return build_output_stationary(rows, columns, folder, fault)

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return list(pool.map(make, designs))


def _notices_shifted_event(case: Case, library: Path) -> bool:
    """One event in the middle of a log that agreed, moved by one cycle."""
    logged = run(library, case.array, case.tiles(), case.noise_seed).log
    return not log_difference(_shifted(logged, 0), logged) and bool(log_difference(_shifted(logged, 1), logged))


def _shifted(log: EventLog, cycles: int) -> EventLog:
    table = log.table()
    table[len(table) // 2, 0] += cycles
    return make_log([table])


CHECK = Check(
    name="rtl_output_stationary",
    title="INT8 output-stationary RTL: every event and every sum",
    against="array model, NumPy",
    tier=Tier.RTL,
    cases=500,
    run=check_cases,
    mutants=check_mutants,
    needs=(VERILATOR,),
)
