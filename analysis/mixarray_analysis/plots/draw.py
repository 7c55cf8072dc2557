"""From a source on disk to the files of a picture: what `mixarray plot` and the demo call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mixarray.errors import InputError
from mixarray_analysis.plots.kinds import PLOTS, Plot
from mixarray_analysis.plots.names import Kind
from mixarray_analysis.plots.request import Request
from mixarray_analysis.plots.save import plot_files, save_plot
from mixarray_analysis.plots.sources import SourceKind, one_kind


@dataclass(frozen=True, slots=True)
class Drawn:
    """The files of a picture, and what it has no room for."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]


def draw(kind: Kind, request: Request, out: Path, force: bool = False, given: Mapping[str, str] | None = None) -> Drawn:
    """Draw a kind of plot into out.png, out.pdf and out.csv.

    given: options that a person typed, each with the field of the request that it fills. Raises InputError where the
    kind does not take one, the source does not hold what the picture shows, or a file exists without `force`.
    """
    plot = _find(kind, request, given or {})
    plot_files(out, force)
    shown = plot.frame(request)
    files = save_plot(plot.draw(shown, request), shown, out, force)
    return Drawn(files, tuple(plot.notes(shown, request)))


def _find(kind: Kind, request: Request, given: Mapping[str, str]) -> Plot:
    """How the kind is made of the sources of a request; every option must be one that it takes."""
    made = PLOTS[kind]
    _check(kind, given, frozenset[str]().union(*(plot.options for plot in made.values())), "")
    if request.gemm is not None and request.sources:
        raise InputError(f"plot {kind}", "is of --gemm: it takes no source")
    source = SourceKind.GEMM if request.gemm is not None else one_kind(request.sources, tuple(made), kind)
    _check(kind, given, made[source].options, f" of a {source.value}")
    return made[source]


def _check(kind: Kind, given: Mapping[str, str], taken: frozenset[str], of: str) -> None:
    for option, field in given.items():
        if field not in taken:
            takers = [other for other, made in PLOTS.items() if any(field in plot.options for plot in made.values())]
            raise InputError(option, f"does not go with {kind}{of}; it is for {', '.join(takers)}")
