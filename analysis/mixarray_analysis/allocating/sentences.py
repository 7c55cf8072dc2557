"""What an allocation was worth in bits and BOPs, and what arrived on the accelerator, in words built from its rows."""

from __future__ import annotations

from mixarray_analysis.allocating.results import Found, LayerRow

MOST_LAYERS = 8
"""Layers named in the report; `layers.csv` has all."""


def sentences(found: Found) -> list[str]:
    """The report, a sentence or table row each."""
    settings, first, last = found.settings, found.steps[0], found.steps[-1]
    bits = f"average {first.average_bits:.2f} -> {last.average_bits:.2f} bits ({settings.average.value})"
    promised = f"bits fall by {_fall(first.average_bits, last.average_bits)}, BOPs by {_fall(first.bops, last.bops)}"
    modes = sum(row.mode_bops for row in found.layers)
    at_modes = f"as the modes of {settings.accelerator} run them, BOPs fall by {_fall(first.bops, modes)}"
    cycles = f"cycles fall by {_fall(first.cycles, last.cycles)} ({first.cycles:,} -> {last.cycles:,})"
    energy = f"energy by {_fall(first.energy_uj, last.energy_uj)} ({first.energy_uj:.1f} -> {last.energy_uj:.1f} uJ)"
    excess = 100 * (last.parts_cycles / last.cycles - 1)
    return [
        f"greedy by {settings.objective.value}, {len(found.steps) - 1} steps, {bits}",
        f"worth: {promised}; {at_modes}",
        f"arrived on {settings.accelerator} at {settings.input_px} px: {cycles}, {energy}",
        f"loss ({settings.loss.value}, {settings.canvases} canvases of {settings.size_px} px, {settings.method}): "
        f"{first.loss:.6g} -> {last.loss:.6g}",
        f"the sum of the parts, which the greedy saw, is {excess:.1f} % above the network's cycles in the end",
        *_eaten(found),
    ]


def _eaten(found: Found) -> list[str]:
    """What rounding up to a mode ate, the layers that lost most first."""
    lost = sorted((row for row in found.layers if row.mode_bops > row.bops), key=lambda row: row.bops - row.mode_bops)
    if not lost:
        return ["rounding up to a mode ate nothing"]
    total = sum(row.mode_bops - row.bops for row in lost)
    lines = [f"rounding up to a mode ate {total / found.steps[0].bops:.1%} of the start's BOPs, in {len(lost)} layers:"]
    return lines + [f"  {_layer(row)}" for row in lost[:MOST_LAYERS]]


def _layer(row: LayerRow) -> str:
    asked, ran = f"{row.first_bits}x{row.second_bits}", f"{row.mode_first_bits}x{row.mode_second_bits}"
    return f"{row.layer} asks for {asked} and runs at {ran} bits: {row.mode_bops / row.bops:.2f} times its BOPs"


def _fall(before: float, after: float) -> str:
    return f"{1 - after / before:.1%}"
