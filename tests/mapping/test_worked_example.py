"""The worked example of design 5 through the whole mapping: packed W4 4x4, K=12, N=6, 2 low and 3 high rows."""

from __future__ import annotations

import numpy as np
import pytest

from mixarray.engine.event import run_event
from mixarray.mapping.build import build_schedule
from mixarray.mapping.schedule import JobKind

SMALL = ("arrays.0.rows=4", "arrays.0.columns=4")


@pytest.mark.parametrize(("policy", "cycles"), [("serial", 66), ("single", 48), ("double", 36)])
def test_array_cycles_equal_the_paper_example(policy, cycles, machine, mixed_gemm):
    accelerator = machine("packed", *SMALL, f"arrays.0.weight_loading={policy}", ideal_memory=True)
    workload = mixed_gemm(5, 2, 6, 12)
    timeline = run_event(build_schedule(workload, accelerator), 1, with_timeline=True).timeline
    kinds = np.array([kind.value for kind in timeline.kinds])[timeline.kind]
    streams, loads = kinds == JobKind.STREAM, kinds == JobKind.ARRAY_LOAD
    assert (timeline.issued_cycles - timeline.start_cycles)[streams].tolist() == [8, 5, 8, 5]
    assert timeline.ready_cycles[streams].max() - timeline.start_cycles[loads].min() == cycles


def test_used_load_rows_shorten_loads_of_shallow_folds(machine, mixed_gemm):
    accelerator = machine("packed", *SMALL, "arrays.0.weight_load_rows=used")
    run = run_event(build_schedule(mixed_gemm(5, 2, 6, 9), accelerator), 1)
    assert run.busy_cycles[1, JobKind.ARRAY_LOAD] == 2 * (4 + 1)  # K=9: a fold of 8 fills all rows, one of 1 one row
