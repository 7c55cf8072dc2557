"""Checks made for the tests: what they find and whether their parts are here is up to each test."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from mixarray_analysis.validation.check import Check, Mutants, Requirement, Tier, compare_cases


def make_check(
    name: str,
    wrong: Sequence[int] = (),
    missing: Sequence[str] = (),
    planted: Sequence[str] = ("shift", "sign"),
    caught: Sequence[str] = ("shift", "sign"),
    cases: int = 7,
    raises: BaseException | None = None,
    mutants_raise: BaseException | None = None,
) -> Check:
    """A check whose cases in `wrong` disagree, and which needs the parts in `missing` that are not here.

    raises, mutants_raise: what ends the check, or its mutants.
    """

    def run(number, seed, progress):
        if raises:
            raise raises
        return compare_cases(number, progress, lambda case: f"seed {seed}, case {case}" if case in wrong else "")

    def mutants(seed):
        if mutants_raise:
            raise mutants_raise
        return Mutants(tuple(planted), tuple(caught))

    return Check(
        name=name,
        title=f"what {name} says",
        against="something independent of it",
        rule=f"the rule of {name}",
        source="a source of its own",
        agreement="equal",
        tier=Tier.ENGINE,
        cases=cases,
        run=run,
        mutants=mutants,
        needs=tuple(Requirement(part, lambda: False, f"apt-get install {part}") for part in missing),
    )


@pytest.fixture(scope="session")
def check() -> Callable[..., Check]:
    return make_check


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """registered(check, ...): these are all the checks that there are."""

    def register(*checks: Check) -> None:
        found = {check.name: check for check in checks}
        monkeypatch.setattr("mixarray_analysis.validation.checks.all_checks", lambda: found)

    return register
