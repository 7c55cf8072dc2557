"""What `mixarray validate` says: one table for people, the same as JSON, mismatches in words."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import shorten

from mixarray.provenance import git_revision, package_versions
from mixarray_analysis.plain_table import PlainTable
from mixarray_analysis.printable import printable
from mixarray_analysis.tables import make_table, to_json
from mixarray_analysis.validation.check import Check
from mixarray_analysis.validation.runner import Finding, Verdict, missing_parts, name_parts

SCHEMA_VERSION = "1.0"
WIDTH = 80
"""Columns of text of the tables where the output is no terminal."""
LONGEST_REMARK = 600


def findings_json(findings: Sequence[Finding], seed: int) -> str:
    """The text of `validation.json`: equal for equal code, packages, seed and cases (no times)."""
    return to_json(
        {
            "schema_version": SCHEMA_VERSION,
            "git_revision": git_revision(),
            "versions": dict(package_versions()),
            "seed": seed,
            "verdicts": {verdict: sum(finding.verdict is verdict for finding in findings) for verdict in Verdict},
            "checks": [_entry(finding) for finding in findings],
        }
    )


def _entry(finding: Finding) -> dict[str, object]:
    outcome, mutants = finding.outcome, finding.mutants
    return {
        **_facts(finding.check),
        "cases": outcome.cases if outcome else 0,
        "mismatches": outcome.mismatches if outcome else 0,
        "first_mismatch": outcome.first_mismatch if outcome else "",
        "error": finding.error,
        "mutants": None if mutants is None else {"planted": mutants.planted, "missed": finding.missed},
        "verdict": finding.verdict,
    }


def checks_json(checks: Sequence[Check]) -> str:
    """The checks that there are, as `--list --json` prints them."""
    return to_json([{**_facts(check), "cases": check.cases} for check in checks])


def _facts(check: Check) -> dict[str, object]:
    return {
        "name": check.name,
        "title": check.title,
        "against": check.against,
        "tier": check.tier.name.lower(),
        "missing": [{"name": part.name, "obtain": part.obtain} for part in missing_parts(check)],
    }


def findings_table(findings: Sequence[Finding]) -> PlainTable:
    """One row per check."""
    rows = [
        (finding.check.name, finding.check.against, *_counts(finding), _caught(finding), finding.verdict)
        for finding in findings
    ]
    headings = ("check", "against", "cases", "mismatches", "mutants", "verdict")
    return make_table(headings, rows, folds=(1,), left=(0, 1, 5))


def _counts(finding: Finding) -> tuple[str, str]:
    outcome = finding.outcome
    return (f"{outcome.cases:,}", f"{outcome.mismatches:,}") if outcome else ("-", "-")


def _caught(finding: Finding) -> str:
    mutants = finding.mutants
    return f"{len(mutants.planted) - len(finding.missed)}/{len(mutants.planted)}" if mutants else "-"


def finished_line(finding: Finding, seconds: float) -> str:
    """What one check came to, as soon as it is known: `job_rule: holds, 1,000 cases, 0 mismatches, 12.3 s`."""
    if finding.outcome is None:
        return f"{finding.check.name}: {finding.verdict}"
    cases, mismatches = _counts(finding)
    caught = "" if finding.mutants is None else f", mutants {_caught(finding)}"
    name, verdict = finding.check.name, finding.verdict
    return f"{name}: {verdict}, {cases} cases, {mismatches} mismatches{caught}, {seconds:.1f} s"


def remarks(findings: Sequence[Finding]) -> list[str]:
    """What stands below the table: first mismatches, missed mutants, what broke, and why a check was not run."""
    lines = [f"{finding.check.name}: {remark}" for finding in findings for remark in _remarks(finding)]
    return [shorten(printable(" ".join(line.split())), LONGEST_REMARK, placeholder=" ...") for line in lines]


def _remarks(finding: Finding) -> list[str]:
    if finding.verdict is Verdict.NOT_RUN:
        return [f"not run: {name_parts(missing_parts(finding.check))}"]
    lines, outcome = [], finding.outcome
    if finding.error:
        lines.append(f"stopped by {finding.error}")
    if outcome and outcome.mismatches:
        lines.append(f"first mismatch: {outcome.first_mismatch}")
    if outcome and not outcome.cases:
        lines.append("no case was compared")
    if finding.mutants is not None and not finding.mutants.planted:
        lines.append("it has no mutants, so nothing shows that it can fail")
    return lines + [f"mutant not noticed: {mutant}" for mutant in finding.missed]


def checks_table(checks: Sequence[Check]) -> PlainTable:
    """The checks that there are."""
    rows = [
        (
            check.name,
            f"{check.title} (against {check.against})",
            f"{check.cases:,}",
            ", ".join(part.name for part in check.needs) or "-",
        )
        for check in checks
    ]
    return make_table(("check", "what it says", "cases", "needs"), rows, folds=(1,), left=(0, 1, 3))
