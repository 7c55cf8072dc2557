"""One sentence about two runs, built from their totals and from what assumptions did to their ranking."""

from __future__ import annotations

from mixarray.digits import percent, significant
from mixarray_analysis.assumptions import Kind
from mixarray_analysis.comparing import Comparison
from mixarray_analysis.ranking import TOLERANCE, Order, Verdict

WITHIN = f"within {100 * TOLERANCE:g} %"
CHANGES = {Verdict.FLIPS: "flips with", Verdict.EQUAL: "is lost, the two being equal, with"}
"""What becomes of a ranking, in words."""


def describe_pair(comparison: Comparison) -> str:
    """Which run spends less energy, by how much, whether that survives what is not known, and what they differ in."""
    if comparison.order is None:
        parts = [_not_comparable(comparison)]
    elif comparison.order is Order.EQUAL:
        parts = [_equal(comparison), _parting(comparison)]
    else:
        parts = [_less(comparison, comparison.order), _bands(comparison), _sensitivities(comparison)]
    leakages = [run.accelerator.leakage.value for run in (comparison.first, comparison.second)]
    if comparison.order is not None and leakages[0] != leakages[1]:
        parts.append(f"they count different leakage ({leakages[0]} and {leakages[1]})")
    if comparison.work_differs:
        parts.append(f"they did not run the same work ({', '.join(comparison.work_differs)})")
    return "; ".join(parts) + "."


def _not_comparable(comparison: Comparison) -> str:
    first, second = comparison.first, comparison.second
    cycles = _cycles(first.result.totals.cycles, second.result.totals.cycles)
    return (
        f"{first.name} and {second.name} are priced with different energy tables ({first.table.name} and "
        f"{second.table.name}), so their energies are not comparable; {first.name} takes {cycles}"
    )


def _equal(comparison: Comparison) -> str:
    first, second = comparison.first, comparison.second
    own, other = first.result.totals, second.result.totals
    energies = " and ".join(dict.fromkeys((significant(own.energy_uj), significant(other.energy_uj))))
    cycles = _cycles(own.cycles, other.cycles)
    return f"{first.name} and {second.name} spend the same energy {WITHIN} ({energies} µJ), the first in {cycles}"


def _less(comparison: Comparison, order: Order) -> str:
    less, more = comparison.first, comparison.second
    if order is Order.SECOND:
        less, more = more, less
    low, high = less.result.totals, more.result.totals
    return (
        f"{less.name} spends {percent(1 - low.energy_uj / high.energy_uj)} less energy than {more.name} "
        f"({significant(low.energy_uj)} against {significant(high.energy_uj)} µJ) in {_cycles(low.cycles, high.cycles)}"
    )


def _cycles(own: float, other: float) -> str:
    """Cycles beside those of the other run; counts are equal only where they are exactly that."""
    if own == other:
        return "as many cycles"
    return f"{percent(abs(1 - own / other))} {'fewer' if own < other else 'more'} cycles"


def _parting(comparison: Comparison) -> str:
    """What would make a ranking where there is none."""
    found = [one.name for one in comparison.having(Verdict.PARTS, *Kind)]
    unknown = _unknown(comparison)
    said = f"they part with {', '.join(found)}" if found else "nothing that was asked parts them"
    return f"{said}{unknown}"


def _bands(comparison: Comparison) -> str:
    if comparison.survives_independent:
        return "their bands do not touch, so the ranking survives even if they err independently"
    if comparison.survives_constants:
        return "the ranking survives every constant within its band, the same in both runs, but not independent bands"
    flips, equal = (comparison.having(verdict, Kind.CONSTANT) for verdict in CHANGES)
    together = comparison.having(Verdict.FLIPS, Kind.TOGETHER)
    if flips:
        verb = "is" if len(flips) == 1 else "are each"
        return f"the ranking flips within the bands: {', '.join(one.name for one in flips)} {verb} enough"
    if together:
        return "no constant alone flips the ranking within its band, but several together do"
    if equal:
        names = ", ".join(one.name for one in equal)
        return f"nothing within the bands flips the ranking, but the two are equal {WITHIN} with {names}"
    return f"nothing within the bands flips the ranking, but the two are equal {WITHIN} with several constants together"


def _sensitivities(comparison: Comparison) -> str:
    said = [
        f"it {words} {', '.join(one.name for one in found)}"
        for verdict, words in CHANGES.items()
        if (found := comparison.having(verdict, Kind.SENSITIVITY))
    ]
    return (" and ".join(said) or "no sensitivity that was asked flips it") + _unknown(comparison)


def _unknown(comparison: Comparison) -> str:
    names = [one.name for one in comparison.having(None, *Kind)]
    return f" (not known: {', '.join(names)})" if names else ""
