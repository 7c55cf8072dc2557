"""Costs from group sizes alone equal those of a recorded trace; padded sizes and gated accelerators are refused."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.errors import InputError
from mixarray.simulation import simulate
from mixarray.trace.bops import bops
from mixarray.trace.bundle import read_bundle
from mixarray_analysis.parallel import run_tasks
from mixarray_analysis.progress import Report
from mixarray_analysis.search import hardware
from mixarray_analysis.search.distance import distance, misled, stand_in
from mixarray_analysis.search.exhaustive import Chunk, every_cost, simulate_chunk
from mixarray_analysis.search.front import Trade
from mixarray_analysis.search.hardware import Cost, Costs, Groups, Machine, Objective, shares, simulate_cost
from mixarray_analysis.search.settings import Limits
from mixarray_analysis.search.space import Space
from mixarray_traces.quantization.ratios import RatioChoice
from mixarray_traces.record.random_trace import random_bundle
from mixarray_traces.record.shape import SwinShape
from mixarray_traces.record.topology import block_grids, build_topology

SHAPE = SwinShape("small", (16, 32), (2, 2), (1, 2), window=4)
SIZE = 64
SPACE = Space((1, 1))
PRUNED = RatioChoice(((300,), (500,)), ((100,), (200,)))


def machine(name: str = "packed_w4_32x32", size: int = SIZE) -> Machine:
    topology, grids = build_topology(SHAPE, size, size, None), block_grids(SHAPE, size, size)
    return Machine(topology, grids, (8, 4), load_accelerator(name))


@pytest.mark.parametrize("name", ["packed_w4_32x32", "plain_int8_32x32"])
@pytest.mark.parametrize("choice", [RatioChoice(0), RatioChoice(400), PRUNED])
def test_counts_alone_cost_what_the_recorded_trace_costs(name: str, choice: RatioChoice, tmp_path: Path) -> None:
    bundle = read_bundle(random_bundle(SHAPE, SIZE, SIZE, choice, 0, tmp_path / "bundle"))
    recorded = bundle.workload(0)
    run = simulate(recorded, load_accelerator(name))
    wanted, ratios = machine(name), choice.at(SHAPE.depths)
    cost = Costs(wanted).of(ratios)
    assert (cost.bops, cost.cycles) == (bops(recorded), run.execution.total_cycles)
    assert cost.energy_uj == run.energy.total_pj / 1e6
    assert cost.edp_uj_ms == cost.energy_uj * cost.latency_ms
    low, pruned = shares(wanted.groups(ratios))
    assert (low, pruned) == pytest.approx((bundle.ratio_actual, bundle.pruning_actual))


def test_each_objective_is_its_own_number() -> None:
    cost = Cost(bops=10, cycles=20, latency_ms=2.0, energy_uj=3.0)
    assert {one.value: cost.of(one) for one in Objective} == {"bops": 10, "cycles": 20, "energy": 3.0, "edp": 6.0}


def test_equal_group_sizes_are_simulated_once() -> None:
    costs, space = Costs(machine()), SPACE
    first = costs.of(space.ratios((5, 1)))
    assert costs.of(space.ratios((5, 2))) is first, "of 4 windows, 0.1 and 0.2 both make one low"
    assert len(costs.known) == 1
    assert costs.of(space.ratios((5, 3))) != first
    assert len(costs.known) == 2


def test_settings_are_simulated_side_by_side_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def count(work: Callable[[Groups], Cost], tasks: Sequence[Groups], jobs: int, report: Report) -> list[Cost]:
        asked.append((jobs, len(tasks)))
        return run_tasks(pickle.loads(pickle.dumps(work)), tasks, 1, report)

    monkeypatch.setattr(hardware, "run_tasks", count)
    costs, told = Costs(machine(), jobs=3), []
    settings = [SPACE.ratios(genes) for genes in ((5, 1), (0, 0), (5, 2))]
    found = costs.of_all(settings, lambda done, total: told.append((done, total)))
    assert (asked, told) == ([(3, 2)], [(1, 2), (2, 2)])
    assert found == [simulate_cost(machine(), machine().groups(ratios)) for ratios in settings]
    assert found[0] == found[2] != found[1]


def test_bit_operations_are_counted_without_simulating(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = [SPACE.ratios(genes) for genes in ((5, 1), (0, 0))]
    simulated = Costs(machine()).of_all(settings, silent)
    monkeypatch.setattr(hardware, "simulate_cost", None)
    assert Costs(machine()).minimised(settings, Objective.BOPS, silent) == [cost.bops for cost in simulated]
    with pytest.raises(TypeError, match="callable"):
        Costs(machine()).minimised(settings, Objective.CYCLES, silent)


def test_sizes_that_pad_windows_are_refused_since_counts_do_not_fix_the_work() -> None:
    with pytest.raises(InputError, match="pads the windows of stage 0 block 0"):
        machine(size=72)


def test_accelerators_gated_by_zeros_are_refused() -> None:
    gated = load_accelerator("packed_w4_32x32", ("zero_gating=operand",))
    with pytest.raises(InputError, match="group sizes only"):
        replace(machine(), accelerator=gated)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every setting of the small space, simulated."""
    path = tmp_path_factory.mktemp("enumerated") / "simulated.jsonl"
    wanted = machine()
    groups = dict.fromkeys(wanted.groups(SPACE.ratios(genes)) for genes in SPACE.every())
    simulate_chunk(Chunk(wanted, "small", tuple(groups), path))
    return path


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> list[Cost]:
    """What is simulated during a test."""
    found: list[Cost] = []

    def count(machine: Machine, groups: Groups) -> Cost:
        found.append(simulate_cost(machine, groups))
        return found[-1]

    monkeypatch.setattr("mixarray_analysis.search.exhaustive.simulate_cost", count)
    return found


def silent(done: int, total: int) -> None:
    """Report nothing."""


def test_sums_of_stages_are_what_every_setting_costs(store: Path, tmp_path: Path) -> None:
    wanted = machine()
    summed = every_cost(wanted, "small", SPACE, tmp_path / "store", 1, silent, checks=5)
    assert (summed.checked, set(summed.costs)) == (5, set(SPACE.every()))
    groups = [wanted.groups(SPACE.ratios(genes)) for genes in SPACE.every()]
    each = dict(zip(SPACE.every(), simulate_chunk(Chunk(wanted, "small", tuple(groups), store)), strict=True))
    for genes, cost in summed.costs.items():
        assert (cost.bops, cost.cycles, cost.latency_ms) == (
            each[genes].bops,
            each[genes].cycles,
            each[genes].latency_ms,
        )
        assert cost.energy_uj == pytest.approx(each[genes].energy_uj, rel=1e-9)
    assert summed.simulated < len(set(groups))


def test_where_stages_do_not_add_up_every_setting_is_simulated(store: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "simulated.jsonl"
    entries = [json.loads(line) for line in store.read_text().splitlines()]
    mixed = [entry for entry in entries if all(low for _, low, _ in entry["key"]["groups"])]
    for entry in mixed:
        entry["value"]["cycles"] += 1
    wrong.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    found = every_cost(machine(), "small", SPACE, wrong, 1, silent)
    assert (found.checked, found.simulated) == (0, len(entries))
    assert found.costs[8, 8].cycles - Costs(machine()).of(SPACE.ratios((8, 8))).cycles == 1


def test_a_stopped_enumeration_goes_on(store: Path, tmp_path: Path, simulated: list[Cost]) -> None:
    lines = store.read_text().splitlines(keepends=True)
    wanted, stopped = machine(), tmp_path / "simulated.jsonl"
    stopped.write_text("".join(lines[:-3]))
    every_cost(wanted, "small", SPACE, stopped, 1, silent, checks=SPACE.size)
    assert len(simulated) == 3
    assert sorted(stopped.read_text().splitlines()) == sorted(store.read_text().splitlines())
    groups = wanted.groups(SPACE.ratios((3, 7)))
    simulate_chunk(Chunk(wanted, "another model", (groups, groups), stopped))
    assert len(simulated) == 4, "the store keeps models apart"


def test_a_search_is_held_against_the_true_front(store: Path) -> None:
    costs = every_cost(machine(), "small", SPACE, store, 1, silent).costs
    trades = stand_in(costs, SPACE, Objective.CYCLES)
    assert trades[SPACE.uniform(0)] == Trade(1.0, 1.0)
    whole = distance(trades, SPACE, 20, Limits(generations=60, evaluations=SPACE.size), seed=0)
    assert whole.hypervolume_ratio <= 1
    short = distance(trades, SPACE, 4, Limits(generations=1, evaluations=4), seed=0)
    assert short.evaluations == 4
    assert short.hypervolume_ratio < whole.hypervolume_ratio
    assert short.igd_plus > whole.igd_plus >= 0


def test_what_bit_operations_alone_lose_by_hand() -> None:
    trades = {(0,): Trade(1.0, 1.0), (1,): Trade(0.5, 0.9), (2,): Trade(0.6, 0.8), (3,): Trade(0.75, 0.9)}
    lost = misled(trades)
    assert lost.most == pytest.approx(0.75 / 0.5 - 1)
    assert lost.mean == pytest.approx((0 + 0 + 0.2 + 0.5) / 4)


def test_spaces_too_large_to_enumerate_are_refused(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="10 block pairs: have 1,656,369 settings, too many to list"):
        every_cost(machine(), "small", Space((5, 5)), tmp_path / "store", 1, silent)
    wrong = tmp_path / "simulated.jsonl"
    entries = [json.loads(line) for line in store.read_text().splitlines()]
    for entry in entries:
        entry["value"]["cycles"] += all(low for _, low, _ in entry["key"]["groups"])
    wrong.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    monkeypatch.setattr("mixarray_analysis.search.exhaustive.MOST_SIMULATED", len(entries) - 1)
    with pytest.raises(InputError, match="stages do not add up, and its 81 settings are too many to simulate"):
        every_cost(machine(), "small", SPACE, wrong, 1, silent)
