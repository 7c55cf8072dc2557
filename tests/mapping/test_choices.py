"""Any choice on random small GEMMs: work, bytes, reloads and data dependencies in all dataflows; planted faults."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.styles import legal_pairs
from mixarray.engine.event import run_event
from mixarray.mapping.build import build_schedule, lower_alone
from mixarray.mapping.chains import make_chains, make_flow
from mixarray.mapping.choice import Choice, Doubled, LoopOrder
from mixarray.mapping.chosen import IllegalChoiceError
from mixarray.mapping.emitter import Emitter, Slots
from mixarray.mapping.lower import ChainLowering
from mixarray.mapping.partial_sums import PartialSums
from mixarray.mapping.plan import Planner
from mixarray.mapping.schedule import Action, JobKind
from mixarray.trace.workload import single_gemm
from mixarray_analysis.validation.checker import first_violation

READ, WRITE = Action("dram_channels.0", "read_bits"), Action("dram_channels.0", "write_bits")
PRESETS = {"bricks16": "bricks16_16x32", "packed_w4": "packed_w4_32x32", "plain": "plain_int8_32x32"}
LEGAL = [(PRESETS[style.name], flow) for style, flow, why in legal_pairs() if why is None and style.name in PRESETS]
FREE = ("mixed_precision.branch_parameters=free", "mixed_precision.mode_switch_cycles=0")
SUM_BITS, WEIGHT_BITS, CODE_BITS = 32, 4, 8
BUFFERS = "activation", "weight", "accumulator"

MACHINES = st.builds(
    lambda pair, edges, slots, kib, rate, policy: load_accelerator(
        pair[0],
        [
            *FREE,
            f"arrays.0.dataflow={pair[1]}",
            f"arrays.0.rows={edges[0]}",
            f"arrays.0.columns={edges[1]}",
            f"arrays.0.weight_loading={policy}",
            *(f"buffers.{name}.slots={number}" for name, number in zip(BUFFERS, slots, strict=True)),
            *(f"buffers.{name}.capacity_kib={size}" for name, size in zip(BUFFERS, kib, strict=True)),
            f"dram_channels.0.bits_per_cycle={rate}",
            "dram_channels.0.burst_bits=1",
        ],
    ),
    st.sampled_from(LEGAL),
    st.sampled_from(((4, 4), (8, 4), (4, 8), (5, 7))),
    st.tuples(st.sampled_from((2, 2, 1)), st.sampled_from((2, 1, 3)), st.sampled_from((2, 1, 3))),
    st.tuples(st.sampled_from((16, 4)), st.sampled_from((4, 1)), st.sampled_from((1, 2))),
    st.sampled_from((8, 64, 1000)),
    st.sampled_from(("double", "single", "serial")),
)
SIZES = st.tuples(st.integers(1, 80), st.integers(1, 50), st.integers(1, 70))
FRACTIONS = st.tuples(*(st.sampled_from((1.0, 0.6, 0.5, 0.3, 0.15)) for _ in range(3)))
QUICK = settings(deadline=None, suppress_health_check=[HealthCheck.filter_too_much])


def chosen(workload, machine, fractions, order, doubled):
    """(planner, chain, choice): tiles of about these fractions of M, N and K, in whole folds."""
    planner = Planner(workload, machine, make_flow(workload))
    (chain,) = make_chains(planner.flow, planner.holds_rows)
    op, array = workload.operators[0].operator, machine.arrays[0]
    cuts, runs = planner.amounts.cuts, planner.amounts.runs(0)
    steps = (
        1 if array.dataflow is Dataflow.WEIGHT_STATIONARY else cuts.fold_rows,
        array.columns,
        1 if array.dataflow is Dataflow.OUTPUT_STATIONARY else max(run.mode.fold_depth(array.rows) for run in runs),
    )
    sizes = zip((op.m, op.n, op.k), fractions, steps, strict=True)
    tiles = [max(1, round(size * fraction / step)) * step for size, fraction, step in sizes]
    return planner, chain, Choice(*tiles, order, doubled)


@dataclass
class Expected:
    """What the loops must move, in bits, and how often they load."""

    rows: int = 0
    weights: int = 0
    partial: int = 0
    row_tiles: int = 0
    weight_tiles: int = 0


def pieces(size: int, tile: int) -> list[int]:
    return [min(tile, size - start) for start in range(0, size, tile)]


def tiles_of_rows(workload, machine, rows) -> list[int]:
    """Rows of each tile: groups whose modes lie differently in the array do not share one."""
    array, tiles, last = machine.arrays[0], [], None
    for number, group in enumerate(workload.operators[0].groups):
        mode = array.mode(*array.roles(group.stream_bits, group.stationary_bits))
        layout = number if array.dataflow is Dataflow.OUTPUT_STATIONARY else mode.layout
        room = rows - tiles[-1] if tiles and layout == last else 0
        first = min(room, group.batch * group.rows)
        if first:
            tiles[-1] += first
        tiles += pieces(group.batch * group.rows - first, rows)
        last = layout
    return tiles


def visits(workload, machine, choice) -> Iterator[tuple[dict[str, int], dict[str, int]]]:
    """(which tile, its size) along each dimension, in the order of the loops: written down once more, plainly."""
    op = workload.operators[0].operator
    sizes = {
        "m": tiles_of_rows(workload, machine, choice.rows),
        "n": pieces(op.n, choice.columns),
        "k": pieces(op.k, choice.depth),
    }
    for place in itertools.product(*(range(len(sizes[axis])) for axis in choice.order.value)):
        tile = dict(zip(choice.order.value, place, strict=True))
        yield tile, {axis: sizes[axis][tile[axis]] for axis in "mnk"}


def expected(workload, machine, choice) -> Expected:
    """Reloads by the rule alone: what differs from the visit before is loaded, sums that are left go out and return."""
    found, before, size_before = Expected(), None, None
    last_k = -(-workload.operators[0].operator.k // choice.depth) - 1
    for tile, size in visits(workload, machine, choice):
        if before is None or (tile["m"], tile["k"]) != (before["m"], before["k"]):
            found.rows, found.row_tiles = found.rows + size["m"] * size["k"] * CODE_BITS, found.row_tiles + 1
        if before is None or (tile["k"], tile["n"]) != (before["k"], before["n"]):
            found.weights += size["k"] * size["n"] * WEIGHT_BITS
            found.weight_tiles += 1
        if before is not None and (tile["m"], tile["n"]) != (before["m"], before["n"]) and before["k"] < last_k:
            found.partial += size_before["m"] * size_before["n"] * SUM_BITS
        before, size_before = tile, size
    return found


def run_alone(planner, chain, choice):
    schedule = lower_alone(planner.accelerator, planner.plan(chain, choice))
    return schedule, run_event(schedule, 1, with_timeline=True)


def jobs_of(run, *kinds):
    """(start, issued, ready) of all jobs of some kinds in order."""
    lines = run.timeline
    chosen_jobs = np.isin(lines.kind, [lines.kinds.index(kind) for kind in kinds if kind in lines.kinds])
    return lines.start_cycles[chosen_jobs], lines.issued_cycles[chosen_jobs], lines.ready_cycles[chosen_jobs]


@given(MACHINES, SIZES, st.integers(0, 80), FRACTIONS, st.sampled_from(LoopOrder), st.sampled_from(Doubled))
@settings(QUICK, max_examples=150)
def test_a_choice_conserves_work_and_moves_what_its_loops_say(
    mixed_gemm, machine, size, low, fractions, order, doubled
):
    m, n, k = size
    workload = mixed_gemm(m, min(low, m), n, k)
    planner, chain, choice = chosen(workload, machine, fractions, order, doubled)
    assume(planner.legal(chain, choice) is None)
    schedule, run = run_alone(planner, chain, choice)
    found = expected(workload, machine, choice)
    assert run.macs == m * n * k
    assert run.actions[READ] == found.rows + found.weights + found.partial
    assert run.actions[WRITE] == m * n * SUM_BITS + found.partial
    assert (found.rows >= m * k * CODE_BITS, found.weights >= n * k * WEIGHT_BITS) == (True, True)
    assert first_violation(schedule, run.timeline) == ""
    stores, loads = jobs_of(run, JobKind.DRAM_STORE_PARTIAL), jobs_of(run, JobKind.DRAM_LOAD_PARTIAL)
    assert len(stores[0]) == len(loads[0])
    assert (loads[0] >= stores[2]).all()  # what went out first comes back first


@given(MACHINES, SIZES, FRACTIONS, st.sampled_from(LoopOrder), st.sampled_from(Doubled))
@settings(QUICK, max_examples=60)
def test_repeating_settled_iterations_equals_walking_each(mixed_gemm, machine, size, fractions, order, doubled):
    m, n, k = size
    planner, chain, choice = chosen(mixed_gemm(4 * m, m, n, k), machine, fractions, order, doubled)
    assume(planner.legal(chain, choice) is None)
    quick, run = run_alone(planner, chain, choice)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Emitter, "settled", lambda self: False)
        walked, each = run_alone(planner, chain, choice)
    assert quick.total_jobs == walked.total_jobs
    assert (run.total_cycles, run.actions, run.busy_cycles) == (each.total_cycles, each.actions, each.busy_cycles)


def network(workload, machine, order, doubled):
    """A whole block, its GEMMs laid out in halves where that is legal; (schedule, loads of each operator)."""
    loads: dict[int, int] = {}

    def choose(planner, chain):
        op, cuts = planner.flow.operators[chain.gemm], planner.amounts.cuts
        rows = max(1, planner.amounts.rows(chain.gemm) // 2 // cuts.fold_rows) * cuts.fold_rows
        columns = max(1, op.n // 2 // cuts.array.columns) * cuts.array.columns
        for choice in (Choice(rows, columns, op.k, order, doubled), Choice(rows, op.n, op.k, order, doubled)):
            if planner.legal(chain, choice) is None:
                loads.update(dict.fromkeys(chain.before, planner.plan(chain, choice).loops.loads))
                return choice
        return None

    return build_schedule(workload, machine, choose), loads


@pytest.mark.parametrize("flow", LEGAL)
@pytest.mark.parametrize(("order", "doubled"), [("nmk", "both"), ("mnk", "weights"), ("nkm", "neither")])
def test_a_block_runs_as_chosen_and_work_before_a_gemm_once_per_load(flow, order, doubled, block):
    overrides = *FREE, f"arrays.0.dataflow={flow[1]}", "arrays.0.rows=8", "arrays.0.columns=8"
    machine, workload = load_accelerator(flow[0], overrides), block(12, 2, 5)
    schedule, loads = network(workload, machine, LoopOrder(order), Doubled(doubled))
    run = run_event(schedule, len(workload.operators), with_timeline=True)
    assert first_violation(schedule, run.timeline) == ""
    assert [counts.macs for counts in run.operators] == [grouped.macs for grouped in workload.operators]
    assert (max(loads.values()) > 1) == order.startswith("n")
    for index, (grouped, counts) in enumerate(zip(workload.operators, run.operators, strict=True)):
        op = grouped.operator
        if op.kind.value in ("layernorm", "gelu", "residual", "softmax"):
            done = counts.actions[Action("vector_units.0", f"{op.kind}_element")]
            assert done == loads.get(index, 1) * sum(g.batch * g.rows for g in grouped.groups) * op.n


def spilling(latency=40):
    """A plain 4x4 array, K outside: the sums of two tiles of N go out twice."""
    settings_ = "arrays.0.rows=4", "arrays.0.columns=4", f"dram_channels.0.latency_cycles={latency}"
    machine = load_accelerator("plain_int8_32x32", [*FREE, *settings_, "buffers.accumulator.slots=1"])
    return chosen(single_gemm(8, 8, 12, 8, 8), machine, (1, 0.5, 1 / 3), LoopOrder.KMN, Doubled.BOTH)


def early_sums(run) -> bool:
    """Whether sums came back before they had left, or were added to before they were back."""
    stores, loads = jobs_of(run, JobKind.DRAM_STORE_PARTIAL), jobs_of(run, JobKind.DRAM_LOAD_PARTIAL)
    adding = jobs_of(run, JobKind.STREAM)[0][-len(loads[0]) :]  # one fold to a visit; those of the first K add nothing
    return bool((loads[0] < stores[2]).any() or (adding < loads[2]).any())


def test_sums_wait_for_their_store_and_their_reload():
    assert not early_sums(run_alone(*spilling())[1])


@pytest.mark.parametrize(
    ("owner", "name", "fault"),
    [
        (PartialSums, "load", lambda old: lambda self, number, room: self.floor.emitter.emit(
            self.floor.shop.partial_load(0, 1), room)),
        (ChainLowering, "_room", lambda old: lambda self, stripe: old(self, stripe) if stripe.begins else []),
    ],
)  # fmt: skip
def test_sums_that_do_not_wait_are_noticed(owner, name, fault, monkeypatch):
    monkeypatch.setattr(owner, name, fault(getattr(owner, name)))
    assert early_sums(run_alone(*spilling())[1])


def early_weights(doubled: Doubled, slots: int) -> bool:
    """Whether a tile of weights was read before it was there, or overwritten before its last read."""
    overrides = "arrays.0.rows=4", "arrays.0.columns=4", "buffers.weight.slots=2", "dram_channels.0.bits_per_cycle=1000"
    machine = load_accelerator("plain_int8_32x32", [*FREE, *overrides])
    planner, chain, choice = chosen(single_gemm(60, 64, 12, 8, 8), machine, (1, 1 / 8, 1), LoopOrder.MNK, doubled)
    run = run_alone(planner, chain, choice)[1]
    loads, reads = jobs_of(run, JobKind.DRAM_LOAD_WEIGHT), jobs_of(run, JobKind.ARRAY_LOAD)
    each = 2 * 3  # two columns of the array by three folds
    assert len(loads[0]) * each == len(reads[0])
    first, last = reads[0][::each], reads[1][each - 1 :: each]
    return bool((first < loads[2]).any() or (loads[0][slots:] < last[:-slots]).any())


@pytest.mark.parametrize(("doubled", "slots"), [(Doubled.BOTH, 2), (Doubled.ROWS, 1)])
def test_weights_are_there_when_read_and_stay_until_the_last_read(doubled, slots, monkeypatch):
    assert not early_weights(doubled, slots)
    monkeypatch.setattr(Slots, "take", lambda self: ())
    assert early_weights(doubled, slots)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rows": 0}, "a tile is empty"),
        ({"columns": 6}, "columns are no multiple of the array's 4"),
        ({"depth": 6}, "depth is no multiple of a fold's 4"),
        ({"rows": 4096, "depth": 64}, "a tile of rows is larger"),
        ({"columns": 64, "depth": 64, "rows": 1}, "a tile of weights is larger"),
        ({"columns": 8, "rows": 64, "order": LoopOrder.MNK}, "sums that have to stay"),
    ],
)
def test_what_is_not_legal_says_why(changes, reason):
    small = "buffers.weight.capacity_kib=4", "buffers.activation.capacity_kib=64", "buffers.accumulator.capacity_kib=1"
    machine = load_accelerator("plain_int8_32x32", ["arrays.0.rows=4", "arrays.0.columns=4", *small])
    planner, chain, _ = chosen(single_gemm(4096, 64, 64, 8, 8), machine, (1, 1, 1), LoopOrder.MNK, Doubled.BOTH)
    fields = {"rows": 16, "columns": 4, "depth": 16, "order": LoopOrder.KNM, "doubled": Doubled.BOTH}
    assert planner.legal(chain, Choice(**fields)) is None
    choice = Choice(**(fields | changes))
    assert reason in planner.legal(chain, choice)
    with pytest.raises(IllegalChoiceError, match=reason):
        planner.plan(chain, choice)


def test_with_one_slot_only_undivided_forms_exist():
    machine = load_accelerator("plain_int8_32x32", ["buffers.activation.slots=1", "buffers.weight.slots=1"])
    legal = []
    for doubled in Doubled:
        planner, chain, choice = chosen(single_gemm(64, 64, 64, 8, 8), machine, (1, 1, 1), LoopOrder.MNK, doubled)
        legal += [doubled] if planner.legal(chain, choice) is None else []
    assert legal == [Doubled.NEITHER]
