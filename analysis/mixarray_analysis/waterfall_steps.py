"""The steps of a waterfall, forward and reverse, and what has to hold between them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from mixarray.engine.effects import Effect, Effects


@dataclass(frozen=True, slots=True)
class Step:
    """One step. cycles, against_cycles: of the run and of what it is compared with, means per image, with this step
    and those before it on. reverse_cycles, reverse_against_cycles: with this step and those after it on (step 0: as
    forward, with none).

    bar: change of the speedup by this step (step 0: none). reverse_bar: the same where the steps go from the last to
    the first.
    """

    number: int
    name: str
    adds: str
    cycles: Fraction
    against_cycles: Fraction
    reverse_cycles: Fraction
    reverse_against_cycles: Fraction
    bar: Fraction
    reverse_bar: Fraction

    @property
    def speedup(self) -> Fraction:
        """Over what the run is compared with."""
        return self.against_cycles / self.cycles

    @property
    def reverse_speedup(self) -> Fraction:
        """The same in the reverse order."""
        return self.reverse_against_cycles / self.reverse_cycles

    @property
    def range(self) -> tuple[Fraction, Fraction]:
        """The bar in both orders, the lower first."""
        return min(self.bar, self.reverse_bar), max(self.bar, self.reverse_bar)


@dataclass(frozen=True, slots=True)
class Waterfall:
    """All steps, 0 to 8; bars of both orders sum to the change from published BOPs to the run: there is no other.

    may_shorten: the effects that may shorten a run in the reverse order. Raises ValueError where a bar is not the
    change of the speedup, an order does not end at the run, or any other step shortens one.
    """

    steps: tuple[Step, ...]
    may_shorten: Effects

    def __post_init__(self) -> None:
        if [step.number for step in self.steps] != [0, *Effect]:
            raise ValueError("a waterfall has step 0 and one step for each effect")
        first, last = self.steps[0], self.steps[-1]
        backward = (first, *self.steps[:0:-1])
        if _forward(last) != _reverse(self.steps[1]) or _forward(first) != _reverse(first):
            raise ValueError("the two orders do not begin and end at the same cycles")
        for before, after in pairwise(self.steps):
            _check_bar(after, after.bar, after.speedup - before.speedup)
            if after.number > 1:
                _check_no_fewer(after, _forward(before), _forward(after))
        for before, after in pairwise(backward):
            _check_bar(after, after.reverse_bar, after.reverse_speedup - before.reverse_speedup)
            if Effect(after.number) not in self.may_shorten:
                _check_no_fewer(after, _reverse(before), _reverse(after))

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


def _forward(step: Step) -> tuple[Fraction, Fraction]:
    return step.cycles, step.against_cycles


def _reverse(step: Step) -> tuple[Fraction, Fraction]:
    return step.reverse_cycles, step.reverse_against_cycles


def _check_bar(step: Step, bar: Fraction, change: Fraction) -> None:
    if bar != change:
        raise ValueError(f"a bar of step {step.number} is {float(bar):.6f}, its speedup changes by {float(change):.6f}")


def _check_no_fewer(step: Step, before: tuple[Fraction, Fraction], after: tuple[Fraction, Fraction]) -> None:
    if any(now < then for then, now in zip(before, after, strict=True)):
        raise ValueError(f"with step {step.number} a run takes fewer cycles than without it")
