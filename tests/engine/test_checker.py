"""The independent checker on every kind of timeline, and that it notices every job that is out of place."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers

from mixarray.engine.event import run_event
from mixarray.mapping.schedule import Event, Schedule
from mixarray_analysis.validation.checker import bounds, first_violation
from mixarray_analysis.validation.schedules import OPERATORS, seeded_schedule

KINDS = [f"{kind} {event.name}" for kind in ("Back", "Recent", "Final") for event in Event]
DRAWS = 300
FOLDS = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 60)), min_size=1, max_size=12)
COLUMNS = ("unit", "operator", "group", "start_cycles", "issued_cycles", "ready_cycles", "binding")


def run(schedule: Schedule, operators: int = OPERATORS):
    return run_event(schedule, operators, with_timeline=True).timeline


def sole_bindings(schedule: Schedule) -> set[str]:
    """Kinds of constraints that bind some job all by themselves."""
    found = set()
    for _, limits in bounds(schedule, run(schedule)):
        start = max(bound.cycle for bound in limits)
        why = {bound.why for bound in limits if bound.cycle == start}
        found |= why if len(why) == 1 else set()
    return found


@given(st.from_type(Schedule))
def test_random_schedules(schedule):
    assert first_violation(schedule, run(schedule)) == ""


def test_every_kind_of_dependency_binds_in_a_twentieth_of_seeded_draws():
    draws = Counter(kind for case in range(DRAWS) for kind in sole_bindings(seeded_schedule(0, case)))
    assert min(draws[kind] for kind in [*KINDS, "unit"]) >= DRAWS / 20, draws


@pytest.fixture
def no_constants_of_modules(monkeypatch):
    """Draws that do not depend on the modules that other tests have imported: hypothesis tries the numbers in them."""
    monkeypatch.setattr(providers, "_get_local_constants", providers.Constants)
    providers.CONSTANTS_CACHE.cache.clear()
    yield
    providers.CONSTANTS_CACHE.cache.clear()


def test_every_kind_of_dependency_binds_in_a_twentieth_of_hypothesis_draws(no_constants_of_modules):
    draws, total = Counter(), Counter()

    @given(st.from_type(Schedule))
    @settings(max_examples=200)
    def draw(schedule):
        draws.update(sole_bindings(schedule))
        total["examples"] += 1

    draw()
    assert total["examples"] >= 100
    assert min(draws[kind] for kind in [*KINDS, "unit"]) >= total["examples"] / 20, draws


@given(FOLDS, st.sampled_from(("serial", "single", "double")), st.integers(1, 32), st.integers(1, 32))
def test_fold_streams(fold_schedule, folds, policy, rows, columns):
    schedule = fold_schedule(folds, policy, rows, columns)
    assert first_violation(schedule, run(schedule, 1)) == ""


def test_single_gemms_on_every_accelerator(gemm_schedules):
    for schedule in gemm_schedules:
        assert first_violation(schedule, run(schedule, 1)) == ""


def test_a_swin_on_every_accelerator(swin_schedule):
    schedule, operators = swin_schedule
    assert schedule.total_jobs > 500
    assert first_violation(schedule, run(schedule, operators)) == ""


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("by", [-1, 1])
def test_any_value_off_by_one_is_noticed(column, by):
    for case in range(20):
        schedule = seeded_schedule(0, case)
        timeline = run(schedule)
        values = getattr(timeline, column)
        for job in range(min(len(values), 20)):
            changed = values + by * (np.arange(len(values)) == job)
            assert first_violation(schedule, replace(timeline, **{column: changed})), (case, job)


def test_a_wrong_binding_event_and_a_missing_job_are_noticed():
    schedule = seeded_schedule(0, 0)
    timeline = run(schedule)
    assert first_violation(schedule, replace(timeline, binding_event=timeline.binding_event + 3))
    assert "ran, the Schedule has" in first_violation(
        schedule, replace(timeline, start_cycles=timeline.start_cycles[1:])
    )
