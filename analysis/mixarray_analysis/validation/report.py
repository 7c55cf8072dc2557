"""What `mixarray validate` says: one table for people, the same as JSON, mismatches in words."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from mixarray.provenance import git_revision, package_versions
from mixarray_analysis.tables import to_json
from mixarray_analysis.validation.check import Check
from mixarray_analysis.validation.runner import Finding, Verdict, missing_parts, name_parts

SCHEMA_VERSION = "1.0"
WIDTH = 80


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


def findings_table(findings: Sequence[Finding]) -> Table:
    """One row per check."""
    table = _table("check", "against", "cases", "mismatches", "mutants", "verdict")
    for finding in findings:
        outcome, mutants = finding.outcome, finding.mutants
        counts = [f"{outcome.cases:,}", f"{outcome.mismatches:,}"] if outcome else ["-", "-"]
        caught = f"{len(mutants.planted) - len(finding.missed)}/{len(mutants.planted)}" if mutants else "-"
        table.add_row(finding.check.name, finding.check.against, *counts, caught, finding.verdict)
    return table


def remarks(findings: Sequence[Finding]) -> list[str]:
    """What stands below the table: first mismatches, missed mutants, and why a check was not run."""
    lines = []
    for finding in findings:
        name, outcome = finding.check.name, finding.outcome
        if outcome is None:
            lines.append(f"{name}: not run: {name_parts(missing_parts(finding.check))}")
            continue
        if outcome.mismatches:
            lines.append(f"{name}: first mismatch: {outcome.first_mismatch}")
        if not outcome.cases:
            lines.append(f"{name}: no case was compared")
        if finding.mutants is not None and not finding.mutants.planted:
            lines.append(f"{name}: it has no mutants, so nothing shows that it can fail")
        lines += [f"{name}: mutant not noticed: {mutant}" for mutant in finding.missed]
    return lines


def checks_table(checks: Sequence[Check]) -> Table:
    """The checks that there are."""
    table = _table("check", "what it says", "cases", "needs")
    for check in checks:
        needs = ", ".join(part.name for part in check.needs) or "-"
        table.add_row(check.name, f"{check.title} (against {check.against})", f"{check.cases:,}", needs)
    return table


def _table(*headings: str) -> Table:
    """80 columns: the second column wraps, the others never do; numbers to the right."""
    table = Table(box=None, pad_edge=False, width=WIDTH)
    for number, heading in enumerate(headings):
        to_the_right = heading in ("cases", "mismatches", "mutants")
        table.add_column(
            heading, justify="right" if to_the_right else "left", no_wrap=number != 1, ratio=1 if number == 1 else None
        )
    return table
