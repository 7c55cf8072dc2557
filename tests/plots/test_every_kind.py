"""All kinds at both sizes: files, words, units, legends, no text on another, and nothing cut off."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.text import Text
from matplotlib.transforms import Bbox, BboxBase

from mixarray_analysis.plots.draw import draw
from mixarray_analysis.plots.frames.gemm import GemmRequest
from mixarray_analysis.plots.frames.latency import COLUMNS as LATENCY_COLUMNS
from mixarray_analysis.plots.frames.roofline import COLUMNS as ROOFLINE_COLUMNS
from mixarray_analysis.plots.frames.roofline import GEMM, ROOF, WHOLE
from mixarray_analysis.plots.frames.shapes import COLUMNS as SHAPE_COLUMNS
from mixarray_analysis.plots.frames.speedup import COLUMNS
from mixarray_analysis.plots.heat import plot_shapes
from mixarray_analysis.plots.kinds import PLOTS
from mixarray_analysis.plots.latency import plot_latency
from mixarray_analysis.plots.names import Kind
from mixarray_analysis.plots.request import Request
from mixarray_analysis.plots.roofline import plot_roofline
from mixarray_analysis.plots.save import SUFFIXES
from mixarray_analysis.plots.sources import SourceKind, kind_of
from mixarray_analysis.plots.speedup import plot_speedup
from mixarray_analysis.plots.style import DEMO, PAPER, POINTS_PER_INCH, Size, open_axes, style


@dataclass(frozen=True)
class Case:
    """A kind of plot of a source, words that must stand on its axes, and entries of its legend."""

    kind: Kind
    source: str
    words: tuple[str, ...]
    legend: tuple[str, ...] = ()


PROMISED = "promised: BOPs of the blocks"
SIMULATED = ("simulated: packed_w4_32x32", "simulated: plain_int8_32x32")
COUNTED = "promised: BOPs, weight bits counted"
POINTS = ("packed_w4_32x32", "plain_int8_32x32", "beaten on the same accelerator")
CASES = [
    Case(Kind.SPEEDUP, "demo", ("speedup (x)", "windows at low bits, nominal (%)"), (COUNTED, *SIMULATED)),
    Case(Kind.SPEEDUP, "shapes", ("speedup (x)",), (PROMISED,)),
    Case(Kind.RATIOS, "demo", ("speedup over ratio 0 (x)", "windows at low bits that ran (%)"), (PROMISED, *SIMULATED)),
    Case(Kind.RATIOS, "shapes", ("speedup over ratio 0 (x)",), (PROMISED,)),
    Case(Kind.PARETO, "demo", ("simulated latency (ms)", "energy (µJ)", "bit operations over ratio 0 (x)"), POINTS),
    Case(Kind.ACCURACY, "demo", ("simulated latency (ms)", "n = 100 canvases", "windows at low bits (%)"), POINTS),
    Case(Kind.WATERFALL, "explained", ("speedup (x)", PACKED := "packed_w4_32x32")),
    Case(
        Kind.LATENCY,
        "demo",
        ("latency per image, batch 1 (ms)", PACKED, "windows at low bits, nominal (%)"),
        ("streaming rows through the array",),
    ),
    Case(Kind.LATENCY, "packed", ("latency per image, batch 1 (ms)", "packed"), ("softmax",)),
    Case(Kind.ENERGY, "demo", ("energy per image, batch 1 (µJ)", PACKED), ("DRAM", "array", "weight buffer")),
    Case(Kind.ROOFLINE, "packed", ("attained TOPS", "operations (2 per MAC) per byte"), ("whole run", "DRAM: 12 GB/s")),
    Case(Kind.UTILIZATION, "packed", ("busy (% of the cycles added)", "array", "DRAM", "stage 1, block 1")),
    Case(Kind.UTILIZATION, "shapes", ("mean utilization of 2 points (%)", PACKED, "array rows", "array columns")),
    Case(Kind.UTILIZATION, "", ("PE multiplies (% of cycles)", "array row (K)")),
    Case(
        Kind.TORNADO, "packed", ("change of latency", "arrays.0.rows: 16, 64"), ("smaller", "larger", "another choice")
    ),
    Case(Kind.WINDOWS, "demo/bundles/ratio_0400", ("windows low",), ("8-bit activations", "4-bit activations")),
]
NAMES = [f"{case.kind} of {case.source or 'a GEMM'}" for case in CASES]


SLACK_PIXELS = 1.0
HAIR_PIXELS = 0.1


def texts_of(figure: Figure) -> Iterator[Text]:
    """Every text that is seen."""
    for ax in figure.axes:
        if ax.get_visible():
            yield from _texts_of_axes(ax)
    for legend in figure.legends:
        yield from legend.get_texts()
    yield from figure.texts


def _texts_of_axes(ax: Axes) -> Iterator[Text]:
    if ax.axison:
        for axis, limits in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
            low, high = sorted(limits)
            for tick in axis.get_major_ticks():
                if low <= tick.get_loc() <= high:
                    yield tick.label1
            yield axis.label
    yield from ax.texts
    yield from (ax.title, ax._left_title, ax._right_title)  # type: ignore[attr-defined]


def collisions(figure: Figure) -> list[str]:
    """Pairs of texts that overlap, and texts that leave the figure."""
    figure.draw_without_rendering()
    seen = [text for text in texts_of(figure) if text.get_visible() and text.get_text().strip()]
    boxes = [(text.get_text(), _inner(text)) for text in seen]
    whole = [(text.get_text(), Text.get_window_extent(text)) for text in seen]
    found = [f"{a!r} lies on {b!r}" for (a, one), (b, two) in combinations(boxes, 2) if _overlap(one, two)]
    page = figure.bbox
    return found + [
        f"{name!r} leaves the figure"
        for name, box in whole
        if box.x0 < page.x0 or box.y0 < page.y0 or box.x1 > page.x1 or box.y1 > page.y1
    ]


def cut(figure: Figure) -> list[str]:
    """What is drawn and leaves the figure, and marks that the edge of their axes cuts."""
    figure.draw_without_rendering()
    return [
        f"{type(one).__name__} of {ax.get_xlabel()!r}"
        for ax in figure.axes
        for one in (*ax.lines, *ax.patches, *ax.collections, *ax.images)
        if not _is_whole(one, ax.bbox, figure.bbox)
    ]


def _is_whole(one: Artist, axes: BboxBase, page: BboxBase) -> bool:
    if isinstance(one, Line2D) and one.get_marker() != "None":
        return all(_inside(box, axes if one.get_clip_on() else page) for box in _marks(one))
    box = one.get_tightbbox()
    return box is None or _inside(box, page)


def _marks(line: Line2D) -> Iterator[Bbox]:
    """The marks of a line as they are drawn, with half of their edge."""
    marker = MarkerStyle(line.get_marker())
    one = marker.get_path().get_extents(marker.get_transform())
    pixels_per_point = line.get_figure(root=True).dpi / POINTS_PER_INCH
    size, edge = line.get_markersize() * pixels_per_point, line.get_markeredgewidth() * pixels_per_point / 2
    for x, y in line.get_transform().transform(line.get_xydata()):
        yield Bbox.from_extents(
            x + size * one.x0 - edge, y + size * one.y0 - edge, x + size * one.x1 + edge, y + size * one.y1 + edge
        )


def _inside(box: BboxBase, around: BboxBase) -> bool:
    low = min(box.x0 - around.x0, box.y0 - around.y0)
    return min(low, around.x1 - box.x1, around.y1 - box.y1) > -HAIR_PIXELS


def _inner(text: Text) -> Bbox:
    box = Text.get_window_extent(text)
    return Bbox.from_extents(box.x0 + SLACK_PIXELS, box.y0 + SLACK_PIXELS, box.x1 - SLACK_PIXELS, box.y1 - SLACK_PIXELS)


def _overlap(one: Bbox, two: Bbox) -> bool:
    return one.x0 < two.x1 and two.x0 < one.x1 and one.y0 < two.y1 and two.y0 < one.y1


def request(case: Case, place: Path, size: Size) -> Request:
    gemm = GemmRequest((49, 49, 32), (8, 8), 4, "packed_w4_32x32")
    if not case.source:
        return Request(gemm=gemm, size=size)
    picture = place / "photo.png" if case.kind is Kind.WINDOWS else None
    return Request((place / case.source,), size=size, picture=picture)


@pytest.fixture(scope="module")
def frames(place: Path, turned: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What each case shows; both sizes share it."""
    made = {"tornado of packed": turned}
    for name, case in zip(NAMES, CASES, strict=True):
        if name in made:
            continue
        wanted = request(case, place, DEMO)
        source = SourceKind.GEMM if not case.source else kind_of(place / case.source)
        made[name] = PLOTS[case.kind][source].frame(wanted)
    return made


def figure_of(name: str, place: Path, frames: dict[str, pd.DataFrame], size: Size) -> Figure:
    case = CASES[NAMES.index(name)]
    source = SourceKind.GEMM if not case.source else kind_of(place / case.source)
    return PLOTS[case.kind][source].draw(frames[name], request(case, place, size))


@pytest.mark.parametrize(
    "size", [pytest.param(DEMO, id="demo", marks=pytest.mark.full), pytest.param(PAPER, id="paper")]
)
@pytest.mark.parametrize("name", NAMES)
def test_words_are_there_and_do_not_lie_on_each_other(
    name: str, size: Size, place: Path, frames: dict[str, pd.DataFrame]
) -> None:
    figure = figure_of(name, place, frames, size)
    case = CASES[NAMES.index(name)]
    assert collisions(figure) == []
    assert cut(figure) == []
    assert figure.get_figwidth() <= size.width_inches
    written = [text.get_text().replace("\n", " ") for text in figure.findobj(lambda one: hasattr(one, "get_text"))]
    for word in case.words:
        assert any(word in text for text in written), word
    entries = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert set(case.legend) <= set(entries)
    assert len(entries) == len(set(entries))


@pytest.mark.parametrize(("count", "size", "numbers"), [(3, PAPER, 18), (8, DEMO, 48), (8, PAPER, 0)])
def test_bars_carry_their_numbers_where_those_have_room(count: int, size: Size, numbers: int) -> None:
    rows = [
        ("ratio 0", "BOPs" if place == 0 else f"machine {place}", f"{label}", 1.3 + place / 100, 1)
        for place in range(count)
        for label in (0, 20, 40, 60, 80, "mean")
    ]
    figure, axes = plot_speedup(pd.DataFrame(rows, columns=COLUMNS), size=size)
    assert collisions(figure) == []
    assert len([text for text in axes[0].texts if text.get_text()]) == numbers


@pytest.mark.parametrize("size", [DEMO, PAPER])
def test_a_mean_says_of_how_many_points_and_an_empty_cell_why(size: Size) -> None:
    rows = [("machine", side, side, 0.5, 0.4, 0.6, 9 + (side > 16)) for side in (16, 32, 64)]
    shown = pd.DataFrame(rows, columns=SHAPE_COLUMNS)
    figure, ax = plot_shapes(shown, size=size)
    assert collisions(figure) == []
    assert ax.get_title(loc="left") == "machine"
    assert ax.get_xlabel() == "array columns\nempty: no point of that shape"
    assert figure.axes[1].get_ylabel().replace("\n", " ") == "mean utilization of 9 to 10 points (%)"
    figure, ax = plot_shapes(shown.head(1).assign(points=1), size=size)
    assert (ax.get_xlabel(), figure.axes[1].get_ylabel()) == ("array columns", "utilization (%)")


def test_sums_of_runs_have_equal_digits() -> None:
    rows = [("machine", name, "softmax", 1, 1, latency_ms) for name, latency_ms in (("a", 7.02), ("b", 12345.0))]
    _, ax = plot_latency(pd.DataFrame(rows, columns=LATENCY_COLUMNS))
    assert [text.get_text() for text in ax.texts] == ["7.020", "12,345"]


def test_texts_on_each_other_and_outside_are_found() -> None:
    with style():
        figure, ax = open_axes(None)
        for place, word in ((0.5, "one"), (0.51, "two"), (3.0, "far")):
            ax.text(place, 0.5, word, transform=ax.transAxes).set_in_layout(False)
    found = collisions(figure)
    assert "'one' lies on 'two'" in found
    assert "'far' leaves the figure" in found
    assert len(found) == 2


@pytest.mark.parametrize("size", [DEMO, PAPER])
@pytest.mark.parametrize("still", ["8x8", "8x4", "4x4"])
def test_marks_of_gemms_without_traffic_are_whole(still: str, size: Size) -> None:
    """Each mode has a mark of another form; the wide ones reach beyond what a layout leaves by itself."""
    rows: list[tuple[str, str, str, int, float, int, float, float]] = [
        (GEMM, f"{mode} {place}", mode, 1, 1.0, 1, math.nan if mode == still and place else 10.0**place, 0.5 + place)
        for mode in ("8x8", "8x4", "2x2", "4x4")
        for place in (0, 1)
    ]
    rows += [(WHOLE, "whole run", "", 1, 1.0, 1, 5.0, 1.0), (ROOF, "peak", "8x8", 1, 0.0, 0, 20.0, 2.0)]
    figure, ax = plot_roofline(pd.DataFrame(rows, columns=ROOFLINE_COLUMNS), size=size)
    assert cut(figure) == []
    (hollow,) = (line for line in ax.lines if line.get_fillstyle() == "none" and len(line.get_xdata()))
    assert list(hollow.get_xdata()) == [ax.get_xlim()[1]]
    assert ax.get_position().width > 0.75


def test_marks_that_an_edge_cuts_are_found() -> None:
    with style():
        figure, ax = open_axes(None)
        ax.set(xlim=(0, 1), xlabel="x", xticks=[])
        (whole,) = ax.plot([0.5], [0.5], "D")
        assert cut(figure) == []
        whole.set_xdata([1.0])
        assert cut(figure) == ["Line2D of 'x'"]
        whole.set_clip_on(False)
        assert cut(figure) == []
        whole.set_in_layout(False)
        assert cut(figure) == ["Line2D of 'x'"]


def test_every_kind_of_source_of_every_kind_of_plot_is_drawn_here(place: Path) -> None:
    drawn = {(case.kind, kind_of(place / case.source) if case.source else SourceKind.GEMM) for case in CASES}
    known = {(kind, source) for kind, made in PLOTS.items() for source in made}
    elsewhere = {
        (Kind.PARETO, SourceKind.SEARCH), (Kind.ACCURACY, SourceKind.SEARCH), (Kind.ENERGY, SourceKind.RUN),
        (Kind.WATERFALL, SourceKind.RUN), (Kind.WATERFALL, SourceKind.BUNDLE),
    }  # fmt: skip
    assert known - drawn == elsewhere


@pytest.mark.parametrize(
    "name",
    [
        "utilization of shapes",
        *(pytest.param(f"{kind} of demo", marks=pytest.mark.full) for kind in ("speedup", "pareto")),
    ],
)
def test_the_files_are_the_same_bytes_each_time_and_the_csv_is_what_is_shown(
    name: str, place: Path, frames: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    case = CASES[NAMES.index(name)]
    drawn = [draw(case.kind, request(case, place, PAPER), tmp_path / one) for one in ("one", "two")]
    for first, second in zip(drawn[0].files, drawn[1].files, strict=True):
        assert first.read_bytes() == second.read_bytes()
    assert [file.suffix for file in drawn[0].files] == list(SUFFIXES)
    texts = [column for column, kind in frames[name].dtypes.items() if kind.kind not in "bif"]
    pd.testing.assert_frame_equal(pd.read_csv(drawn[0].files[2], dtype=dict.fromkeys(texts, str)), frames[name])


def test_a_size_is_that_of_a_paper_column() -> None:
    assert (PAPER.width_inches, DEMO.width_inches, DEMO.height_inches) == (3.3, 8.0, 4.7)
    assert not replace(PAPER, width_inches=7.0).narrow
