"""The waterfall: published BOPs at one end, the run itself at the other, both runs through the same steps."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest

from mixarray.accelerator.load import list_accelerators, load_accelerator
from mixarray.engine import idealize as idealize_module
from mixarray.engine.effects import EVERY_EFFECT, Effect, Effects
from mixarray.engine.event import run_event
from mixarray.engine.fast import total_cycles
from mixarray.engine.ideal_stream import Peak, StreamWork
from mixarray.engine.idealize import Ideal, Scene, make_scene, may_shorten
from mixarray.images import Simulated, high_bits, simulate_images, simulate_uniform
from mixarray.mapping.schedule import JobKind, Schedule
from mixarray.trace.baseline import ratio_zero_workload
from mixarray.trace.bops import bops_speedup
from mixarray.trace.bundle import Bundle, read_bundle
from mixarray_analysis import waterfall as waterfall_module
from mixarray_analysis.waterfall import FORWARD, REVERSE, TEXTS, make_waterfall, without_kind_cycles
from mixarray_analysis.waterfall_steps import Step, Waterfall
from mixarray_traces.record.random_trace import random_bundle
from mixarray_traces.record.shape import SwinShape

TOY = SwinShape("toy", channels=(32, 64), depths=(2, 1), heads=(1, 2))
WEIGHT_BITS = 4

SEARCHED = "packed_w4_32x32", "mapping.search=exhaustive"

Pair = tuple[Simulated, Simulated]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return read_bundle(random_bundle(TOY, 112, 112, 500, 0, tmp_path_factory.mktemp("toy") / "bundle"))


@pytest.fixture(scope="module", params=[*((name,) for name in list_accelerators()), SEARCHED], ids=" ".join)
def runs(bundle: Bundle, request: pytest.FixtureRequest) -> Pair:
    """Every preset with its own mapping, and one whose mappings are searched for, run and baseline each its own."""
    return both(bundle, *request.param)


@pytest.fixture(scope="module")
def packed(bundle: Bundle) -> Pair:
    return both(bundle, "packed_w4_32x32")


@pytest.fixture(scope="module")
def falls(packed: Pair) -> Waterfall:
    return make_waterfall(*packed, WEIGHT_BITS)


def both(bundle: Bundle, accelerator: str, *overrides: str) -> Pair:
    """The bundle and its ratio-0 baseline."""
    machine = load_accelerator(accelerator, overrides)
    return simulate_images(bundle, machine), simulate_uniform(bundle, machine, high_bits(bundle))


def bars(falls: Waterfall) -> list[Fraction]:
    return [bar for step in falls.steps for bar in (step.bar, step.reverse_bar)]


def test_from_published_bops_to_the_run(bundle: Bundle, runs: Pair) -> None:
    run, zero = runs
    falls = make_waterfall(run, zero, WEIGHT_BITS)
    published = bops_speedup(bundle.workload(0), ratio_zero_workload(bundle))
    assert float(falls.promised) == pytest.approx(published, rel=1e-9)
    last = falls.steps[-1]
    assert (last.cycles, last.against_cycles) == (run[0][0].execution.total_cycles, zero[0][0].execution.total_cycles)
    assert sum(step.bar for step in falls.steps) == falls.simulated - falls.promised
    assert sum(step.reverse_bar for step in falls.steps) == falls.simulated - falls.promised
    for before, after in pairwise(falls.steps[1:]):
        assert after.cycles >= before.cycles
        assert after.against_cycles >= before.against_cycles
        if before.number not in may_shorten(run[0][0].accelerator):
            assert before.reverse_cycles >= after.reverse_cycles
            assert before.reverse_against_cycles >= after.reverse_against_cycles
    first = falls.steps[1]
    assert (first.reverse_cycles, first.reverse_against_cycles) == (last.cycles, last.against_cycles)
    assert all(step.range == (min(step.bar, step.reverse_bar), max(step.bar, step.reverse_bar)) for step in falls.steps)


def test_orders_turn_on_one_effect_at_a_time() -> None:
    for order in (FORWARD, REVERSE):
        assert order[0] == frozenset()
        assert order[-1] == EVERY_EFFECT
        added = [after - before for before, after in pairwise(order)]
        assert all(len(one) == 1 for one in added)
    assert [min(after - before) for before, after in pairwise(REVERSE)] == [*Effect][::-1]
    assert set(TEXTS) == set(Effect)


def test_every_bar_is_the_difference_of_two_speedups(packed: Pair, falls: Waterfall) -> None:
    """Each taken from the engine's totals with the effect and without it, in both orders, one by one."""

    def speedup(on: Effects) -> Fraction:
        totals = []
        for simulated in packed:
            simulation = simulated[0][0]
            scene = make_scene(simulation.workload, simulation.accelerator, WEIGHT_BITS)
            ideal = idealize_module.idealize(simulation.schedule, scene, on)
            totals.append(Fraction(total_cycles(ideal.schedule), ideal.ticks_per_cycle))
        return totals[1] / totals[0]

    steps = falls.steps
    for step, effect in zip(steps[1:], Effect, strict=True):
        up_to, from_on = frozenset(e for e in Effect if e <= effect), frozenset(e for e in Effect if e >= effect)
        assert step.bar == speedup(up_to) - speedup(up_to - {effect}), effect
        assert step.reverse_bar == speedup(from_on) - speedup(from_on - {effect}), effect
    assert len({step.reverse_bar for step in steps}) > 4


def test_both_engines_give_the_same_waterfall(packed: Pair, falls: Waterfall) -> None:
    def by_event(schedule: Schedule) -> int:
        return run_event(schedule, 1 + max(job.operator for s in schedule.segments for job in s.body)).total_cycles

    assert falls == make_waterfall(*packed, WEIGHT_BITS, by_event)


def test_images_weigh_what_they_stand_for(packed: Pair, falls: Waterfall) -> None:
    """Twice the run and once the baseline, as three images: cycles are the mean of the three."""
    run, zero = packed
    mixed = [(run[0][0], 2), (zero[0][0], 1)]
    mean = make_waterfall(mixed, zero, WEIGHT_BITS)
    for step, one in zip(mean.steps, falls.steps, strict=True):
        assert step.cycles == (2 * one.cycles + one.against_cycles) / 3
        assert step.speedup == 3 * one.against_cycles / (2 * one.cycles + one.against_cycles)


def test_a_run_against_itself_is_flat(runs: Pair) -> None:
    run, _ = runs
    falls = make_waterfall(run, run, WEIGHT_BITS)
    assert {step.speedup for step in falls.steps} == {1}
    assert set(bars(falls)) == {0}
    assert falls.worst() is None


def test_a_step_applied_to_one_run_only_is_noticed(packed: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the run against itself: the fault leaves fold edges out of the first of two equal runs."""
    run, _ = packed
    first = run[0][0].schedule
    again = [(replace(run[0][0], schedule=Schedule(first.units, first.segments)), 1)]
    honest = idealize_module.idealize

    def unfair(schedule: Schedule, scene: Scene, effects: Effects) -> Ideal:
        fewer = effects - {Effect.FOLD_EDGES} if effects == FORWARD[4] else effects
        return honest(schedule, scene, fewer if schedule is first else effects)

    assert set(bars(make_waterfall(run, again, WEIGHT_BITS))) == {0}
    monkeypatch.setattr(waterfall_module, "idealize", unfair)
    assert set(bars(make_waterfall(run, again, WEIGHT_BITS))) != {0}


def test_an_idealisation_that_lengthens_a_job_is_refused(packed: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = idealize_module.stream_ticks

    def longer(work: StreamWork, effects: Effects, peak: Peak, ticks_per_cycle: int) -> int:
        ticks = honest(work, effects, peak, ticks_per_cycle)
        return ticks + work.occupancy_cycles * ticks_per_cycle if effects == FORWARD[3] else ticks

    monkeypatch.setattr(idealize_module, "stream_ticks", longer)
    with pytest.raises(ValueError, match=r"with fewer effects on, .* got longer"):
        make_waterfall(*packed, WEIGHT_BITS)


def test_a_last_step_that_is_not_the_run_is_refused(packed: Pair) -> None:
    run, zero = packed
    other = replace(run[0][0].execution, total_cycles=run[0][0].execution.total_cycles + 1)
    with pytest.raises(ValueError, match="it is not the run"):
        make_waterfall([(replace(run[0][0], execution=other), 1)], zero, WEIGHT_BITS)


def test_an_other_bar_is_refused(falls: Waterfall) -> None:
    steps = falls.steps
    with pytest.raises(ValueError, match="one step for each effect"):
        replace(falls, steps=(*steps, replace(steps[-1], number=9, name="other")))
    for field in ("bar", "reverse_bar"):
        kept_back = replace(steps[6], **{field: getattr(steps[6], field) + Fraction(1, 1000)})
        with pytest.raises(ValueError, match="a bar of step 6 is"):
            replace(falls, steps=(*steps[:6], kept_back, *steps[7:]))


def test_orders_that_end_at_other_cycles_are_refused(falls: Waterfall) -> None:
    for number, field in ((0, "reverse_cycles"), (1, "reverse_against_cycles")):
        steps = list(falls.steps)
        steps[number] = replace(steps[number], **{field: getattr(steps[number], field) + 1})
        with pytest.raises(ValueError, match="begin and end at the same cycles"):
            replace(falls, steps=tuple(steps))


def test_cycles_that_fall_are_refused(falls: Waterfall) -> None:
    """Both runs are a tenth as long from step 5 on (reverse: down to step 5): no bar changes."""
    forward = [_scaled(step, "", 10 if step.number == 4 else 1) for step in falls.steps]
    with pytest.raises(ValueError, match="with step 5 a run takes fewer cycles"):
        replace(falls, steps=tuple(forward))
    reverse = [_scaled(step, "reverse_", 10 if step.number == 6 else 1) for step in falls.steps]
    with pytest.raises(ValueError, match="with step 5 a run takes fewer cycles"):
        replace(falls, steps=tuple(reverse))


def test_lanes_may_shorten_a_run_in_the_reverse_order_where_it_is_said(falls: Waterfall) -> None:
    steps = tuple(_scaled(step, "reverse_", 10 if step.number == 4 else 1) for step in falls.steps)
    with pytest.raises(ValueError, match="with step 3 a run takes fewer cycles"):
        replace(falls, steps=steps)
    said = replace(falls, steps=steps, may_shorten=falls.may_shorten | {Effect.LANES})
    assert said.steps == steps
    assert falls.may_shorten == {Effect.OPERAND_BITS}


def _scaled(step: Step, order: str, factor: int) -> Step:
    """The step with the cycles of both runs in one order `factor` times as long."""
    fields = f"{order}cycles", f"{order}against_cycles"
    return replace(step, **{field: getattr(step, field) * factor for field in fields})


def test_a_schedule_that_is_not_the_run_is_refused(packed: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: with every effect on, the last jobs wait for nothing, which no duration shows."""
    honest = idealize_module.idealize

    def unbound(schedule: Schedule, scene: Scene, effects: Effects) -> Ideal:
        ideal = honest(schedule, scene, effects)
        if effects != EVERY_EFFECT:
            return ideal
        *others, last = ideal.schedule.segments
        free = replace(last, body=tuple(replace(job, dependencies=()) for job in last.body))
        return replace(ideal, schedule=Schedule(schedule.units, (*others, free)))

    monkeypatch.setattr(waterfall_module, "idealize", unbound)
    with pytest.raises(ValueError, match="is not that of the run"):
        make_waterfall(*packed, WEIGHT_BITS)


def test_unequal_images_weigh_what_they_stand_for_without_a_kind_too(packed: Pair) -> None:
    run, zero = packed
    mixed = [(run[0][0], 2), (zero[0][0], 1)]
    one, other = (without_kind_cycles(each, "vector_units.0", JobKind.GATHER, total_cycles) for each in packed)
    assert one != other
    assert without_kind_cycles(mixed, "vector_units.0", JobKind.GATHER, total_cycles) == (2 * one + other) / 3


def test_jobs_made_free_shorten_the_run_by_what_is_theirs_at_most(packed: Pair) -> None:
    run, _ = packed
    simulation = run[0][0]
    attribution = simulation.attribution
    assert attribution is not None
    attributed = attribution.by_unit_and_kind()["vector_units.0", JobKind.SOFTMAX]
    total = simulation.execution.total_cycles
    free = without_kind_cycles(run, "vector_units.0", JobKind.SOFTMAX, total_cycles)
    assert total - attributed <= free <= total
    assert without_kind_cycles(run, "arrays.0", JobKind.SOFTMAX, total_cycles) == total
