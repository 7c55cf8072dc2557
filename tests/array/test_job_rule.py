"""The job rule: mapping's jobs in a Schedule, run by the engine, have the times of the array model, gaps too."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixarray.accelerator.enums import Dataflow, WeightLoading
from mixarray.array.output import expand_output
from mixarray.array.stationary import expand_stationary
from mixarray.mapping.schedule import JobKind
from mixarray_analysis.validation.checks.job_rule import (
    CHECK,
    FAULTS,
    compare,
    job_times,
    model_times,
    output_jobs,
    stationary_jobs,
)
from mixarray_analysis.validation.fold_streams import chooser, draw_output, draw_stationary

WS, OS = Dataflow.WEIGHT_STATIONARY, Dataflow.OUTPUT_STATIONARY


def choices(draw):
    return lambda low, high: draw(st.integers(low, high))


@given(st.data(), st.booleans())
def test_loads_and_streams_have_the_times_of_the_array_model(data, withheld):
    array, folds = draw_stationary(choices(data.draw), withheld)
    expansion = expand_stationary(array, folds)
    assert job_times(stationary_jobs(array, folds)).tolist() == model_times(expansion, WS).tolist()


@given(st.data(), st.booleans())
def test_streams_and_drains_have_the_times_of_the_array_model(data, withheld):
    array, folds = draw_output(choices(data.draw), withheld)
    expansion = expand_output(array, folds)
    assert job_times(output_jobs(array, folds)).tolist() == model_times(expansion, OS).tolist()


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


def test_the_check_holds_and_notices_every_mistake():
    outcome, mutants = CHECK.run(300, 1, lambda _: None), CHECK.mutants(1)
    assert (outcome.cases, outcome.mismatches, outcome.first_mismatch) == (300, 0, "")
    assert mutants.caught == mutants.planted
    assert len(mutants.planted) == 12


@pytest.mark.parametrize("dataflow", [WS, OS])
def test_a_disagreement_names_job_and_time(dataflow):
    fault = FAULTS[dataflow]["latency as occupancy"]
    found = next(filter(None, (compare(0, number, dataflow, fault) for number in range(9))))
    assert any(f"{kind.value} of fold" in found for kind in (JobKind.ARRAY_LOAD, JobKind.STREAM, JobKind.DRAIN))
    assert "as a job in" in found
