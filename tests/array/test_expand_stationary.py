"""The weight-stationary event log: what hardware could not do never stands in it, seen from the events alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixarray.accelerator.enums import Dataflow, WeightLoading
from mixarray.array.events import ArrayEvent, make_log
from mixarray.array.fold import RowRun, StationaryFold
from mixarray.array.stationary import expand_stationary
from mixarray_analysis.validation.arrays import chooser, make_array, mode_sets
from mixarray_analysis.validation.fold_streams import draw_stationary

LOAD, ROW, COMPUTE = ArrayEvent.LOAD_ISSUE, ArrayEvent.ROW_ISSUE, ArrayEvent.COMPUTE
BUFFERS = {WeightLoading.SERIAL: 1, WeightLoading.SINGLE: 1, WeightLoading.DOUBLE: 2}


@st.composite
def streams(draw):
    """A random array with a random stream of folds, rows withheld or not; hypothesis draws, and shrinks, its parts."""
    array, folds = draw_stationary(lambda low, high: draw(st.integers(low, high)), draw(st.booleans()))
    return array, folds, expand_stationary(array, folds).log


def moved(log, event, number, cycles):
    """The log with event `number` of a kind moved by some cycles."""
    table = log.table()
    table[np.flatnonzero(table[:, 1] == event)[number], 0] += cycles
    return make_log([table])


def keeps_registers(array, log):
    """A weight is overwritten only when its last user is done with it, and there before its first user needs it.

    Load row r issued in cycle i is written at PE(r,c) at the end of cycle i+r+c, a pass issued in cycle s computes
    there in cycle s+r+c; fold f uses buffer f mod (number of buffers).
    """
    loads, rows = log.of(LOAD), log.of(ROW)
    at = np.arange(array.rows)[:, None] + np.arange(array.columns)
    for fold in np.unique(log.fold):
        first_use = rows.cycle[rows.fold == fold].min() + at
        earlier = rows.cycle[rows.fold == fold - BUFFERS[array.weight_loading]]
        last_use = (earlier.max() if len(earlier) else -1 - array.rows - array.columns) + at
        for cycle, row in zip(loads.cycle[loads.fold == fold], loads.row[loads.fold == fold], strict=True):
            written = cycle + at[row]
            if (written <= last_use[row]).any() or (written >= first_use[row]).any():
                return False
    return True


@given(streams())
def test_a_pass_reaches_the_last_pe_after_the_way_through_the_array(stream):
    array, _, log = stream
    issued, computed = log.of(ROW).table(), log.of(COMPUTE).table()
    issued[:, 0] += array.rows + array.columns - 2
    assert np.array_equal(issued[:, [0, 2, 3, 4, 5, 6]], computed[:, [0, 2, 3, 4, 5, 6]])


@given(streams())
def test_one_pass_a_cycle_and_one_load_row_on_the_port_at_a_time(stream):
    array, _, log = stream
    assert (np.diff(log.of(ROW).cycle) >= 1).all()
    assert (np.diff(log.of(LOAD).cycle) >= array.row_load_cycles).all()
    assert log.of(LOAD).cycle[0] >= array.row_load_cycles - 1


@given(streams())
def test_every_row_has_its_passes_one_behind_the_other_slot_zero_first(stream):
    array, folds, log = stream
    rows = log.of(ROW)
    expected = [
        (number, row, index)
        for number, fold in enumerate(folds)
        for row, mode in enumerate(mode for run in fold.runs for mode in [run.mode] * run.rows)
        for index in range(mode.passes(fold.depth, array.rows))
    ]
    assert list(zip(rows.fold.tolist(), rows.row.tolist(), rows.pass_number.tolist(), strict=True)) == expected
    same = (np.diff(rows.fold) == 0) & (np.diff(rows.row) == 0)
    assert (np.diff(rows.cycle)[same] == 1).all()


@given(streams())
def test_weights_are_kept_while_used_and_there_when_needed(stream):
    array, _, log = stream
    assert keeps_registers(array, log)


@given(streams())
def test_serial_loads_wait_until_the_array_is_empty(stream):
    array, folds, log = stream
    loads, computes = log.of(LOAD), log.of(COMPUTE)
    if array.weight_loading is WeightLoading.SERIAL:
        for fold in range(1, len(folds)):
            assert loads.cycle[loads.fold == fold].min() > computes.cycle[computes.fold < fold].max()


@given(streams())
def test_the_total_is_one_more_than_the_last_compute(stream):
    array, folds, log = stream
    assert expand_stationary(array, folds).total_cycles == 1 + log.of(COMPUTE).cycle.max()


@given(streams(), st.data())
def test_a_cycle_more_without_a_row_never_shortens_the_run(stream, data):
    array, folds, log = stream
    number = data.draw(st.integers(0, len(folds) - 1))
    fold = folds[number]
    gaps = list(fold.row_gaps or [0] * fold.rows)
    gaps[data.draw(st.integers(0, fold.rows - 1))] += 1
    slower = (*folds[:number], replace(fold, row_gaps=tuple(gaps)), *folds[number + 1 :])
    more = expand_stationary(array, slower).total_cycles - 1 - log.of(COMPUTE).cycle.max()
    assert 0 <= more <= 1


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_the_register_rule_notices_a_load_that_is_one_cycle_early(number):
    """The first row of a tile cannot move: under `single` every row of it overwrites what the last pass still uses."""
    array, folds = draw_stationary(chooser(0, number), withheld=False)
    array = array.model_copy(update={"weight_loading": WeightLoading.SINGLE, "weight_port_bits": 65_536})
    log = expand_stationary(array, (*folds, folds[0])).log
    first = int(np.flatnonzero(log.of(LOAD).fold == len(folds))[0])
    assert keeps_registers(array, log)
    assert not keeps_registers(array, moved(log, LOAD, first, -1))


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_the_register_rule_notices_a_load_that_is_one_cycle_late(number):
    array, folds = draw_stationary(chooser(1, number), withheld=False)
    log = expand_stationary(array, folds[:1]).log
    assert not keeps_registers(array, moved(log, LOAD, len(log.of(LOAD)) - 1, 1))


def test_a_withheld_row_is_a_bubble_and_nothing_freezes(array_of):
    """Three rows on a 2x2 array: the load's second row is withheld for 2 cycles, the second streamed row for 3."""
    array = array_of("single", rows=2, columns=2)
    fold = StationaryFold(2, 2, (RowRun(3, array.mode(8, 4)),), load_gaps=(0, 2), row_gaps=(0, 3, 0))
    assert list(expand_stationary(array, [fold]).log.lines()) == [
        "0 load_issue fold 0 row 0",
        "3 load_issue fold 0 row 1",
        "4 row_issue fold 0 row 0 8x4 pass 0",
        "6 compute fold 0 row 0 8x4 pass 0",
        "8 row_issue fold 0 row 1 8x4 pass 0",
        "9 row_issue fold 0 row 2 8x4 pass 0",
        "10 compute fold 0 row 1 8x4 pass 0",
        "11 compute fold 0 row 2 8x4 pass 0",
    ]


@pytest.fixture
def array_of():
    def make(policy, rows, columns):
        shape, modes = (rows, columns), mode_sets("packed_w4")[0]
        loading = WeightLoading(policy)
        return make_array(shape, "packed_w4", Dataflow.WEIGHT_STATIONARY, modes, loading, port_bits=8 * columns)

    return make


def test_an_empty_stream_has_no_events(array_of):
    expansion = expand_stationary(array_of("double", 4, 4), [])
    assert (len(expansion.log), expansion.total_cycles) == (0, 0)
