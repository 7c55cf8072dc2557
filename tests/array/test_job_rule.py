"""The job rule: mapping's jobs in a Schedule, run by the engine, have the times of the array model's events."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixarray.accelerator.enums import Dataflow, WeightLoading
from mixarray.array.output import expand_output
from mixarray.array.problem import expand_folds
from mixarray.array.stationary import expand_stationary
from mixarray.mapping.schedule import Event, JobKind
from mixarray_analysis.validation.array_jobs import gemm_stream, withheld_output, withheld_stationary
from mixarray_analysis.validation.array_times import fold_times, job_times, log_times
from mixarray_analysis.validation.arrays import chooser
from mixarray_analysis.validation.checks.job_rule import CHECK, DRAWS, compare, difference, shows
from mixarray_analysis.validation.fold_streams import draw_output, draw_stationary
from mixarray_analysis.validation.job_faults import job_faults
from mixarray_analysis.validation.model_faults import LOG_STRETCHED, in_model

WS, IS, OS = Dataflow.WEIGHT_STATIONARY, Dataflow.INPUT_STATIONARY, Dataflow.OUTPUT_STATIONARY
FAULTS = {fault.name: fault for fault in job_faults()}


@given(st.data(), st.sampled_from(DRAWS))
def test_jobs_array_model_and_events_have_the_same_times(data, draw):
    stream = draw(lambda low, high: data.draw(st.integers(low, high)))
    expansion = expand_folds(stream.array, stream.folds)
    by_events = log_times(stream.array, stream.folds, expansion.log).tolist()
    assert fold_times(expansion.times, stream.array.dataflow).tolist() == by_events
    assert job_times(stream.jobs).tolist() == by_events


def test_fold_streams_bind_every_way():
    """In every policy, streams that wait for their load and streams that wait for the stream before."""
    waits = {policy: set() for policy in WeightLoading}
    for number in range(100):
        array, folds = draw_stationary(chooser(0, number), withheld=bool(number % 2))
        times = expand_stationary(array, folds).times
        for before, fold in pairwise(times):
            waits[array.weight_loading].add(fold.other_ready_cycles > before.stream_issued_cycles)
    assert waits[WeightLoading.DOUBLE] == {True, False}
    assert waits[WeightLoading.SERIAL] == waits[WeightLoading.SINGLE] == {True}


def test_output_streams_bind_every_way():
    """Under double buffering, drains that wait for their stream and drains that wait for the drain before."""
    waits = set()
    for number in range(100):
        array, folds = draw_output(chooser(0, number), withheld=bool(number % 2))
        times = expand_output(array, folds).times
        if array.weight_loading is WeightLoading.DOUBLE:
            waits |= {before.other_issued_cycles > fold.stream_issued_cycles for before, fold in pairwise(times)}
    assert waits == {True, False}


@pytest.mark.parametrize("dataflow", Dataflow)
def test_gemms_have_many_folds_ragged_in_every_direction(dataflow):
    streams = [gemm_stream(chooser(0, number), dataflow) for number in range(40)]
    assert max(len(stream.folds) for stream in streams) >= 9
    for stream in streams:
        assert stream.array.dataflow is dataflow
        assert len(stream.jobs) == 2 * len(stream.folds)
    widths = {fold.width < stream.array.columns for stream in streams for fold in stream.folds}
    assert widths == {True, False}


def test_the_check_holds_and_notices_every_mistake():
    outcome, mutants = CHECK.run(300, 1, lambda _: None), CHECK.mutants(1)
    assert (outcome.cases, outcome.mismatches, outcome.first_mismatch) == (300, 0, "")
    assert mutants.caught == mutants.planted
    assert len(mutants.planted) == 44


@pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: fault.name)
def test_a_fault_changes_one_kind_of_job_alone(fault):
    """And it shows first in that job, at that moment: not by what follows from it, and not by another fault's means."""
    kinds = set()
    for number in range(30):
        stream = fault.draw(chooser(2, number))
        kinds |= {job.kind for job in stream.jobs if fault.change(job) != job}
        found = difference(stream, fault.change)
        assert found is None or (found.kind, found.moment) == (fault.kind, fault.moment)
    assert kinds == {fault.kind} or fault.name == "input-stationary: roles not swapped"


def test_a_fault_that_changes_nothing_is_not_caught():
    """What a load has issued is ready: exchanging the two is no mistake, and the check must not invent one."""
    fault = FAULTS["stream's own load: started for ready"]

    def issued(job):
        waits = [replace(w, event=Event.ISSUED) if w.kind is JobKind.ARRAY_LOAD else w for w in job.dependencies]
        return replace(job, dependencies=tuple(waits))

    assert shows(fault, 0)
    assert not shows(replace(fault, change=issued), 0)


@pytest.mark.parametrize("draw", [withheld_stationary, withheld_output, partial(gemm_stream, dataflow=IS)])
def test_a_log_that_is_not_that_of_the_times_is_noticed(draw):
    stream = draw(chooser(0, 0))
    with in_model(LOG_STRETCHED):
        found = difference(stream)
    assert found is not None
    assert found.by == ("the events", "the array model")
    assert difference(stream) is None, "the mistake is taken back"


def test_a_disagreement_names_job_moment_and_both_accounts():
    fault = FAULTS["drain: latency as occupancy"]
    found = next(filter(None, (difference(fault.draw(chooser(0, n)), fault.change) for n in range(9))))
    assert str(found).startswith(f"drain of fold {found.fold} issued in ")
    assert str(found).endswith(" by the jobs")
    with in_model(LOG_STRETCHED):
        assert compare(0, 0).startswith("case 0 of seed 0 (")
