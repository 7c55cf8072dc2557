"""The files of a comparison: the picture of the fronts with its numbers, and a row per seed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from mixarray_analysis.files import write_text
from mixarray_analysis.plots.save import plot_files, save_plot
from mixarray_analysis.search.compare import Comparison, Panel
from mixarray_analysis.search.picture import fronts_shown, plot_fronts
from mixarray_analysis.spread import mean_and_range
from mixarray_analysis.summary import write_rows

COLUMNS = (
    "accelerator", "objective", "seed", "hypervolume_bops", "hypervolume_own", "hypervolume_ratio",
    "gain_mean", "gain_least", "gain_most", "levels", "settings_bops", "settings_own",
)  # fmt: skip
"""hypervolume_bops: of the front searched on BOPs; own: of that searched on the objective; gain: cost of the first over
that of the second at equal accuracy, minus 1, over `levels` accuracies (empty where the two fronts' do not overlap).
settings: how many each search put on its front; of more, the best on noisy accuracies looks better."""
TABLE = "compare.csv"
PICTURE = "fronts"


def write_comparison(panels: Sequence[Panel], out: Path, force: bool) -> tuple[Path, ...]:
    """Write compare.csv and fronts.png, .pdf and .csv below `out`; InputError where one exists, unless `force`."""
    plot_files(out / PICTURE, force)
    text = io.StringIO(newline="")
    write_rows(text, COLUMNS, [_row(one) for panel in panels for one in panel.seeds])
    table = write_text(out / TABLE, text.getvalue(), force)
    shown = fronts_shown(panels)
    figure = plot_fronts(panels)
    return table, *save_plot(figure, shown, out / PICTURE, force)


def comparison_values(panels: Sequence[Panel]) -> list[dict[str, object]]:
    """The rows of compare.csv by column, None where one is empty."""
    return [dict(zip(COLUMNS, _row(one), strict=True)) for panel in panels for one in panel.seeds]


def _row(one: Comparison) -> tuple[object, ...]:
    gain = one.gain
    numbers = (None, None, None, 0) if gain is None else (gain.mean, gain.least, gain.most, gain.levels)
    case = one.case
    searched = case.accelerator, case.objective.value, case.seed
    return (
        *searched,
        one.hypervolume_other,
        one.hypervolume_own,
        one.hypervolume_ratio,
        *numbers,
        len(case.other),
        len(case.own),
    )


def panel_lines(panel: Panel) -> list[str]:
    """A panel in words: mean and range over its seeds."""
    name = panel.objective.value
    return [
        f"{panel.accelerator}: searched on {name} against searched on BOPs, seeds {_seeds(panel)}",
        f"  hypervolume    x {mean_and_range(panel.hypervolume_ratios, '.3f')}",
        f"  at equal AP50  the front of BOPs takes {mean_and_range(panel.gains, '+.2%')} {name}",
    ]


def _seeds(panel: Panel) -> str:
    return ", ".join(str(one.case.seed) for one in panel.seeds)
