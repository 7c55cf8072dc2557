"""Quantities as text, with digits that mean something however small they are."""

from __future__ import annotations

from math import floor, log10

DIGITS = 5
"""Significant digits of a quantity in tables and sentences."""
LEAST_FIXED = 1e-4
"""Below this a quantity is written with an exponent."""


def significant(value: float, digits: int = DIGITS) -> str:
    """A quantity of either sign with at least `digits` significant digits and grouped thousands: 12,346 or 0.029412."""
    if value == 0:
        return "0"
    if abs(value) < LEAST_FIXED:
        return f"{value:.{digits - 1}e}"
    return f"{value:,.{max(0, digits - 1 - floor(log10(abs(value))))}f}"


def percent(share: float) -> str:
    """A share of 0 to 1 in per cent with one digit after the point; only nothing is `0.0 %`, only all `100.0 %`."""
    value = 100 * share
    if 0 < value < 0.05:
        return "less than 0.1 %"
    return "more than 99.9 %" if 99.95 <= value < 100 else f"{value:.1f} %"
