"""The part of the validation page about relative bit operations: what is tested of MixA-Q's table, and what is not."""

from __future__ import annotations

import random
from collections.abc import Sequence

from mixarray_analysis.validation.page_markdown import bullets, paragraphs, table
from mixarray_analysis.validation.published.bops import (
    BASE_TBOPS,
    BopsRow,
    Counted,
    bops_rows,
    compare_row,
    count_row,
    table_figures,
)
from mixarray_analysis.validation.published.bops_cap import SIZES, Rules, cap_figure, whole_window_speedup
from mixarray_analysis.validation.published.figure import Comparison

ABOUT = f"""MixA-Q's table gives TBOPs, speedups over {BASE_TBOPS} TBOPs and average bits; status *secondary*, for it is
quoted by a reading note. Two rules explain it: bit operations are linear in the activation bits, over the blocks alone,
with a constant factor for the weights; and the relative cost is `1 - pruned - low * (1 - low bits / high bits)`, with
shares weighted by MACs. The shares of the mixed rows are not published. What is tested, and what is not:"""
TESTED = (
    "The table against itself: its speedups and average bits are those of its own TBOPs. Nothing of ours is in this.",
    "Uniform rows (shares *secondary*: the row's name says them): our counter, with nothing left free, gives the "
    "published quotients, 32 and 3 over 4 bits.",
    "Mixed rows (shares *derived*): the share was solved from the row's own figure. That ours then agrees proves the "
    "counter and the algebra, on windows drawn at random with the solved shares; it proves nothing of MixA-Q.",
    "Rows with pruning (shares *assumed*): only `pruned + low / 2` can be solved; how it divides is assumed. "
    "Otherwise as above.",
    "The cap (*derived*): its own line below and its own check, `bops_cap`.",
)
DRAWN = """Windows are drawn for the same share in every block pair of Swin-T at 800x1333 px, as near as whole windows
allow, and counted from the rows that run."""
OPEN = (
    "MixA-Q's 2.94 average bits of the 1.35x row fit neither its 8.21 TBOPs nor 1.35x, which give 2.97: not compared.",
    "The absolute TBOPs of its table are no target: several readings of sizes and units fit them. Only quotients are "
    "compared.",
    "Which windows and ratios MixA-Q chose, and its accuracies, cannot be checked here.",
)
HEADINGS = (
    *("method", "bits", "low % (ran)", "pruned % (ran)", "shares: status, from"),
    *("speedup: published, ours", "TBOPs: published, ours", "residue", "agrees"),
)


def bops_part() -> str:
    """Text and tables."""
    return paragraphs(
        "### Relative bit operations",
        ABOUT,
        bullets(TESTED),
        DRAWN,
        table(HEADINGS, (_row(row, number) for number, row in enumerate(bops_rows()))),
        table(
            ("the table against itself", "printed", "from its TBOPs", "agrees"), map(_self, table_figures(bops_rows()))
        ),
        _cap(),
        bullets(OPEN),
    )


def _row(row: BopsRow, number: int) -> Sequence[str]:
    counted = count_row(row, random.Random(f"page/{number}"), even=True)
    compared = {comparison.what.rpartition(": ")[2]: comparison for comparison in compare_row(counted)}
    return (
        row.method,
        f"A{row.bits_high} / A{row.bits_low}",
        f"{float(100 * row.low_percent):g} ({float(100 * counted.chosen.low):.3f})",
        f"{float(100 * row.pruned_percent):g} ({float(100 * counted.chosen.pruned):.3f})",
        f"{row.shares_status}: {row.shares_from}",
        _pair(compared.get("speedup"), counted),
        _pair(compared.get("TBOPs"), None),
        f"{float(100 * counted.residue):.4f} %",
        _yes(all(comparison.agrees for comparison in compared.values())),
    )


def _pair(comparison: Comparison | None, counted: Counted | None) -> str:
    """Published and ours; where nothing is published, our speedup or nothing."""
    if comparison is not None:
        return f"{comparison.published}, {comparison.ours}"
    return "-" if counted is None else f"-, {float(1 / counted.cost):.4f}"


def _self(comparison: Comparison) -> Sequence[str]:
    return comparison.what, comparison.published, comparison.ours, _yes(comparison.agrees)


def _cap() -> str:
    figure = cap_figure(Rules())
    rounded = ", ".join(f"{float(whole_window_speedup(size)):.3f} at {size[0]}x{size[1]}" for size in SIZES)
    line = figure.what, figure.published, figure.ours, _yes(figure.agrees), figure.source, figure.status
    return paragraphs(
        table(("cap", "closed form", "ours", "agrees", "source", "status"), [line]),
        f"Without pruning nothing passes the cap but by rounding: a trace has whole windows and rounds the high ones "
        f"down, so ratio 0.8 everywhere gives {rounded} px (the one window in the last stage of 224x224 is low at any "
        f"ratio above 0). The published 1.53 lies below the cap and 1.82 above: that row needs its pruning.",
    )


def _yes(agrees: bool) -> str:
    return "yes" if agrees else "NO"
