"""The moments at a border between two pieces of a Schedule that later jobs may wait for, as places of a vector.

Where nothing has happened yet a moment is 0: no job starts earlier, so waiting for it changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.model import Accelerator
from mixarray.mapping.schedule import Event, JobKind, Recent
from mixarray.mapping.units import array_units, load_waits, loaded, output_waits, summed, unit_names

END = 0
"""Place of the latest ready time so far."""


@dataclass(frozen=True, slots=True)
class Roles:
    """Places after END: when each unit is free; the latest jobs that registers of arrays wait for (`lanes`); when the
    accumulator slots of each array become free, oldest first; the same for weight slots; when weights that were fetched
    ahead are there; when each array last read from the activation buffer. Tensors follow.
    """

    arrays: int
    units: int
    lanes: tuple[Recent, ...]
    accumulator_slots: int
    weight_slots: int

    def unit(self, unit: int) -> int:
        """When a unit is free."""
        return 1 + unit

    def lane(self, number: int) -> int:
        """The moment that `lanes[number]` names."""
        return 1 + self.units + number

    def accumulator(self, array: int, slot: int) -> int:
        """When the accumulator slot is free that is taken after `slot` others."""
        return 1 + self.units + len(self.lanes) + array * self.accumulator_slots + slot

    def weight(self, slot: int) -> int:
        """When the weight slot is free that is taken after `slot` others."""
        return self.accumulator(self.arrays, slot)

    @property
    def fetched(self) -> int:
        """When the weights of the next operator are there."""
        return self.weight(self.weight_slots)

    def last_read(self, array: int) -> int:
        """When an array has read from the activation buffer for the last time."""
        return self.fetched + 1 + array

    @property
    def size(self) -> int:
        """How many there are before the tensors."""
        return self.last_read(self.arrays)


def roles_of(accelerator: Accelerator) -> Roles:
    """The moments that matter on an accelerator."""
    lanes: dict[Recent, None] = {}
    for index, array in enumerate(accelerator.arrays):
        units, policy = array_units(index), array.weight_loading
        outputs = array.dataflow is Dataflow.OUTPUT_STATIONARY
        register = (output_waits if outputs else load_waits)(units)[policy]
        partner = (summed if outputs else loaded)(units)
        for wait in (register, partner):
            lanes.update({Recent(wait.unit, wait.kind, n, wait.event): None for n in range(1, wait.count + 1)})
    return Roles(
        arrays=len(accelerator.arrays),
        units=len(unit_names(len(accelerator.arrays))),
        lanes=tuple(lanes),
        accumulator_slots=accelerator.buffers.accumulator.slots,
        weight_slots=accelerator.buffers.weight.slots,
    )


@dataclass(frozen=True, slots=True)
class Known:
    """A job of which some moments are places of the vector: its lane, and the place of each such event."""

    unit: int
    kind: JobKind
    places: tuple[tuple[Event, int], ...]


def known_jobs(roles: Roles, tensors: int) -> list[Known]:
    """Stand-ins for all jobs before a border, in Schedule order of their lanes; first those that are no recent ones.

    Slots, weights, reads and tensors have a unit each to themselves, behind the real ones, numbered as their places:
    waits for them are by distance or by name, and both find them. Of a tensor, and of weights, only being there
    matters; of the others, that they have been issued.
    """
    own = range(roles.accumulator(0, 0), roles.size + tensors)
    arrive = {roles.fetched, *range(roles.size, roles.size + tensors)}
    events = {place: Event.READY if place in arrive else Event.ISSUED for place in own}
    jobs = [Known(roles.units + place, JobKind.STREAM, ((events[place], place),)) for place in own]
    lanes: dict[tuple[int, JobKind, int], list[tuple[Event, int]]] = {}
    for number, wait in enumerate(roles.lanes):
        lanes.setdefault((wait.unit, wait.kind, wait.count), []).append((wait.event, roles.lane(number)))
    order = sorted(lanes, key=lambda lane: -lane[2])
    return jobs + [Known(unit, kind, tuple(lanes[unit, kind, count])) for unit, kind, count in order]
