"""The names that the command line offers: kinds of plots, and costs on their axes; nothing heavy is imported."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """The plots."""

    SPEEDUP = "speedup"
    RATIOS = "ratios"
    PARETO = "pareto"
    ACCURACY = "accuracy"
    WATERFALL = "waterfall"
    LATENCY = "latency"
    ENERGY = "energy"
    ROOFLINE = "roofline"
    UTILIZATION = "utilization"
    TORNADO = "tornado"
    WINDOWS = "windows"


class Cost(StrEnum):
    """What accuracy, or the effect of a field, is drawn against."""

    BOPS = "bops"
    LATENCY = "latency"
    ENERGY = "energy"
