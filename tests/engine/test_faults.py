"""Deliberate faults in the engine itself: each is noticed, on its own, by the checker or by a theorem."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mixarray.engine.event import run_event
from mixarray_analysis.validation.checks import engine_checker, engine_theorems
from mixarray_analysis.validation.faults import Engine, Fault, faulty_engine
from mixarray_analysis.validation.schedules import OPERATORS, seeded_schedule

CASES = 60
FAULTS = [(check, fault) for check in (engine_checker, engine_theorems) for fault in check.FAULTS]


@pytest.mark.parametrize(("check", "fault"), FAULTS, ids=lambda value: getattr(value, "name", ""))
def test_a_fault_is_noticed_in_several_schedules(check, fault):
    engine = faulty_engine(fault)
    noticed = stuck = 0
    for case in range(CASES):
        try:
            noticed += bool(check.compare(engine, 0, case))
        except (RuntimeError, KeyError):  # stuck in a deadlock: not counted
            stuck += 1
    assert noticed >= 3
    assert noticed > stuck


@pytest.mark.parametrize("check", [engine_checker, engine_theorems])
def test_the_engine_without_a_fault_passes_the_same_cases(check):
    assert [check.compare(Engine(), 0, case) for case in range(CASES)] == [""] * CASES


def test_a_private_copy_without_a_real_change_equals_the_engine():
    fault = Fault("none", "mixarray.engine.event", "free, previous = 0, -1", "free, previous = 0, -1  # same")
    for case in range(10):
        schedule = seeded_schedule(0, case)
        ours = faulty_engine(fault).run(schedule, OPERATORS, True)
        assert replace(ours, timeline=None) == run_event(schedule, OPERATORS)


def test_a_fault_without_its_place_is_refused():
    for old in ("no such text", "self"):
        with pytest.raises(ValueError, match="places for"):
            faulty_engine(Fault("gone", "mixarray.engine.event_plan", old, "x"))
