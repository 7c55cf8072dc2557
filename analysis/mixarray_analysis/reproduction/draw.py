"""Writes the page and its figures from the committed results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure

from mixarray_analysis.files import write_text
from mixarray_analysis.plots.style import style
from mixarray_analysis.reproduction.figures import drawn
from mixarray_analysis.reproduction.page import page_text
from mixarray_analysis.reproduction.results import Results

FRONTS_CAPTION = (
    "Fronts of three seeds searched on bit operations and on simulated cycles, both simulated: AP50 on canvases that "
    "no search saw against cost relative to ratio 0 (drawn by `mixarray search compare`)."
)


def draw(docs: Path) -> tuple[Path, ...]:
    """Write docs/reproduction.md and docs/reproduction/*.png; returns their paths."""
    home = docs / "reproduction"
    figures = drawn(Results(home / "results"))
    written = [save_figure(figure, home / f"{name}.png") for name, (figure, _) in figures.items()]
    return *written, write_text(docs / "reproduction.md", _text(home, figures), force=True)


def page(docs: Path) -> str:
    """The text of the page as the results below `docs` make it."""
    home = docs / "reproduction"
    return _text(home, drawn(Results(home / "results")))


def _text(home: Path, figures: Mapping[str, tuple[Figure, str]]) -> str:
    captions = {name: caption for name, (_, caption) in figures.items()}
    if (home / "fronts.png").exists():
        captions["fronts"] = FRONTS_CAPTION
    return page_text(Results(home / "results"), captions)


def save_figure(figure: Figure, path: Path) -> Path:
    """A PNG without dates and versions, whole or not at all."""
    part = path.with_name(f".{path.name}.partial")
    with style():
        figure.savefig(part, format="png", dpi=100, metadata={"Software": None})
    part.replace(path)
    return path
