"""The largest speedup in bit operations that low windows alone can give: 1 / (1 - 0.8 / 2) = 1.667.

MixA-Q searches ratios up to 0.8 for each block pair, and its low bits are half of its high ones, so the relative cost
is at least 1 - 0.8 / 2. A trace has whole windows and rounds the high ones down, by less than one window of each block.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from mixarray.cost.rows import Status
from mixarray.errors import InputError
from mixarray.trace.bops import bops
from mixarray.trace.ratio import group_sizes
from mixarray.trace.workload import Assignment, Workload, build_workload
from mixarray_analysis.validation.published.bops import Counter
from mixarray_analysis.validation.published.figure import Comparison, same_digits, shown
from mixarray_analysis.validation.published.windows_of_shares import (
    Block,
    Chosen,
    choose_windows,
    largest_window_weights,
    split_windows,
)
from mixarray_traces.record.graph import Precision
from mixarray_traces.record.shape import shape_named
from mixarray_traces.record.topology import build_topology

LARGEST = 800
PRINTED = "1.667"
SOURCE = "closed form 1 / (1 - 0.8 / 2), from MixA-Q's largest ratio and its bits (ICCV 2025, as quoted)"
MODEL, WINDOW_ROWS = "swin_t", 49
SIZES = ((800, 1333), (224, 224), (672, 672), (320, 500))
BRANCHES = ((8, 4), (4, 2))
Split = Callable[[int, int], tuple[int, int, int]]
"""(windows, ratio in thousandths) -> windows that run high, low and not at all."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What is examined: the counter of bit operations, and how windows are divided."""

    counter: Counter = bops
    split: Split = group_sizes


@dataclass(frozen=True, slots=True)
class Drawn:
    """Windows of one case, and their relative cost as our counter gives it."""

    name: str
    size: tuple[int, int]
    chosen: Chosen
    cost: Fraction


def cap_figure(rules: Rules) -> Comparison:
    """The cap beside what our counter gives where 80 % of the work of every block runs low."""
    size, bits = SIZES[0], BRANCHES[0]
    share = Fraction(LARGEST, 1000), Fraction(0)
    chosen = choose_windows(shape_named(MODEL), size, lambda block: share, bits, random.Random(0))
    speedup = 1 / _cost(rules, size, bits, chosen)
    text, agrees = shown(speedup, PRINTED), same_digits(speedup, PRINTED)
    return Comparison("speedup, 80 % of every block's work low", PRINTED, text, agrees, SOURCE, Status.DERIVED)


def whole_window_speedup(size: tuple[int, int]) -> Fraction:
    """The same for ratio 0.8 as a trace of this input size has it, in whole windows."""
    bits, rules = BRANCHES[0], Rules()
    chosen = split_windows(
        shape_named(MODEL), size, lambda block, n: rules.split(n, LARGEST)[1], bits, random.Random(0)
    )
    return 1 / _cost(rules, size, bits, chosen)


def draw_case(rules: Rules, seed: int, case: int) -> Drawn:
    """A case: ratio 0.8 everywhere, then ratios drawn for each block pair; sizes and bits take turns."""
    size, bits = SIZES[case % len(SIZES)], BRANCHES[case // len(SIZES) % len(BRANCHES)]
    draw = random.Random(f"{seed}/{case}/cap")
    ratios: dict[Block, int] = {}

    def low_windows(block: Block, windows: int) -> int:
        pair = block[0], block[1] // 2
        ratio = ratios.setdefault(pair, LARGEST if case < len(SIZES) else draw.randint(0, LARGEST))
        return rules.split(windows, ratio)[1]

    chosen = split_windows(shape_named(MODEL), size, low_windows, bits, draw)
    name = f"{size[0]}x{size[1]}, A{bits[0]} / A{bits[1]}, ratios {sorted(ratios.items())}"
    return Drawn(name, size, chosen, _cost(rules, size, bits, chosen))


def violation(rules: Rules, drawn: Drawn, everywhere: bool) -> str:
    """What is wrong with a case, in words, or nothing. everywhere: whether all its ratios are the largest one."""
    least = 1 - Fraction(LARGEST, 2000)
    rounding = largest_window_weights(shape_named(MODEL), drawn.size) / 2
    closed_form = 1 - drawn.chosen.low / 2
    if drawn.cost != closed_form:
        return f"{drawn.name}: relative cost {float(drawn.cost):.9f}, closed form {float(closed_form):.9f}"
    if drawn.cost < least - rounding:
        return f"{drawn.name}: relative cost {float(drawn.cost):.6f}, below {float(least - rounding):.6f}"
    if everywhere and drawn.cost > least + rounding:
        return f"{drawn.name}: relative cost {float(drawn.cost):.6f}, above {float(least + rounding):.6f}"
    return ""


def split_violation(rules: Rules) -> str:
    """How windows are divided wrongly: not in whole fifths rounded down at 0.8, or a ratio beyond 0.8 accepted."""
    for windows in range(1, 1500):
        high, low, pruned = rules.split(windows, LARGEST)
        if (high, low, pruned) != (windows // 5, windows - windows // 5, 0):
            return f"ratio 0.8 of {windows} windows: {high} high, {low} low, {pruned} pruned"
    for ratio in range(LARGEST + 1, 1000):
        try:
            rules.split(100, ratio)
        except InputError:
            continue
        return f"ratio {ratio / 1000:g} is accepted"
    return ""


def _cost(rules: Rules, size: tuple[int, int], bits: tuple[int, int], chosen: Chosen) -> Fraction:
    high = split_windows(shape_named(MODEL), size, lambda block, windows: 0, bits, random.Random(0)).assignment
    return Fraction(rules.counter(_workload(size, bits, chosen.assignment)), rules.counter(_workload(size, bits, high)))


def _workload(size: tuple[int, int], bits: tuple[int, int], assignment: Assignment) -> Workload:
    topology = build_topology(shape_named(MODEL), *size, None, Precision(branch_bits=bits))
    return build_workload("cap", topology, assignment, WINDOW_ROWS)
