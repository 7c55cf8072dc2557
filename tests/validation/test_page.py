"""The validation page: the committed one says what the code says now; the command writes it whole, or refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixarray_analysis.cli import main
from mixarray_analysis.validation.checks import all_checks
from mixarray_analysis.validation.context.table import ContextTable
from mixarray_analysis.validation.page import MARK, TITLE, context_part, context_tables, not_shown_part, page_text
from mixarray_analysis.validation.page_checks import ABOUT, HEADINGS, compared_part, result_start, results_part
from mixarray_analysis.validation.page_markdown import table
from mixarray_analysis.validation.page_published import published_part
from mixarray_analysis.validation.runner import Finding, run_checks

PAGE = Path(__file__).parents[2] / "docs" / "validation.md"
STALE = "docs/validation.md is stale: make validation"
SHORT = (ContextTable("Something", "About it.", ("what", "ours"), (("one", "1.0"),), ("It lacks a thing.",)),)


def parts() -> dict[str, str]:
    """The committed page by heading; the part before the first one is `start`."""
    start, *others = PAGE.read_text(encoding="utf-8").split("\n\n## ")
    return {"start": start, **{other.partition("\n")[0]: f"## {other}".rstrip("\n") for other in others}}


@pytest.mark.parametrize(
    ("heading", "make"), [("Published figures", published_part), ("What is not shown", not_shown_part)]
)
def test_what_is_cheap_to_compute_stands_there_as_it_is_now(heading, make):
    assert parts()[heading] == make(), STALE


def test_published_figures_all_agree():
    assert "| NO |" not in parts()["Published figures"]
    assert "| yes |" in parts()["Published figures"]


def test_the_start_is_the_generators():
    assert parts()["start"] == f"{MARK}\n\n{TITLE}", STALE


def test_the_results_are_of_every_check_with_its_own_number_of_cases_and_all_hold():
    rows = [line.strip("| ").split(" | ") for line in parts()["Results"].splitlines() if line.startswith("| `")]
    assert [tuple(row[:3]) for row in rows] == [result_start(check) for check in all_checks().values()], STALE
    for row in rows:
        noticed, planted = row[4].split(" of ")
        assert (row[3], row[5], noticed) == ("0", "holds", planted)
        assert int(planted) >= 3


def test_every_check_names_its_faults():
    found = parts()["Planted faults"]
    for check in all_checks().values():
        assert f"**`{check.name}`** (" in found, STALE
        assert f") {check.title}: " in found, STALE


def test_every_check_says_what_makes_its_number_what_the_other_side_is_and_when_they_agree():
    assert parts()["What is compared"] == compared_part([Finding(check) for check in all_checks().values()]), STALE


@pytest.mark.full
def test_the_context_is_what_the_simulator_gives_now():
    assert parts()["Context, without verdict"] == context_part(context_tables()), STALE


def test_a_page_says_what_was_found(check):
    findings = run_checks([check("a", wrong=[3]), check("b", missing=["part"])], 0, with_mutants=True)
    text = page_text(findings, SHORT)
    assert "| `a` | something independent of it | 7 | 1 | 2 of 2 | FAILS |" in text
    assert "| `b` | something independent of it | - | - | - | not run |" in text
    assert "**`a`** (2) what a says: shift; sign." in text
    assert "- It lacks a thing." in text
    assert text.startswith(f"{MARK}\n\n# Validation\n")
    assert text.endswith("\n")


def test_a_table_keeps_bars_inside_its_cells():
    assert table(("a", "b"), [("x|y", "1")], right=(1,)) == "| a | b |\n| --- | --: |\n| x\\|y | 1 |"
    assert results_part([]).endswith(table(HEADINGS, [], right=(2, 3, 4)))
    assert ABOUT in results_part([])


@pytest.fixture
def context(monkeypatch):
    monkeypatch.setattr("mixarray_analysis.validation.page.context_tables", lambda: SHORT)


def test_the_command_writes_the_page_with_faults_and_equal_runs_give_equal_bytes(
    tmp_path, capsys, registered, check, context
):
    registered(check("engine"), check("rtl_a"))
    first, second = tmp_path / "first.md", tmp_path / "second.md"
    assert main(["validate", "--page", str(first)]) == 0
    assert "2/2" in capsys.readouterr().out
    assert main(["validate", "--page", str(second), "--mutants", "--quiet"]) == 0
    assert first.read_bytes() == second.read_bytes()
    assert "| `engine` | something independent of it | 7 | 0 | 2 of 2 | holds |" in first.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.md", "second.md"]


def test_a_page_that_shows_a_failure_is_written_and_the_exit_code_says_so(tmp_path, registered, check, context):
    registered(check("engine", caught=["sign"]))
    assert main(["validate", "--page", str(tmp_path / "page.md"), "-q"]) == 1
    assert "| 1 of 2 | FAILS |" in (tmp_path / "page.md").read_text()


def test_an_existing_page_is_replaced_only_with_force_and_nothing_else_ever(
    tmp_path, capsys, registered, check, context
):
    registered(check("engine"))
    page, mine = tmp_path / "page.md", tmp_path / "mine.md"
    mine.write_text("# Mine\n")
    assert main(["validate", "--page", str(page), "-q"]) == 0
    assert main(["validate", "--page", str(page), "-q"]) == 2
    assert main(["validate", "--page", str(page), "-q", "--force"]) == 0
    assert main(["validate", "--page", str(mine), "-q", "--force"]) == 2
    assert mine.read_text() == "# Mine\n"
    assert main(["validate", "--page", str(tmp_path / "nowhere" / "page.md"), "-q"]) == 2
    assert capsys.readouterr().err.count("error: ") == 3


@pytest.mark.parametrize("options", [["engine"], ["--cases", "3"], ["--seed", "1"]])
def test_a_page_is_of_every_check_as_it_is_by_itself(options, tmp_path, capsys, registered, check):
    registered(check("engine"))
    assert main(["validate", "--page", str(tmp_path / "page.md"), *options]) == 2
    given = options[0] if options[0].startswith("-") else "NAME"
    message = "--page: shows every check as it is by itself: not together with"
    assert capsys.readouterr().err == f"error: {message} {given}\n"
    assert not list(tmp_path.iterdir())
