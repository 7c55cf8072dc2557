"""Which checks a name means, when one may run, and what its findings amount to."""

from __future__ import annotations

import pytest

from mixarray.errors import InputError
from mixarray_analysis.validation.check import compare_cases
from mixarray_analysis.validation.runner import Verdict, refuse_missing, run_checks, select_checks


@pytest.fixture
def checks(check):
    made = (check("engine"), check("rtl_a", missing=["verilator"]), check("rtl_b"), check("peer_x", missing=["peer"]))
    return {one.name: one for one in made}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((), ["engine", "rtl_a", "rtl_b", "peer_x"]),
        (("rtl",), ["rtl_a", "rtl_b"]),
        (("peer", "engine", "engine"), ["engine", "peer_x"]),
        (("rtl_b", "rtl"), ["rtl_a", "rtl_b"]),
    ],
)
def test_names_and_groups(names, expected, checks):
    assert [one.name for one in select_checks(names, checks)] == expected


@pytest.mark.parametrize("name", ["rt", "rtl_", "", "RTL", "rtl_c"])
def test_an_unknown_name_is_refused_with_the_list(name, checks):
    with pytest.raises(InputError, match="engine, rtl_a, rtl_b, peer_x"):
        select_checks([name], checks)


def test_a_near_miss_gets_a_suggestion(checks):
    with pytest.raises(InputError, match="did you mean 'engine'"):
        select_checks(["engin"], checks)


@pytest.mark.parametrize(("name", "part"), [("rtl_a", "verilator"), ("peer_x", "peer"), ("peer", "peer")])
def test_what_is_named_and_cannot_run_is_refused_with_what_is_missing(name, part, checks):
    with pytest.raises(InputError, match=rf"{name} cannot run: needs {part} \(apt-get install {part}\)"):
        refuse_missing([name], checks)


@pytest.mark.parametrize("names", [(), ("rtl",), ("rtl_b", "engine")])
def test_a_group_of_which_something_can_run_is_not_refused(names, checks):
    refuse_missing(names, checks)
    findings = {one.check.name: one.verdict for one in run_checks(select_checks(names, checks), 0, quiet=True)}
    assert findings.get("rtl_b") is Verdict.HOLDS
    assert findings.get("rtl_a", Verdict.NOT_RUN) is Verdict.NOT_RUN


def test_cases_are_the_checks_own_unless_given(check):
    assert run_checks([check("a")], 0)[0].outcome.cases == 7
    assert run_checks([check("a")], 0, cases=3)[0].outcome.cases == 3


@pytest.mark.parametrize(
    ("settings", "with_mutants", "expected"),
    [
        ({}, False, Verdict.HOLDS),
        ({}, True, Verdict.HOLDS),
        ({"wrong": [5]}, False, Verdict.FAILS),
        ({"wrong": [5]}, True, Verdict.FAILS),
        ({"cases": 0}, False, Verdict.FAILS),
        ({"caught": ["shift"]}, False, Verdict.HOLDS),
        ({"caught": ["shift"]}, True, Verdict.FAILS),
        ({"planted": []}, True, Verdict.FAILS),
        ({"missing": ["part"]}, True, Verdict.NOT_RUN),
        ({"missing": ["part"], "wrong": [0]}, False, Verdict.NOT_RUN),
    ],
)
def test_verdicts(settings, with_mutants, expected, check):
    assert run_checks([check("a", **settings)], 0, with_mutants=with_mutants)[0].verdict is expected


def test_missed_mutants_are_named(check):
    assert run_checks([check("a", caught=["sign"])], 0, with_mutants=True)[0].missed == ("shift",)


def test_compare_cases_counts_and_keeps_the_first_mismatch():
    steps = []
    outcome = compare_cases(10, steps.append, lambda case: f"case {case}" if case % 4 == 3 else "")
    assert (outcome.cases, outcome.mismatches, outcome.first_mismatch) == (10, 2, "case 3")
    assert steps == [1] * 10
