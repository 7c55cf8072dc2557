"""Writes the page and its figure from the committed results."""

from __future__ import annotations

from pathlib import Path

from mixarray_analysis.files import write_text
from mixarray_analysis.method_comparison.figure import drawn
from mixarray_analysis.method_comparison.page import page_text
from mixarray_analysis.method_comparison.results import Compared
from mixarray_analysis.reproduction.draw import save_figure

PICTURE = "accuracy_cycles"


def draw(docs: Path) -> tuple[Path, ...]:
    """Write docs/methods.md and docs/methods/accuracy_cycles.png; returns their paths."""
    home = docs / "methods"
    figure = drawn(Compared(home / "results"))
    pictures = () if figure is None else (save_figure(figure[0], home / f"{PICTURE}.png"),)
    return *pictures, write_text(docs / "methods.md", page(docs), force=True)


def page(docs: Path) -> str:
    """The text of the page as the results below `docs` make it."""
    found = Compared(docs / "methods" / "results")
    figure = drawn(found)
    return page_text(found, "" if figure is None else f"![{figure[1]}](methods/{PICTURE}.png)\n\n*{figure[1]}*")
