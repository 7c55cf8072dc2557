"""The effects between published bit operations and a simulated machine, and which job owes its cycles to which.

Every job of a Schedule belongs to one effect by what it is and where it runs; a stream has several (`idealize`).
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

from mixarray.mapping.own_work import Item, item_of
from mixarray.mapping.schedule import Dependency, Event, Final, JobKind, Recent, Schedule
from mixarray.trace.model import OperatorKind


class Effect(IntEnum):
    """What a real machine adds to bit operations, in the order in which the waterfall turns it on (design 7)."""

    OPERAND_BITS = 1
    MODES = 2
    LANES = 3
    FOLD_EDGES = 4
    FILL_AND_LOADS = 5
    VECTOR_UNIT = 6
    MEMORY = 7
    MIXED_WORK = 8


Effects = frozenset[Effect]

EVERY_EFFECT: Effects = frozenset(Effect)
STREAM_EFFECTS: Effects = frozenset({Effect.OPERAND_BITS, Effect.MODES, Effect.LANES, Effect.FOLD_EDGES})
"""What makes the occupancy of a stream; the other effects are jobs and waits of their own."""


class Place(StrEnum):
    """What a unit is part of, by the first word of its name."""

    ARRAY = "arrays"
    VECTOR = "vector_units"
    DRAM = "dram_channels"


def place_of(unit: str) -> Place:
    """The place of a unit such as `arrays.0.weight_port`; ValueError for a unit that no effect knows."""
    return Place(unit.partition(".")[0])


def effect_of(kind: JobKind, place: Place, operator: OperatorKind | None) -> Effect:
    """The effect that a job's cycles belong to (of a stream: its latency); `operator`: its operator's kind, if any."""
    if item_of(kind, operator) not in (None, Item.MODE_SWITCHES):
        return Effect.MIXED_WORK
    return {Place.ARRAY: Effect.FILL_AND_LOADS, Place.VECTOR: Effect.VECTOR_UNIT, Place.DRAM: Effect.MEMORY}[place]


def waits_for_room(schedule: Schedule, segment: int, unit: int, wait: Dependency) -> bool:
    """Whether a wait of a job on `unit` in a segment is for a buffer slot, not for data.

    Data are waited for until they are READY. A slot is free when its reader has been ISSUED; so are the registers
    inside an array, but there both jobs are the array's own.
    """
    if wait.event is not Event.ISSUED:
        return False
    if isinstance(wait, Recent):
        target = wait.unit
    else:
        place = wait.segment if isinstance(wait, Final) else segment
        target = schedule.segments[place].body[wait.slot].unit
    units = schedule.units
    return not (place_of(units[unit]) is Place.ARRAY and place_of(units[target]) is Place.ARRAY)
