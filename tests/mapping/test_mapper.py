"""The mapper in a run: what it asks once, what it refuses, and that nothing depends on the order of questions."""

from __future__ import annotations

import dataclasses

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.choosing import chooser, evaluator
from mixarray.engine.fast import total_cycles
from mixarray.errors import InputError
from mixarray.mapping import mapper as mapper_module
from mixarray.mapping.build import build_schedule
from mixarray.mapping.chains import make_chains, make_flow
from mixarray.mapping.demand import demand_of
from mixarray.mapping.mapper import Mapper
from mixarray.mapping.plan import Planner
from mixarray.mapping.search import Evaluate
from mixarray.simulation import simulate

SMALL = (
    "arrays.0.rows=8", "arrays.0.columns=8", "buffers.activation.capacity_kib=8", "buffers.weight.capacity_kib=8",
    "mapping.search=exhaustive",
)  # fmt: skip
CYCLES = Evaluate(total_cycles, lambda schedule: 0.0, lambda schedule: 0)


def gemm_chains(workload, accelerator):
    planner = Planner(workload, accelerator, make_flow(workload))
    return planner, [chain for chain in make_chains(planner.flow, planner.holds_rows) if chain.gemm is not None]


@pytest.fixture
def asked(monkeypatch):
    """The demands that were searched, in order."""
    found = []
    search = mapper_module.search

    def counted(bounds, lower, evaluate):
        found.append(bounds.space.demand)
        return search(bounds, lower, evaluate)

    monkeypatch.setattr(mapper_module, "search", counted)
    return found


def test_equal_layers_are_searched_once(machine, layers, asked):
    mapper = Mapper()
    build_schedule(layers(4, 60, 24), machine("packed", *SMALL), mapper.choose(CYCLES))
    assert 1 <= len(asked) < 4  # the last one feeds nobody
    once = len(asked)
    build_schedule(layers(4, 60, 24), machine("packed", *SMALL), mapper.choose(CYCLES))
    assert len(asked) == once


@pytest.mark.parametrize("change", ["arrays.0.weight_loading=single", "buffers.weight.capacity_kib=16"])
def test_another_machine_is_another_question(change, machine, layers, asked):
    mapper = Mapper()
    for overrides in (SMALL, (*SMALL, change)):
        planner, (chain, *_) = gemm_chains(layers(2, 30, 16), machine("packed", *overrides))
        mapper.search(planner, chain, CYCLES)
    assert len(asked) == 2


def test_another_name_is_not(machine, layers, asked):
    mapper, accelerator = Mapper(), machine("packed", *SMALL)
    for name in ("one", "two"):
        planner, (chain, *_) = gemm_chains(layers(2, 30, 16), accelerator.model_copy(update={"name": name}))
        mapper.search(planner, chain, CYCLES)
    assert len(asked) == 1


def test_groups_of_other_sizes_are_another_question(machine, mixed_gemm):
    demands = []
    for low in (3, 4):
        planner, (chain,) = gemm_chains(mixed_gemm(20, low, 16, 16), machine("packed", *SMALL))
        demands.append(demand_of(planner, chain))
    assert demands[0] != demands[1]
    assert dataclasses.replace(demands[0], runs=demands[1].runs) == demands[1]


def test_the_outcome_does_not_depend_on_what_was_asked_before(machine, block):
    accelerator = machine("packed", *SMALL)
    planner, chains = gemm_chains(block(6, 2, 2), accelerator)
    forward, backward = Mapper(), Mapper()
    first = [forward.search(planner, chain, CYCLES) for chain in chains]
    second = [backward.search(planner, chain, CYCLES) for chain in reversed(chains)][::-1]
    for ours, theirs in zip(first, second, strict=True):
        assert (ours.best.choice, ours.best.cycles) == (theirs.best.choice, theirs.best.cycles)
        assert (ours.candidates, ours.bounded, ours.evaluated) == (theirs.candidates, theirs.bounded, theirs.evaluated)


def test_simulate_searches_where_the_configuration_asks_for_it(machine, block):
    workload = block(6, 2, 2)
    accelerator = machine("packed", *SMALL)
    searched = simulate(workload, accelerator)
    chosen = build_schedule(workload, accelerator, Mapper().choose(evaluator(accelerator)))
    assert searched.schedule == chosen
    fixed = machine("packed", *SMALL[:-1])
    assert chooser(fixed) is None
    assert simulate(workload, fixed).schedule == build_schedule(workload, fixed) != chosen


def test_alone_the_choice_is_no_slower_than_the_fixed_form_in_its_space(machine, layers):
    accelerator = machine("packed", *SMALL)
    planner, (chain, *_) = gemm_chains(layers(1, 64, 32), accelerator)
    mapper = Mapper()
    plan = planner.plan(chain)
    assert mapper.search(planner, chain, CYCLES).best.cycles <= mapper.fixed_cycles(planner, chain, plan, CYCLES)


def test_a_gemm_whose_smallest_tile_does_not_fit_is_named(block):
    accelerator = load_accelerator("plain_int8_os_32x32", ["buffers.activation.capacity_kib=8", SMALL[-1]])
    with pytest.raises(InputError, match="no tile sizes at fold multiples lay 'qkv' out") as caught:
        simulate(block(4, 4, 0, head_dim=64), accelerator)
    assert "buffers" in str(caught.value)
