"""The part of the validation page that puts published figures beside ours."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby

from mixarray_analysis.validation.page_markdown import bullets, paragraphs, table
from mixarray_analysis.validation.published.ant import Design, ant_ratios
from mixarray_analysis.validation.published.bitfusion import bitfusion_layers
from mixarray_analysis.validation.published.bops import BASE_TBOPS, Counted, bops_rows, compare_row, count_row
from mixarray_analysis.validation.published.energy import Costs, energy_figures
from mixarray_analysis.validation.published.figure import Comparison
from mixarray_analysis.validation.published.swin import LISTS, Swin, swin_figures, swin_lists

ABOUT = """Every figure has a source and a status: *primary* (published by whoever measured or computed it), *secondary*
(quoted by others), *derived* (by a stated rule, independently of this code), *assumed*. "Agrees" means: to all digits
that were published, or inside the stated band."""
SWIN_ABOUT = """Counted from the topology of a trace: attention with padding, MLP without, products of attention
included. Figures of the parts of one model stand in one row, in their order."""
BOPS_ABOUT = f"""MixA-Q counts bit operations linearly in the activation bits, over the blocks alone, with a constant
factor for the weights. So the relative cost is `1 - pruned - low * (1 - low bits / high bits)`, with shares weighted by
MACs. The searched ratios are not published; any windows with these shares must give these figures. Below: windows
drawn at random for the same share in every block pair of Swin-T at 800x1333 px, as near as whole windows allow, counted
from the rows that run. The speedups are over {BASE_TBOPS} TBOPs."""
ENERGY_ABOUT = (
    """Constants of the shipped tables beside the figures they come from, and others that they do not come from."""
)
PEERS_ABOUT = """Two simulators whose timing is a rule that can be written anew: Bit Fusion (fully connected, recurrent
and 1x1 layers of its networks, equal to the cycle, stalls too) and ANT (ViT and BERT, equal to the printed decimals).
They say that we understood these machines, not that they are right. SCALE-Sim is among the checks above."""
OPEN = (
    "MixA-Q's 2.94 average bits of the 1.35x row fit neither its 8.21 TBOPs nor 1.35x, which give 2.97: not compared.",
    "The absolute TBOPs of its table are no target: several readings of sizes and units fit them. Only quotients are "
    "compared.",
    "Which windows and ratios MixA-Q chose, and its accuracies, cannot be checked here.",
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
        "### Relative bit operations",
        BOPS_ABOUT,
        table(
            ("method", "bits", "low % (ran)", "pruned % (ran)", "speedup: published, ours", "TBOPs: published, ours",
             "residue", "agrees", "status"),
            map(_bops_row, _drawn()),
        ),
        bullets(OPEN),
        "### Energy and area",
        ENERGY_ABOUT,
        table(
            ("constant", "published", "ours", "agrees", "source", "status"),
            map(_cells, energy_figures(Costs())),
        ),
        "### Other simulators",
        PEERS_ABOUT,
        table(("what", "published", "ours", "agrees", "source", "status"), (*_bitfusion_rows(), *_ant_rows())),
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


def _drawn() -> Iterator[Counted]:
    for number, row in enumerate(bops_rows()):
        yield count_row(row, random.Random(f"page/{number}"), even=True)


def _bops_row(counted: Counted) -> Sequence[str]:
    row, cost = counted.row, counted.cost
    compared = {comparison.what.rpartition(": ")[2]: comparison for comparison in compare_row(counted)}
    speedup, tbops = (
        f"{compared[what].published}, {compared[what].ours}" if what in compared else "-"
        for what in ("speedup", "TBOPs")
    )
    return (
        row.method,
        f"A{row.bits_high} / A{row.bits_low}",
        f"{float(100 * row.low_percent):g} ({float(100 * counted.chosen.low):.3f})",
        f"{float(100 * row.pruned_percent):g} ({float(100 * counted.chosen.pruned):.3f})",
        speedup if speedup != "-" else f"-, {float(1 / cost):.4f}",
        tbops,
        f"{float(100 * counted.residue):.4f} %",
        _yes(all(comparison.agrees for comparison in compared.values())),
        row.status,
    )


def _cells(comparison: Comparison) -> Sequence[str]:
    name, published, ours = comparison.what, comparison.published, comparison.ours
    return name, published, ours, _yes(comparison.agrees), comparison.source, comparison.status


def _yes(agrees: bool) -> str:
    return "yes" if agrees else "NO"
