"""Timelines worked out on paper, job by job: (start, issued, ready) in Schedule order."""

from __future__ import annotations

import pytest

from mixarray.engine.attribution import attribute
from mixarray.engine.event import run_event
from mixarray.mapping.schedule import Back, Event, Final, Job, JobKind, Recent, Schedule, Segment

# design 5: packed W4 4x4, K=12, N=6, 2 low and 3 high rows; folds (k,n) (8,4) (4,4) (8,2) (4,2), every load 4 rows
WORKED_FOLDS = [(4, 8), (4, 5), (4, 8), (4, 5)]
WORKED = {
    # load 2 waits until stream 1 is ready (18), and so on; each fold pays 4 + Meff + 6
    "serial": [
        (0, 4, 4),
        (4, 12, 18),
        (18, 22, 22),
        (22, 27, 33),
        (33, 37, 37),
        (37, 45, 51),
        (51, 55, 55),
        (55, 60, 66),
    ],
    # load 2 waits until stream 1 is issued (12)
    "single": [
        (0, 4, 4),
        (4, 12, 18),
        (12, 16, 16),
        (16, 21, 27),
        (21, 25, 25),
        (25, 33, 39),
        (33, 37, 37),
        (37, 42, 48),
    ],
    # load 2 follows load 1; load 3 waits for stream 1 (12), load 4 for stream 2 (17)
    "double": [(0, 4, 4), (4, 12, 18), (4, 8, 8), (12, 17, 23), (12, 16, 16), (17, 25, 31), (17, 21, 21), (25, 30, 36)],
}


def times(timeline):
    columns = timeline.start_cycles, timeline.issued_cycles, timeline.ready_cycles
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize("policy", WORKED)
def test_worked_example_of_the_design(policy, fold_schedule):
    run = run_event(fold_schedule(WORKED_FOLDS, policy, 4, 4), 1, with_timeline=True)
    assert times(run.timeline) == WORKED[policy]
    assert run.total_cycles == {"serial": 66, "single": 48, "double": 36}[policy]


def test_worked_example_attribution(fold_schedule):
    schedule = fold_schedule(WORKED_FOLDS, "single", 4, 4)
    run = run_event(schedule, 1, with_timeline=True)
    # four loads of 4 cycles are never hidden; the streams' 26 passes and one drain of 6 are the rest
    expected = {(0, "weight_port", JobKind.ARRAY_LOAD): 16, (0, "array", JobKind.STREAM): 32}
    assert attribute(schedule, run.timeline).cycles == expected


def test_two_buffer_slots_throttle_the_loads():
    """DRAM loads (10 + latency 5) into 2 slots that streams of 20 cycles free when issued.

    load   0: 0-10-15   1: 10-20-25   2: waits for stream 0 issued (35): 35-45-50   3: for stream 1 (55): 55-65-70
    stream 0: 15-35     1: 35-55      2: 55-75                                      3: 75-95
    """
    load = Job(0, JobKind.DRAM_LOAD_ACTIVATION, 10, 5, (Back(1, 2, Event.ISSUED),))
    stream = Job(1, JobKind.STREAM, 20, 0, (Back(0, 0, Event.READY),))
    run = run_event(Schedule(("dram", "array"), (Segment((load, stream), 4),)), 0, with_timeline=True)
    assert times(run.timeline) == [
        (0, 10, 15), (15, 35, 35), (10, 20, 25), (35, 55, 55), (35, 45, 50), (55, 75, 75), (55, 65, 70), (75, 95, 95),
    ]  # fmt: skip
    assert run.timeline.binding.tolist() == [-1, 0, 0, 1, 1, 3, 3, 5]
    assert run.total_cycles == 95


def test_variants_and_an_operator_that_waits_for_the_last_iteration():
    """Vector unit: first iteration 6 cycles, body 4, last 2 (latency 3 each). A store waits for the last one's ready.

    vector 0-6-9, 6-10-13, 10-14-17, 14-16-19;  store 19-27-27; a load in the queue behind it starts at 27 although it
    only waits for the vector unit's second most recent job to start (10).
    """

    def vector(cycles):
        return (Job(0, JobKind.SOFTMAX, cycles, 3, (), 0),)

    store = Job(1, JobKind.DRAM_STORE, 8, 0, (Final(0, 0, Event.READY),), 1)
    load = Job(1, JobKind.DRAM_LOAD_WEIGHT, 1, 1, (Recent(0, JobKind.SOFTMAX, 2, Event.STARTED),), 1)
    schedule = Schedule(
        ("vector", "dram"), (Segment(vector(4), 4, vector(6), vector(2)), Segment((store,)), Segment((load,)))
    )
    run = run_event(schedule, 2, with_timeline=True)
    assert times(run.timeline) == [(0, 6, 9), (6, 10, 13), (10, 14, 17), (14, 16, 19), (19, 27, 27), (27, 28, 29)]
    assert run.timeline.binding.tolist() == [-1, 0, 1, 2, 3, 4]
    assert run.timeline.binding_event.tolist()[1:] == [1, 1, 1, 2, 1]
    assert (run.operators[1].first_start_cycles, run.operators[1].last_ready_cycles) == (19, 29)
