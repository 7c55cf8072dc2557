"""A uniform model ranks nothing: its workload has neither scores nor rankings, a mixed one has both."""

from pathlib import Path

import pytest

from mixarray.trace.baseline import ratio_zero_workload
from mixarray.trace.bundle import read_bundle
from mixarray.trace.model import OperatorKind
from mixarray.trace.workload import Workload
from mixarray_traces.record import random_bundle, shape_named

RANKING = {OperatorKind.TOKEN_MAP, OperatorKind.RANK}


def ranking_stages(workload: Workload) -> set[int]:
    return {entry.operator.stage for entry in workload.operators if entry.operator.kind in RANKING}


@pytest.mark.parametrize(("ratio", "stages"), [(0, set()), (400, {0, 1, 2}), (1000, set())])
def test_only_stages_with_two_precisions_are_ranked(tmp_path: Path, ratio: int, stages: set[int]) -> None:
    bundle = read_bundle(random_bundle(shape_named("swin_t"), 224, 224, ratio, 0, tmp_path / "bundle"))
    workload = bundle.workload(0)
    assert ranking_stages(workload) == stages, "stage 3 has one window at 224 px: nothing to rank"
    assert ranking_stages(ratio_zero_workload(bundle)) == set()


def test_nothing_reads_an_order_that_nobody_makes(tmp_path: Path) -> None:
    workload = read_bundle(random_bundle(shape_named("swin_t"), 224, 224, 0, 0, tmp_path / "bundle")).workload(0)
    known = {tensor for tensor, _ in workload.tensors}
    assert all(entry.tensor in known for grouped in workload.operators for entry in grouped.operator.inputs)
