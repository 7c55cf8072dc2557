"""Shared by the engine's tests: random Schedules, fold streams, and the Schedules of real workloads."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable

import pytest
from hypothesis import strategies as st

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.load import list_accelerators, load_accelerator
from mixarray.accelerator.model import Accelerator
from mixarray.errors import InputError
from mixarray.mapping.build import build_schedule
from mixarray.mapping.schedule import Back, Event, Job, JobKind, Recent, Schedule, Segment
from mixarray.trace.ratio import group_sizes
from mixarray.trace.workload import WindowCount, Workload, build_workload, single_gemm
from mixarray_analysis.validation.schedules import random_schedule
from mixarray_traces.record.shape import DetectionShape, SwinShape
from mixarray_traces.record.topology import block_grids, build_topology

# hypothesis draws every choice of the generator, so a failing Schedule shrinks
st.register_type_strategy(Schedule, st.randoms(use_true_random=False).map(random_schedule))

TOY = SwinShape("toy", channels=(32, 64, 128), depths=(2, 2, 2), heads=(1, 2, 4))
HEAD = DetectionShape(channels=128, hidden_channels=256, outputs=14)
GEMMS = ((49, 49, 32, 8, 8), (200, 33, 65, 8, 4), (1, 1, 1, 4, 4), (300, 96, 130, 4, 4))


def toy_swin(ratio: int, shape: SwinShape = TOY, head: DetectionShape | None = HEAD) -> Workload:
    """A small Swin (a detector) at 112x112 with `ratio` thousandths of its windows at 4 bits."""
    assignment = {}
    for place, grid in block_grids(shape, 112, 112).items():
        high, _, _ = group_sizes(grid.windows, ratio)
        tokens = grid.window_tokens()
        counts = (8, high, sum(tokens[:high])), (4, grid.windows - high, sum(tokens[high:]))
        assignment[place] = tuple(WindowCount(*count) for count in counts)
    return build_workload(shape.name, build_topology(shape, 112, 112, head), assignment, shape.window**2)


def machines() -> dict[str, Accelerator]:
    """Every shipped accelerator, and every legal (PE style, dataflow) that none of them has, on one array."""
    found = {name: load_accelerator(name) for name in list_accelerators()}
    single = [name for name, machine in found.items() if len(machine.arrays) == 1]
    seen = {(found[name].arrays[0].pe_style, found[name].arrays[0].dataflow) for name in single}
    for name, dataflow in itertools.product(single, Dataflow):
        if (found[name].arrays[0].pe_style, dataflow) not in seen:
            with contextlib.suppress(InputError):  # an illegal pair
                found[f"{name}, {dataflow}"] = load_accelerator(name, [f"arrays.0.dataflow={dataflow}"])
                seen.add((found[name].arrays[0].pe_style, dataflow))
    return found


MACHINES = machines()


@pytest.fixture(scope="session", params=MACHINES)
def accelerator(request: pytest.FixtureRequest) -> Accelerator:
    return MACHINES[request.param]


@pytest.fixture(scope="session")
def gemm_schedules(accelerator: Accelerator) -> list[Schedule]:
    """Single GEMMs in the modes that the accelerator has or widens to."""
    return [build_schedule(single_gemm(*gemm), accelerator) for gemm in GEMMS]


@pytest.fixture(scope="session")
def swin_schedule(accelerator: Accelerator) -> tuple[Schedule, int]:
    """A toy Swin at ratio 0.4, and its number of operators."""
    workload = toy_swin(400)
    return build_schedule(workload, accelerator), len(workload.operators)


def make_fold_schedule(folds: list[tuple[int, int]], policy: str, rows: int, columns: int) -> Schedule:
    """One array fed with folds (load rows r_i, passes Meff_i) under design 5's three weight-loading policies."""
    wait = {
        "serial": Recent(0, JobKind.STREAM, 1, Event.READY),
        "single": Recent(0, JobKind.STREAM, 1, Event.ISSUED),
        "double": Recent(0, JobKind.STREAM, 2, Event.ISSUED),
    }[policy]
    segments = []
    for load_rows, passes in folds:
        load = Job(1, JobKind.ARRAY_LOAD, load_rows, 0, (wait,), 0)
        stream = Job(0, JobKind.STREAM, passes, rows + columns - 2, (Back(0, 0, Event.READY),), 0)
        segments.append(Segment((load, stream)))
    return Schedule(("array", "weight_port"), tuple(segments))


@pytest.fixture(scope="session")
def fold_schedule() -> Callable[[list[tuple[int, int]], str, int, int], Schedule]:
    return make_fold_schedule
