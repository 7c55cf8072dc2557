"""Every registered check: how it is described, that it runs with few cases and holds, that its mutants are caught."""

from __future__ import annotations

import importlib.util
import pkgutil
import re
from pathlib import Path

import pytest

from mixarray_analysis.validation import checks as room
from mixarray_analysis.validation.check import Check
from mixarray_analysis.validation.checks import all_checks
from mixarray_analysis.validation.page_checks import faults_of
from mixarray_analysis.validation.runner import Finding

PYTHON_PARTS = ("torch",)
"""Parts that `make setup` installs: what needs no more than these belongs to the fast tests."""
CHECKS = tuple(all_checks().values())
FEW = 3
TOP = Path(__file__).parents[2]
ROOTS = (TOP, *(TOP / part for part in ("simulator", "traces", "analysis", "analysis/mixarray_analysis")))
"""Where the files lie that a check names."""
PAGE = Path(__file__).parents[2] / "docs" / "validation.md"


def tools_of(check: Check) -> list[str]:
    """What the check needs besides `make setup`; such checks take long (they build hardware, or run a peer)."""
    return [part.name for part in check.needs if part.name not in PYTHON_PARTS]


def described(check: Check):
    """The check as a parameter, marked with what it needs."""
    tools = tools_of(check)
    marks = [pytest.mark.full, *(pytest.mark.needs(tool) for tool in tools)] if tools else []
    return pytest.param(check, id=check.name, marks=marks)


EACH = pytest.mark.parametrize("check", [described(check) for check in CHECKS])


def test_every_file_of_the_room_is_a_check_with_a_name_of_its_own():
    files = [module.name for module in pkgutil.iter_modules(room.__path__)]
    assert sorted(files) == sorted(check.name for check in CHECKS), "a check is named after its file"
    assert list(all_checks()) == [check.name for check in sorted(CHECKS, key=lambda c: (c.tier, c.name))]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_is_described(check):
    assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", check.name)
    assert len(check.name) <= 21, "wider names do not fit the table of 80 columns"
    assert check.title
    assert check.against
    assert all(len(text) > 3 for text in (check.rule, check.source, check.agreement))
    files = re.findall(
        r"`((?:mixarray|mixarray_traces|mixarray_analysis|validation|tests|rtl)/[\w/.]*)`", check.rule + check.source
    )
    assert all(any((root / file).exists() for root in ROOTS) for file in files), files
    assert check.cases >= 1
    assert all(part.name and part.obtain and isinstance(part.present(), bool) for part in check.needs)
    assert all(importlib.util.find_spec(name) for name in PYTHON_PARTS)


@EACH
def test_a_check_holds_with_few_cases(check):
    steps: list[int] = []
    outcome = check.run(FEW, 1, steps.append)
    assert (outcome.mismatches, outcome.first_mismatch) == (0, "")
    assert 1 <= outcome.cases <= FEW
    assert sum(steps) == outcome.cases


@pytest.mark.parametrize("check", [check for check in CHECKS if not tools_of(check)], ids=lambda check: check.name)
def test_a_check_repeats_itself(check):
    assert check.run(FEW, 2, lambda step: None) == check.run(FEW, 2, lambda step: None)


@EACH
def test_every_mutant_is_caught(check):
    mutants = check.mutants(0)
    assert len(mutants.planted) >= 3
    assert len(set(mutants.planted)) == len(mutants.planted)
    assert sorted(mutants.caught) == sorted(mutants.planted)
    assert faults_of(Finding(check, mutants=mutants)) in PAGE.read_text(encoding="utf-8"), "make validation"
