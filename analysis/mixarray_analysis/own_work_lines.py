"""The work around windows of several precisions, as lines for people."""

from __future__ import annotations

from mixarray.digits import significant
from mixarray.result.own_work import OwnWork, OwnWorkEntry

PJ_PER_UJ = 1e6
ALSO = "*"
HEADING = (
    "  work around windows of several precisions: busy cycles (on the critical chain), DRAM, energy; "
    f"{ALSO} a uniform run has such work too"
)
BITS_PER_MBIT = 1e6


def own_work_lines(work: OwnWork) -> list[str]:
    """One line for each item that there was anything of; none where all windows ran at one precision."""
    entries = [entry for entry in work.items if entry.count]
    if not work.mixed_windows or not entries:
        return []
    return [HEADING, *(f"    {_line(entry)}" for entry in entries)]


def _line(entry: OwnWorkEntry) -> str:
    mark = ALSO if entry.in_uniform_runs else ""
    name = f"{entry.item.value.replace('_', ' ')}{mark}, {entry.setting}"
    parts = [f"{entry.count:,.0f} {entry.unit}"]
    if entry.busy_cycles is not None:
        chain = "" if entry.attributed_cycles is None else f" ({entry.attributed_cycles:,.0f})"
        parts.append(f"{entry.busy_cycles:,.0f}{chain} cycles")
    if entry.dram_bits:
        parts.append(f"{entry.dram_bits / BITS_PER_MBIT:,.3f} Mbit")
    if entry.energy_pj is not None:
        parts.append(f"{significant(entry.energy_pj / PJ_PER_UJ, 4)} µJ")
    return f"{name:<32} {', '.join(parts)}"
