"""The cap on low windows alone: its closed form, what whole windows add, and that a larger ratio is refused."""

from __future__ import annotations

from fractions import Fraction

from mixarray.trace.ratio import group_sizes
from mixarray_analysis.validation.published.bops_cap import (
    PRINTED,
    SIZES,
    Rules,
    cap_figure,
    draw_case,
    split_violation,
    violation,
    whole_window_speedup,
)
from mixarray_analysis.validation.published.figure import same_digits


def test_the_printed_cap_is_its_closed_form():
    assert same_digits(1 / (1 - Fraction(8, 10) / 2), PRINTED)
    assert cap_figure(Rules()).agrees


def test_whole_windows_pass_the_cap_and_least_on_the_largest_image():
    speedups = [whole_window_speedup(size) for size in SIZES]
    assert all(speedup > Fraction(5, 3) for speedup in speedups)
    assert min(speedups) == speedups[0] < Fraction(168, 100)


def test_random_ratios_stay_below_what_all_at_the_largest_give():
    everywhere = [draw_case(Rules(), 3, case) for case in range(len(SIZES))]
    drawn = [draw_case(Rules(), 3, len(SIZES) + case) for case in range(len(SIZES))]
    assert not any(violation(Rules(), case, False) for case in drawn)
    assert all(low.cost < other.cost for low, other in zip(everywhere, drawn, strict=True))


def test_a_low_branch_that_saves_too_much_is_noticed():
    cheap = Rules(counter=lambda work: len(work.operators))
    assert "closed form" in violation(cheap, draw_case(cheap, 0, 0), True)


def test_a_division_that_accepts_more_is_noticed():
    assert split_violation(Rules()) == ""
    assert "is accepted" in split_violation(Rules(split=lambda n, ratio: group_sizes(n, min(ratio, 800))))
