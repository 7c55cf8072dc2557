"""The part of the validation page that says what every check compares, what came out, and which faults it noticed."""

from __future__ import annotations

from collections.abc import Sequence

from mixarray_analysis.validation.check import Check
from mixarray_analysis.validation.page_markdown import paragraphs, table
from mixarray_analysis.validation.runner import Finding

HEADINGS = ("check", "held against", "cases", "mismatches", "faults noticed", "verdict")
ABOUT = """A check compares our code with something independent of it. Beside each comparison stand deliberate faults:
the same comparison is run with one mistake planted, and it has to notice. A check without faults, or one that misses
any, fails."""
COMPARED_HEADINGS = ("check", "ours comes from", "the other side", "agrees if")
COMPARED_ABOUT = """Which of our rules makes the number, what it is compared with, and how near the two have to be."""
FAULTS_ABOUT = """What is planted, one at a time. The name says the mistake, not the right behaviour."""


def results_part(findings: Sequence[Finding]) -> str:
    """The table of all checks."""
    return paragraphs("## Results", ABOUT, table(HEADINGS, map(_result, findings), right=(2, 3, 4)))


def compared_part(findings: Sequence[Finding]) -> str:
    """What makes our side of every check, what the other side is, and when they agree."""
    rows = (_compared(finding.check) for finding in findings)
    return paragraphs("## What is compared", COMPARED_ABOUT, table(COMPARED_HEADINGS, rows))


def faults_part(findings: Sequence[Finding]) -> str:
    """What each check says, and its planted faults by name."""
    return paragraphs("## Planted faults", FAULTS_ABOUT, *map(faults_of, findings))


def faults_of(finding: Finding) -> str:
    """One check: its claim and its faults."""
    planted = finding.mutants.planted if finding.mutants else ()
    names = "; ".join(planted) or "none was planted"
    return f"**`{finding.check.name}`** ({len(planted)}) {finding.check.title}: {names}."


def result_start(check: Check) -> tuple[str, str, str]:
    """The cells of a check's row that are known before it runs."""
    return f"`{check.name}`", check.against, f"{check.cases:,}"


def _compared(check: Check) -> tuple[str, ...]:
    return f"`{check.name}`", check.rule, check.source, check.agreement


def _result(finding: Finding) -> tuple[str, ...]:
    name, against, _ = result_start(finding.check)
    outcome, mutants = finding.outcome, finding.mutants
    counts = (f"{outcome.cases:,}", f"{outcome.mismatches:,}") if outcome else ("-", "-")
    noticed = f"{len(mutants.planted) - len(finding.missed)} of {len(mutants.planted)}" if mutants else "-"
    return name, against, *counts, noticed, str(finding.verdict)
