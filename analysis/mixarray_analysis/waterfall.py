"""The waterfall: from published bit operations to the cycles of a run, one effect of the machine at a time (design 7).

Every step is the Schedule of the run itself with the effects not yet on taking no time, walked by the engine; the last
step is the run. Both runs go through the same steps. A bar is the speedup after a step less the speedup before it; how
much an effect takes depends on what is on already, so the steps are run in the reverse order too.

In the forward order no step from 1 on shortens a run. In the reverse order none does but those of `may_shorten`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from mixarray.engine.effects import EVERY_EFFECT, Effect, Effects
from mixarray.engine.fast import total_cycles
from mixarray.engine.idealize import Ideal, first_lengthened, idealize, make_scene, may_shorten, without_kind
from mixarray.images import Simulated
from mixarray.mapping.schedule import JobKind, Schedule
from mixarray.simulation import Simulation
from mixarray_analysis.progress import Report
from mixarray_analysis.waterfall_steps import Step, Waterfall

PUBLISHED = "published BOPs", "GEMMs of the blocks, linear in activation bits"
TEXTS: Mapping[Effect, tuple[str, str]] = {
    Effect.OPERAND_BITS: ("both operands' bits", "all GEMMs, at the bits of both operands"),
    Effect.MODES: ("supported modes", "at the bits of the mode that runs them"),
    Effect.LANES: ("lanes and passes", "products per PE and cycle of that mode, each array by itself"),
    Effect.FOLD_EDGES: ("fold edges", "PEs, slots and rows that a fold leaves empty"),
    Effect.FILL_AND_LOADS: ("fill, drain, loads", "array latency, weight loads, result port, mode switches"),
    Effect.VECTOR_UNIT: ("vector unit", "softmax, LayerNorm, GELU, residual, requantization and the like"),
    Effect.MEMORY: ("DRAM and buffers", "DRAM transfers and their latency, waits for buffer slots"),
    Effect.MIXED_WORK: ("MixA-Q's own work", "token map, ranking, gather and scatter, second parameter sets"),
}
"""Name of each step, and what it adds."""

FORWARD: tuple[Effects, ...] = tuple(frozenset(list(Effect)[:on]) for on in range(len(Effect) + 1))
REVERSE: tuple[Effects, ...] = tuple(frozenset(list(Effect)[len(Effect) - on :]) for on in range(len(Effect) + 1))

Evaluate = Callable[[Schedule], int]
"""Total cycles of a Schedule."""


def make_waterfall(
    run: Simulated,
    against: Simulated,
    weight_bits: int,
    evaluate: Evaluate = total_cycles,
    report: Report = lambda done, total: None,
) -> Waterfall:
    """The waterfall of `run` over `against`: the same model on the same arrays.

    weight_bits: the constant weight factor of published bit operations. Raises ValueError where an idealisation
    lengthens something, a step shortens a run that may not, or the last step is not the run: defects of the program.
    """
    sides: list[Mapping[Effects, Fraction]] = []
    simulations = len(run) + len(against)
    done = 0
    for simulated in (run, against):
        totals: dict[Effects, Fraction] = {}
        images = sum(number for _, number in simulated)
        for simulation, number in simulated:
            for effects, total in step_cycles(simulation, weight_bits, evaluate).items():
                totals[effects] = totals.get(effects, Fraction(0)) + total * number / images
            done += 1
            report(done, simulations)
        sides.append(totals)
    return Waterfall(_steps(*sides), may_shorten(run[0][0].accelerator))


def _steps(cycles: Mapping[Effects, Fraction], against: Mapping[Effects, Fraction]) -> tuple[Step, ...]:
    """All steps from the cycles of both runs under the sets of effects of both orders."""
    speedup = {on: against[on] / cycles[on] for on in cycles}
    none = FORWARD[0]
    sides = cycles[none], against[none]
    steps = [Step(0, *PUBLISHED, *sides, *sides, Fraction(0), Fraction(0))]
    for effect in Effect:
        on, reverse_on = (next(effects for effects in order if effect in effects) for order in (FORWARD, REVERSE))
        step = Step(
            number=effect,
            name=TEXTS[effect][0],
            adds=TEXTS[effect][1],
            cycles=cycles[on],
            against_cycles=against[on],
            reverse_cycles=cycles[reverse_on],
            reverse_against_cycles=against[reverse_on],
            bar=speedup[on] - speedup[on - {effect}],
            reverse_bar=speedup[reverse_on] - speedup[reverse_on - {effect}],
        )
        steps.append(step)
    return tuple(steps)


def step_cycles(simulation: Simulation, weight_bits: int, evaluate: Evaluate) -> Mapping[Effects, Fraction]:
    """Cycles of one simulation under every set of effects that the two orders pass through.

    Raises ValueError where a job gets longer when an effect goes off, or the whole machine is not the run itself.
    """
    scene = make_scene(simulation.workload, simulation.accelerator, weight_bits)
    totals: dict[Effects, Fraction] = {}
    for order in (FORWARD, REVERSE):
        before = idealize(simulation.schedule, scene, order[0])
        for previous, effects in zip((order[0], *order), order, strict=False):
            ideal = idealize(simulation.schedule, scene, effects)
            if Effect.OPERAND_BITS not in effects - previous:  # this one may shorten jobs
                _check_no_longer(before, ideal)
            before = ideal
            if effects == EVERY_EFFECT and ideal.schedule != simulation.schedule:
                raise ValueError("with every effect on, the Schedule is not that of the run")
            if effects not in totals:
                totals[effects] = Fraction(evaluate(ideal.schedule), ideal.ticks_per_cycle)
    if totals[EVERY_EFFECT] != simulation.execution.total_cycles:
        raise ValueError(f"the last step takes {totals[EVERY_EFFECT]} cycles: it is not the run")
    return totals


def without_kind_cycles(simulated: Simulated, unit: str, kind: JobKind, evaluate: Evaluate) -> Fraction:
    """Cycles, mean per image, where jobs of this kind on this unit take no time and all else stays."""
    images = sum(number for _, number in simulated)
    total = 0
    for simulation, number in simulated:
        total += evaluate(without_kind(simulation.schedule, unit, kind)) * number
    return Fraction(total, images)


def _check_no_longer(shorter: Ideal, longer: Ideal) -> None:
    """ValueError if a job lasts longer with fewer effects on."""
    found = first_lengthened(shorter, longer)
    if found:
        raise ValueError(f"with fewer effects on, {found}")
