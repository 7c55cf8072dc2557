"""The output-stationary event log: sums are kept until they are out, seen from the events alone."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mixarray.accelerator.enums import Dataflow, WeightLoading
from mixarray.array.events import ArrayEvent, make_log
from mixarray.array.fold import OutputFold
from mixarray.array.output import expand_output
from mixarray_analysis.validation.arrays import chooser, make_array
from mixarray_analysis.validation.fold_streams import draw_output

STEP, COMPUTE = ArrayEvent.ROW_ISSUE, ArrayEvent.COMPUTE
DRAIN, RESULT = ArrayEvent.DRAIN_ISSUE, ArrayEvent.RESULT


@st.composite
def streams(draw):
    """A random array with a random stream of folds, steps withheld or not."""
    array, folds = draw_output(lambda low, high: draw(st.integers(low, high)), draw(st.booleans()))
    return array, folds, expand_output(array, folds).log


def keeps_sums(array, log):
    """Sums drain after their last step, drains never overlap, and the next sums start when the policy has room.

    A drain step acts at PE(r,c) as much later than it was issued as a step of the stream does, so issues can be
    compared. A PE reads its sum in the first drain step; with one register the others need it too.
    """
    steps, drains = log.of(STEP), log.of(DRAIN)
    for fold in np.unique(log.fold):
        summed, drained = steps.cycle[steps.fold == fold], drains.cycle[drains.fold == fold]
        later, free = steps.cycle[steps.fold > fold], drained.min()
        if array.weight_loading is WeightLoading.SINGLE:
            free = drained.max() + 1
        if array.weight_loading is WeightLoading.SERIAL:
            free = log.of(RESULT).cycle[log.of(RESULT).fold == fold].max() + 1
        others = drains.cycle[drains.fold < fold]
        if drained.min() <= summed.max() or (later < free).any() or (others >= drained.min()).any():
            return False
    return True


def moved(log, event, number, cycles):
    table = log.table()
    table[np.flatnonzero(table[:, 1] == event)[number], 0] += cycles
    return make_log([table])


@given(streams())
def test_steps_and_drains_reach_the_last_pe_after_the_way_through_the_array(stream):
    array, _, log = stream
    for start, end in ((STEP, COMPUTE), (DRAIN, RESULT)):
        issued, arrived = log.of(start).table(), log.of(end).table()
        issued[:, 0] += array.rows + array.columns - 2
        assert np.array_equal(issued[:, [0, 2, 3, 4, 5, 6]], arrived[:, [0, 2, 3, 4, 5, 6]])


@given(streams())
def test_one_step_at_a_time_on_the_port_and_one_drain_step_a_cycle(stream):
    array, _, log = stream
    assert (np.diff(log.of(STEP).cycle) >= array.row_load_cycles).all()
    assert log.of(STEP).cycle[0] >= array.row_load_cycles - 1
    assert (np.diff(log.of(DRAIN).cycle) >= 1).all()


@given(streams())
def test_every_fold_has_all_its_steps_and_drains_without_a_pause(stream):
    array, folds, log = stream
    for number, fold in enumerate(folds):
        steps, drains = (log.of(event) for event in (STEP, DRAIN))
        assert steps.row[steps.fold == number].tolist() == list(range(fold.depth))
        assert drains.row[drains.fold == number].tolist() == list(range(fold.drain_rows(array)))
        assert (np.diff(drains.cycle[drains.fold == number]) == 1).all()


@given(streams())
def test_sums_are_kept_until_they_are_out(stream):
    array, _, log = stream
    assert keeps_sums(array, log)


@given(streams())
def test_the_total_is_one_more_than_the_last_result(stream):
    array, folds, log = stream
    assert expand_output(array, folds).total_cycles == 1 + log.of(RESULT).cycle.max()


@given(streams())
def test_a_later_policy_never_takes_longer(stream):
    array, folds, _ = stream
    totals = [
        expand_output(array.model_copy(update={"weight_loading": policy}), folds).total_cycles
        for policy in (WeightLoading.SERIAL, WeightLoading.SINGLE, WeightLoading.DOUBLE)
    ]
    assert totals == sorted(totals, reverse=True)


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_the_rule_of_sums_notices_a_drain_that_is_one_cycle_early(number):
    array, folds = draw_output(chooser(0, number), withheld=False)
    log = expand_output(array, folds).log
    assert not keeps_sums(array, moved(log, DRAIN, 0, -1))


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from(WeightLoading))
def test_the_rule_of_sums_notices_a_step_that_is_one_cycle_early(number, policy):
    """With a port of one cycle a step the next fold starts in the first cycle that has room for its sums."""
    array, folds = draw_output(chooser(0, number), withheld=False)
    array = array.model_copy(update={"weight_loading": policy, "weight_port_bits": 65_536})
    log = expand_output(array, (*folds, *folds)).log
    first = int(np.flatnonzero(log.of(STEP).fold == len(folds))[0])
    assert keeps_sums(array, log)
    assert not keeps_sums(array, moved(log, STEP, first, -1))


def test_three_folds_on_paper():
    """Double on 2x2, K = 1, all rows drained: the second drain waits for the first, the third fold for the second."""
    array = make_array((2, 2), "plain", Dataflow.OUTPUT_STATIONARY, ((8, 8),), WeightLoading.DOUBLE)
    fold = OutputFold(1, 2, 1, array.mode(8, 8))
    issues = [line for line in expand_output(array, [fold] * 3).log.lines() if "issue" in line]
    assert issues == [
        "0 row_issue fold 0 row 0 8x8 pass 0",
        "1 row_issue fold 1 row 0 8x8 pass 0",
        "1 drain_issue fold 0 row 0",
        "2 drain_issue fold 0 row 1",
        "3 row_issue fold 2 row 0 8x8 pass 0",
        "3 drain_issue fold 1 row 0",
        "4 drain_issue fold 1 row 1",
        "5 drain_issue fold 2 row 0",
        "6 drain_issue fold 2 row 1",
    ]


def test_an_empty_stream_has_no_events():
    array, _ = draw_output(lambda low, high: low, withheld=False)
    assert (len(expand_output(array, []).log), expand_output(array, []).total_cycles) == (0, 0)
