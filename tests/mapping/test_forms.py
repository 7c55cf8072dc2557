"""Where a chain or a pair has two forms, both run alone, and the better one is taken."""

from __future__ import annotations

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.choosing import chooser, evaluator, preference
from mixarray.engine.event import run_event
from mixarray.engine.fast import total_cycles
from mixarray.errors import InputError
from mixarray.mapping.build import build_schedule, lower_form, plan_workload
from mixarray.mapping.forms import FormName
from mixarray.mapping.fused_plan import FusedPlan
from mixarray.mapping.mapper import Mapper
from mixarray.mapping.search import Evaluate
from mixarray.result.mappings import mapping_rows
from mixarray.simulation import simulate

EXHAUSTIVE, BEST = "mapping.search=exhaustive", ("mapping.attention=best", "mapping.mlp=best")
SMALL = ("arrays.0.rows=8", "arrays.0.columns=8")
TWO = (*SMALL, "arrays.1.rows=16", "arrays.1.columns=8", EXHAUSTIVE)


def contests_of(workload, accelerator):
    """All contests of a workload, with what the mapper made of them; and the plan."""
    mapper, found = Mapper(), []

    def prefer(contest):
        outcome = mapper.compare(contest, evaluator(accelerator))
        found.append((contest, outcome))
        return contest.forms[outcome.best]

    return found, plan_workload(workload, accelerator, chooser(accelerator), prefer)


def judged(contest, form):
    """(cycles, bits of DRAM) of a form by itself, by the other engine."""
    run = run_event(lower_form(contest.parts[0][0], form.sections), 99)
    return run.total_cycles, sum(n for a, n in run.actions.items() if a.component == "dram_channels.0")


@pytest.mark.parametrize("name", ["packed_w4_32x32", "plain_int8_32x32", "decoupled_int8_int4"])
@pytest.mark.parametrize("slots", [2, 4])
def test_the_better_form_is_taken(name, slots, block):
    array = TWO if name == "decoupled_int8_int4" else (*SMALL, EXHAUSTIVE)
    accelerator = load_accelerator(name, [*array, *BEST, f"buffers.accumulator.slots={slots}"])
    found, _ = contests_of(block(12, 2, 5), accelerator)
    assert {FormName.LAYERWISE} <= {contest.forms[0].name for contest, _ in found}
    runs = [[judged(contest, form) for form in contest.forms] for contest, _ in found]
    for (_, outcome), both in zip(found, runs, strict=True):
        assert outcome.cycles == tuple(cycles for cycles, _ in both)
        assert both[outcome.best] == min(both)
    assert any(both[0] != both[1] for both in runs)


def test_either_form_wins_somewhere(block):
    winners = set()
    for bits_per_cycle in (8, 192):
        accelerator = load_accelerator(
            "decoupled_int8_int4", [*TWO, *BEST, f"dram_channels.0.bits_per_cycle={bits_per_cycle}"]
        )
        found, _ = contests_of(block(12, 2, 5), accelerator)
        winners |= {outcome.names[outcome.best] for _, outcome in found}
    assert winners == set(FormName)


def test_what_cannot_be_fused_runs_layer_by_layer(block):
    tight = ["arrays.0.rows=8", "arrays.0.columns=8", "buffers.accumulator.capacity_kib=1", EXHAUSTIVE]
    tight.append("buffers.accumulator.slots=4")  # of 64 sums each, less than 8 rows of 16
    workload = block(2, 1, 0, positions=16, head_dim=4)
    with pytest.raises(InputError, match="fused attention needs whole rows"):
        build_schedule(workload, load_accelerator("plain_int8_32x32", [*tight, "mapping.attention=fused"]))
    mapper, cycles = Mapper(), Evaluate(total_cycles, lambda schedule: 0.0, lambda schedule: 0)
    best, layerwise = (
        build_schedule(
            workload, load_accelerator("plain_int8_32x32", overrides), mapper.choose(cycles), mapper.prefer(cycles)
        )
        for overrides in ([*tight, BEST[0]], tight)
    )
    assert best == layerwise


def test_forms_that_lose_leave_no_trace(block):
    accelerator = load_accelerator("packed_w4_32x32", [*SMALL, EXHAUSTIVE, *BEST])
    found, planned = contests_of(block(12, 2, 5), accelerator)
    fused = sum(isinstance(plan, FusedPlan) for section in planned.sections for plan in section)
    assert fused == sum(outcome.names[outcome.best] is FormName.FUSED for _, outcome in found)


def test_without_a_search_nothing_may_be_left_open():
    with pytest.raises(InputError, match="attention: best needs search: exhaustive"):
        load_accelerator("packed_w4_32x32", ["mapping.attention=best"])


def test_mappings_csv_tells_both_forms(block):
    accelerator = load_accelerator("decoupled_int8_int4", [*TWO, *BEST])
    simulation = simulate(block(12, 2, 5), accelerator)
    rows = mapping_rows([(simulation, 1)])
    told = [row for row in rows if row["form"] is not None]
    assert {row["name"] for row in told} >= {"qk", "av", "fc1", "fc2"}
    for row in told:
        assert row["form_cycles"] <= row["other_form_cycles"]
        assert {row["form"], row["other_form"]} in ({"exhaustive", "fixed"}, {"layerwise", "fused"})
        assert (row["form"] == "fused") == (row["search"] == "fused")
    choices = chooser(accelerator), preference(accelerator)
    assert build_schedule(simulation.workload, accelerator, *choices) == simulation.schedule


def test_the_fixed_form_has_no_contest(block):
    rows = mapping_rows([(simulate(block(12, 2, 5), load_accelerator("decoupled_int8_int4", TWO[:-1])), 1)])
    assert {(row["search"], row["form"]) for row in rows} == {("fixed", None)}
