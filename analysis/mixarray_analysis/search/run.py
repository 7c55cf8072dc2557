"""A whole search: generations, the front measured again on other canvases, the files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic

from mixarray_analysis.progress import progress_bar
from mixarray_analysis.search.accuracy import Accuracy, Canvases
from mixarray_analysis.search.front import Trade, front_of
from mixarray_analysis.search.hardware import Cost, shares
from mixarray_analysis.search.indicators import hypervolume
from mixarray_analysis.search.progress import CHECKPOINT, Measure, Reached, run_generations, write_checkpoint
from mixarray_analysis.search.results import Found, FrontRow, relative, write_found
from mixarray_analysis.search.settings import Limits, Settings, check_settings
from mixarray_analysis.search.space import LARGEST, Genes
from mixarray_analysis.search.subject import Subject
from mixarray_traces.quantization.ratios import pairs_text

Say = Callable[[str], None]
CORNER = Trade(1.0, 0.0)
"""What bounds the hypervolume that a search reports: the cost of ratio 0, and no accuracy."""


def run_search(
    subject: Subject, settings: Settings, limits: Limits, reached: Reached, out: Path, say: Say, quiet: bool = False
) -> Found:
    """Search on from `reached` into the directory `out`, which always holds a checkpoint to go on from.

    InputError, before any long work, where the accelerator cannot run the model.
    """
    check_settings(settings, limits)
    for ratio in (0, LARGEST):
        subject.costs.of(subject.space.ratios(subject.space.uniform(ratio)))
    began, before = monotonic(), reached.state.generation

    def keep(now: Reached) -> None:
        write_checkpoint(out / CHECKPOINT, settings, now)
        each_s = (monotonic() - began) / (now.state.generation - before)
        say(_progress_line(now, limits, each_s))

    write_checkpoint(out / CHECKPOINT, settings, reached)
    measure = _measure(subject, settings, quiet)
    reached, stopped = run_generations(subject.space, settings.population, limits, reached, measure, keep)
    whole = _front_genes(reached)
    genes = evenly(whole, limits.final_settings)
    zero = subject.space.uniform(0)
    say(f"measuring {len(genes)} of {len(whole)} settings of the front again on {limits.final_canvases} other canvases")
    rows = _rows(subject, settings, limits, reached, [zero, *genes], quiet)
    baseline, front = rows[0], tuple(rows[1:])
    objective = settings.objective
    final = [relative(row, baseline, objective) for row in front]
    searched = [Trade(one.cost, row.search_accuracy) for one, row in zip(final, front, strict=True)]
    found = Found(
        settings,
        limits,
        stopped,
        reached.state.generation,
        len(reached.measured),
        front,
        baseline,
        hypervolume(searched, CORNER),
        hypervolume(final, CORNER),
    )
    write_found(out, found, subject.costs.machine.accelerator)
    return found


def _progress_line(now: Reached, limits: Limits, each_s: float) -> str:
    """How far the search is; `each_s` seconds a generation took in this process."""
    front, generation = front_of(list(now.measured.values())), now.state.generation
    left_min = each_s * (limits.generations - generation) / 60
    return (
        f"generation {generation} of {limits.generations}: {len(now.measured)} settings measured, {len(front)} on the "
        f"front, AP50 {front[0].accuracy:.3f} to {front[-1].accuracy:.3f}; at most {left_min:.0f} min of searching left"
    )


def _measure(subject: Subject, settings: Settings, quiet: bool) -> Measure:
    canvases = Canvases(settings.canvases, settings.size, settings.canvas_seed)

    def measure(asked: Sequence[Genes]) -> list[Trade]:
        ratios = [subject.space.ratios(genes) for genes in asked]
        with progress_bar("simulating settings", quiet) as report:
            costs = subject.costs.minimised(ratios, settings.objective, report)
        with progress_bar("canvases x settings", quiet) as report:
            accuracies = subject.meter.measure(ratios, canvases, report)
        return [Trade(cost, ap50) for cost, ap50 in zip(costs, accuracies, strict=True)]

    return measure


def _front_genes(reached: Reached) -> list[Genes]:
    """The settings of the front of everything measured, by rising cost; of equal ones the first measured."""
    first: dict[Trade, Genes] = {}
    for genes, trade in reached.measured.items():
        first.setdefault(trade, genes)
    return [first[trade] for trade in front_of(list(reached.measured.values()))]


def evenly(genes: Sequence[Genes], most: int) -> list[Genes]:
    """All of them, or of more than `most` (at least 2) the ends and those nearest to equal steps between them."""
    if len(genes) <= most:
        return list(genes)
    last, steps = len(genes) - 1, most - 1
    return [genes[(2 * last * step + steps) // (2 * steps)] for step in range(most)]


def _rows(
    subject: Subject, settings: Settings, limits: Limits, reached: Reached, genes: Sequence[Genes], quiet: bool
) -> list[FrontRow]:
    ratios = [subject.space.ratios(one) for one in genes]
    others = Canvases(limits.final_canvases, settings.size, limits.final_seed)
    with progress_bar("other canvases x settings", quiet) as report:
        accuracies = subject.meter.measure_with_intervals(ratios, others, report)
    with progress_bar("simulating the front", quiet) as report:
        costs = subject.costs.of_all(ratios, report)
    return [
        front_row(subject, one, reached.measured[one].accuracy, accuracy, cost)
        for one, accuracy, cost in zip(genes, accuracies, costs, strict=True)
    ]


def front_row(subject: Subject, genes: Genes, searched: float, accuracy: Accuracy, cost: Cost) -> FrontRow:
    """A row of `front.csv`; `searched` is the AP50 on the search's own canvases."""
    ratios = subject.space.ratios(genes)
    low, pruned = shares(subject.costs.machine.groups(ratios))
    return FrontRow(
        genes=" ".join(map(str, genes)),
        compression=pairs_text(ratios.compression),
        pruning=pairs_text(ratios.pruning),
        low_actual=low,
        pruned_actual=pruned,
        search_accuracy=searched,
        accuracy=accuracy.ap50,
        accuracy_low=accuracy.low,
        accuracy_high=accuracy.high,
        n=accuracy.n,
        bops=cost.bops,
        cycles=cost.cycles,
        latency_ms=cost.latency_ms,
        energy_uj=cost.energy_uj,
        edp_uj_ms=cost.edp_uj_ms,
    )
