"""Comparing runs that are done: does the ranking by energy survive what is not known about the constants?

Nothing is simulated again. A run's counts of actions are priced anew, with constants of the energy table moved within
their bands: in both runs at once (they are the same constants), and in each run on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path

from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import Accelerator
from mixarray.accelerator.write import accelerator_sha256
from mixarray.cost.recost import priced_pj
from mixarray.cost.tables import EnergyTable, Estimate, Key, energy_table
from mixarray.errors import InputError
from mixarray.mapping.schedule import Action
from mixarray.result.read import read_run
from mixarray.result.run import RunResult
from mixarray_analysis.assumptions import Assumption, Kind, assumptions, worst_corner
from mixarray_analysis.ranking import Order, Verdict, flip_margin, hold_margin, order_of, verdict_of
from mixarray_analysis.same_work import work_differences

SAME_SUM = 1e-9
"""Relative difference of two energies that are the same sum in another order."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it lies in its directory. table: the energy table that priced it."""

    name: str
    result: RunResult
    accelerator: Accelerator
    table: EnergyTable

    @property
    def counts(self) -> dict[Action, int | float]:
        """Mean count of every action."""
        return {Action(entry.component, entry.action): entry.count for entry in self.result.energy}

    def energy_uj(self, accelerator: Accelerator, table: EnergyTable) -> Estimate:
        """Energy of its counts on a variant of its accelerator at the constants of a table."""
        return priced_pj(self.counts, self.result.totals.cycles, accelerator, table).times(1e-6)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Two runs under one assumption. None: an energy that a table does not know, and what is then not known either."""

    assumption: Assumption
    first_uj: float | None
    second_uj: float | None
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs: as they are, under every assumption, and with bands that know nothing of each other.

    order: which spends less, as the tables are; None where they have different energy tables, so that their energies
    are not comparable and no assumption is asked. work_differs: in what their work is not the same.
    """

    first: Run
    second: Run
    order: Order | None
    outcomes: tuple[Outcome, ...]
    work_differs: tuple[str, ...]

    def having(self, verdict: Verdict | None, *kinds: Kind) -> tuple[Assumption, ...]:
        """Assumptions of these kinds with this verdict."""
        found = (one for one in self.outcomes if one.verdict is verdict)
        return tuple(one.assumption for one in found if one.assumption.kind in kinds)

    @property
    def ranked(self) -> bool:
        """Whether one of the two spends less."""
        return self.order in (Order.FIRST, Order.SECOND)

    @property
    def survives_constants(self) -> bool | None:
        """Whether it does with every constant within its band, and all combinations; None without a ranking."""
        asked = [one.verdict for one in self.outcomes if one.assumption.kind in (Kind.CONSTANT, Kind.TOGETHER)]
        return all(verdict is Verdict.HOLDS for verdict in asked) if self.ranked else None

    @property
    def survives_independent(self) -> bool | None:
        """Whether the bands of the two do not touch: no constants of either change the ranking; None without one."""
        if not self.ranked:
            return None
        less, more = self.first.result.totals, self.second.result.totals
        if self.order is Order.SECOND:
            less, more = more, less
        return hold_margin(less.energy_high_uj, more.energy_low_uj) > 0


def read_for_comparison(directory: Path) -> Run:
    """A run directory with its accelerator; InputError where they do not belong together or to these tables."""
    result = read_run(directory)
    file = directory / "accelerator.yaml"
    if not file.is_file():
        raise InputError(str(file), "is missing: a run keeps its accelerator beside run.json")
    accelerator = load_accelerator(str(file))
    if accelerator_sha256(accelerator) != result.accelerator_sha256:
        raise InputError(str(file), "is not the accelerator of this run: its hash differs", "accelerator_sha256")
    run = Run(str(directory), result, accelerator, energy_table(accelerator.energy_table))
    priced, written = run.energy_uj(accelerator, run.table), result.totals
    for now, then in (
        (priced.value, written.energy_uj),
        (priced.low, written.energy_low_uj),
        (priced.high, written.energy_high_uj),
    ):
        if abs(now - then) > SAME_SUM * max(now, then):
            message = f"its counts cost {now:.6g} uJ now and {then:.6g} uJ when it ran: simulate it again"
            raise InputError(str(directory), message, "energy")
    return run


def compare_runs(directories: Sequence[Path]) -> tuple[tuple[Run, ...], tuple[Comparison, ...]]:
    """Read at least two runs and compare every pair, in the order given."""
    if len(directories) < 2:
        raise InputError("compare", "needs at least two runs")
    if len({directory.resolve() for directory in directories}) < len(directories):
        raise InputError("compare", "the same run stands twice")
    runs = tuple(read_for_comparison(directory) for directory in directories)
    return runs, tuple(compare_pair(*pair) for pair in combinations(runs, 2))


def compare_pair(first: Run, second: Run) -> Comparison:
    """Two runs under every assumption."""
    differs = work_differences(first.result, second.result)
    if first.table.name != second.table.name:
        return Comparison(first, second, None, (), differs)
    nothing = Assumption.nothing()
    order = order_of(_energy_uj(first, nothing), _energy_uj(second, nothing))
    asked = assumptions((first.table, second.table))
    constants = [one for one in asked if one.kind is Kind.CONSTANT and _matters(first, second, one)]
    others = [one for one in asked if one.kind is not Kind.CONSTANT]
    outcomes = [_outcome(first, second, one, order) for one in (nothing, *constants)]
    if order is not Order.EQUAL:
        keys = {one.key for one in constants if one.key is not None}
        outcomes.append(_worst_outcome(first, second, keys, order))
    outcomes += [_outcome(first, second, one, order) for one in others]
    return Comparison(first, second, order, tuple(outcomes), differs)


def _worst_outcome(first: Run, second: Run, keys: Collection[Key], order: Order) -> Outcome:
    """The ends of all constants that flip the ranking, if any do; else those that leave the least of it."""
    less, more = (first, second) if order is Order.FIRST else (second, first)
    flips, holds = (
        _outcome(first, second, worst_corner(keys, partial(_margin, margin, less, more)), order)
        for margin in (flip_margin, hold_margin)
    )
    return flips if flips.verdict is Verdict.FLIPS else holds


def _margin(margin: Callable[[float, float], float], less: Run, more: Run, assumption: Assumption) -> float:
    return margin(_energy_uj(less, assumption), _energy_uj(more, assumption))


def _outcome(first: Run, second: Run, assumption: Assumption, order: Order) -> Outcome:
    one, other = (_under(run, assumption) for run in (first, second))
    verdict = None if one is None or other is None else verdict_of(order, order_of(one, other))
    return Outcome(assumption, one, other, verdict)


def _under(run: Run, assumption: Assumption) -> float | None:
    """Energy in uJ under an assumption; None where the run's table does not have what is assumed."""
    leakage = assumption.leakage
    if leakage is not None and not assumption.allows(run.table):
        return None
    changes = {} if leakage is None else {"leakage": leakage}
    machine = run.accelerator.model_copy(update=changes)
    return run.energy_uj(machine, assumption.table(run.table, machine)).value


def _energy_uj(run: Run, assumption: Assumption) -> float:
    """The same, for assumptions on constants: every table has them."""
    energy = _under(run, assumption)
    assert energy is not None
    return energy


def _matters(first: Run, second: Run, assumption: Assumption) -> bool:
    """Whether a moved constant changes the energy of either run."""
    return any(_under(run, assumption) != _under(run, Assumption.nothing()) for run in (first, second))
