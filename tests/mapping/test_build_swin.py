"""Real Swin topologies (no torch): fusion into chains, stored jobs, time."""

from __future__ import annotations

import pytest

from mixarray.accelerator.enums import Dataflow
from mixarray.engine.event import run_event
from mixarray.mapping.build import build_schedule
from mixarray.mapping.chains import make_chains, make_flow
from mixarray.mapping.ranking import token_walk
from mixarray.mapping.schedule import JobKind
from mixarray.mapping.units import ARRAY, PORT, RESULTS
from mixarray.trace.model import Grid, OperatorKind
from mixarray.trace.ratio import group_sizes
from mixarray.trace.workload import WindowCount, build_workload
from mixarray_traces.record.shape import ClassifierShape, DetectionShape, SwinShape, shape_named
from mixarray_traces.record.topology import block_grids, build_topology

SMALL = SwinShape("small", channels=(32, 64, 128), depths=(2, 2, 6), heads=(1, 2, 4))
STYLES = [("packed", Dataflow.WEIGHT_STATIONARY), *(("plain", dataflow) for dataflow in Dataflow)]
DETECTION = DetectionShape(channels=128, hidden_channels=256, outputs=14)


def swin(shape, height, width, head, ratio):
    assignment = {}
    for place, grid in block_grids(shape, height, width).items():
        high, _, _ = group_sizes(grid.windows, ratio)
        tokens = grid.window_tokens()
        counts = (8, high, sum(tokens[:high])), (4, grid.windows - high, sum(tokens[high:]))
        assignment[place] = tuple(WindowCount(*count) for count in counts)
    return build_workload(shape.name, build_topology(shape, height, width, head), assignment, shape.window**2)


def test_every_operator_is_in_exactly_one_chain_after_its_sources():
    flow = make_flow(swin(SMALL, 112, 112, DETECTION, 400))
    chains = make_chains(flow, lambda gemm: True)
    assert sorted(index for chain in chains for index in chain.operators) == list(range(len(flow.operators)))
    known = set(flow.consumers) - set(flow.producer)
    for chain in chains:
        for index in chain.operators:
            assert all(e.tensor in known for e in flow.operators[index].inputs if e.tensor in flow.consumers)
            known.add(flow.operators[index].output)


def test_a_block_becomes_six_gemm_chains():
    flow = make_flow(swin(SMALL, 112, 112, DETECTION, 400))
    chains = make_chains(flow, lambda gemm: True)

    def named(prefix):
        names = [[flow.operators[i].name for i in chain.operators] for chain in chains if chain.gemm is not None]
        return [[n.removeprefix(prefix) for n in row] for row in names if row[0].startswith(prefix)]

    assert named("stages.1.blocks.0.") == [
        ["gather", "norm1", "attn.qkv", "attn.q", "attn.k", "attn.v", "attn.qk.row_sum", "attn.qk.column_sum",
         "attn.av.column_sum"],
        ["attn.qk", "attn.softmax", "attn.av.row_sum"],
        ["attn.av", "attn.join"],
        ["attn.proj", "residual1"],
        ["norm2", "mlp.fc1", "mlp.gelu"],
        ["mlp.fc2", "residual2", "scatter"],
    ]  # fmt: skip


@pytest.mark.parametrize("dataflow", Dataflow)
def test_plain_int8_gives_no_gemm_of_a_swin_fewer_array_cycles(dataflow, machine):
    accelerator = machine("plain", f"arrays.0.dataflow={dataflow}", ideal_memory=True)
    work = (PORT, JobKind.ARRAY_LOAD), (ARRAY, JobKind.STREAM), (RESULTS, JobKind.DRAIN)
    base = None
    for ratio in (0, 200, 400, 600, 800, 1000):
        workload = swin(SMALL, 112, 112, DETECTION, ratio)
        operators = run_event(build_schedule(workload, accelerator), len(workload.operators)).operators
        # by name: a ratio between 0 and 1000 also has ranking
        array = {
            grouped.operator.name: [counts.busy_cycles.get(part, 0) for part in work]
            for grouped, counts in zip(workload.operators, operators, strict=True)
            if grouped.macs
        }
        base = base or array
        assert array.keys() == base.keys()
        assert all(now >= before for name in array for now, before in zip(array[name], base[name], strict=True)), ratio


@pytest.mark.parametrize("style", ["packed", "plain"])
@pytest.mark.parametrize("blocks", [(1,), range(6)])
def test_blocks_whose_windows_are_all_pruned_take_no_time(blocks, style, machine):
    def pruned(kept_bits):
        assignment = {}
        for (stage, block), grid in block_grids(SMALL, 112, 112).items():
            bits = 0 if block in blocks else kept_bits
            assignment[stage, block] = (WindowCount(bits, grid.windows, sum(grid.window_tokens())),)
        topology = build_topology(SMALL, 112, 112, DETECTION)
        return build_workload(SMALL.name, topology, assignment, SMALL.window**2)

    workload = pruned(8)
    run = run_event(build_schedule(workload, machine(style)), len(workload.operators))
    whole = swin(SMALL, 112, 112, DETECTION, 0)
    assert 0 < run.macs == workload.macs < whole.macs
    empty = [counts for grouped, counts in zip(workload.operators, run.operators, strict=True) if not grouped.groups]
    assert len(empty) > 20
    assert not any(counts.busy_cycles for counts in empty)
    assert run.total_cycles < run_event(build_schedule(whole, machine(style)), len(whole.operators)).total_cycles


@pytest.mark.parametrize(("style", "dataflow"), STYLES)
@pytest.mark.parametrize("ratio", [0, 400, 1000])
def test_small_swin_conserves_macs_and_elements(style, dataflow, ratio, machine):
    workload, accelerator = swin(SMALL, 112, 112, DETECTION, ratio), machine(style, f"arrays.0.dataflow={dataflow}")
    schedule = build_schedule(workload, accelerator)
    run = run_event(schedule, len(workload.operators))
    assert [c.macs for c in run.operators] == [grouped.macs for grouped in workload.operators]
    for grouped, counts in zip(workload.operators, run.operators, strict=True):
        op = grouped.operator
        done = {a.name: n for a, n in counts.actions.items() if a.component == "vector_units.0"}
        if op.macs:
            assert set(done) <= {"requantize_element"}
        else:
            compares, masked = done.pop("compare", 0), done.pop("mask_element", 0)
            assert masked == (done.get("softmax_element", 0) if op.grid is Grid.SHIFTED else 0)
            elements = sum(g.batch * g.rows for g in grouped.groups) * op.n
            assert done == {f"{token_walk(op) or op.kind}_element": elements}
            assert compares == (16 * op.m if op.kind is OperatorKind.RANK else 0)


@pytest.mark.parametrize(("style", "dataflow"), STYLES)
def test_swin_t_224_is_small_in_memory(style, dataflow, machine):
    workload = swin(shape_named("swin_t"), 224, 224, ClassifierShape(1000), 400)
    schedule = build_schedule(workload, machine(style, f"arrays.0.dataflow={dataflow}"))
    assert schedule.stored_jobs <= 20_000
    assert schedule.tables is not None
    distinct = {id(job) for segment in schedule.segments for job in segment.body}
    assert len(distinct) <= len(schedule.tables.distinct.macs) < schedule.stored_jobs
    run = run_event(schedule, len(workload.operators))
    assert run.macs == workload.macs
    assert run.busy_cycles[0, JobKind.STREAM] <= run.total_cycles


@pytest.mark.full
def test_swin_t_800x1333_is_small_in_memory(machine):
    schedule = build_schedule(swin(shape_named("swin_t"), 800, 1333, None, 400), machine("packed"))
    assert schedule.stored_jobs <= 20_000
    assert schedule.total_jobs > 1_000_000
