"""The work that mixed windows add, as lines for people."""

from __future__ import annotations

from mixarray.result.own_work import OwnWork, OwnWorkEntry

PJ_PER_UJ = 1e6
HEADING = "  work of mixed windows: busy cycles (on the critical chain), energy"


def own_work_lines(work: OwnWork) -> list[str]:
    """One line for each item that there was anything of; none where all windows ran at one precision."""
    entries = [entry for entry in work.items if entry.count]
    if not work.mixed_windows or not entries:
        return []
    return [HEADING, *(f"    {_line(entry)}" for entry in entries)]


def _line(entry: OwnWorkEntry) -> str:
    name = f"{entry.item.value.replace('_', ' ')}, {entry.setting}"
    parts = [f"{entry.count:,.0f} {entry.unit}"]
    if entry.busy_cycles is not None:
        chain = "" if entry.attributed_cycles is None else f" ({entry.attributed_cycles:,.0f})"
        parts.append(f"{entry.busy_cycles:,.0f}{chain} cycles")
    if entry.energy_pj is not None:
        parts.append(f"{entry.energy_pj / PJ_PER_UJ:,.3f} uJ")
    return f"{name:<32} {', '.join(parts)}"
