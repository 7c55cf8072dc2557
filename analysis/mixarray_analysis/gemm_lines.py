"""What GEMMs gain on the arrays themselves, and which bits gain nothing there, as lines for people."""

from __future__ import annotations

from mixarray.result.run import RunResult

INDENT = 15
"""Columns before the text of a line."""


def gemm_lines(result: RunResult) -> list[str]:
    """The speedup of the arrays' own cycles, where there is a baseline; why some bits gain nothing, where some do."""
    lines = []
    if result.speedup is not None:
        lines.append(_line("GEMMs", f"{result.speedup.gemms:.3f}x in cycles that rows stream through the arrays"))
    if result.widened:
        lines += [
            _line("widened", "; ".join(result.widened)),
            _line("", "the arrays have no mode as narrow as these operands, so they take the cycles"),
            _line("", "of the wider one: no gain from these bits but fewer bits to move"),
        ]
    return lines


def _line(name: str, text: str) -> str:
    return f"  {name}".ljust(INDENT) + text
