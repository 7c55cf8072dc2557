"""Row sums of what a GEMM streams: made behind its codes, in its chain, while both are on the chip."""

from __future__ import annotations

import random

import pytest

from mixarray.accelerator.model import Accelerator
from mixarray.engine.choice import Engine
from mixarray.engine.fast import run_fast
from mixarray.mapping import chains
from mixarray.mapping.bound import Bounds
from mixarray.mapping.build import lower_alone
from mixarray.mapping.chains import make_chains, make_flow
from mixarray.mapping.demand import demand_of
from mixarray.mapping.plan import Planner
from mixarray.mapping.schedule import dram_bits
from mixarray.mapping.space import Space
from mixarray.simulation import simulate
from mixarray.trace.model import OperatorKind, Relation, Role, Topology
from mixarray.trace.workload import Workload, build_workload

from .conftest import ROW, Net, two_branches

SUM_BITS = 32


def layer(rows: int, low: int, channels: int, outputs: int, whole_map: bool = False) -> Workload:
    """LayerNorm, row sums of its codes, a linear layer, and a GELU that reads sums and products.

    whole_map: the GELU needs every row sum before its first row, so the sums have to leave the chain.
    """
    net = Net()
    tokens = net.tensor(Role.STATE, (1, rows, channels), (16,))
    codes = net.tensor(Role.ACTIVATION, (1, rows, channels), (8, 4), ROW)
    net.vector("norm", OperatorKind.LAYERNORM, (1, rows, channels), [tokens], codes)
    sums = net.tensor(Role.STATE, (1, rows, 1), (SUM_BITS,))
    net.vector("row_sum", OperatorKind.ROW_SUM, (1, rows, channels), [codes], sums)
    products = net.linear("fc1", codes, rows, outputs, channels)
    active = net.tensor(Role.ACTIVATION, (1, rows, outputs), (8, 4), ROW)
    relation = Relation.ALL if whole_map else Relation.SAME_ROW
    net.vector("gelu", OperatorKind.GELU, (1, rows, outputs), [products, sums], active, relation=relation)
    topology = Topology(tuple(net.operators), tuple(net.tensors))
    return build_workload("layer", topology, two_branches(rows, low, 1), 1)


def names(workload: Workload, accelerator: Accelerator) -> list[tuple[list[str], list[str]]]:
    """(before, after) of every chain with a GEMM, by name."""
    flow = make_flow(workload)
    planner = Planner(workload, accelerator, flow)
    found = [chain for chain in make_chains(flow, planner.holds_rows) if chain.gemm is not None]
    return [tuple([flow.operators[i].name for i in part] for part in (one.before, one.after)) for one in found]


def moved_bits(workload: Workload, accelerator: Accelerator) -> int:
    actions = simulate(workload, accelerator).execution.actions
    return sum(dram_bits(actions.items(), name) for name in ("read_bits", "write_bits"))


def test_sums_are_made_in_the_chain_of_the_codes_and_of_their_readers(machine) -> None:
    assert names(layer(40, 20, 32, 64), machine("packed")) == [(["norm", "row_sum"], ["gelu"])]


def test_sums_that_are_needed_elsewhere_leave_the_chain(machine) -> None:
    assert names(layer(40, 20, 32, 64, whole_map=True), machine("packed")) == [(["norm", "row_sum"], [])]


@pytest.mark.parametrize("low", [0, 300, 1200])
def test_codes_and_sums_never_leave_the_chip(machine, monkeypatch: pytest.MonkeyPatch, low: int) -> None:
    """DRAM: tokens once, weights once, results once, and a second parameter set of fc1 and the norm where two run.

    The planted fault: sums apart from the layer; then codes leave the chip, and come back for sums and layer.
    """
    rows, channels, outputs = 1200, 32, 64
    tight = ("dram_channels.0.burst_bits=1", "buffers.activation.capacity_kib=8")
    work, accelerator = layer(rows, low, channels, outputs), machine("packed", *tight)
    once = rows * channels * 16 + channels * outputs * 4 + outputs * (8 * (rows - low) + 4 * low)
    sets = 64 * outputs + 2 * 16 * channels if 0 < low < rows else 0
    assert moved_bits(work, accelerator) == once + sets
    monkeypatch.setattr(chains, "_row_sums", lambda flow, index, gemm: set())
    codes = channels * (8 * (rows - low) + 4 * low)
    assert moved_bits(work, accelerator) >= once + sets + codes + 2 * SUM_BITS * rows


@pytest.mark.parametrize("style", ["packed", "bricks", "plain"])
def test_both_engines_count_the_same(machine, style: str) -> None:
    work, accelerator = layer(300, 100, 96, 80), machine(style, "buffers.activation.capacity_kib=8")
    fast, event = (simulate(work, accelerator, engine=engine).execution for engine in (Engine.FAST, Engine.EVENT))
    assert (fast.total_cycles, fast.actions, fast.operators) == (event.total_cycles, event.actions, event.operators)


@pytest.mark.parametrize("seed", range(6))
def test_bounds_of_the_search_hold_with_sums_before_the_gemm(machine, seed: int) -> None:
    rng = random.Random(seed)
    choices = {
        "arrays.0.rows": (2, 8), "arrays.0.columns": (2, 8), "arrays.0.weight_loading": ("serial", "double"),
        "arrays.0.dataflow": ("weight_stationary", "input_stationary"),
        "buffers.activation.capacity_kib": (2, 4), "buffers.activation.slots": (1, 2),
        "dram_channels.0.bits_per_cycle": (7, 192), "vector_units.0.lanes": (1, 32),
    }  # fmt: skip
    drawn = [f"{name}={rng.choice(values)}" for name, values in choices.items()]
    accelerator = machine("bricks", "dram_channels.0.burst_bits=1", *drawn)
    workload = layer(rng.randint(2, 60), 1, rng.randint(1, 40), rng.randint(1, 40))
    planner = Planner(workload, accelerator, make_flow(workload))
    (chain,) = make_chains(planner.flow, planner.holds_rows)
    bounds = Bounds(Space(demand_of(planner, chain), planner.amounts.cuts))
    estimates, legal = bounds.estimates(), 0
    for place, choice in enumerate(estimates.choices):
        if place % max(len(estimates.choices) // 8, 1) or planner.legal(chain, choice) is not None:
            continue
        legal += 1
        run = run_fast(lower_alone(accelerator, planner.plan(chain, choice)), len(workload.operators))
        assert bounds.fine(estimates, place) <= run.total_cycles
        assert estimates.coarse_cycles[place] <= run.total_cycles
        moved = sum(dram_bits(run.actions.items(), name) for name in ("read_bits", "write_bits"))
        assert estimates.traffic_bits[place] == moved
    assert legal
