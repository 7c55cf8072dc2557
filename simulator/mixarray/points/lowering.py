"""Lowers the chains of one group by themselves, between the border before and the border behind them.

The pipeline that the mapping fills starts here from stand-ins for the jobs before the border (`roles`). What of its
state decides which jobs come next is a `Border`; all else are moments, and what they are is decided later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mixarray.accelerator.model import Accelerator
from mixarray.accelerator.modes import Bits
from mixarray.mapping.build import make_floors
from mixarray.mapping.emitter import Emitter, Mark, Slots
from mixarray.mapping.schedule import Event, Job
from mixarray.mapping.tasks import Price, Task
from mixarray.mapping.together import lower_sections
from mixarray.mapping.transfers import Floor
from mixarray.mapping.units import unit_names
from mixarray.points.plans import Following, Lone
from mixarray.points.roles import Known, Roles, known_jobs


@dataclass(frozen=True, slots=True)
class Border:
    """What the groups before a border leave that decides which jobs come next.

    accumulators, weights: slots that are taken, of each array and of all. fetched: the next weights are. modes, whole:
    by array, what it last ran, and whether a chain had all of the activation buffer.
    """

    accumulators: tuple[int, ...]
    weights: int
    fetched: bool
    modes: tuple[Bits | None, ...]
    whole: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of a job in the order of its lane: what a place of the vector becomes; of several, the latest."""

    place: int
    mark: Mark
    event: Event


@dataclass(frozen=True, slots=True)
class Piece:
    """The part of a Schedule that one group is. The occupancy of its jobs is the number of their task (`tariff`).

    segments: those of the group, behind one of stand-ins. known: these. moments: places of the vector behind the group
    that are moments of jobs of its own. border: what it leaves.
    """

    segments: tuple[tuple[tuple[Job, ...], int], ...]
    known: tuple[Known, ...]
    moments: tuple[Moment, ...]
    border: Border


def start_of(accelerator: Accelerator) -> Border:
    """Before the first job."""
    arrays = len(accelerator.arrays)
    return Border((0,) * arrays, 0, False, (None,) * arrays, (False,) * arrays)


def lower_group(
    accelerator: Accelerator,
    roles: Roles,
    lone: Lone,
    resident: frozenset[int],
    border: Border,
    following: Following | None,
    ask: Callable[[Task], Price],
) -> Piece:
    """The jobs of a group behind `border`; resident: those of its tensors that stay on the chip. ask: numbers tasks."""
    emitter = Emitter(unit_names(roles.arrays))
    after = () if following is None else (following.plan,)
    floors = make_floors(emitter, accelerator, lone.sections, resident, after, ask)
    known = tuple(known_jobs(roles, lone.tensors))
    stand_ins = {}
    for job in known:
        mark = emitter.emit(Job(job.unit, job.kind, 0, 0), ())
        if job.unit >= roles.units:
            stand_ins[job.unit - roles.units] = mark
    emitter.fence()
    _enter(floors, roles, lone, border, stand_ins)
    lower_sections(floors, lone.sections)
    emitter.close()
    moments = tuple(_moments(floors, roles, lone))
    return Piece(tuple(emitter.segments), known, moments, _border(floors, len(after)))


def _enter(floors: Sequence[Floor], roles: Roles, lone: Lone, border: Border, stand_ins: dict[int, Mark]) -> None:
    """Put the pipeline into the state of a border."""
    slots = _slots([stand_ins[roles.weight(slot)] for slot in range(roles.weight_slots)], border.weights)
    floors[0].ready.update({tensor: stand_ins[roles.size + tensor] for tensor in lone.reads})
    for array, floor in enumerate(floors):
        freed = [stand_ins[roles.accumulator(array, slot)] for slot in range(roles.accumulator_slots)]
        floor.accumulators = _slots(freed, border.accumulators[array])
        floor.weights.slots = slots
        floor.last_read, floor.mode = stand_ins[roles.last_read(array)], border.modes[array]
        floor.taken = border.whole[array]
    if border.fetched:
        floors[0].weights.fetched[0] = [stand_ins[roles.fetched]]


def _slots(freed: list[Mark], taken: int) -> Slots:
    """A buffer all of whose slots were freed once, so many of which are taken again."""
    return Slots(len(freed), len(freed) + taken, 0, deque((mark,) for mark in freed))


def _taken(slots: Slots) -> int:
    return slots.taken - slots.freed - len(slots.marks)


def _border(floors: Sequence[Floor], following: int) -> Border:
    weights = floors[0].weights
    return Border(
        tuple(_taken(floor.accumulators) for floor in floors),
        _taken(weights.slots),
        following > 0 and weights.places[-1] in weights.fetched,
        tuple(floor.mode for floor in floors),
        tuple(floor.taken for floor in floors),
    )


def _moments(floors: Sequence[Floor], roles: Roles, lone: Lone) -> list[Moment]:
    """The moments that jobs of later groups may wait for."""
    weights = floors[0].weights
    found = [
        Moment(roles.accumulator(array, slot), mark, Event.ISSUED)
        for array, floor in enumerate(floors)
        for slot, marks in enumerate(floor.accumulators.marks)
        for mark in marks
    ]
    found += [
        Moment(roles.weight(slot), mark, Event.ISSUED)
        for slot, marks in enumerate(weights.slots.marks)
        for mark in marks
    ]
    fetched = weights.fetched.get(weights.places[-1]) if weights.places else None
    found += [] if fetched is None else [Moment(roles.fetched, fetched[-1], Event.READY)]
    reads = ((array, floor.last_read) for array, floor in enumerate(floors))
    found += [Moment(roles.last_read(array), mark, Event.ISSUED) for array, mark in reads if mark is not None]
    made = ((tensor, floors[0].ready.get(tensor)) for tensor in lone.leaves)
    return found + [Moment(roles.size + tensor, mark, Event.READY) for tensor, mark in made if mark is not None]
