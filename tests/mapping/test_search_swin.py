"""The search over a whole Swin: several loop orders and tile shapes win; compiled code knows what it was made of."""

from __future__ import annotations

from pathlib import Path

import pytest

import mixarray
from mixarray.choosing import evaluator
from mixarray.compiled import file_digest
from mixarray.mapping import iteration_table, pipeline_bound, unit_bound
from mixarray.mapping.build import build_schedule, plan_workload
from mixarray.mapping.mapper import Mapper
from mixarray.trace.bundle import read_bundle
from mixarray_traces.record.random_trace import random_bundle
from mixarray_traces.record.shape import SwinShape, shape_named

TINY = SwinShape("tiny", channels=(32, 64), depths=(2, 2), heads=(1, 2))


def winners(path, shape, size, ratio, accelerator):
    random_bundle(shape, *size, ratio, 0, path)
    workload, mapper = read_bundle(path).workload(0), Mapper()
    schedule = build_schedule(workload, accelerator, mapper.choose(evaluator(accelerator)))
    return workload, mapper, schedule


def orders_and_shapes(found):
    orders = {f.best.choice.order for f in found}
    return orders, {(f.best.choice.rows, f.best.choice.columns, f.best.choice.depth) for f in found}


def test_a_small_swin(tmp_path, machine):
    accelerator = machine("packed", "buffers.activation.capacity_kib=16", "buffers.weight.capacity_kib=8")
    workload, mapper, schedule = winners(tmp_path / "tiny", TINY, (56, 56), 500, accelerator)
    assert sum(f.evaluated for f in mapper.found.values()) < sum(f.candidates for f in mapper.found.values()) / 10
    again = Mapper()
    plan_workload(workload, accelerator, again.choose(evaluator(accelerator)))
    assert [f.best.choice for f in again.found.values()] == [f.best.choice for f in mapper.found.values()]
    assert schedule.stored_jobs < schedule.total_jobs


@pytest.mark.full
@pytest.mark.parametrize("style", ["packed", "plain"])
def test_several_orders_and_shapes_win_over_swin_t(style, tmp_path, machine):
    orders, shapes = set(), set()
    for size in ((224, 224), (800, 1333)):  # in large images the plain array keeps to one order
        _, mapper, schedule = winners(tmp_path / f"swin_t_{size[0]}", shape_named("swin_t"), size, 500, machine(style))
        assert schedule.stored_jobs <= 40_000
        found = orders_and_shapes(mapper.found.values())
        orders, shapes = orders | found[0], shapes | found[1]
    assert len(orders) >= 2
    assert len(shapes) >= 3


@pytest.mark.parametrize("module", [iteration_table, pipeline_bound, unit_bound])
def test_compiled_files_state_what_they_were_compiled_with(module):
    package = Path(mixarray.__file__).parent
    assert module.COMPILED_WITH
    for name, digest in module.COMPILED_WITH.items():
        assert digest == file_digest(package / name), f"state {file_digest(package / name)} for {name}"
