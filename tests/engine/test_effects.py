"""Which job belongs to which effect, by a table written down here, and what one effect alone leaves of a Schedule."""

from __future__ import annotations

import pytest

from mixarray.accelerator.model import Accelerator
from mixarray.engine.effects import Effect, Place, effect_of
from mixarray.engine.idealize import Scene, idealize, make_scene
from mixarray.mapping.schedule import Job, JobKind, Schedule
from mixarray.trace.model import OperatorKind

from .conftest import toy_swin

OWNERS = {
    Effect.FILL_AND_LOADS: {JobKind.STREAM, JobKind.ARRAY_LOAD, JobKind.DRAIN, JobKind.MODE_SWITCH},
    Effect.VECTOR_UNIT: {
        JobKind.TRANSPOSE,
        JobKind.SOFTMAX,
        JobKind.LAYERNORM,
        JobKind.GELU,
        JobKind.RESIDUAL,
        JobKind.REQUANTIZE,
        JobKind.ROW_SUM,
        JobKind.COLUMN_SUM,
        JobKind.PATCH_EMBED,
        JobKind.PATCH_MERGE,
        JobKind.UPSAMPLE_ADD,
    },
    Effect.MEMORY: {
        JobKind.DRAM_LOAD_WEIGHT,
        JobKind.DRAM_LOAD_ACTIVATION,
        JobKind.DRAM_LOAD_PARTIAL,
        JobKind.DRAM_STORE,
        JobKind.DRAM_STORE_PARTIAL,
    },
    Effect.MIXED_WORK: {
        JobKind.DRAM_LOAD_PARAMETER,
        JobKind.DRAM_STORE_COPY,
        JobKind.TOKEN_MAP,
        JobKind.RANK,
        JobKind.SORT,
        JobKind.GATHER,
        JobKind.SCATTER,
    },
}
"""Whose cycles a job's are, written down by hand; of a stream its latency."""
SCORE_TRANSFERS = {
    (kind, operator)
    for kind in (JobKind.DRAM_LOAD_ACTIVATION, JobKind.DRAM_STORE)
    for operator in (OperatorKind.TOKEN_MAP, OperatorKind.RANK)
}
"""Transfers that are MixA-Q's own work because of their operator."""


def owner(job: Job, scene: Scene) -> Effect:
    """The effect of a job by the tables above."""
    if job.operator >= 0 and (job.kind, scene.kinds[job.operator]) in SCORE_TRANSFERS:
        return Effect.MIXED_WORK
    return next(effect for effect, kinds in OWNERS.items() if job.kind in kinds)


def place_for(kind: JobKind) -> Place:
    """Where jobs of a kind run."""
    if kind in OWNERS[Effect.FILL_AND_LOADS]:
        return Place.ARRAY
    return Place.DRAM if kind.value.startswith("dram_") else Place.VECTOR


def all_jobs(schedule: Schedule) -> list[Job]:
    """Every job that is stored, in every variant."""
    variants = ((segment.body, segment.first or (), segment.last or ()) for segment in schedule.segments)
    return [job for three in variants for jobs in three for job in jobs]


@pytest.fixture(scope="module")
def schedule(swin_schedule: tuple[Schedule, int]) -> Schedule:
    return swin_schedule[0]


@pytest.fixture(scope="module")
def scene(accelerator: Accelerator) -> Scene:
    return make_scene(toy_swin(400), accelerator, 4)


def test_one_effect_alone_leaves_its_own_jobs_what_they_are(schedule, scene) -> None:
    """All other jobs take no time; streams last as published, and their latency is fill and drain."""
    published = idealize(schedule, scene, frozenset())
    for effect in Effect:
        ideal = idealize(schedule, scene, frozenset({effect}))
        ticks = ideal.ticks_per_cycle
        assert ticks == published.ticks_per_cycle
        three = (all_jobs(one) for one in (schedule, ideal.schedule, published.schedule))
        for real, alone, none in zip(*three, strict=True):
            owns = owner(real, scene) is effect
            assert alone.latency_cycles == (real.latency_cycles * ticks if owns else 0), (effect, real)
            if real.kind is not JobKind.STREAM:
                assert alone.occupancy_cycles == (real.occupancy_cycles * ticks if owns else 0), (effect, real)
            elif effect > Effect.FOLD_EDGES:
                assert alone.occupancy_cycles == none.occupancy_cycles


def test_every_kind_of_job_belongs_to_one_effect() -> None:
    owners = [kind for kinds in OWNERS.values() for kind in kinds]
    assert sorted(owners) == sorted(JobKind)
    for effect, kinds in OWNERS.items():
        for kind in kinds:
            assert effect_of(kind, place_for(kind), OperatorKind.GEMM) is effect, kind
            assert effect_of(kind, place_for(kind), None) is effect, kind
    for kind, operator in SCORE_TRANSFERS:
        assert effect_of(kind, Place.DRAM, operator) is Effect.MIXED_WORK
