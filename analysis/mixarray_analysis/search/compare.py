"""Fronts searched on bit operations against fronts searched on what an accelerator does, at equal accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mixarray.errors import InputError
from mixarray_analysis.search.front import Gain, Trade, gain_at_equal_accuracy
from mixarray_analysis.search.hardware import Costs, Objective
from mixarray_analysis.search.indicators import hypervolume
from mixarray_analysis.search.results import Found, FrontRow, read_found, relative
from mixarray_analysis.search.space import Space
from mixarray_analysis.search.subject import open_machine


@dataclass(frozen=True, slots=True)
class Case:
    """Two searches of one seed, both simulated on one accelerator.

    own: the front searched on `objective`; other: the one searched on bit operations. Cost is relative to ratio 0 on
    this accelerator, accuracy AP50 on the canvases that neither search saw. The rows are those of the searches' files.
    """

    accelerator: str
    objective: Objective
    seed: int
    own: tuple[Trade, ...]
    other: tuple[Trade, ...]
    own_rows: tuple[FrontRow, ...]
    other_rows: tuple[FrontRow, ...]
    baseline: FrontRow


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of one case; hypervolumes bounded by cost 1 and the lowest accuracy on any front of its panel."""

    case: Case
    hypervolume_own: float
    hypervolume_other: float
    gain: Gain | None

    @property
    def hypervolume_ratio(self) -> float | None:
        """Own over other, above 1 where the search on hardware found more; None where the other spans no area."""
        return self.hypervolume_own / self.hypervolume_other if self.hypervolume_other else None


@dataclass(frozen=True, slots=True)
class Panel:
    """All seeds of one accelerator and objective."""

    accelerator: str
    objective: Objective
    seeds: tuple[Comparison, ...]

    @property
    def hypervolume_ratios(self) -> tuple[float, ...]:
        """Of the seeds that have one."""
        return tuple(one.hypervolume_ratio for one in self.seeds if one.hypervolume_ratio is not None)

    @property
    def gains(self) -> tuple[float, ...]:
        """Mean gain at equal accuracy by seed, where the two fronts' accuracies overlap."""
        return tuple(one.gain.mean for one in self.seeds if one.gain is not None)


def compare_searches(directories: Sequence[Path]) -> list[Panel]:
    """Read finished searches, simulate the fronts searched on bit operations on every accelerator of the others.

    Raises InputError where a search is unfinished, lacks a partner of its seed, or was made under other conditions.
    """
    found = [(directory, read_found(directory)) for directory in directories]
    others = {one.settings.seed: (place, one) for place, one in found if one.settings.objective is Objective.BOPS}
    owns = [(place, one) for place, one in found if one.settings.objective is not Objective.BOPS]
    if not others or not owns:
        raise InputError(
            "search compare", "needs searches on bops and searches on cycles, energy or edp of equal seeds"
        )
    _refuse_repeated(found)
    groups: dict[tuple[str, Objective], list[Case]] = {}
    costs: dict[tuple[str, tuple[str, ...]], Costs] = {}
    for place, own in owns:
        settings = own.settings
        if settings.seed not in others:
            raise InputError(str(place), f"is of seed {settings.seed}, and no search on bops is", "seed")
        _refuse_unlike(place, own, *others[settings.seed])
        machine = settings.accelerator, settings.overrides
        if machine not in costs:
            costs[machine] = Costs(open_machine(settings)[1])
        _refuse_other_costs(place, own, costs[machine])
        case = _case(own, others[settings.seed][1], costs[machine])
        groups.setdefault((settings.accelerator_sha256, settings.objective), []).append(case)
    return [panel_of(cases) for cases in groups.values()]


def _case(own: Found, other: Found, costs: Costs) -> Case:
    """Both fronts on the accelerator of `own`; their accuracies are known, the other's costs are simulated here."""
    settings, space = own.settings, Space(_pairs(costs), own.settings.pruning)
    base = own.baseline.cost.of(settings.objective)
    moved = tuple(
        Trade(costs.of(space.ratios(row.setting)).of(settings.objective) / base, row.accuracy) for row in other.front
    )
    mine = tuple(relative(row, own.baseline, settings.objective) for row in own.front)
    name = costs.machine.accelerator.name
    return Case(name, settings.objective, settings.seed, mine, moved, own.front, other.front, own.baseline)


def _pairs(costs: Costs) -> tuple[int, ...]:
    depths: dict[int, int] = {}
    for stage, _ in costs.machine.grids:
        depths[stage] = depths.get(stage, 0) + 1
    return Space.of_depths(tuple(depths[stage] for stage in sorted(depths))).pairs


def panel_of(cases: Sequence[Case]) -> Panel:
    """Cases of one accelerator and objective, by seed; all hypervolumes are bounded alike."""
    floor = min(one.accuracy for case in cases for one in (*case.own, *case.other))
    corner = Trade(1.0, floor)
    compared = [
        Comparison(
            case,
            hypervolume(case.own, corner),
            hypervolume(case.other, corner),
            gain_at_equal_accuracy(case.own, case.other),
        )
        for case in sorted(cases, key=lambda case: case.seed)
    ]
    return Panel(cases[0].accelerator, cases[0].objective, tuple(compared))


def _refuse_repeated(found: Sequence[tuple[Path, Found]]) -> None:
    seen: dict[tuple[object, ...], Path] = {}
    for place, one in found:
        of = one.settings
        machine = () if of.objective is Objective.BOPS else (of.accelerator_sha256,)
        key = (of.objective, of.seed, *machine)
        if key in seen:
            raise InputError(str(place), f"is another search on {of.objective.value} of seed {of.seed}: {seen[key]}")
        seen[key] = place


def _refuse_unlike(place: Path, own: Found, other_place: Path, other: Found) -> None:
    """Fronts are compared only where nothing but what was searched on differs."""
    for name in ("model_sha256", "size", "canvases", "canvas_seed", "population", "pruning", "score"):
        mine, theirs = getattr(own.settings, name), getattr(other.settings, name)
        if mine != theirs:
            raise InputError(str(place), f"has {mine}, {other_place} has {theirs}: they are not comparable", name)
    if own.limits != other.limits:
        raise InputError(str(place), f"was searched as far as {own.limits}, {other_place} as far as {other.limits}")


def _refuse_other_costs(place: Path, own: Found, costs: Costs) -> None:
    """A front is held against one simulated now: ratio 0 must cost what it cost when the search was made."""
    space = Space(_pairs(costs), own.settings.pruning)
    now, then = costs.of(space.ratios(space.uniform(0))), own.baseline.cost
    if now != then:
        costs_text = " and now ".join(f"{one.cycles} cycles, {one.energy_uj} µJ" for one in (then, now))
        raise InputError(str(place), f"was simulated by another version: ratio 0 took {costs_text}", "baseline")
