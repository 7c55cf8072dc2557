"""A Schedule with some effects of the real machine switched off: the same jobs, shorter, with fewer waits.

What an effect owns takes no time while it is off; waits for buffer slots belong to the memory. Where durations only
shrink and waits only go, turning an effect on never shortens a run, by the max-plus theorem. With every effect on the
Schedule equals the one that was given.

Two effects are exceptions (`may_shorten`). OPERAND_BITS has a factor that may be below 1. While LANES is off all arrays
work as one, at the sum of their peaks: a stream then also waits for the stream before it on every other array. With
LANES on it is slower, but a stream that waits for a load, the vector unit or the DRAM holds up no other array any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from mixarray.accelerator.model import Accelerator
from mixarray.engine.effects import (
    STREAM_EFFECTS,
    Effect,
    Effects,
    Place,
    effect_of,
    place_of,
    waits_for_room,
)
from mixarray.engine.ideal_stream import Peak, StreamWork, peak_of, stream_ticks, stream_work
from mixarray.mapping.schedule import Dependency, Event, Job, JobKind, Recent, Schedule, Segment
from mixarray.trace.model import OperatorKind
from mixarray.trace.workload import Workload


@dataclass(frozen=True, slots=True)
class Scene:
    """What a Schedule does not say about itself.

    kinds, in_block: of every operator. pes: of every array, by unit name. weight_bits: the constant factor of
    published bit operations.
    """

    kinds: tuple[OperatorKind, ...]
    in_block: tuple[bool, ...]
    pes: Mapping[str, int]
    peak: Peak
    weight_bits: int


def make_scene(workload: Workload, accelerator: Accelerator, weight_bits: int) -> Scene:
    """The scene of a workload on a machine."""
    operators = [grouped.operator for grouped in workload.operators]
    return Scene(
        kinds=tuple(op.kind for op in operators),
        in_block=tuple(op.in_block for op in operators),
        pes={f"arrays.{number}": array.pes for number, array in enumerate(accelerator.arrays)},
        peak=peak_of(accelerator),
        weight_bits=weight_bits,
    )


@dataclass(frozen=True, slots=True)
class Ideal:
    """A Schedule whose durations are ticks, and how many ticks a cycle has."""

    schedule: Schedule
    ticks_per_cycle: int


def idealize(schedule: Schedule, scene: Scene, effects: Effects) -> Ideal:
    """The Schedule with only `effects` of the machine on."""
    ticks = 1 if effects >= STREAM_EFFECTS else scene.peak.ticks_per_cycle
    shrink = _Shrink(schedule, scene, effects, ticks)
    return Ideal(_changed(schedule, shrink.jobs), ticks)


def may_shorten(accelerator: Accelerator) -> Effects:
    """The effects whose turning on may shorten a run of this machine.

    LANES is one of them only where several arrays work as one without it, and never on top of stream effects alone:
    there streams follow each other without a gap, and at the sum of all rates nothing is shorter.
    """
    return frozenset({Effect.OPERAND_BITS, Effect.LANES} if len(accelerator.arrays) > 1 else {Effect.OPERAND_BITS})


def _changed(schedule: Schedule, change: Callable[[int, tuple[Job, ...]], tuple[Job, ...]]) -> Schedule:
    """The Schedule with every body and variant of segment `number` replaced by `change(number, jobs)`."""
    segments = (
        Segment(
            change(number, segment.body),
            segment.repeat,
            None if segment.first is None else change(number, segment.first),
            None if segment.last is None else change(number, segment.last),
        )
        for number, segment in enumerate(schedule.segments)
    )
    return Schedule(schedule.units, tuple(segments))


def without_kind(schedule: Schedule, unit: str, kind: JobKind) -> Schedule:
    """The Schedule where jobs of one kind on one unit take no time, with all its waits."""

    def free(jobs: tuple[Job, ...]) -> tuple[Job, ...]:
        return tuple(
            replace(job, occupancy_cycles=0, latency_cycles=0)
            if job.kind is kind and schedule.units[job.unit] == unit
            else job
            for job in jobs
        )

    return _changed(schedule, lambda number, jobs: free(jobs))


def first_lengthened(shorter: Ideal, longer: Ideal) -> str:
    """The first job that takes longer in `shorter` than in `longer`, in words; empty where there is none."""
    scales = longer.ticks_per_cycle, shorter.ticks_per_cycle
    for number, pair in enumerate(zip(shorter.schedule.segments, longer.schedule.segments, strict=True)):
        variants = [tuple(zip(*two, strict=True)) for two in _variant_pairs(*pair)]
        for slot, (one, two) in ((slot, jobs) for variant in variants for slot, jobs in enumerate(variant)):
            durations = (one.occupancy_cycles, two.occupancy_cycles), (one.latency_cycles, two.latency_cycles)
            if any(left * scales[0] > right * scales[1] for left, right in durations):
                return f"segment {number} slot {slot} ({one.kind} of operator {one.operator}) got longer"
    return ""


def _variant_pairs(one: Segment, two: Segment) -> list[tuple[tuple[Job, ...], tuple[Job, ...]]]:
    pairs = ((one.body, two.body), (one.first, two.first), (one.last, two.last))
    return [(left, right) for left, right in pairs if left is not None and right is not None]


@dataclass(slots=True)
class _Shrink:
    """Jobs of one Schedule under one set of effects; equal streams share their work."""

    schedule: Schedule
    scene: Scene
    effects: Effects
    ticks: int
    places: list[Place] = field(init=False)
    streams: dict[tuple[object, ...], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.places = [place_of(unit) for unit in self.schedule.units]

    def jobs(self, segment: int, jobs: tuple[Job, ...]) -> tuple[Job, ...]:
        return tuple(self.job(segment, job) for job in jobs)

    def job(self, segment: int, job: Job) -> Job:
        operator = self.scene.kinds[job.operator] if job.operator >= 0 else None
        on = effect_of(job.kind, self.places[job.unit], operator) in self.effects
        stream = job.kind is JobKind.STREAM
        return replace(
            job,
            occupancy_cycles=self.stream(job) if stream else job.occupancy_cycles * self.ticks if on else 0,
            latency_cycles=job.latency_cycles * self.ticks if on else 0,
            dependencies=self.waits(segment, job),
        )

    def waits(self, segment: int, job: Job) -> tuple[Dependency, ...]:
        waits = job.dependencies
        if Effect.MEMORY not in self.effects:
            waits = tuple(w for w in waits if not waits_for_room(self.schedule, segment, job.unit, w))
        if job.kind is JobKind.STREAM and Effect.LANES not in self.effects:
            others = [number for number, unit in enumerate(self.schedule.units) if unit in self.scene.pes]
            waits += tuple(Recent(unit, JobKind.STREAM, 1, Event.ISSUED) for unit in others if unit != job.unit)
        return waits

    def stream(self, job: Job) -> int:
        in_block = job.operator >= 0 and self.scene.in_block[job.operator]
        key = job.unit, job.occupancy_cycles, in_block, job.products
        if key not in self.streams:
            pes = self.scene.pes[self.schedule.units[job.unit]]
            work: StreamWork = stream_work(job, in_block, self.scene.weight_bits, pes)
            self.streams[key] = stream_ticks(work, self.effects, self.scene.peak, self.ticks)
        return self.streams[key]
