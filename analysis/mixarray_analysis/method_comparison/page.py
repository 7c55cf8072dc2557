"""The page `docs/methods.md`: methods, their accuracy and their hardware, from the results alone."""

from __future__ import annotations

from mixarray_analysis.method_comparison import tables
from mixarray_analysis.method_comparison.published import PUBLISHED, PUBLISHED_HEADINGS
from mixarray_analysis.method_comparison.results import Compared
from mixarray_analysis.method_comparison.sentences import rounding_lines, side_path_lines
from mixarray_analysis.method_comparison.subjects import PRECISIONS
from mixarray_analysis.method_comparison.texts import (
    COMMANDS,
    MARK,
    PUBLISHED_ABOUT,
    ROUND_ABOUT,
    RULE,
    SHAPE_ABOUT,
    SIDE_ABOUT,
    TIMES_ABOUT,
    TITLE,
    VERSIONS_ABOUT,
)
from mixarray_analysis.validation.page_markdown import bullets, paragraphs, table


def page_text(found: Compared, picture: str) -> str:
    """The whole page; `picture` is its Markdown, empty where nothing was drawn."""
    parts = [MARK, TITLE, RULE, "## The shipped model"]
    for precision in PRECISIONS:
        parts += [f"### {precision.name}", table(tables.COMPARED_HEADINGS, tables.compared_rows(precision, found))]
    parts += [picture, SIDE_ABOUT, bullets(side_path_lines(found))]
    parts += [table(tables.SIDE_HEADINGS, tables.side_rows(found))]
    parts += [ROUND_ABOUT, table(tables.ROUNDED_HEADINGS, tables.rounded_rows(found)), bullets(rounding_lines(found))]
    parts += [SHAPE_ABOUT]
    for precision in PRECISIONS:
        parts += [f"### Swin-T, {precision.name}", table(tables.SHAPE_HEADINGS, tables.shape_rows(precision, found))]
    parts += ["### Swin-T, side work", table(tables.SIDE_HEADINGS, tables.shape_side_rows(found))]
    parts += [PUBLISHED_ABOUT, table(PUBLISHED_HEADINGS, PUBLISHED)]
    parts += [TIMES_ABOUT, table(tables.TIME_HEADINGS, tables.time_rows(found))]
    parts += [VERSIONS_ABOUT, table(tables.VERSION_HEADINGS, tables.version_rows(found)), COMMANDS]
    return paragraphs(*(part for part in parts if part)) + "\n"
