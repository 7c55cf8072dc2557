"""Greedy by bits against greedy by what a machine does, at equal loss, on one accelerator at a time."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from mixarray.errors import InputError
from mixarray_analysis.allocating.costs import Objective
from mixarray_analysis.allocating.path_picture import path_shown, plot_paths
from mixarray_analysis.allocating.results import Found, StepRow, read_found
from mixarray_analysis.allocating.settings import Settings
from mixarray_analysis.files import write_text
from mixarray_analysis.plots.save import plot_files, save_plot
from mixarray_analysis.summary import write_rows

TABLE, PICTURE = "compare.csv", "paths"
LEVELS = 5
"""Losses at which two paths are compared, on a logarithmic scale between the losses that both reach."""


@dataclass(frozen=True, slots=True)
class Level:
    """A row of compare.csv: what each path costs at least where its loss is at most `loss`.

    bits_, other_: of the greedy by bits, and of the other; whole networks, simulated.
    """

    accelerator: str
    objective: str
    loss: float
    bits_step: int
    bits_average_bits: float
    bits_bops: int
    bits_cycles: int
    bits_energy_uj: float
    other_step: int
    other_average_bits: float
    other_bops: int
    other_cycles: int
    other_energy_uj: float


@dataclass(frozen=True, slots=True)
class Pair:
    """The path of a greedy by bits and that of another, on one accelerator and with the same losses."""

    by_bits: Found
    other: Found

    def levels(self) -> list[Level]:
        """The comparison at equal loss; none where the paths have no loss in common."""
        paths = self.by_bits.steps, self.other.steps
        low = max(min(row.loss for row in path) for path in paths)
        high = min(max(row.loss for row in path) for path in paths)
        if high <= low:
            return []
        losses = (low * (high / low) ** (place / (LEVELS - 1)) for place in range(LEVELS))
        return [self._level(loss) for loss in losses]

    def _level(self, loss: float) -> Level:
        settings = self.other.settings
        one, other = (cheapest(found.steps, loss, settings.objective) for found in (self.by_bits, self.other))
        return Level(settings.accelerator, settings.objective.value, loss, *_numbers(one), *_numbers(other))


def cheapest(steps: Sequence[StepRow], loss: float, objective: Objective) -> StepRow:
    """The cheapest step whose loss is at most `loss` (to rounding), the first of equals."""
    allowed = [row for row in steps if row.loss <= loss * (1 + 1e-9)]
    return min(allowed, key=lambda row: _cost(row, objective))


def _cost(row: StepRow, objective: Objective) -> float:
    if objective is Objective.ENERGY:
        return row.energy_uj
    return row.bops if objective is Objective.BOPS else row.cycles


def _numbers(row: StepRow) -> tuple[int, float, int, int, float]:
    return row.step, row.average_bits, row.bops, row.cycles, row.energy_uj


def open_pairs(directories: Sequence[Path]) -> list[Pair]:
    """Each allocation by another objective with that by bits on its accelerator; InputError where one lacks."""
    founds = [read_found(directory) for directory in directories]
    by_bits = {_judged(found.settings): found for found in founds if found.settings.objective is Objective.BITS}
    others = [found for found in founds if found.settings.objective is not Objective.BITS]
    if not others:
        raise InputError("DIR", "all are by bits; give one by bops, cycles or energy too")
    for found in others:
        if _judged(found.settings) not in by_bits:
            settings = found.settings
            message = f"by {settings.objective.value} on {settings.accelerator} has no partner by bits"
            alike = "all but the goals has to be the same, --lowest, --width, --rescore and --average too"
            raise InputError("allocation", f"{message}; {alike}")
    return [Pair(by_bits[_judged(found.settings)], found) for found in others]


def _judged(settings: Settings) -> Settings:
    """The settings without what may differ between the two of a pair: what is saved, and when it ends."""
    return replace(settings, objective=Objective.BITS, average_thousandths=None, budget_thousandths=None)


def write_comparison(pairs: Sequence[Pair], out: Path, force: bool) -> tuple[Path, ...]:
    """Write compare.csv and paths.png, .pdf and .csv below `out`; InputError where one exists, unless `force`."""
    plot_files(out / PICTURE, force)
    text = io.StringIO(newline="")
    names = [field.name for field in fields(Level)]
    write_rows(text, names, [[row[name] for name in names] for row in comparison_values(pairs)])
    table = write_text(out / TABLE, text.getvalue(), force)
    panels = _panels(pairs)
    shown = path_shown(*(found for panel in panels for found in panel))
    return table, *save_plot(plot_paths(panels), shown, out / PICTURE, force)


def _panels(pairs: Sequence[Pair]) -> list[list[Found]]:
    """By accelerator and what set on it: the path by bits, then the others."""
    panels: dict[str, list[Found]] = {}
    for pair in pairs:
        panels.setdefault(pair.other.settings.accelerator_sha256, [pair.by_bits]).append(pair.other)
    return list(panels.values())


def comparison_values(pairs: Sequence[Pair]) -> list[dict[str, object]]:
    """The rows of compare.csv by column."""
    return [{field.name: getattr(level, field.name) for field in fields(Level)} for p in pairs for level in p.levels()]


def lines_of(pair: Pair) -> list[str]:
    """A pair in words."""
    settings, levels = pair.other.settings, pair.levels()
    name = f"{settings.accelerator}: greedy by {settings.objective.value} against greedy by bits"
    if not levels:
        return [f"{name}: their paths have no loss in common"]
    lines = [f"{name}, at equal loss ({settings.loss.value}, {settings.canvases} canvases)"]
    return lines + [
        f"  loss {level.loss:.4g}: {level.bits_cycles:,} -> {level.other_cycles:,} cycles "
        f"({level.other_cycles / level.bits_cycles - 1:+.1%}), energy "
        f"{level.other_energy_uj / level.bits_energy_uj - 1:+.1%}; average bits {level.bits_average_bits:.2f} against "
        f"{level.other_average_bits:.2f}"
        for level in levels
    ]
