"""Idealised Schedules: bit operations at one end, the very Schedule at the other, and only shorter in between."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, pairwise

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import Accelerator
from mixarray.engine import idealize as idealize_module
from mixarray.engine.digest import execution_sha256
from mixarray.engine.effects import EVERY_EFFECT, STREAM_EFFECTS, Effect, place_of
from mixarray.engine.event import run_event
from mixarray.engine.fast import total_cycles
from mixarray.engine.ideal_stream import peak_of, stream_ticks, stream_work
from mixarray.engine.idealize import Ideal, Scene, first_lengthened, idealize, make_scene, may_shorten, without_kind
from mixarray.mapping.build import build_schedule
from mixarray.mapping.emitter import Slots
from mixarray.mapping.schedule import Back, Event, Final, Job, JobKind, Products, Recent, Schedule, Segment
from mixarray.mapping.transfers import Floor
from mixarray.trace.bops import bops
from mixarray.trace.workload import Workload, single_gemm
from mixarray_traces.record.shape import SwinShape

from .conftest import toy_swin

WEIGHT_BITS = 4
RATIO = 400
SMALL = SwinShape("small", channels=(32, 64), depths=(2, 1), heads=(1, 2))
STREAM_SETS = [frozenset(list(Effect)[:on]) for on in range(5)]


@pytest.fixture(scope="module")
def workload() -> Workload:
    return toy_swin(RATIO)


@pytest.fixture(scope="module")
def scene(workload: Workload, accelerator: Accelerator) -> Scene:
    return make_scene(workload, accelerator, WEIGHT_BITS)


@pytest.fixture(scope="module")
def schedule(swin_schedule: tuple[Schedule, int]) -> Schedule:
    return swin_schedule[0]


def cycles(ideal: Ideal) -> Fraction:
    return Fraction(total_cycles(ideal.schedule), ideal.ticks_per_cycle)


def test_no_effects_are_published_bit_operations(workload, accelerator, schedule, scene) -> None:
    peak = peak_of(accelerator).bit_products_per_cycle
    assert cycles(idealize(schedule, scene, frozenset())) == bops(workload) * WEIGHT_BITS / peak


def test_array_effects_equal_sums_over_the_workload(workload, accelerator, schedule, scene) -> None:
    """One by one, counted from groups and modes, never from jobs."""
    operands = modes = Fraction(0)
    lanes = [Fraction(0) for _ in accelerator.arrays]
    for grouped in workload.operators:
        for group in grouped.groups if grouped.operator.macs else ():
            macs = group.batch * group.rows * grouped.operator.n * grouped.operator.k
            index, mode = accelerator.array_for(group.stream_bits, group.stationary_bits)
            operands += macs * group.stream_bits * group.stationary_bits
            modes += macs * mode.stream_bits * mode.stationary_bits
            lanes[index] += macs / Fraction(mode.lanes * accelerator.arrays[index].pes, mode.slots_per_value)
    peak = peak_of(accelerator).bit_products_per_cycle
    busy = run_event(schedule, len(scene.kinds)).busy_cycles
    streams = [cycles for (_, kind), cycles in busy.items() if kind is JobKind.STREAM]
    found = [cycles(idealize(schedule, scene, effects)) for effects in STREAM_SETS[1:]]
    assert found == sorted(found)
    assert found[:2] == [operands / peak, modes / peak]
    for alone, by_array in zip(found[2:], (lanes, streams), strict=True):
        assert max(by_array) <= alone <= sum(by_array)  # arrays run side by side where operators let them


def test_with_every_effect_the_schedule_is_the_same(schedule, scene) -> None:
    ideal = idealize(schedule, scene, EVERY_EFFECT)
    assert (ideal.schedule, ideal.ticks_per_cycle) == (schedule, 1)
    runs = [run_event(one, len(scene.kinds)) for one in (schedule, ideal.schedule)]
    assert execution_sha256(runs[0]) == execution_sha256(runs[1])
    almost = idealize(schedule, scene, EVERY_EFFECT - {Effect.VECTOR_UNIT})
    assert execution_sha256(run_event(almost.schedule, len(scene.kinds))) != execution_sha256(runs[0])


def test_any_effect_more_never_shortens_a_job_or_the_run(schedule, scene, accelerator) -> None:
    draw = random.Random(0)
    for _ in range(4):
        order = [effect for effect in Effect if effect not in may_shorten(accelerator)]
        draw.shuffle(order)
        on = frozenset({Effect.OPERAND_BITS} if draw.random() < 0.5 else ())
        before = idealize(schedule, scene, on)
        for effect in order[:3]:
            on |= {effect}
            after = idealize(schedule, scene, on)
            assert first_lengthened(before, after) == "", (on, effect)
            assert cycles(before) <= cycles(after), (on, effect)
            before = after


def test_over_all_sets_of_effects_only_the_named_ones_shorten_a_run() -> None:
    """All 256 sets, on two arrays: LANES does shorten some runs, and never one of stream effects alone."""
    machine, workload = load_accelerator("decoupled_int8_int4"), toy_swin(RATIO, SMALL, None)
    schedule, scene = build_schedule(workload, machine), make_scene(workload, machine, WEIGHT_BITS)
    sets = [frozenset(chosen) for size in range(9) for chosen in combinations(Effect, size)]
    found = {on: cycles(idealize(schedule, scene, on)) for on in sets}
    falls = [(on, effect) for on in sets for effect in set(Effect) - on if found[on | {effect}] < found[on]]
    assert may_shorten(machine) == {Effect.OPERAND_BITS, Effect.LANES}
    assert {effect for _, effect in falls} <= may_shorten(machine)
    by_lanes = [on for on, effect in falls if effect is Effect.LANES]
    assert by_lanes
    assert not [on for on in by_lanes if on <= STREAM_EFFECTS]


def test_on_one_array_only_operand_bits_may_shorten_a_run() -> None:
    assert may_shorten(load_accelerator("packed_w4_32x32")) == {Effect.OPERAND_BITS}


def test_every_effect_costs_something_on_some_machine(schedule, scene, accelerator) -> None:
    exact = accelerator.arrays[0].pe_style in ("bricks16", "packed_w4")  # a mode for all bits, and every lane in each
    full = cycles(idealize(schedule, scene, EVERY_EFFECT))
    free = {Effect.MODES, Effect.LANES} if exact else {Effect.LANES}
    for effect in set(Effect) - free:
        without = cycles(idealize(schedule, scene, EVERY_EFFECT - {effect}))
        assert without != full if effect is Effect.OPERAND_BITS else without < full, effect


def waits(schedule: Schedule) -> Iterator[frozenset[tuple[int, Event]]]:
    """What every job waits for that runs, as (number of the job, event): the same however iterations are folded."""
    lanes: dict[tuple[int, JobKind], list[int]] = {}
    begins: list[int] = []
    number = 0
    for segment in schedule.segments:
        begins.append(number)
        for iteration in range(segment.repeat):
            for job in segment.jobs(iteration):
                found = set()
                for wait in job.dependencies:
                    match wait:
                        case Recent(unit, kind, count, event):
                            lane = lanes.get((unit, kind), [])
                            found |= {(lane[-count], event)} if len(lane) >= count else set()
                        case Final(earlier, slot, event):
                            other = schedule.segments[earlier]
                            found.add((begins[earlier] + (other.repeat - 1) * len(other.body) + slot, event))
                        case Back(slot, back, event) if back <= iteration:
                            found.add((begins[-1] + (iteration - back) * len(segment.body) + slot, event))
                yield frozenset(found)
                lanes.setdefault((job.unit, job.kind), []).append(number)
                number += 1


def test_waits_for_room_are_exactly_those_that_buffers_ask_for(
    workload, accelerator, schedule, scene, monkeypatch
) -> None:
    """Against the mapping itself, told that every slot is free and that no tile is being read."""
    roomy = idealize(schedule, scene, EVERY_EFFECT - {Effect.MEMORY}).schedule
    take = Slots.take

    def taken_for_nothing(slots: Slots) -> tuple[()]:
        take(slots)
        return ()

    monkeypatch.setattr(Slots, "take", taken_for_nothing)
    monkeypatch.setattr(Floor, "last_read", property(lambda floor: None, lambda floor, mark: None))
    unbounded = build_schedule(workload, accelerator)
    assert unbounded.total_jobs == schedule.total_jobs
    assert list(waits(roomy)) == list(waits(unbounded))
    assert list(waits(schedule)) != list(waits(unbounded))


def stream(unit: int, macs: int, occupancy: int, **changes: object) -> Job:
    """An 8 x 8-bit stream at one product per PE and cycle."""
    products = (Products(8, 8, (8, 8), (1, 1), macs),)
    job = Job(unit, JobKind.STREAM, occupancy, 2, (), 0, macs=macs, products=products)
    return replace(job, **changes)


PEAK = peak_of(load_accelerator("plain_int8_32x32"))
TWO = Scene((), (True,), {"arrays.0": 1, "arrays.1": 1}, replace(PEAK, bit_products_per_cycle=Fraction(128)), 8)


def test_two_arrays_work_as_one_until_each_has_its_own_lanes() -> None:
    """Streams of 10 and 30 products: one after the other at twice the rate (20 cycles), or side by side (30)."""
    body = (stream(0, 10, 10), stream(1, 30, 30))
    schedule = Schedule(("arrays.0", "arrays.1"), (Segment(body),))
    scene = replace(TWO, kinds=(single_gemm(1, 1, 1, 8, 8).operators[0].operator.kind,))
    found = [cycles(idealize(schedule, scene, effects)) for effects in STREAM_SETS]
    assert found == [20, 20, 20, 30, 30]


def test_factors_that_are_on_multiply_and_round_up() -> None:
    """100 products of 8x2 bits in an 8x8 mode, 16 PEs, 9 cycles where all lanes would take 6.25."""
    job = replace(stream(0, 100, 9), products=(Products(8, 2, (8, 8), (1, 1), 100),))
    work = stream_work(job, True, 1, 16)
    peak = replace(PEAK, bit_products_per_cycle=Fraction(16 * 64))
    on = [frozenset(), {Effect.OPERAND_BITS}, {Effect.MODES}, {Effect.FOLD_EDGES}, {Effect.LANES, Effect.MODES}]
    expected = [Fraction(800, 1024), Fraction(1600, 1024), Fraction(3200, 1024), Fraction(800 * 36, 1024 * 25)]
    assert [stream_ticks(work, frozenset(e), peak, 1024) for e in on] == [
        800, 1600, 3200, 1152, 3200,
    ]  # fmt: skip
    assert [float(value) * 1024 for value in expected] == [800, 1600, 3200, 1152]
    assert stream_ticks(work, frozenset({Effect.FOLD_EDGES}), peak, 10) == 12  # 11.25 rounded up


def test_a_job_of_the_head_counts_from_the_first_step_on() -> None:
    work = stream_work(stream(0, 64, 64), False, 8, 1)
    sets = (frozenset[Effect](), frozenset({Effect.MODES, Effect.FOLD_EDGES}), frozenset({Effect.OPERAND_BITS}))
    assert [stream_ticks(work, effects, PEAK, 1024) for effects in sets] == [0, 0, 64]


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="does not say what it multiplies"):
        stream_work(stream(0, 10, 10, products=()), True, 8, 1)
    with pytest.raises(ValueError, match="faster than all lanes"):
        stream_work(stream(0, 10, 9), True, 8, 1)
    with pytest.raises(ValueError, match="toaster"):
        place_of("toaster.0")


def test_an_idealisation_that_lengthens_a_job_is_noticed(schedule, scene, monkeypatch) -> None:
    honest = [idealize(schedule, scene, effects) for effects in STREAM_SETS]
    assert [first_lengthened(*pair) for pair in pairwise(honest[1:])] == ["", "", ""]
    ticks = stream_ticks

    def longer_by_one(work, effects, peak, ticks_per_cycle):
        most = work.occupancy_cycles * ticks_per_cycle
        return most + 1 if effects == STREAM_SETS[3] else ticks(work, effects, peak, ticks_per_cycle)

    monkeypatch.setattr(idealize_module, "stream_ticks", longer_by_one)
    wrong = idealize(schedule, scene, STREAM_SETS[3])
    assert "stream of operator" in first_lengthened(wrong, honest[4])


def test_one_kind_on_one_unit_without_its_time(schedule, scene) -> None:
    free = without_kind(schedule, "vector_units.0", JobKind.SOFTMAX)
    busy = [run_event(one, len(scene.kinds)).busy_cycles for one in (schedule, free)]
    assert {key for key in busy[0] if busy[0][key] != busy[1][key]} == {(2, JobKind.SOFTMAX)}
    assert busy[1][2, JobKind.SOFTMAX] == 0
