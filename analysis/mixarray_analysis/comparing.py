"""Comparing runs that are done: does the ranking by energy survive what is not known about the constants?

Nothing is simulated again. A run's counts of actions are priced anew, with constants of the energy table moved within
their bands: in both runs at once (they are the same constants), and in each run on its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import Accelerator
from mixarray.accelerator.write import accelerator_sha256
from mixarray.cost.recost import priced_pj
from mixarray.cost.tables import EnergyTable, Estimate, energy_table
from mixarray.errors import InputError
from mixarray.mapping.schedule import Action
from mixarray.result.read import read_run
from mixarray.result.run import RunResult
from mixarray_analysis.assumptions import Assumption, Kind, assumptions, worst_corner

EQUAL = 1e-9
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
    """Two runs under one assumption. Energies are None where a table does not have what is assumed."""

    assumption: Assumption
    first_uj: float | None
    second_uj: float | None
    survives: bool | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs: as they are, under every assumption, and with bands that know nothing of each other."""

    first: Run
    second: Run
    outcomes: tuple[Outcome, ...]
    survives_independent: bool

    @property
    def flips(self) -> tuple[Assumption, ...]:
        """Assumptions under which the ranking changes."""
        return tuple(outcome.assumption for outcome in self.outcomes if outcome.survives is False)

    @property
    def survives_constants(self) -> bool:
        """Whether no constant within its band, and no combination of them, changes the ranking."""
        return not any(assumption.kind in (Kind.CONSTANT, Kind.TOGETHER) for assumption in self.flips)

    @property
    def same_work(self) -> bool:
        """Whether both ran the same trace and number of images."""
        first, second = self.first.result, self.second.result
        return (first.trace_sha256, first.source, first.images) == (second.trace_sha256, second.source, second.images)


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
        if abs(now - then) > EQUAL * max(now, then):
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
    rank = _sign(_difference(first, second, Assumption.nothing()))
    asked = assumptions((first.table, second.table))
    constants = [one for one in asked if one.kind is Kind.CONSTANT and _matters(first, second, one)]
    corner = worst_corner(
        {one.key for one in constants if one.key is not None},
        lambda assumption: rank * _difference(first, second, assumption),
    )
    others = [one for one in asked if one.kind is not Kind.CONSTANT]
    return Comparison(
        first,
        second,
        tuple(_outcome(first, second, one, rank) for one in (*constants, corner, *others)),
        _apart(first, second),
    )


def _outcome(first: Run, second: Run, assumption: Assumption, rank: int) -> Outcome:
    energies = [_under(run, assumption) for run in (first, second)]
    if energies[0] is None or energies[1] is None:
        return Outcome(assumption, energies[0], energies[1], None)
    return Outcome(assumption, energies[0], energies[1], _sign(energies[0] - energies[1]) == rank)


def _under(run: Run, assumption: Assumption) -> float | None:
    """Energy in uJ under an assumption; None where the run's table does not have what is assumed."""
    leakage = assumption.leakage
    if leakage is not None and not assumption.allows(run.table):
        return None
    changes = {} if leakage is None else {"leakage": leakage}
    machine = run.accelerator.model_copy(update=changes)
    return run.energy_uj(machine, assumption.table(run.table, machine)).value


def _difference(first: Run, second: Run, assumption: Assumption) -> float:
    """First minus second in uJ; only for assumptions on constants, which every table has."""
    energies = [_under(run, assumption) for run in (first, second)]
    assert energies[0] is not None
    assert energies[1] is not None
    return energies[0] - energies[1]


def _matters(first: Run, second: Run, assumption: Assumption) -> bool:
    """Whether a moved constant changes the energy of either run."""
    return any(_under(run, assumption) != _under(run, Assumption.nothing()) for run in (first, second))


def _apart(first: Run, second: Run) -> bool:
    """Whether the bands of the two runs do not touch: then no choice of constants in either changes the ranking."""
    low, high = sorted((first.result.totals, second.result.totals), key=lambda totals: totals.energy_uj)
    return low.energy_high_uj < high.energy_low_uj


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)
