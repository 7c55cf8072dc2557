"""One GEMM with idle memory: its jobs are the folds of the array model, cycle by cycle, and nothing else takes time."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.load import load_accelerator
from mixarray.array.closed_form import output_total_cycles, stationary_total_cycles
from mixarray.array.fold import RowRun
from mixarray.array.output import expand_output
from mixarray.array.problem import Problem, output_folds, stationary_folds, transposed
from mixarray.array.stationary import expand_stationary
from mixarray.engine.event import run_event
from mixarray.mapping.build import build_schedule
from mixarray.mapping.schedule import JobKind
from mixarray.mapping.units import ARRAY, PORT, RESULTS
from mixarray.trace.workload import single_gemm

AMPLE = (
    "buffers.activation.capacity_kib=65536",
    "buffers.weight.capacity_kib=65536",
    "buffers.accumulator.capacity_kib=65536",
    "buffers.accumulator.slots=16",
    "dram_channels.0.bits_per_cycle=1000000",
    "dram_channels.0.latency_cycles=0",
    "vector_units.0.lanes=65536",
    "vector_units.0.latency_cycles=0",
)
EDGES = st.integers(3, 9)
SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40), st.one_of(st.integers(1, 8), st.integers(1, 40)))
POLICIES = st.sampled_from(("serial", "single", "double"))
LOAD_ROWS = st.sampled_from(("all", "used"))
PORTS = st.sampled_from((24, 256))


def make(preset, dataflow, rows, columns, policy, load_rows, port_bits):
    return load_accelerator(
        preset,
        [
            *AMPLE,
            f"arrays.0.dataflow={dataflow}",
            f"arrays.0.rows={rows}",
            f"arrays.0.columns={columns}",
            f"arrays.0.weight_loading={policy}",
            f"arrays.0.weight_load_rows={load_rows}",
            f"arrays.0.weight_port_bits={port_bits}",
        ],
    )


PLAIN = st.builds(
    make, st.just("plain_int8_32x32"), st.sampled_from(Dataflow), EDGES, EDGES, POLICIES, LOAD_ROWS, PORTS
)
PACKED = st.builds(
    make, st.just("packed_w4_32x32"), st.just("weight_stationary"), EDGES, EDGES, POLICIES, LOAD_ROWS, PORTS
)


def folds_of(array, m, n, k, bits):
    """The folds of a GEMM in the order of the mapping, their times, and their closed form."""
    if array.dataflow is Dataflow.OUTPUT_STATIONARY:
        folds = output_folds(array, Problem((RowRun(m, array.mode(*bits)),), n, k))
        ordered = sorted(folds, key=lambda fold: (fold.first_n, fold.first_row))  # weights of a column are kept
        return expand_output(array, ordered).times, output_total_cycles(array, ordered)
    if array.dataflow is Dataflow.INPUT_STATIONARY:
        problem = transposed(m, n, k, *bits, array)
    else:
        problem = Problem((RowRun(m, array.mode(*bits)),), n, k)
    folds = stationary_folds(array, problem)
    return expand_stationary(array, folds).times, stationary_total_cycles(array, folds)


def moments(timeline, unit):
    """(start, issued, ready) of all jobs of a unit, shape (jobs, 3)."""
    chosen = timeline.unit == unit
    columns = timeline.start_cycles, timeline.issued_cycles, timeline.ready_cycles
    return np.stack([column[chosen] for column in columns], axis=1)


def check_against_the_array_model(machine, size, bits):
    array = machine.arrays[0]
    output = array.dataflow is Dataflow.OUTPUT_STATIONARY
    if array.dataflow is Dataflow.INPUT_STATIONARY:  # a tile is one column: it must outlast what leaves the one before
        size = size[0], size[1] + array.rows + array.columns, size[2]
    run = run_event(build_schedule(single_gemm(*size, *bits), machine), 1, with_timeline=True)
    times, closed = folds_of(array, *size, bits)
    # what is stationary arrives after one cycle if it is the input, else behind it; sums need both
    begin = 1 if array.dataflow is Dataflow.INPUT_STATIONARY else 2
    streams = [(t.stream_start_cycles, t.stream_issued_cycles, t.stream_ready_cycles) for t in times]
    others = [(t.other_start_cycles, t.other_issued_cycles, t.other_ready_cycles) for t in times]
    assert np.array_equal(moments(run.timeline, ARRAY), np.array(streams) + begin)
    assert np.array_equal(moments(run.timeline, RESULTS if output else PORT), np.array(others) + begin)
    assert run.total_cycles == begin + closed + 2  # one cycle to requantize the last sums, one to store them


@given(PLAIN, SIZES)
@settings(max_examples=150)
def test_plain_arrays_in_every_dataflow(machine, size):
    check_against_the_array_model(machine, size, (8, 8))


@given(PACKED, SIZES, st.sampled_from(((4, 4), (8, 4), (8, 8))))
def test_packed_arrays(machine, size, bits):
    check_against_the_array_model(machine, size, bits)


@given(EDGES, EDGES, POLICIES, LOAD_ROWS, SIZES, st.sampled_from((1, 2, 65536)))
def test_input_stationary_is_weight_stationary_transposed(rows, columns, policy, load_rows, size, kib):
    m, n, k = size
    busy = []
    for dataflow, shape in (("input_stationary", (m, n, k)), ("weight_stationary", (n, m, k))):
        machine = make("plain_int8_32x32", dataflow, rows, columns, policy, load_rows, 256)
        sums = machine.buffers.accumulator.model_copy(update={"capacity_kib": kib, "slots": 4})
        machine = machine.model_copy(update={"buffers": machine.buffers.model_copy(update={"accumulator": sums})})
        run = run_event(build_schedule(single_gemm(*shape, 8, 8), machine), 1)
        busy.append((run.busy_cycles[ARRAY, JobKind.STREAM], run.busy_cycles[PORT, JobKind.ARRAY_LOAD], run.macs))
    assert busy[0] == busy[1]
