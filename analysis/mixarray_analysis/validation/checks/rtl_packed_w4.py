"""The packed W4 weight-stationary array in SystemVerilog against the array model and NumPy, on random GEMMs."""

from __future__ import annotations

from functools import partial

from mixarray_analysis.validation.check import Check, Tier
from mixarray_analysis.validation.rtl.bench import Bench, check_cases, check_mutants
from mixarray_analysis.validation.rtl.build import Fault, Patch
from mixarray_analysis.validation.rtl.packed_w4 import build_packed_w4
from mixarray_analysis.validation.rtl.packed_w4_cases import draw_case
from mixarray_analysis.validation.rtl.packed_w4_directed import DIRECTED
from mixarray_analysis.validation.rtl.toolchain import VERILATOR

ARRAY, PE, CONTROLLER = "packed_w4_array.sv", "packed_w4_pe.sv", "packed_w4_controller.sv"
ROW_ISSUE, ACCUMULATOR, WEIGHT_PORT = "packed_w4_row_issue.sv", "packed_w4_accumulator.sv", "weight_port.sv"

SUM = "tag.first ? weighed : entries[tag.address] + weighed"

LATE_WRITE = """if (LATE ? late_tag.valid && late_tag.row == 0 : load_tag.valid && load_tag.row == 0)
      slots[LATE ? late_tag.buffer : load_tag.buffer] <= LATE ? late_weight : weight;
    late_tag <= load_tag;
    late_weight <= weight;
  end
  load_tag_t late_tag;
  word_t late_weight;"""
"""In a PE with LATE: it forwards weights in time and writes its own one cycle late."""

FAULTS: dict[str, Fault] = {
    "sign": (Patch(PE, "{is_signed & nibble[3], nibble}", "{1'b0, nibble}"),),
    "low nibble of a weight taken as signed": (Patch(PE, "mode != MODE_8X8 || pass", "1'b1"),),
    "nibble select": (Patch(PE, "number(codes[7:4]", "number(codes[3:0]"),),
    "slot select": (Patch(PE, "tile[!two_codes && pass]", "tile[0]"),),
    "shift in the PE": (Patch(PE, "32'(high) <<< 4", "32'(high) <<< 3"),),
    "shift of the second pass": (Patch(ACCUMULATOR, "sum <<< 4", "sum"),),
    "accumulator 24 bits wide": (Patch(ACCUMULATOR, SUM, f"32'(signed'(24'({SUM})))"),),
    "address 10 bits": (
        Patch(ACCUMULATOR, "entries[tag.address] <= ", "entries[tag.address & 1023] <= "),
        Patch(ACCUMULATOR, "entries[tag.address] + ", "entries[tag.address & 1023] + "),
    ),
    "fold id 6 bits": (Patch(ARRAY, "load_tag.fold = load_fold", "load_tag.fold = load_fold & 63"),),
    "buffer select": (Patch(PE, "slots[row_tag.buffer])", "slots[0])"),),
    "buffer written": (Patch(PE, "slots[load_tag.buffer] <=", "slots[0] <="),),
    "load off by one": (Patch(PE, "load_tag.valid && load_tag.row == 0", "load_tag.valid && load_tag.row == 1"),),
    "row 1 written one cycle late": (
        Patch(
            PE,
            "module packed_w4_pe\n  import packed_w4_pkg::*;\n",
            "module packed_w4_pe\n  import packed_w4_pkg::*;\n#(parameter bit LATE = 0)\n",
        ),
        Patch(PE, "if (load_tag.valid && load_tag.row == 0) slots[load_tag.buffer] <= weight;\n  end", LATE_WRITE),
        Patch(ARRAY, "packed_w4_pe pe (", "packed_w4_pe #(.LATE(r == 1)) pe ("),
    ),
    "tile one row short": (Patch(ARRAY, "load_row + 1 ==", "load_row + 2 =="),),
    "activation skew off by one": (Patch(ARRAY, ".DELAY(r)", ".DELAY(r == ROWS - 1 ? r + 1 : r)"),),
    "weight skew off by one": (Patch(ARRAY, ".DELAY(c)", ".DELAY(c == COLUMNS - 1 ? c + 1 : c)"),),
    "all activations but the first row one cycle late": (Patch(ARRAY, ".DELAY(r)", ".DELAY(r == 0 ? 0 : r + 1)"),),
    "single taken as double": (Patch(CONTROLLER, "policy == LOAD_DOUBLE", "policy != LOAD_SERIAL"),),
    "serial does not wait": (Patch(CONTROLLER, "draining && !tile_drained", "1'b0"),),
    "drained one cycle late": (Patch(CONTROLLER, "draining && !tile_drained", "draining"),),
    "an empty slot costs a pass": (
        Patch(ROW_ISSUE, "offered.mode == MODE_8X4 && both_slots", "offered.mode == MODE_8X4"),
    ),
    "a row taken during a second pass": (Patch(ROW_ISSUE, "allowed && !held", "allowed"),),
    "reset leaves a buffer full": (Patch(CONTROLLER, "      full          <= '0;\n", ""),),
    "sums not started afresh": (Patch(ACCUMULATOR, "tag.first ? weighed", "1'b0 ? weighed"),),
    "beats not collected": (Patch(WEIGHT_PORT, "collected | (beat << filled_bits)", "(beat << filled_bits)"),),
}

BENCH = Bench(build_packed_w4, DIRECTED, draw_case)

CHECK = Check(
    name="rtl_packed_w4",
    title="packed W4 weight-stationary RTL: every event and every sum",
    against="array model, NumPy",
    rule="event expansion and job times of the array model, `mixarray/array/stationary.py`",
    source=(
        "our SystemVerilog, `rtl/`, under Verilator: its event log, and its sums against NumPy; rows withheld at random"
    ),
    agreement="equal, event by event and sum by sum",
    tier=Tier.RTL,
    cases=1250,
    run=partial(check_cases, BENCH),
    mutants=partial(check_mutants, BENCH, FAULTS),
    needs=(VERILATOR,),
)
