"""The table of plots: each kind, what it is made of, the function of its frame and the one that draws it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from mixarray.errors import InputError
from mixarray.trace.bundle import read_bundle
from mixarray_analysis.plots.energy import plot_energy
from mixarray_analysis.plots.frames.busy import busy_frame
from mixarray_analysis.plots.frames.energy import energy_frame
from mixarray_analysis.plots.frames.gemm import GemmRequest, gemm_frame
from mixarray_analysis.plots.frames.latency import latency_frame
from mixarray_analysis.plots.frames.pareto import pareto_frame
from mixarray_analysis.plots.frames.points import check_few
from mixarray_analysis.plots.frames.ratios import ratios_frame
from mixarray_analysis.plots.frames.roofline import roofline_frame
from mixarray_analysis.plots.frames.shapes import shapes_frame
from mixarray_analysis.plots.frames.speedup import speedup_frame
from mixarray_analysis.plots.frames.tornado import tornado_frame, tornado_notes
from mixarray_analysis.plots.frames.waterfall import explained_waterfall, read_waterfall
from mixarray_analysis.plots.frames.windows import windows_frame
from mixarray_analysis.plots.heat import plot_busy, plot_shapes
from mixarray_analysis.plots.latency import plot_latency
from mixarray_analysis.plots.names import Cost, Kind
from mixarray_analysis.plots.pareto import plot_pareto
from mixarray_analysis.plots.pictures import find_picture
from mixarray_analysis.plots.ratios import plot_ratios
from mixarray_analysis.plots.request import Request
from mixarray_analysis.plots.roofline import plot_roofline
from mixarray_analysis.plots.settings import AXIS_LABEL
from mixarray_analysis.plots.sources import SourceKind
from mixarray_analysis.plots.speedup import plot_speedup
from mixarray_analysis.plots.tornado import plot_tornado
from mixarray_analysis.plots.utilization import plot_utilization
from mixarray_analysis.plots.waterfall import plot_waterfall
from mixarray_analysis.plots.windows import plot_windows


@dataclass(frozen=True, slots=True)
class Plot:
    """How a kind is made of one kind of source.

    options: what it takes of a `Request` beside sources and size. notes: what the picture has no room for.
    """

    frame: Callable[[Request], pd.DataFrame]
    draw: Callable[[pd.DataFrame, Request], Figure]
    options: frozenset[str] = frozenset()
    notes: Callable[[pd.DataFrame, Request], list[str]] = lambda shown, request: []


def _points(frame: Callable[..., pd.DataFrame]) -> Callable[[Request], pd.DataFrame]:
    def few(request: Request) -> pd.DataFrame:
        shown = frame(request.source, request.where)
        check_few(shown, request.source)
        return shown

    return few


def _simple(draw: Callable[..., tuple[Figure, object]]) -> Callable[[pd.DataFrame, Request], Figure]:
    return lambda shown, request: draw(shown, size=request.size)[0]


def _stacks(
    frame: Callable[[Sequence[Path]], pd.DataFrame], draw: Callable[..., tuple[Figure, object]]
) -> Mapping[SourceKind, Plot]:
    """Of runs, which have names, and of a sweep of ratios, whose runs are called by their shares."""

    def of(rows: str) -> Plot:
        return Plot(
            lambda request: frame(request.sources),
            lambda shown, request: draw(shown, size=request.size, rows=rows)[0],
        )

    return {SourceKind.RUN: of(""), SourceKind.SUMMARY: of(AXIS_LABEL)}


def _costs(cost: Cost | None) -> Sequence[Cost]:
    return tuple(Cost) if cost is None else (cost,)


def _turned(request: Request) -> pd.DataFrame:
    _turned_cost(request)
    return tornado_frame(request.source, request.overrides, request.jobs, request.quiet)


def _of_run(request: Request) -> pd.DataFrame:
    return explained_waterfall(request.source, (), (), request.quiet)


def _of_bundle(request: Request) -> pd.DataFrame:
    if not request.accelerators:
        raise InputError("--accelerator", "is missing: the waterfall of a bundle is on an accelerator")
    return explained_waterfall(request.source, request.accelerators, request.overrides, request.quiet)


def _gemm(request: Request) -> GemmRequest:
    if request.gemm is None:
        raise InputError("plot utilization", "needs a GEMM")
    return request.gemm


def _windows(shown: pd.DataFrame, request: Request) -> Figure:
    picture = find_picture(read_bundle(request.source), request.image, request.picture)
    return plot_windows(shown, picture, size=request.size)[0]


def _turned_cost(request: Request) -> Cost:
    if request.cost is Cost.BOPS:
        raise InputError("--x", "a field of the accelerator changes no bit operations; take latency or energy")
    return request.cost or Cost.LATENCY


def _tornado(shown: pd.DataFrame, request: Request) -> Figure:
    return plot_tornado(shown, _turned_cost(request), size=request.size)[0]


WHERE = frozenset({"where"})
SWEEPS = (SourceKind.SUMMARY, SourceKind.SWEEP)
_SPEEDUP = Plot(_points(speedup_frame), _simple(plot_speedup), WHERE)
_RATIOS = Plot(_points(ratios_frame), _simple(plot_ratios), WHERE)
_PARETO = Plot(
    _points(pareto_frame),
    lambda shown, request: plot_pareto(shown, _costs(request.cost), size=request.size)[0],
    WHERE | {"cost"},
)
_ACCURACY = Plot(
    _points(pareto_frame), lambda shown, request: plot_pareto(shown, [Cost.LATENCY], size=request.size)[0], WHERE
)
PLOTS: Mapping[Kind, Mapping[SourceKind, Plot]] = {
    Kind.SPEEDUP: dict.fromkeys(SWEEPS, _SPEEDUP),
    Kind.RATIOS: dict.fromkeys(SWEEPS, _RATIOS),
    Kind.PARETO: dict.fromkeys((SourceKind.SUMMARY, SourceKind.SEARCH), _PARETO),
    Kind.ACCURACY: dict.fromkeys((SourceKind.SUMMARY, SourceKind.SEARCH), _ACCURACY),
    Kind.WATERFALL: {
        SourceKind.RUN: Plot(_of_run, _simple(plot_waterfall)),
        SourceKind.BUNDLE: Plot(_of_bundle, _simple(plot_waterfall), frozenset({"accelerators", "overrides"})),
        SourceKind.EXPLANATION: Plot(lambda request: read_waterfall(request.source), _simple(plot_waterfall)),
    },
    Kind.LATENCY: _stacks(latency_frame, plot_latency),
    Kind.ENERGY: _stacks(energy_frame, plot_energy),
    Kind.ROOFLINE: {SourceKind.RUN: Plot(lambda request: roofline_frame(request.source), _simple(plot_roofline))},
    Kind.UTILIZATION: {
        SourceKind.RUN: Plot(lambda request: busy_frame(request.source), _simple(plot_busy)),
        SourceKind.SWEEP: Plot(_points(shapes_frame), _simple(plot_shapes), WHERE),
        SourceKind.GEMM: Plot(
            lambda request: gemm_frame(_gemm(request)),
            lambda shown, request: plot_utilization(shown, _gemm(request), size=request.size)[0],
            frozenset({"gemm", "accelerators", "overrides"}),
        ),
    },
    Kind.TORNADO: {
        SourceKind.RUN: Plot(
            _turned,
            _tornado,
            frozenset({"overrides", "cost", "jobs"}),
            lambda shown, request: tornado_notes(shown, _turned_cost(request)),
        )
    },
    Kind.WINDOWS: {
        SourceKind.BUNDLE: Plot(
            lambda request: windows_frame(read_bundle(request.source), request.image),
            _windows,
            frozenset({"image", "picture"}),
        )
    },
}
