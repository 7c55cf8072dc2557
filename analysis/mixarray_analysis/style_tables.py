"""What can be named in an accelerator file: PE styles with their dataflows, vector unit styles, sorters."""

from __future__ import annotations

from textwrap import fill
from typing import Any

from rich.console import RenderableType

from mixarray.accelerator.model import VECTOR_KINDS
from mixarray.accelerator.sorters import sorters
from mixarray.accelerator.styles import legal_pairs
from mixarray.accelerator.vector_styles import vector_styles
from mixarray_analysis.tables import make_table

COLUMNS = 80


def styles_as_data() -> dict[str, Any]:
    """Everything registered, with reasons and sources."""
    return {
        "pe_styles": [
            {"pe_style": style.name, "dataflow": dataflow.value, "legal": reason is None, "reason": reason}
            for style, dataflow, reason in legal_pairs()
        ],
        "vector_styles": [
            {
                "vector_style": style.name,
                "title": style.title,
                "passes": {kind.value: style.passes[kind] for kind in VECTOR_KINDS},
                "sources": {kind.value: style.source_of(kind) for kind in VECTOR_KINDS},
            }
            for _, style in sorted(vector_styles().items())
        ],
        "sorters": [
            {"sorter": sorter.name, "title": sorter.title, "source": sorter.source}
            for _, sorter in sorted(sorters().items())
        ],
    }


def styles_as_text() -> list[RenderableType]:
    """The same as tables and lines for people."""
    pairs = legal_pairs()
    rows = [[style.name, dataflow.value, "no" if reason else "yes"] for style, dataflow, reason in pairs]
    reasons = [f"{style.name}, {dataflow}: {reason}" for style, dataflow, reason in pairs if reason]
    return [
        make_table(["PE style", "dataflow", "runs"], rows),
        "",
        *(_folded(reason) for reason in reasons),
        "",
        *_vector_styles(),
        "",
        *(_folded(f"sorter {name}: {one.title}. {one.source}") for name, one in sorted(sorters().items())),
    ]


def _vector_styles() -> list[RenderableType]:
    """Passes where styles differ; the sources of what a style does differently from one read of each element."""
    known = [style for _, style in sorted(vector_styles().items())]
    kinds = [kind for kind in VECTOR_KINDS if len({style.passes[kind] for style in known}) > 1]
    headings = ["passes per element", *(style.name for style in known)]
    rows = [[kind.value, *(str(style.passes[kind]) for style in known)] for kind in kinds]
    rows.append(["every other kind", *("1" for _ in known)])
    lines = [
        f"{style.name}, {kind}: {style.sources[kind]}" for style in known for kind in kinds if kind in style.sources
    ]
    return [make_table(headings, rows), "", *(_folded(line) for line in lines)]


def _folded(text: str) -> str:
    """A paragraph that a terminal of 80 columns shows without breaking words."""
    return fill(text, width=COLUMNS, subsequent_indent="  ", break_long_words=False)
