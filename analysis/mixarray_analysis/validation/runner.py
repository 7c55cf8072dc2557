"""Running checks: which were asked for, what they found, and what that amounts to."""

from __future__ import annotations

import difflib
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mixarray.errors import InputError
from mixarray_analysis.progress import Report, progress_bar
from mixarray_analysis.validation.check import Check, Mutants, Outcome, Progress, Requirement


class Verdict(StrEnum):
    """What a check amounts to."""

    HOLDS = "holds"
    FAILS = "FAILS"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one check: nothing where it could not run, no mutants where none were asked for.

    error: the exception that ended the check or its mutants early, in words; empty where none did.
    """

    check: Check
    outcome: Outcome | None = None
    mutants: Mutants | None = None
    error: str = ""

    @property
    def missed(self) -> tuple[str, ...]:
        """Planted faults that went unnoticed."""
        if self.mutants is None:
            return ()
        return tuple(name for name in self.mutants.planted if name not in self.mutants.caught)

    @property
    def verdict(self) -> Verdict:
        """A check that broke, compared nothing, or whose mutants are none, does not hold: it shows nothing."""
        if self.error:
            return Verdict.FAILS
        if self.outcome is None:
            return Verdict.NOT_RUN
        shown = self.outcome.cases > 0 and (self.mutants is None or len(self.mutants.planted) > 0)
        return Verdict.HOLDS if shown and not self.outcome.mismatches and not self.missed else Verdict.FAILS


def missing_parts(check: Check) -> tuple[Requirement, ...]:
    """What the check needs and is not here."""
    return tuple(part for part in check.needs if not part.present())


def name_parts(parts: Sequence[Requirement]) -> str:
    """`needs verilator (apt-get install verilator)`."""
    return "needs " + " and ".join(f"{part.name} ({part.obtain})" for part in parts)


def select_checks(names: Sequence[str], checks: Mapping[str, Check]) -> tuple[Check, ...]:
    """The checks that `names` mean, each once, in the order of `checks`; all of them where there are no names.

    A name is a check's, or a group: every check whose name starts with it and an underscore. Raises InputError for
    an unknown name.
    """
    wanted = {check.name for name in names for check in _meant(name, checks)}
    return tuple(check for check in checks.values() if not names or check.name in wanted)


def refuse_missing(names: Sequence[str], checks: Mapping[str, Check]) -> None:
    """Raise InputError for a name whose check cannot run here, or for a group of which no check can."""
    for name in names:
        lacking = [missing_parts(check) for check in _meant(name, checks)]
        if all(lacking):
            raise InputError("validate", f"{name} cannot run: {name_parts(lacking[0])}")


def _meant(name: str, checks: Mapping[str, Check]) -> list[Check]:
    found = [checks[name]] if name in checks else [c for known, c in checks.items() if known.startswith(f"{name}_")]
    if not found:
        raise InputError("validate", f"{name!r} is no check{_hint(name, checks)}; there are: {', '.join(checks)}")
    return found


def _hint(name: str, checks: Mapping[str, Check]) -> str:
    close = difflib.get_close_matches(name, checks, n=1)
    return f", did you mean {close[0]!r}?" if close else ""


Finished = Callable[[Finding, float], None]
"""Told what came of a check as soon as it is known, and the seconds that it took."""


def run_checks(
    checks: Sequence[Check],
    seed: int,
    cases: int | None = None,
    with_mutants: bool = False,
    quiet: bool = False,
    finished: Finished = lambda finding, seconds: None,
) -> tuple[Finding, ...]:
    """Run every check that can run here, with `cases` cases each (None: as many as the check takes by itself)."""
    findings = []
    for check in checks:
        begun = time.perf_counter()
        findings.append(_run(check, seed, cases or check.cases, with_mutants, quiet))
        finished(findings[-1], time.perf_counter() - begun)
    return tuple(findings)


def _run(check: Check, seed: int, cases: int, with_mutants: bool, quiet: bool) -> Finding:
    """A check that raises has failed, whatever it raises; the other checks go on, and what was found stays."""
    if missing_parts(check):
        return Finding(check)
    outcome, mutants = None, None
    try:
        with progress_bar(check.name, quiet, cases) as report:
            outcome = check.run(cases, seed, _steps(report, cases))
        if with_mutants:
            with progress_bar(f"{check.name}: mutants", quiet):
                mutants = check.mutants(seed)
    except Exception as error:
        return Finding(check, outcome, mutants, _in_words(error))
    return Finding(check, outcome, mutants)


def _in_words(error: Exception) -> str:
    """`KeyError: 'sign' (job_rule.py, line 32)`: what, and where it was raised."""
    raised = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(raised.filename).name}, line {raised.lineno})"


def _steps(report: Report, total: int) -> Progress:
    """A bar that is told how much is done, from steps."""
    done = 0

    def step(cases: int) -> None:
        nonlocal done
        done += cases
        report(done, total)

    return step
