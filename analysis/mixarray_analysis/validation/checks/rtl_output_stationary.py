"""The INT8 output-stationary array in SystemVerilog against the array model and NumPy, on random GEMMs."""

from __future__ import annotations

from functools import partial

from mixarray_analysis.validation.check import Check, Tier
from mixarray_analysis.validation.rtl.bench import Bench, check_cases, check_mutants
from mixarray_analysis.validation.rtl.build import Fault, Patch
from mixarray_analysis.validation.rtl.output_stationary import build_output_stationary
from mixarray_analysis.validation.rtl.output_stationary_cases import draw_case
from mixarray_analysis.validation.rtl.output_stationary_directed import DIRECTED
from mixarray_analysis.validation.rtl.toolchain import VERILATOR

ARRAY, PE, CONTROLLER, WEIGHT_PORT = "os_array.sv", "os_pe.sv", "os_controller.sv", "weight_port.sv"

LATE_DRAIN = """logic settled;
  always_ff @(posedge clock) settled <= pending;
  assign begins = pending & settled & ~draining;"""

SUM = "(step_in.first ? 32'sd0 : sum) + 32'(product)"

FAULTS: dict[str, Fault] = {
    "sign": (Patch(PE, "32'(product)", "32'(unsigned'(product))"),),
    "first flag": (Patch(PE, "(step_in.first ? 32'sd0 : sum)", "sum"),),
    "accumulator 24 bits wide": (Patch(PE, SUM, f"32'(signed'(24'({SUM})))"),),
    "hold select": (Patch(PE, "drain_in.first ? sum", "drain_in.last ? sum"),),
    "hold kept": (Patch(PE, "hold       <= result_in", "if (drain_in.first) hold <= result_in"),),
    "drain one row short": (Patch(CONTROLLER, "? 16'(ROWS) :", "? 16'(ROWS - 1) :"),),
    "drain one cycle late": (Patch(CONTROLLER, "assign begins = pending & ~draining;", LATE_DRAIN),),
    "activation skew": (Patch(ARRAY, ".DEPTH(r)", ".DEPTH(r == ROWS - 1 ? r + 1 : r)"),),
    "weight skew": (Patch(ARRAY, ".DEPTH(c)", ".DEPTH(c == COLUMNS - 1 ? c + 1 : c)"),),
    "fold id 6 bits": (Patch(ARRAY, "'{issue, first, last, fold, index}", "'{issue, first, last, fold & 63, index}"),),
    "single taken as double": (Patch(CONTROLLER, "free = ~pending & ~draining", "free = ~pending | begins"),),
    "serial does not wait": (Patch(CONTROLLER, "free = ~undrained | drained", "free = ~undrained | drained | begins"),),
    "double does not wait": (Patch(CONTROLLER, "free = ~pending | begins", "free = 1'b1"),),
    "reset leaves a drain": (Patch(CONTROLLER, "      draining  <= 1'b0;\n", ""),),
    "beats not collected": (Patch(WEIGHT_PORT, "collected | (beat << filled_bits)", "(beat << filled_bits)"),),
    "step complete one beat early": (Patch(WEIGHT_PORT, ">= 16'(ROW_BITS)", "+ port_bits >= 16'(ROW_BITS)"),),
}

BENCH = Bench(build_output_stationary, DIRECTED, draw_case)

CHECK = Check(
    name="rtl_output_stationary",
    title="INT8 output-stationary RTL: every event and every sum",
    against="array model, NumPy",
    rule="event expansion and job times of the array model, `mixarray/array/output.py`",
    source=(
        "our SystemVerilog, `rtl/`, under Verilator: its event log, and its sums against NumPy; rows withheld at random"
    ),
    agreement="equal, event by event and sum by sum",
    tier=Tier.RTL,
    cases=500,
    run=partial(check_cases, BENCH),
    mutants=partial(check_mutants, BENCH, FAULTS),
    needs=(VERILATOR,),
)
