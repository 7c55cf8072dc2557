"""What the budget changes: claims at two budgets, side by side, never mixed."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixarray_analysis.reproduction.budgets import (
    BUDGET_HEADINGS,
    SHORTER,
    budget_rows,
    budget_sentence,
    shorter_beside,
)
from mixarray_analysis.reproduction.claims import qat_claims
from mixarray_analysis.reproduction.page import page_text
from mixarray_analysis.reproduction.results import Results

from .conftest import plain_accuracy, write_all

SECTION = "## What the budget changes"
GAIN = next(claim.said for claim in qat_claims())
"""SAQA above uniform QAT with all windows high."""
LOSS_AFTER_SHORTER, GAIN_AFTER_LONGER = -0.05, 0.05


def write_budget(home: Path, gain: float, images: int) -> Results:
    """SAQA above all other models by `gain`; every training saw `images`."""
    results = write_all(home, lambda run, q, p: plain_accuracy(run, q, p) + gain * run.startswith("saqa_s"))
    for told in home.glob("*/training.json"):
        told.write_text(told.read_text(encoding="utf-8").replace("32000", str(images)), encoding="utf-8")
    return results


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """After longer trainings SAQA wins, after shorter ones it loses."""
    home = tmp_path_factory.mktemp("docs")
    write_budget(home / SHORTER, LOSS_AFTER_SHORTER, 32_000)
    return write_budget(home / "results", GAIN_AFTER_LONGER, 100_000)


def test_each_budget_has_its_own_difference_and_verdict(both: Results) -> None:
    rows = list(budget_rows(both))
    assert [row[0] for row in rows] == [claim.said for claim in qat_claims()]
    assert all(len(row) == len(BUDGET_HEADINGS) for row in rows)
    _, models, before, verdict, after, other, moved, seeds, n = next(row for row in rows if row[0] == GAIN)
    assert models == "saqa_s0, uniform_s0"
    assert [text.partition(" [")[0] for text in (before, after, moved)] == ["-0.050", "+0.050", "+0.100"]
    assert (verdict, other, seeds, n) == ("opposite", "seen", "3", "64")


def test_verdicts_that_turn_and_differences_that_move_are_counted(both: Results) -> None:
    rows = list(budget_rows(both))
    turned = sum(row[3].split(" (")[0] != row[5].split(" (")[0] for row in rows)
    moved = sum(not row[6].startswith(("+0.000", "-0.000")) for row in rows)
    assert 0 < turned <= moved < len(rows)
    said = f"{turned} of {len(rows)} verdicts turn with the budget; {moved} differences move"
    assert budget_sentence(both).startswith(said)
    assert said in page_text(both, {})


def test_both_budgets_are_named(both: Results) -> None:
    before, _, rest = page_text(both, {}).partition(SECTION)
    assert "| uniform | 100,000 of 112 px, 16 a step |" in before
    assert "| uniform | 32,000 of 112 px, 16 a step |" in rest


def test_other_tables_keep_to_the_longer_budget(both: Results, tmp_path: Path) -> None:
    """All that shorter trainings say stands in their own section."""

    def outside(results: Results) -> str:
        before, _, rest = page_text(results, {}).partition(SECTION)
        return before + rest[rest.index("\n## ") :]

    alone = write_budget(tmp_path / "results", GAIN_AFTER_LONGER, 100_000)
    assert "not measured yet" not in outside(both)
    assert outside(both) == outside(alone)


def test_without_shorter_trainings_that_is_said(results: Results) -> None:
    assert not shorter_beside(results).directory.exists()
    assert budget_sentence(results) == ""
    assert all(row[2].startswith("not measured yet: ") and not any(row[3:]) for row in budget_rows(results))
