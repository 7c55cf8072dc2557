"""The fast engine equals the event engine: random Schedules, hand timelines, single GEMMs and a Swin; faults too."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixarray.engine.event import run_event
from mixarray.engine.fast import run_fast, total_cycles
from mixarray.engine.fast_tables import ISSUED, READY, STARTED
from mixarray.engine.fast_walk import walk
from mixarray.engine.fast_ways import find_ways
from mixarray.errors import InputError
from mixarray.mapping.check import ScheduleError, check_schedule
from mixarray.mapping.schedule import Action, Back, Event, Final, Job, JobKind, Recent, Schedule, Segment
from mixarray.mapping.tabulate import make_tables, with_tables
from mixarray_analysis.validation.checker import first_violation
from mixarray_analysis.validation.checks import engine_fast
from mixarray_analysis.validation.checks.engine_fast import WALK, FastEngine, compare, difference, faulty_engine
from mixarray_analysis.validation.faults import Fault
from mixarray_analysis.validation.schedules import OPERATORS, change_jobs, seeded_schedule

CASES = 40
FOLDS = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 60)), min_size=1, max_size=12)
LOAD, STREAM = JobKind.ARRAY_LOAD, JobKind.STREAM


def tie() -> Schedule:
    """Job 2 may start at 5: by job 0's end (lowest number) and by job 1's, the previous one on its unit."""
    early = Job(0, LOAD, 5, 0)
    previous = Job(1, STREAM, 1, 4)
    late = Job(1, STREAM, 1, 0, (Back(0, 0, Event.ISSUED), Back(1, 0, Event.READY), Back(0, 0, Event.READY)))
    return Schedule(("port", "array"), (Segment((early, previous, late)),))


@given(st.from_type(Schedule))
def test_random_schedules(schedule):
    assert compare(FastEngine(), schedule, OPERATORS) == ""
    assert first_violation(schedule, run_fast(schedule, OPERATORS, with_timeline=True).timeline) == ""


@given(st.from_type(Schedule))
@settings(max_examples=30)
def test_counters_do_not_depend_on_keeping_the_timeline(schedule):
    assert replace(run_fast(schedule, OPERATORS, with_timeline=True), timeline=None) == run_fast(schedule, OPERATORS)


@given(st.from_type(Schedule))
@settings(max_examples=30)
def test_tables_that_a_schedule_brings_along_change_nothing(schedule):
    tabled = with_tables(schedule)
    assert tabled == schedule
    assert compare(FastEngine(), tabled, OPERATORS) == ""


@given(st.from_type(Schedule))
@settings(max_examples=30)
def test_equal_jobs_may_be_one_object_or_several(schedule):
    once: dict[Job, Job] = {}
    shared = change_jobs(schedule, lambda job: once.setdefault(job, job))
    apart = change_jobs(schedule, lambda job: replace(job, dependencies=tuple(map(replace, job.dependencies))))
    assert len(make_tables(shared).distinct.macs) == len(once)
    assert len(make_tables(apart).distinct.macs) == schedule.stored_jobs
    assert compare(FastEngine(), shared, OPERATORS) == compare(FastEngine(), apart, OPERATORS) == ""


def test_a_schedule_made_from_another_has_no_tables():
    ours, theirs = with_tables(seeded_schedule(1, 0)), seeded_schedule(1, 1)
    assert ours.tables is not None
    made = replace(ours, segments=theirs.segments), replace(ours, units=(*ours.units, "more"))
    assert [schedule.tables for schedule in made] == [None, None]
    assert run_fast(Schedule(ours.units, theirs.segments), OPERATORS) == run_fast(made[0], OPERATORS)


def test_variants_that_do_not_fit_are_refused_with_tables_asked_for_too():
    job = Job(0, LOAD, 1, 0)
    segments = Segment((job, job), 3, first=(job,)), Segment((job, job), 3, first=(job, job, job))
    for schedule in (Schedule(("a",), segments), with_tables(Schedule(("a",), segments))):
        with pytest.raises(ScheduleError):
            run_fast(schedule, 0)


@given(FOLDS, st.sampled_from(("serial", "single", "double")), st.integers(1, 32), st.integers(1, 32))
@settings(max_examples=30)
def test_fold_streams(fold_schedule, folds, policy, rows, columns):
    assert compare(FastEngine(), fold_schedule(folds, policy, rows, columns), 1) == ""


def test_single_gemms_on_every_accelerator(gemm_schedules):
    for schedule in gemm_schedules:
        assert compare(FastEngine(), schedule, 1) == ""


def test_a_swin_on_every_accelerator(swin_schedule):
    schedule, operators = swin_schedule
    assert schedule.total_jobs > 500
    assert compare(FastEngine(), schedule, operators) == ""


def test_a_tie_goes_to_the_unit_then_to_the_lowest_job_then_to_the_first_wait():
    timeline = run_fast(tie(), 0, with_timeline=True).timeline
    assert (timeline.start_cycles[2], timeline.binding[2], timeline.binding_event[2]) == (5, 1, Event.READY)
    assert compare(FastEngine(), tie(), 0) == ""
    fault = Fault("ties do not prefer the unit", WALK, "(other == previous or other < binding)", "other < binding")
    assert "binding of job 2: 0 instead of 1" in compare(faulty_engine(fault), tie(), 0)


def test_a_job_that_waits_for_later_jobs_of_its_iteration():
    """Slot 0 waits for slot 3, slot 1 for slot 2; units 1 and 2 hold no earlier job."""
    jobs = (
        Job(0, LOAD, 2, 1, (Back(3, 0, Event.READY),)),
        Job(1, LOAD, 2, 1, (Back(2, 0, Event.ISSUED), Back(0, 1, Event.READY))),
        Job(2, STREAM, 5, 0),
        Job(2, STREAM, 7, 2),
    )
    schedule = Schedule(("a", "b", "c"), (Segment(jobs, 4),))
    assert compare(FastEngine(), schedule, 0) == ""
    assert run_fast(schedule, 0, with_timeline=True).timeline.start_cycles[:4].tolist() == [14, 5, 0, 5]


def test_recent_reaches_over_segments_and_iterations():
    """A lane of 1 + 3 x 2 jobs, ready at 13, 14, 20, 24, 30, 34 and 40; another unit waits for the 5th most recent one.

    There are 1, 2, 4, 6, 7 and 7 jobs before it: void three times, then the second (14) and twice the third (20).
    """
    wait = Job(1, LOAD, 1, 0, (Recent(0, STREAM, 5, Event.READY),))
    first = Segment((Job(0, STREAM, 10, 3),))
    twice = Segment((Job(0, STREAM, 4, 0), wait, Job(0, STREAM, 6, 0)), 3)
    schedule = Schedule(("array", "port"), (first, Segment((wait,)), twice, Segment((wait,), 2)))
    assert compare(FastEngine(), schedule, 0) == ""
    waits = [job for job in range(schedule.total_jobs) if job in (1, 3, 6, 9, 11, 12)]
    timeline = run_fast(schedule, 0, with_timeline=True).timeline
    assert timeline.start_cycles[waits].tolist() == [0, 1, 2, 14, 20, 21]


def test_an_empty_schedule_takes_no_time():
    assert compare(FastEngine(), Schedule(("a",), ()), 2) == ""
    assert total_cycles(Schedule((), ())) == 0


@pytest.mark.parametrize("fault", engine_fast.FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_noticed(fault):
    engine = faulty_engine(fault)
    assert any(engine_fast.compare_case(engine, 0, case) for case in range(CASES))


def test_a_copy_without_a_fault_is_equal():
    same = "from __future__ import annotations"
    engine = faulty_engine(Fault("none", WALK, same, same))
    assert [engine_fast.compare_case(engine, 0, case) for case in range(CASES)] == [""] * CASES


def test_a_difference_in_the_inputs_is_noticed():
    """A cycle more, no waits, another action: whatever the fast engine is told, it answers that."""
    schedule = seeded_schedule(0, 0)
    event = run_event(schedule, OPERATORS, with_timeline=True)
    longer = change_jobs(schedule, lambda job: replace(job, occupancy_cycles=job.occupancy_cycles + 1))
    free = change_jobs(schedule, lambda job: replace(job, dependencies=()))
    counted = change_jobs(schedule, lambda job: replace(job, actions=((Action("thing", "c"), 1),)))
    for changed in (longer, free, counted):
        assert difference(event, run_fast(changed, OPERATORS, with_timeline=True))
    assert difference(event, run_fast(schedule, OPERATORS, with_timeline=True)) == ""
    assert "timeline" in difference(event, run_fast(schedule, OPERATORS))


IMPOSSIBLE = (
    Segment((Job(2, LOAD, 1, 0),)),
    Segment((Job(-1, LOAD, 1, 0),)),
    Segment((Job(0, LOAD, -1, 0),)),
    Segment((Job(0, LOAD, 1, -1),)),
    Segment((Job(0, LOAD, 1, 0, (Back(1, 1, Event.READY),)),)),
    Segment((Job(0, LOAD, 1, 0, (Back(0, 0, Event.READY),)),)),
    Segment((Job(0, LOAD, 1, 0, (Back(0, -1, Event.READY),)),)),
    Segment((Job(0, LOAD, 1, 0, (Final(0, 0, Event.READY),)),)),
    Segment((Job(0, LOAD, 1, 0, (Final(-1, 0, Event.READY),)),)),
    Segment((Job(0, LOAD, 1, 0, (Recent(0, LOAD, 0, Event.READY),)),)),
    Segment((Job(0, LOAD, 1, 0, (Recent(2, LOAD, 1, Event.READY),)),)),
    Segment((Job(0, LOAD, 1, 0),), 1, first=(Job(1, LOAD, 1, 0),)),
    Segment((Job(0, LOAD, 1, 0),), 1, first=()),
    Segment((Job(0, LOAD, 1, 0),), 1, last=(Job(0, LOAD, 1, 0), Job(0, LOAD, 1, 0))),
    Segment((Job(0, LOAD, 1, 0),), 0),
    Segment((Job(0, LOAD, 1, 0),), -3),
    Segment(()),
    Segment((Job(0, LOAD, 1, 0, (Back(1, 0, Event.READY),)), Job(1, STREAM, 1, 0, (Back(0, 0, Event.READY),)))),
    Segment((Job(1, LOAD, 1, 0, (Back(1, 0, Event.READY),)), Job(1, STREAM, 1, 0))),
    Segment(
        (Job(0, LOAD, 1, 0, (Back(1, 0, Event.READY),)), Job(1, STREAM, 1, 0, (Recent(0, LOAD, 1, Event.STARTED),)))
    ),
)


@pytest.mark.parametrize("segment", IMPOSSIBLE)
def test_impossible_schedules_are_refused_with_the_same_words(segment):
    schedule = Schedule(("port", "array"), (segment,))
    with pytest.raises(ScheduleError) as expected:
        check_schedule(schedule)
    for run in (total_cycles, lambda bad: run_fast(bad, 0)):
        with pytest.raises(ScheduleError) as refused:
            run(schedule)
        assert str(refused.value) == str(expected.value)


@given(st.from_type(Schedule), st.data())
def test_a_random_change_of_waits_is_refused_by_both_or_by_none(schedule, data):
    wait = st.one_of(
        st.builds(Back, st.integers(-1, 6), st.integers(-1, 2), st.sampled_from(Event)),
        st.builds(Final, st.integers(-1, 5), st.integers(-1, 6), st.sampled_from(Event)),
        st.builds(Recent, st.integers(-1, 5), st.sampled_from(JobKind), st.integers(-1, 9), st.sampled_from(Event)),
    )
    changed = change_jobs(
        schedule, lambda job: replace(job, dependencies=(*job.dependencies, *data.draw(st.lists(wait, max_size=1))))
    )
    try:
        expected = run_event(changed, OPERATORS).total_cycles
    except ScheduleError:
        with pytest.raises(ScheduleError):
            total_cycles(changed)
    else:
        assert total_cycles(changed) == expected


@pytest.mark.parametrize(
    "job",
    [
        Job(0, LOAD, 2**61, 2**61),
        Job(0, LOAD, 2**70, 0),
        Job(0, LOAD, 1, 0, macs=2**62),
        Job(0, LOAD, 1, 0, actions=((Action("thing", "a"), 2**64),)),
        Job(0, LOAD, 1, 0, actions=((Action("thing", "a"), 2**61),)),
    ],
)
@pytest.mark.parametrize("prepared", [Schedule, lambda units, segments: with_tables(Schedule(units, segments))])
def test_numbers_beyond_its_integers_are_refused_not_wrapped(job, prepared):
    schedule = prepared(("a",), (Segment((job,), 4),))
    assert run_event(schedule, 0).jobs == 4
    with pytest.raises(InputError, match="event engine"):
        run_fast(schedule, 0)


def test_more_jobs_than_it_counts_to_are_refused():
    with pytest.raises(InputError, match="event engine"):
        run_fast(Schedule(("a",), (Segment((Job(0, LOAD, 0, 0),), 2**61),) * 2), 0)


def test_an_operator_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="operator 2 of 2"):
        run_fast(Schedule(("a",), (Segment((Job(0, LOAD, 1, 0, operator=2),)),)), 2)


def test_the_compiled_columns_are_those_of_the_events_and_there_is_one_signature():
    assert tuple(Event) == (STARTED, ISSUED, READY)
    for case in range(5):
        run_fast(seeded_schedule(1, case), OPERATORS, with_timeline=bool(case % 2))
        total_cycles(seeded_schedule(1, case))
    total_cycles(Schedule(("a",), ()))
    assert [len(function.signatures) for function in (find_ways, walk)] == [1, 1]


def test_waits_far_before_the_beginning_are_void():
    waits = Recent(0, LOAD, 10**12, Event.READY), Back(0, 10**15, Event.READY)
    assert compare(FastEngine(), Schedule(("a",), (Segment((Job(0, LOAD, 1, 0, waits),), 500),)), 0) == ""
