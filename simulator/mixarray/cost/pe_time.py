"""What PEs do when they do not multiply.

PE-cycles of an array that are not active are of two kinds: *unused* (the array streams, but this PE holds nothing
useful) and *idle* (the array waits, or has nothing to do). Both follow from totals, so the mapping does not count them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mixarray.accelerator.model import Accelerator
from mixarray.mapping.schedule import Action, JobKind

PE_CYCLE = "pe_cycle_"
IDLE = f"{PE_CYCLE}idle"
UNUSED = f"{PE_CYCLE}unused"
ZERO = "_zero"
"""What follows the name of an active PE-cycle whose streamed codes are all zero, where such PEs are gated."""


def stream_cycles(units: Sequence[str], busy_cycles: Mapping[tuple[int, JobKind], int]) -> dict[str, int]:
    """Cycles that each array streams, by its name among the units (`arrays.0`)."""
    return {units[unit]: cycles for (unit, kind), cycles in busy_cycles.items() if kind is JobKind.STREAM}


def inactive(
    actions: Mapping[Action, int], total_cycles: int, accelerator: Accelerator, streams: Mapping[str, int]
) -> dict[Action, int]:
    """Unused and idle PE-cycles of every array.

    Raises ValueError where more PE-cycles are active than an array has while it streams, or it streams too long.
    """
    found: dict[Action, int] = {}
    for index, array in enumerate(accelerator.arrays):
        component = f"arrays.{index}"
        streaming = streams.get(component, 0)
        active = sum(n for a, n in actions.items() if a.component == component and a.name.startswith(PE_CYCLE))
        unused, idle = array.pes * streaming - active, array.pes * (total_cycles - streaming)
        if unused < 0 or idle < 0:
            raise ValueError(
                f"{component}: {active} active PE-cycles in {streaming} cycles of streams in a run of {total_cycles} "
                f"exceed its {array.pes} PEs"
            )
        found |= {Action(component, UNUSED): unused, Action(component, IDLE): idle}
    return found


def split_zeros(actions: Mapping[Action, int], zeros: Mapping[Action, int]) -> dict[Action, int]:
    """The actions with their PE-cycles of zero codes (`zeros`, by action) counted apart, under `<action>_zero`.

    Raises ValueError where an action has more zeros than it was counted.
    """
    found = dict(actions)
    for action, count in zeros.items():
        if count > found.get(action, 0):
            raise ValueError(f"{action.component} {action.name}: {count} of {found.get(action, 0)} PE-cycles are zero")
        found[action] -= count
        found[Action(action.component, action.name + ZERO)] = count
    return found
