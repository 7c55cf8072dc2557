"""The part of the validation page that puts published figures beside ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby

from mixarray_analysis.validation.page_bops import bops_part
from mixarray_analysis.validation.page_markdown import bullets, paragraphs, table
from mixarray_analysis.validation.published.ant import Design, ant_ratios
from mixarray_analysis.validation.published.bitfusion import bitfusion_layers
from mixarray_analysis.validation.published.energy import Costs, energy_figures
from mixarray_analysis.validation.published.figure import Comparison
from mixarray_analysis.validation.published.swin import LISTS, Swin, swin_figures, swin_lists

ABOUT = """Every figure has a source and a status: *primary* (published by whoever measured or computed it), *secondary*
(quoted by others), *derived* (by a stated rule, independently of this code), *assumed*. "Agrees" means: to all digits
that were published, or inside the stated band."""
SWIN_ABOUT = """Counted from the topology of a trace: attention with padding, MLP without, products of attention
included. Figures of the parts of one model stand in one row, in their order."""
ENERGY_ABOUT = """Constants of the shipped tables beside the figures they come from, and others that they do not come
from. A constant agrees to the digits that the table keeps. Bands: 64-bit reads may lie within 0.5 to 1.1 of Horowitz's,
who says nothing of cells and banks (CACTI's own are at 0.61 to 0.94: the same size, no more); the read of 1 MiB lies
between two points of our grid, so half a percent of interpolation is allowed; 4 over 8 bits has to lie in 0.38 to
0.45, which holds both published quotients (0.404 of synthesised PEs, 0.43 of a whole chip) and excludes 0.25, the
quotient of bit operations. Quotients of published figures are *derived*, and so are those of our own synthesis (the
packed PE) and the operations of a vector element: held here to what they were derived from, published by nobody. Every
point of the SRAM grids is compared with a second copy of CACTI's answers. Sums, traffic and rankings are the checks
`energy_conservation` and `energy_sensitivity`."""
PEERS_ABOUT = """Two simulators whose timing is a rule that can be written anew: Bit Fusion (equal to the cycle, stalls
too) and ANT (ViT and BERT, equal to the printed decimals). They say that we understood these machines, not that they
are right. SCALE-Sim is among the checks above."""
PEERS_LEFT_OUT = (
    "Bit Fusion's results file has 61 layers on each of 5 configurations. The 22 fully connected, recurrent and 1x1 "
    "layers are compared, 110 rows in all. The other 39 have kernels of 3x3 and larger: our rule is written for matrix "
    "products alone and says nothing of them.",
    "Its DRAM traffic is not compared: tilings of equal cycles differ in it.",
    "Of ANT's table only cycles are compared; its energies rest on constants that are not ours.",
)


@cache
def published_part() -> str:
    """All tables; takes a second."""
    return paragraphs(
        "## Published figures",
        ABOUT,
        "### MACs of Swin",
        SWIN_ABOUT,
        table(("what", "published", "ours", "agrees", "source", "status"), _swin_rows()),
        bops_part(),
        "### Energy and area",
        ENERGY_ABOUT,
        table(
            ("constant", "published", "ours", "agrees", "source", "status"),
            map(_cells, energy_figures(Costs())),
        ),
        "### Other simulators",
        PEERS_ABOUT,
        table(("what", "published", "ours", "agrees", "source", "status"), (*_bitfusion_rows(), *_ant_rows())),
        bullets(PEERS_LEFT_OUT),
    )  # fmt: skip


def _swin_rows() -> Iterator[Sequence[str]]:
    yield from _joined(swin_figures(Swin()), _subject)
    lists = swin_lists(Swin())
    for file, height, width, _ in LISTS:
        place = f"swin_t, {height}x{width}"
        rows = [row for row in lists if row.what.startswith(f"{place}: GEMM ")]
        same = f"{sum(row.agrees for row in rows)} of {len(rows)} equal"
        agrees = all(row.agrees for row in lists if row.what.startswith(f"{place}:"))
        what = f"{place}: every GEMM (`{file}`)"
        yield what, f"{len(rows)} GEMMs", same, _yes(agrees), rows[0].source, rows[0].status


def _bitfusion_rows() -> Iterator[Sequence[str]]:
    by_array = sorted(bitfusion_layers(), key=_array_of)
    for array, group in groupby(by_array, _array_of):
        layers = list(group)
        equal = sum(layer.agrees for layer in layers)
        what = f"Bit Fusion, {array}: total and stall cycles"
        same = f"{equal} of {len(layers)} equal", _yes(equal == len(layers))
        yield what, f"{len(layers)} layers", *same, layers[0].source, layers[0].status


def _array_of(layer: Comparison) -> str:
    """`16x32, 192 bits per cycle`."""
    return layer.what.split(", ", 1)[1]


def _ant_rows() -> Iterator[Sequence[str]]:
    yield from _joined(ant_ratios(), lambda ratio: (f"ANT, {_network_of(ratio)}", ratio.source, ratio.status))


def _network_of(ratio: Comparison) -> str:
    return f"{ratio.what.split(' on ')[0]}: cycles of {', '.join(Design)}, over AdaFloat"


def _joined(
    figures: Iterable[Comparison], subject: Callable[[Comparison], tuple[str, str, str]]
) -> Iterator[Sequence[str]]:
    """One row for each run of figures of the same (what, source, status)."""
    for (what, source, status), group in groupby(figures, subject):
        parts = list(group)
        published, ours = ", ".join(part.published for part in parts), ", ".join(part.ours for part in parts)
        yield what, published, ours, _yes(all(part.agrees for part in parts)), source, status


def _subject(figure: Comparison) -> tuple[str, str, str]:
    """What figures of the parts of one model have in common: all but the number of the part."""
    what = figure.what
    return (what[: what.rindex(" ")] if what[-1].isdigit() else what), figure.source, figure.status


def _cells(comparison: Comparison) -> Sequence[str]:
    name, published, ours = comparison.what, comparison.published, comparison.ours
    return name, published, ours, _yes(comparison.agrees), comparison.source, comparison.status


def _yes(agrees: bool) -> str:
    return "yes" if agrees else "NO"
