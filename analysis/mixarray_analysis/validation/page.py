"""The validation page: what is proven, against what, with which planted faults, and what is not."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from mixarray.errors import InputError
from mixarray_analysis.validation.context.gpu import gpu_table
from mixarray_analysis.validation.context.silicon import silicon_table
from mixarray_analysis.validation.context.sparsevit import sparsevit_table
from mixarray_analysis.validation.context.table import ContextTable
from mixarray_analysis.validation.page_checks import compared_part, faults_part, results_part
from mixarray_analysis.validation.page_markdown import bullets, paragraphs, table
from mixarray_analysis.validation.page_published import published_part
from mixarray_analysis.validation.runner import Finding

MARK = "<!-- Written by `mixarray validate --page`; edit the generator, not this file. -->"
TITLE = """# Validation

What mixarray's numbers are held against. `make validation` writes this page (minutes; it needs Verilator and
SCALE-Sim). Equal code gives equal bytes, and tests compare the code with what stands here. How to run the checks:
[testing](testing.md)."""
CONTEXT_ABOUT = """Measurements on machines that ours does not model, beside the nearest thing that ours can run.
They show whether our figures are of a plausible size. Nothing here passes or fails, and nothing is fitted to them."""
NOT_SHOWN = (
    "No chip was measured for this project. Cycles are held against RTL, closed forms and other simulators; the "
    "schedule around the array (DRAM, buffers, vector unit) against its own rules and an independent checker, not "
    "against hardware.",
    "The RTL covers the arrays alone: no DRAM controller, no vector unit, no sorter.",
    "Energies are sums of counted actions times constants of other people; they have bands, and no total was measured.",
    "MixA-Q's searched ratios are not published: its mixed rows hold our counter against a closed form, not against "
    "what it ran.",
    "Accuracy is measured on the shipped small model only. Accuracies of MixA-Q are not reproduced.",
)


def page_text(findings: Sequence[Finding], context: Sequence[ContextTable]) -> str:
    """The whole page."""
    checked = results_part(findings), compared_part(findings), faults_part(findings)
    return paragraphs(MARK, TITLE, *checked, published_part(), context_part(context), not_shown_part()) + "\n"


def context_tables() -> tuple[ContextTable, ...]:
    """All context; simulates for about half a minute."""
    return sparsevit_table(), gpu_table(), silicon_table()


def context_part(tables: Sequence[ContextTable]) -> str:
    """The context section."""
    return paragraphs("## Context, without verdict", CONTEXT_ABOUT, *map(_context, tables))


def not_shown_part() -> str:
    """What nobody should read into the page."""
    return paragraphs("## What is not shown", bullets(NOT_SHOWN))


def check_page(path: Path, force: bool) -> None:
    """Raise InputError unless the page can be written to `path`: nothing there or, with `force`, an earlier page."""
    if not path.exists():
        return
    if not force:
        raise InputError(str(path), "already exists; use --force to replace it")
    try:
        first = path.read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError):
        first = ""
    if first != MARK:
        raise InputError(str(path), "is no validation page, so --force does not replace it")


def write_page(path: Path, text: str) -> None:
    """Write the page whole or not at all; InputError where that is impossible."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="\n", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            file.write(text)
        work = Path(file.name)
        work.chmod(0o644)
        work.replace(path)
    except OSError as error:
        raise InputError(str(path), f"cannot be written: {error.strerror}") from None


def _context(found: ContextTable) -> str:
    return paragraphs(f"### {found.title}", found.about, table(found.headings, found.rows), bullets(found.lacks))
