"""Markdown of the validation page: tables and lists of plain text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    """A table; the columns in `right` stand to the right."""
    rule = ["--:" if column in right else "---" for column in range(len(headings))]
    return "\n".join(_row(cells) for cells in (headings, rule, *rows))


def bullets(items: Iterable[str]) -> str:
    """A list of sentences."""
    return "\n".join(f"- {item}" for item in items)


def paragraphs(*parts: str) -> str:
    """Parts with an empty line between."""
    return "\n\n".join(parts)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
