"""The waterfall: from published bit operations to the cycles of a run, one effect of the machine at a time (design 7).

Every step is the Schedule of the run itself with the effects not yet on taking no time, walked by the engine; the last
step is the run. Both runs go through the same steps. A bar is the speedup after a step less the speedup before it; how
much an effect takes depends on what is on already, so the steps are run in the reverse order too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from mixarray.engine.effects import EVERY_EFFECT, Effect, Effects
from mixarray.engine.fast import total_cycles
from mixarray.engine.idealize import Ideal, first_lengthened, idealize, make_scene, without_kind
from mixarray.mapping.schedule import JobKind, Schedule
from mixarray.simulate import Simulation
from mixarray_analysis.progress import Report
from mixarray_analysis.simulation import Simulated

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


@dataclass(frozen=True, slots=True)
class Step:
    """One step. cycles, against_cycles: of the run and of what it is compared with, means per image.

    bar: change of the speedup by this step (step 0: none). reverse_bar: the same where the steps go from the last to
    the first.
    """

    number: int
    name: str
    adds: str
    cycles: Fraction
    against_cycles: Fraction
    bar: Fraction
    reverse_bar: Fraction

    @property
    def speedup(self) -> Fraction:
        """Over what the run is compared with."""
        return self.against_cycles / self.cycles

    @property
    def range(self) -> tuple[Fraction, Fraction]:
        """The bar in both orders, the lower first."""
        return min(self.bar, self.reverse_bar), max(self.bar, self.reverse_bar)


@dataclass(frozen=True, slots=True)
class Waterfall:
    """All steps, 0 to 8; bars of both orders sum to the change from published BOPs to the run: there is no other."""

    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        if [step.number for step in self.steps] != [0, *Effect]:
            raise ValueError("a waterfall has step 0 and one step for each effect")
        change = self.simulated - self.promised
        for bars in ([step.bar for step in self.steps], [step.reverse_bar for step in self.steps]):
            if sum(bars) != change:
                raise ValueError(f"bars sum to {float(sum(bars)):.6f}, the speedup changes by {float(change):.6f}")
        for before, after in pairwise(self.steps[1:]):
            if after.cycles < before.cycles or after.against_cycles < before.against_cycles:
                raise ValueError(f"step {after.number} takes fewer cycles than step {before.number}")

    @property
    def promised(self) -> Fraction:
        """The speedup of step 0."""
        return self.steps[0].speedup

    @property
    def simulated(self) -> Fraction:
        """The speedup of the last step, the run itself."""
        return self.steps[-1].speedup

    def worst(self) -> Step | None:
        """The step that takes the most of the speedup (ties: the first); None where none takes any."""
        least = min(self.steps[1:], key=lambda step: step.bar)
        return least if least.bar < 0 else None


def make_waterfall(
    run: Simulated,
    against: Simulated,
    weight_bits: int,
    evaluate: Evaluate = total_cycles,
    report: Report = lambda done, total: None,
) -> Waterfall:
    """The waterfall of `run` over `against`: the same model on the same arrays.

    weight_bits: the constant weight factor of published bit operations. Raises ValueError where an idealisation
    lengthens something or the last step is not the run: defects of the program.
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
    cycles, against_cycles = sides
    ahead, back = (_bars([against_cycles[e] / cycles[e] for e in order]) for order in (FORWARD, REVERSE))
    steps = [Step(0, *PUBLISHED, cycles[FORWARD[0]], against_cycles[FORWARD[0]], Fraction(0), Fraction(0))]
    for effect, on, bar, reverse_bar in zip(Effect, FORWARD[1:], ahead, reversed(back), strict=True):
        steps.append(Step(effect, *TEXTS[effect], cycles[on], against_cycles[on], bar, reverse_bar))
    return Waterfall(tuple(steps))


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


def _bars(speedups: Sequence[Fraction]) -> list[Fraction]:
    return [after - before for before, after in pairwise(speedups)]
