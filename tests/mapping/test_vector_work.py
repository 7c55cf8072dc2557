"""Vector work: passes read again and write once, and Swin-T's element counts and shares are the published ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from mixarray.accelerator.model import VECTOR_KINDS
from mixarray.engine.event_counts import variants
from mixarray.mapping.build import build_schedule
from mixarray.mapping.schedule import Job, JobKind, Schedule
from mixarray.mapping.units import ARRAY, VECTOR
from mixarray.trace.model import OperatorKind
from mixarray.trace.workload import WindowCount, Workload, build_workload
from mixarray_traces.record.shape import ClassifierShape, shape_named
from mixarray_traces.record.topology import block_grids, build_topology

PASSES = {OperatorKind.SOFTMAX: 3, OperatorKind.LAYERNORM: 2, OperatorKind.GELU: 1, OperatorKind.RESIDUAL: 1}
ELEMENTS = {"softmax": 2.19e6, "layernorm": 3.73e6, "gelu": 5.72e6, "residual": 2.86e6}
"""Per image of 224x224 px: accelerators reference 4b."""


def vector_jobs(schedule: Schedule) -> list[Job]:
    """Every stored vector job, once for each segment that it stands in."""
    return [job for s in schedule.segments for jobs, _ in variants(s) for job in jobs if job.unit == VECTOR]


def accesses(job: Job, name: str) -> int:
    return sum(count for action, count in job.actions if action.name == name)


def paired(style: str, workload: Workload, machine) -> Iterator[tuple[Job, Job]]:
    """The jobs of a unit that reads everything once, and of one of this style."""
    once = "{" + ", ".join(f"{kind.value}: 1" for kind in VECTOR_KINDS) + "}"
    jobs = (
        vector_jobs(build_schedule(workload, machine("packed", f"vector_units.0.passes={p}"))) for p in (once, style)
    )
    return zip(*jobs, strict=True)


def wrong_reads(style: str, workload: Workload, machine) -> list[str]:
    accelerator = machine("packed", f"vector_units.0.passes={style}")
    unit, wrong = accelerator.vector_units[0], []
    for once, job in paired(style, workload, machine):
        passes = 1 if job.kind is JobKind.SORT else unit.passes_of(OperatorKind(job.kind.value))
        if accesses(job, "read") != max(passes, 1) * accesses(once, "read"):
            wrong.append(f"{job.kind} reads {accesses(job, 'read')}")
        if accesses(job, "write") != accesses(once, "write"):
            wrong.append(f"{job.kind} writes {accesses(job, 'write')}")
        if job.occupancy_cycles != passes * once.occupancy_cycles:
            wrong.append(f"{job.kind} takes {job.occupancy_cycles}")
    return wrong


@pytest.mark.parametrize("style", ["multi_pass", "streaming", "fused"])
def test_every_pass_reads_and_occupies_and_the_last_one_writes(style, machine, block):
    assert wrong_reads(style, block(6, 2, 2), machine) == []


def test_passes_that_do_not_read_are_noticed(machine, block, monkeypatch):
    monkeypatch.setattr("mixarray.mapping.vector_cost._read_again", lambda moves, passes: moves)
    assert any("softmax reads" in fault for fault in wrong_reads("multi_pass", block(6, 2, 2), machine))
    assert any("layernorm reads" in fault for fault in wrong_reads("streaming", block(6, 2, 2), machine))


@pytest.fixture(scope="module")
def swin_t() -> Workload:
    shape = shape_named("swin_t")
    assignment = {
        place: (WindowCount(8, grid.windows, sum(grid.window_tokens())),)
        for place, grid in block_grids(shape, 224, 224).items()
    }
    return build_workload("swin_t", build_topology(shape, 224, 224, ClassifierShape(1000)), assignment, 49)


def elements_of(workload: Workload) -> Counter[str]:
    found: Counter[str] = Counter()
    for grouped in workload.operators:
        found[grouped.operator.kind.value] += sum(g.batch * g.rows for g in grouped.groups) * grouped.operator.n
    return found


def test_swin_t_has_the_published_element_counts(swin_t):
    found = elements_of(swin_t)
    for kind, expected in ELEMENTS.items():
        assert found[kind] == pytest.approx(expected, abs=0.005e6), kind
    assert found["gather"] + found["scatter"] + found["patch_merge"] == pytest.approx(3.39e6, abs=0.01e6)


def busy(workload: Workload, accelerator, unit: int) -> int:
    """Cycles that one unit is occupied."""
    segments = build_schedule(workload, accelerator).segments
    jobs = [(job, times) for segment in segments for jobs, times in variants(segment) for job in jobs]
    return sum(job.occupancy_cycles * times for job, times in jobs if job.unit == unit)


@pytest.mark.parametrize(("lanes", "share"), [(16, 24), (32, 14), (64, 7.5)])
def test_share_of_other_work_beside_1024_macs(lanes, share, swin_t, machine):
    """In per cent of the time, nothing overlapping and every MAC unit busy; passes 3, 2, 1 and 1, no other work."""
    passes = "{" + ", ".join(f"{kind.value}: {PASSES.get(kind, 0)}" for kind in VECTOR_KINDS) + "}"
    accelerator = machine("plain", f"vector_units.0.lanes={lanes}", f"vector_units.0.passes={passes}")
    cycles = busy(swin_t, accelerator, VECTOR)
    assert 100 * cycles / (cycles + swin_t.macs / 1024) == pytest.approx(share, abs=0.5)


@pytest.mark.parametrize(("lanes", "share"), [(16, 37.4), (32, 23.1), (64, 13.1)])
def test_share_of_all_vector_work_of_a_multi_pass_unit(lanes, share, swin_t, machine):
    """Three passes of LayerNorm, and what the published count leaves out; beside the streams as the array runs them."""
    accelerator = machine("plain", f"vector_units.0.lanes={lanes}")
    cycles, streams = busy(swin_t, accelerator, VECTOR), busy(swin_t, accelerator, ARRAY)
    assert 100 * cycles / (cycles + streams) == pytest.approx(share, abs=0.05)


def test_sums_that_zero_points_ask_for(swin_t):
    """Weights are symmetric: nothing but a static bias. Both operands of an activation product are not: both sums."""
    ops = {grouped.operator.name: grouped.operator for grouped in swin_t.operators}
    products = [op for op in ops.values() if op.kind is OperatorKind.GEMM and op.batch > 1]
    assert len(products) == 2 * 12
    for op in products:
        rows, columns = ops[f"{op.name}.row_sum"], ops[f"{op.name}.column_sum"]
        assert (rows.batch, rows.m, rows.n) == (op.batch, op.m, op.k)
        assert (columns.batch, columns.m, columns.n) == (op.batch, op.k, op.n)
    sums = [op for op in ops.values() if op.kind in (OperatorKind.ROW_SUM, OperatorKind.COLUMN_SUM)]
    assert len(sums) == 2 * len(products) + 1  # and the mean of the classifier
