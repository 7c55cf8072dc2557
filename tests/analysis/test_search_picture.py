"""The comparison of two small fronts by hand, and what its picture shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes

from mixarray_analysis.search.compare import Case, Panel, panel_of
from mixarray_analysis.search.front import Trade
from mixarray_analysis.search.hardware import Objective
from mixarray_analysis.search.picture import BEATEN_ALPHA, fronts_shown, plot_fronts
from mixarray_analysis.search.results import FrontRow

OWN = (Trade(0.5, 0.4), Trade(0.75, 0.5), Trade(0.9, 0.45))
"""The last one is beaten by the second on the other canvases."""
OTHER = (Trade(0.6, 0.3), Trade(0.75, 0.4), Trade(0.875, 0.5))


def row(one: Trade) -> FrontRow:
    low, high = one.accuracy - 0.02, one.accuracy + 0.02
    cycles = round(1000 * one.cost)
    return FrontRow("0", "0", "", 0.0, 0.0, one.accuracy, one.accuracy, low, high, 500, 100, cycles, 1.0, 1.0, 1.0)


def case(seed: int, own: tuple[Trade, ...] = OWN, name: str = "small") -> Case:
    rows = tuple(map(row, own)), tuple(map(row, OTHER))
    return Case(name, Objective.CYCLES, seed, own, OTHER, *rows, row(Trade(1.0, 0.5)))


def panel(name: str = "small", seeds: tuple[int, ...] = (0, 1)) -> Panel:
    return panel_of([case(seed, name=name) for seed in seeds])


def test_a_comparison_by_hand() -> None:
    """Bounded by cost 1 and accuracy 0.3, the lowest of the panel, for both seeds though the second lacks it."""
    found = panel_of([case(1, own=OTHER), case(0)])
    own, other = 0.5 * 0.1 + 0.25 * 0.1, 0.25 * 0.1 + 0.125 * 0.1
    assert [one.case.seed for one in found.seeds] == [0, 1]
    assert (found.seeds[0].hypervolume_own, found.seeds[0].hypervolume_other) == pytest.approx((own, other))
    assert found.hypervolume_ratios == pytest.approx((own / other, 1))
    # accuracies 0.4 to 0.5 are reached by both: there the own front takes 0.75, the other one 0.875
    assert found.gains == pytest.approx((0.875 / 0.75 - 1, 0))
    shown = fronts_shown([found])
    first = shown[(shown.seed == 0) & (shown.searched_on == "cycles")]
    assert first.on_front.tolist() == [True, True, False]


def test_an_interval_beside_its_accuracy_is_drawn() -> None:
    """As the bootstrap of two canvases can give it."""
    one = case(0)
    beside = replace(one.baseline, accuracy_low=one.baseline.accuracy + 0.01)
    figure = plot_fronts([panel_of([replace(one, baseline=beside)])])
    bars = [segment for lines in figure.axes[0].collections for segment in lines.get_segments()]
    assert [sorted(segment[:, 1]) for segment in bars] == [pytest.approx([0.5, 0.52])]


def drawn(ax: Axes, alpha: float, marker: str) -> int:
    """How many points stand in a panel with this look."""
    return sum(
        np.size(line.get_xdata()) for line in ax.lines if (line.get_alpha(), line.get_marker()) == (alpha, marker)
    )


def test_the_picture_shows_pairs_by_line_and_pales_what_is_beaten() -> None:
    panels = [panel("first"), panel("second", seeds=(1,)), panel("third", seeds=(1, 2))]
    figure = plot_fronts(panels)
    axes = [ax for ax in figure.axes if ax.get_visible()]
    assert [bool(ax.get_ylabel()) for ax in axes] == [True, False, True], "every row says what is upwards"
    assert [drawn(ax, BEATEN_ALPHA, "o") for ax in axes] == [2, 1, 2]
    assert [drawn(ax, BEATEN_ALPHA, "s") for ax in axes] == [0, 0, 0]
    styles = [{line.get_linestyle() for line in ax.lines if line.get_drawstyle() == "steps-post"} for ax in axes]
    assert styles == [{"-", "--"}, {"--"}, {"--", ":"}], "a seed's line is the same in all panels"
    for ax, name in zip(axes, ("first", "second", "third"), strict=True):
        assert ax.get_title().splitlines() == [
            name,
            "cycles of the front searched on BOPs at equal AP50: +16.67% (+16.67% to +16.67%)",
            "hypervolume, searched on cycles over searched on BOPs: 2.000 (2.000 to 2.000)",
        ]
