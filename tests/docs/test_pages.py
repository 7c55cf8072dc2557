"""Every page: each block is told, each command is known; in the full set, all of them are run."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs_runner.pages import REPOSITORY, every_page
from docs_runner.parsing import check_command
from docs_runner.reader import DocsError, read_page
from docs_runner.run import run_steps
from docs_runner.steps import commands_of, steps_of


def text_of(page: Path) -> str:
    return (REPOSITORY / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", every_page(), ids=str)
def test_every_block_is_told_and_every_command_known(page: Path) -> None:
    read = read_page(str(page), text_of(page))
    known = [check_command(where, line) for where, line in commands_of(read)]
    assert len(steps_of(read)) >= any(known)


@pytest.mark.parametrize(
    "line",
    [
        "mixarray simulate --gem 1,2,3",
        "mixarray simulat bundle",
        "mixarray plot pictures run",
        "mixarray search compare -o",
        "mixarray qat",
    ],
)
def test_a_command_that_is_refused_is_noticed(line: str) -> None:
    with pytest.raises(DocsError, match=r"p\.md:1"):
        check_command("p.md:1", line)


def test_what_is_known() -> None:
    assert check_command("p.md:1", "mixarray search compare a b -o c  # a remark")
    assert check_command("p.md:1", "mixarray accelerators schema > file.json")
    assert check_command("p.md:1", "mixarray --version")
    assert not check_command("p.md:1", "make demo")


def pages_that_run() -> list[object]:
    """Pages with steps, and their optional parts; a page that cannot be read is among them and fails."""
    found: list[object] = []
    for page in every_page():
        try:
            read = read_page(str(page), text_of(page))
            needs, runs = read.needs, bool(steps_of(read))
        except DocsError:
            needs, runs = (), True
        if runs:
            found.append(pytest.param(page, marks=[pytest.mark.needs(*needs)], id=str(page)))
    return found


@pytest.mark.full
@pytest.mark.parametrize("page", pages_that_run())
def test_a_page_runs(page: Path, tmp_path: Path) -> None:
    run_steps(steps_of(read_page(str(page), text_of(page))), tmp_path, REPOSITORY)
