"""Choosing windows as jobs: walks over the map, scores in the buffer, one selection for each distinct cut."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.sorters import sorters
from mixarray.engine.event import Execution, run_event
from mixarray.engine.timeline import Timeline
from mixarray.mapping.build import build_schedule
from mixarray.mapping.ranking import TokenWalk
from mixarray.mapping.schedule import Action, Job, JobKind, Schedule
from mixarray.mapping.units import VECTOR
from mixarray.trace.model import (
    Encoding,
    Grid,
    Input,
    Operand,
    Operator,
    OperatorKind,
    Relation,
    Role,
    RowsPer,
    Tensor,
    Topology,
    Variation,
)
from mixarray.trace.workload import WindowCount, Workload, build_workload
from mixarray_traces.importance.token_map import TokenMap
from mixarray_traces.record.shape import SwinShape
from mixarray_traces.record.topology import block_grids, build_topology

PORT_BITS = 256
COMPARE = Action("vector_units.0", "compare")
READ, WRITE = Action("buffers.activation", "read"), Action("buffers.activation", "write")
ROOMY = ("buffers.activation.capacity_kib=4096", f"buffers.activation.port_bits={PORT_BITS}")
"""Everything but the network's result stays on the chip, orders of windows too."""


def words(bits: int) -> int:
    return -(-bits // PORT_BITS)


def ranking(windows: int, *blocks: Sequence[int]) -> Workload:
    """Scores of so many windows of 49 tokens, put in order; `blocks` gather them: windows at 8 bits, 4 bits, pruned."""

    def tensor(number: int, rows: int) -> Tensor:
        shape = 1, rows, 1
        return Tensor(number, f"t{number}", Role.STATE, *shape, 16, True, 0, 1.0, Encoding.INT, Variation.NONE, 0)

    def whole(*tensors: int) -> tuple[Input, ...]:
        return tuple(Input(number, Operand.VECTOR, Relation.ALL) for number in tensors)

    size, kinds = (1, windows, 49, 0), (Variation.NONE, RowsPer.WINDOW, False)
    operators = [Operator(0, "rank", OperatorKind.RANK, 0, -1, Grid.REGULAR, *size, *kinds, whole(0), 1)]
    tensors = [tensor(0, 49 * windows), tensor(1, windows), tensor(2, 49 * windows)]
    assignment = {}
    for block, counts in enumerate(blocks):
        size, kinds, output = (1, 49 * windows, 1, 0), (Variation.ROW, RowsPer.TOKEN, True), 3 + block
        place = 0, block, Grid.REGULAR
        gather = Operator(1 + block, f"gather{block}", OperatorKind.GATHER, *place, *size, *kinds, whole(2, 1), output)
        operators.append(gather)
        tensors.append(tensor(output, 49 * windows))
        assignment[0, block] = tuple(WindowCount(b, n, 49 * n) for b, n in zip((8, 4, 0), counts, strict=True) if n)
    return build_workload("rank", Topology(tuple(operators), tuple(tensors)), assignment, 49)


def in_order(schedule: Schedule) -> list[Job]:
    return [job for s in schedule.segments for iteration in range(s.repeat) for job in s.jobs(iteration)]


def timed(workload: Workload, accelerator) -> tuple[Timeline, list[Job]]:
    schedule = build_schedule(workload, accelerator)
    timeline = run_event(schedule, len(workload.operators), with_timeline=True).timeline
    assert timeline is not None
    return timeline, in_order(schedule)


def sorts_of(workload: Workload, accelerator) -> list[Job]:
    return [job for job in in_order(build_schedule(workload, accelerator)) if job.kind is JobKind.SORT]


def expected_sort(sorter: str, n: int, width: int, cuts: int) -> tuple[int, int, int, int, int]:
    """(cycles of the vector unit, latency, comparisons, words read, words written) by hand; 8: the unit's pipeline."""
    score, both, order = words(16 * n), words(32 * n), words(16 * n)
    levels = (n - 1).bit_length()
    stages, pairs = levels * (levels + 1) // 2, 2**levels // 2
    match sorter:
        case "radix_select":
            return 16 * cuts * -(-n // width), 8, 16 * cuts * n, 16 * cuts * score, order
        case "systolic_queue":
            return 0, 2 * n, n * n, score, order
        case "bitonic":
            again = max(stages - 1, 0)
            read = min(stages, 1) * score + again * both
            return stages * -(-pairs // (width // 2)), 8, stages * pairs, read, order + again * both
    raise AssertionError(f"no closed form of {sorter}")


def found_sort(job: Job) -> tuple[int, int, int, int, int]:
    done = Counter(dict(job.actions))
    return job.occupancy_cycles, job.latency_cycles, done[COMPARE], done[READ], done[WRITE]


@pytest.mark.parametrize("sorter", sorters())
@pytest.mark.parametrize("windows", [2, 100, 300, 8 * 256])
@pytest.mark.parametrize("blocks", [1, 3])
def test_a_sort_by_hand(sorter, windows, blocks, machine):
    accelerator = machine("packed", *ROOMY, f"mixed_precision.sorter={sorter}", "mixed_precision.sorter_width=16")
    cuts = [1 + windows * part // 4 for part in range(blocks)]
    workload = ranking(windows, *((cut, windows - cut, 0) for cut in cuts))
    (sort,) = sorts_of(workload, accelerator)
    assert found_sort(sort) == expected_sort(sorter, windows, 16, len(set(cuts) - {windows}))


@pytest.mark.parametrize("sorter", sorters())
@pytest.mark.parametrize("windows", [2, 100, 300, 8 * 256])
def test_all_windows_of_a_grid_are_sorted_at_once_behind_their_scores(sorter, windows, machine):
    accelerator = machine("packed", f"mixed_precision.sorter={sorter}")
    workload = ranking(windows, (1, windows - 1, 0))
    timeline, jobs = timed(workload, accelerator)
    sorts, scores, gathers = (
        [number for number, job in enumerate(jobs) if job.kind is kind]
        for kind in (JobKind.SORT, JobKind.RANK, JobKind.GATHER)
    )
    assert len(sorts) == 1
    assert len(scores) == -(-windows // 256)
    assert (
        sum(dict(jobs[number].actions)[Action("vector_units.0", "rank_element")] for number in scores) == 49 * windows
    )
    assert timeline.start_cycles[sorts[0]] >= max(timeline.ready_cycles[number] for number in scores)
    assert min(timeline.start_cycles[number] for number in gathers) >= timeline.ready_cycles[sorts[0]]


def test_a_sort_cut_into_tiles_would_be_noticed():
    whole, parts = sorters()["bitonic"].cycles(2048, 16, 1), 8 * sorters()["bitonic"].cycles(256, 16, 1)
    assert whole > parts


def compares(workload: Workload, accelerator) -> list[int]:
    return [dict(job.actions).get(COMPARE, 0) for job in sorts_of(workload, accelerator)]


@pytest.mark.parametrize(
    ("blocks", "cuts"),
    [
        ([(50, 50, 0)] * 3, 1),
        ([(80, 20, 0), (50, 50, 0), (30, 70, 0)], 3),
        ([(50, 30, 20)], 2),
        ([(50, 30, 20), (50, 50, 0), (80, 0, 20)], 2),
        ([(50, 30, 20), (0, 80, 20), (0, 0, 100), (100, 0, 0)], 2),
        ([(100, 0, 0), (0, 100, 0)], 0),
    ],
)
def test_one_selection_for_each_distinct_cut(blocks, cuts, machine):
    assert compares(ranking(100, *blocks), machine("packed")) == [16 * 100 * cuts]


@pytest.mark.parametrize("pruned_windows", ["bypass", "copy"])
def test_copied_windows_are_cut_off_all_the_same(pruned_windows, machine):
    accelerator = machine("packed", f"mixed_precision.pruned_windows={pruned_windows}")
    assert compares(ranking(100, (50, 30, 20)), accelerator) == [16 * 100 * 2]


def test_cuts_that_are_counted_once_whatever_the_ratios_are_noticed(machine, monkeypatch):
    workload = ranking(100, (80, 20, 0), (50, 50, 0), (30, 70, 0))
    assert compares(workload, machine("packed")) == [16 * 100 * 3]
    monkeypatch.setattr("mixarray.mapping.chain_amounts.distinct_cuts", lambda readers: 1)
    assert compares(workload, machine("packed")) == [16 * 100]


DEEP = SwinShape("deep", channels=(32,), depths=(6,), heads=(1,))
SMALL = SwinShape("small", channels=(32, 64), depths=(2, 2), heads=(1, 2))


def swin(shape: SwinShape, *ratios: int, token_map: TokenMap = TokenMap.CENTERED) -> Workload:
    """112x112 px; `ratios` of each block pair in thousandths of low windows."""
    assignment = {}
    for (stage, block), grid in block_grids(shape, 112, 112).items():
        high = grid.windows * (1000 - ratios[stage if len(shape.depths) > 1 else block // 2]) // 1000
        tokens = grid.window_tokens()
        counts = (8, high, sum(tokens[:high])), (4, grid.windows - high, sum(tokens[high:]))
        assignment[stage, block] = tuple(WindowCount(*count) for count in counts if count[1])
    topology = build_topology(shape, 112, 112, token_map=token_map)
    return build_workload(shape.name, topology, assignment, 49)


@pytest.mark.parametrize(("ratios", "cuts"), [((500, 500, 500), 1), ((200, 500, 700), 3), ((0, 500, 500), 1)])
def test_pairs_of_different_ratios_select_more_than_once(ratios, cuts, machine):
    assert compares(swin(DEEP, *ratios), machine("packed")) == [16 * 16 * cuts] * 2  # two grids of 16 windows


def run(workload: Workload, accelerator) -> Execution:
    return run_event(build_schedule(workload, accelerator), len(workload.operators))


def vanished(workload: Workload, accelerator, free: str) -> Counter[Action]:
    """Actions of a run that are gone when an item is free."""
    runs = [run(workload, machine) for machine in (accelerator, load_free(accelerator, free))]
    return Counter(runs[0].actions) - Counter(runs[1].actions)


def load_free(accelerator, item: str):
    mixed = accelerator.mixed_precision.model_copy(update={item: "free"})
    return accelerator.model_copy(update={"mixed_precision": mixed})


@pytest.mark.parametrize("sorter", sorters())
def test_a_free_sorter_takes_its_reads_its_order_and_nothing_else(sorter, machine):
    accelerator = machine("packed", *ROOMY, f"mixed_precision.sorter={sorter}", "mixed_precision.sorter_width=16")
    workload, expected = swin(SMALL, 500, 500), Counter[Action]()
    for grouped in workload.operators:
        if grouped.operator.kind is OperatorKind.RANK:
            *_, compared, read, written = expected_sort(sorter, grouped.operator.m, 16, 1)
            expected += Counter({COMPARE: compared, READ: read, WRITE: written})
    assert vanished(workload, accelerator, "sorter") == expected
    assert expected[READ] > 0


def test_scores_are_written_once_for_each_window(machine):
    """What free scoring takes of the buffer's writes: token sums, token map, scores."""
    accelerator, workload = machine("packed", *ROOMY), swin(SMALL, 500, 500)
    jobs = [job for job in in_order(build_schedule(workload, accelerator)) if job.kind is JobKind.RANK]
    written = Counter[int]()
    for job in jobs:
        written[workload.operators[job.operator].operator.m] += dict(job.actions)[WRITE]
    assert written == Counter({16: 2 * words(16 * 16), 4: 2 * words(16 * 4)})


def test_scores_that_never_touch_the_buffer_are_noticed(machine, monkeypatch):
    known = sorters()["radix_select"]
    workload = ranking(100, (50, 50, 0))
    monkeypatch.setattr(
        "mixarray.accelerator.choices.sorters", lambda: {known.name: replace(known, walks=lambda n, cuts: 0)}
    )
    (sort,) = sorts_of(workload, machine("packed", *ROOMY))
    expected = expected_sort("radix_select", 100, 32, 1)
    assert found_sort(sort) == (*expected[:3], 0, expected[4]) != expected


@pytest.mark.parametrize(("sorter", "waits"), [("systolic_queue", False), ("radix_select", True), ("bitonic", True)])
def test_a_sorter_of_its_own_leaves_the_vector_unit_alone(sorter, waits, machine):
    """Whether the scores of the second grid begin only where the sort of the first one is done with the unit."""
    workload = swin(SMALL, 500, 500)
    accelerator = machine("packed", f"mixed_precision.sorter={sorter}", "mixed_precision.sorter_width=1")
    timeline, jobs = timed(workload, accelerator)
    first = next(number for number, job in enumerate(jobs) if job.kind is JobKind.SORT)
    behind = next(number for number, job in enumerate(jobs) if number > first and job.kind is JobKind.RANK)
    assert jobs[first].unit == jobs[behind].unit == VECTOR
    assert (jobs[first].occupancy_cycles > 0) == waits
    started, ready = (int(times[first]) for times in (timeline.start_cycles, timeline.ready_cycles))
    assert ready - started >= 2 * 16
    assert timeline.start_cycles[behind] >= started + jobs[first].occupancy_cycles
    assert bool(timeline.start_cycles[behind] < started + 2 * 16) is not waits


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=4))
def test_cuts_are_the_distinct_sizes_of_what_stands_before_them(parts):
    """Any sizes of groups, padded with pruned windows to one size of grid."""
    windows = max(*map(sum, parts), 2)
    blocks = [(high, low, windows - high - low) for high, low, _ in parts]
    kinds = {kind for block in blocks for kind, number in enumerate(block) if number}
    assume(len(kinds) > 1)  # where every window runs at one precision nothing is ranked
    expected = {place for high, low, _ in parts for place in (high, high + low)} - {0, windows}
    accelerator = load_accelerator("packed_w4_32x32")
    assert compares(ranking(windows, *blocks), accelerator) == [16 * windows * len(expected)]


@pytest.mark.parametrize(
    ("token_map", "walks"),
    [
        (TokenMap.CENTERED, {"token_sum": TokenWalk.SUM, "token_map": TokenWalk.CENTERED}),
        (TokenMap.TOKENS, {"token_map": TokenWalk.MAP}),
        (TokenMap.PREMERGE, {"token_map": TokenWalk.MAP}),
        (TokenMap.NONE, {}),
    ],
)
def test_every_walk_over_the_map_has_its_own_operations(token_map, walks, machine):
    workload = swin(SMALL, 500, 500, token_map=token_map)
    counts = run(workload, machine("packed")).operators
    found = {}
    for grouped, done in zip(workload.operators, counts, strict=True):
        op = grouped.operator
        if op.kind is OperatorKind.TOKEN_MAP:
            vector = {action.name: count for action, count in done.actions.items() if action.component[0] == "v"}
            found[op.name] = list(vector)
            assert list(vector.values()) == [op.m * op.n]
    expected = {f"stages.{stage}.{name}": [f"{walk.value}_element"] for stage in (0, 1) for name, walk in walks.items()}
    assert found == expected
