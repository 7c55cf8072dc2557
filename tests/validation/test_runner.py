"""Which checks a name means, when one may run, and what its findings amount to."""

from __future__ import annotations

import re
from contextlib import contextmanager

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
        ({"raises": KeyError("sign")}, False, Verdict.FAILS),
        ({"mutants_raise": KeyError("sign")}, False, Verdict.HOLDS),
        ({"mutants_raise": KeyError("sign")}, True, Verdict.FAILS),
        ({"missing": ["part"], "raises": KeyError("sign")}, True, Verdict.NOT_RUN),
        ({"missing": ["part"]}, True, Verdict.NOT_RUN),
        ({"missing": ["part"], "wrong": [0]}, False, Verdict.NOT_RUN),
    ],
)
def test_verdicts(settings, with_mutants, expected, check):
    assert run_checks([check("a", **settings)], 0, with_mutants=with_mutants)[0].verdict is expected


def test_a_check_that_breaks_fails_in_words_and_the_others_go_on(check):
    broken, fine = run_checks([check("a", raises=KeyError("sign")), check("b")], 0)
    assert re.fullmatch(r"KeyError: 'sign' \(conftest\.py, line \d+\)", broken.error)
    assert (broken.outcome, fine.verdict, fine.error) == (None, Verdict.HOLDS, "")


def test_what_was_compared_stays_where_the_mutants_break(check):
    (finding,) = run_checks([check("a", wrong=[1], mutants_raise=RuntimeError("gone"))], 0, with_mutants=True)
    assert finding.error.startswith("RuntimeError: gone")
    assert (finding.outcome.cases, finding.outcome.mismatches, finding.mutants) == (7, 1, None)


def test_someone_who_stops_a_check_stops_all_and_is_no_mismatch(check):
    told = []
    checks = [check("a"), check("b", raises=KeyboardInterrupt()), check("c")]
    with pytest.raises(KeyboardInterrupt):
        run_checks(checks, 0, finished=lambda finding, seconds: told.append((finding.check.name, seconds >= 0)))
    assert told == [("a", True)]


def test_the_bar_knows_its_total_from_the_start(check, monkeypatch):
    seen = []

    @contextmanager
    def bar(label, quiet, total):
        seen.append((label, 0, total))
        yield lambda done, total: seen.append((label, done, total))

    monkeypatch.setattr("mixarray_analysis.validation.runner.progress_bar", bar)
    run_checks([check("a")], 0, cases=3)
    assert seen == [("a", done, 3) for done in range(4)]


def test_missed_mutants_are_named(check):
    assert run_checks([check("a", caught=["sign"])], 0, with_mutants=True)[0].missed == ("shift",)


def test_compare_cases_counts_and_keeps_the_first_mismatch():
    steps = []
    outcome = compare_cases(10, steps.append, lambda case: f"case {case}" if case % 4 == 3 else "")
    assert (outcome.cases, outcome.mismatches, outcome.first_mismatch) == (10, 2, "case 3")
    assert steps == [1] * 10
