"""The bounds of the search never exceed what the engine finds, in all dataflows; traffic in closed form is exact."""

from __future__ import annotations

import random

import numpy as np
import pytest

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.styles import legal_pairs
from mixarray.engine.fast import run_fast
from mixarray.mapping import pipeline_columns as at
from mixarray.mapping.bound import Bounds
from mixarray.mapping.build import lower_alone
from mixarray.mapping.chains import make_chains, make_flow
from mixarray.mapping.demand import demand_of
from mixarray.mapping.plan import Planner
from mixarray.mapping.schedule import dram_bits
from mixarray.mapping.space import Space
from mixarray.trace.workload import single_gemm

PRESETS = {"bricks16": "bricks", "packed_w4": "packed", "plain": "plain"}
LEGAL = [(style.name, dataflow) for style, dataflow, reason in legal_pairs() if reason is None]
POINTS = 6


def random_machine(rng, machine, style, dataflow):
    """A small machine; bursts are of one bit, so that DRAM moves exactly the data."""
    choices = {
        "arrays.0.rows": (2, 4, 8), "arrays.0.columns": (2, 4, 8), "arrays.0.weight_port_bits": (16, 256),
        "arrays.0.weight_loading": ("serial", "single", "double"), "arrays.0.weight_load_rows": ("all", "used"),
        "buffers.activation.capacity_kib": (1, 2, 4), "buffers.activation.slots": (1, 2, 2),
        "buffers.weight.capacity_kib": (1, 2), "buffers.weight.slots": (1, 2, 3),
        "buffers.accumulator.capacity_kib": (1, 2), "buffers.accumulator.slots": (1, 2, 3),
        "dram_channels.0.bits_per_cycle": (7, 64, 192), "dram_channels.0.latency_cycles": (0, 10),
        "vector_units.0.lanes": (1, 4, 32), "vector_units.0.latency_cycles": (0, 8),
        "mapping.transpose": ("in_buffer", "pass", "free"),
        "mixed_precision.movement": ("pass", "bursts", "free"),
        "mixed_precision.branch_parameters": ("charged", "free"),
    }  # fmt: skip
    overrides = [f"{name}={rng.choice(values)}" for name, values in choices.items()]
    flow = f"arrays.0.dataflow={dataflow.value}"
    return machine(PRESETS[style], flow, "dram_channels.0.burst_bits=1", *overrides)


def random_bits(rng):
    """Bits of their own for every tensor, in the low branch at most its 4."""
    given = [rng.randint(2, 8) for _ in range(50)]
    return lambda number, branch: given[number] if branch == 8 else min(given[number], branch)


def random_load(rng, block, mixed_gemm, layers):
    windows, rows = rng.randint(1, 5), rng.randint(2, 60)
    return rng.choice([
        lambda: single_gemm(rng.randint(1, 60), rng.randint(1, 40), rng.randint(1, 60), 8, rng.choice([4, 8])),
        lambda: mixed_gemm(rows, rng.randint(0, rows), rng.randint(1, 40), rng.randint(1, 60)),
        lambda: layers(1, rows, rng.randint(1, 40)),
        lambda: block(windows, rng.randint(1, 3), rng.randint(0, windows)),
        lambda: block(windows, rng.randint(1, 3), rng.randint(0, windows), own=random_bits(rng)),
    ])()  # fmt: skip


FAST_SEEDS, ALL_SEEDS = range(8), 90
DRAWS = [
    pytest.param((*pair, seed), marks=() if seed in FAST_SEEDS else pytest.mark.full)
    for pair in LEGAL
    for seed in range(ALL_SEEDS)
]


@pytest.fixture(params=DRAWS, ids=str)
def spaces(request, machine, block, mixed_gemm, layers):
    """(planner, chain, bounds) of every GEMM of a random workload on a random machine, and the random numbers."""
    style, dataflow, seed = request.param
    rng = random.Random(f"{style} {dataflow} {seed}")
    workload = random_load(rng, block, mixed_gemm, layers)
    planner = Planner(workload, random_machine(rng, machine, style, dataflow), make_flow(workload))
    chains = [chain for chain in make_chains(planner.flow, planner.holds_rows) if chain.gemm is not None]
    found = [(planner, chain, Bounds(Space(demand_of(planner, chain), planner.amounts.cuts))) for chain in chains]
    return found, rng


def samples(spaces):
    """(bounds, estimates, place among them, execution) of random points."""
    found, rng = spaces
    for planner, chain, bounds in found:
        estimates = bounds.estimates()
        places = range(len(estimates.choices))
        for place in rng.sample(places, min(POINTS, len(places))):
            choice = estimates.choices[place]
            if planner.legal(chain, choice) is not None:
                continue  # only a plan tells
            schedule = lower_alone(planner.accelerator, planner.plan(chain, choice))
            yield bounds, estimates, place, run_fast(schedule, len(planner.workload.operators))


def test_bounds_are_admissible_and_traffic_is_exact(spaces):
    for bounds, estimates, place, run in samples(spaces):
        choice = estimates.choices[place]
        assert estimates.coarse_cycles[place] <= run.total_cycles, choice
        fine = bounds.fine(estimates, place)
        assert fine <= run.total_cycles, choice
        for limit in (run.total_cycles // 2, run.total_cycles):
            part = bounds.fine(estimates, place, limit)
            assert part == fine if part <= limit else part <= run.total_cycles, choice
        moved = sum(dram_bits(run.actions.items(), name) for name in ("read_bits", "write_bits"))
        assert estimates.traffic_bits[place] == moved, choice


def worst_excess(machine, mixed_gemm, change):
    """The most by which a changed fine bound exceeds the cycles, over some points."""
    accelerator = machine("packed", "arrays.0.rows=8", "arrays.0.columns=8", "buffers.activation.capacity_kib=2")
    workload = mixed_gemm(60, 20, 24, 40)
    planner = Planner(workload, accelerator, make_flow(workload))
    chain = make_chains(planner.flow, planner.holds_rows)[0]
    bounds = Bounds(Space(demand_of(planner, chain), planner.amounts.cuts))
    estimates = bounds.estimates()
    change(bounds)
    excess = []
    for place in random.Random(0).sample(range(len(estimates.choices)), 40):
        schedule = lower_alone(accelerator, planner.plan(chain, estimates.choices[place]))
        excess.append(bounds.fine(estimates, place) - run_fast(schedule, 1).total_cycles)
    return max(excess)


def more(fact, by):
    def change(bounds):
        bounds.facts[fact] += by

    return change


def slower_vector_unit(bounds):
    bounds.works[:, at.CYCLES] += 1


FAULTS = {
    "fill": more(at.FILL, 1),
    "DRAM latency": more(at.DRAM_LATENCY, 1),
    "load": more(at.LOAD, 1),
    "fewer accumulator slots": more(at.SUM_SLOTS, -1),
    "weights": more(at.WEIGHT_BITS, 1024),
    "vector unit": slower_vector_unit,
}


def test_the_fine_bound_is_tight(machine, mixed_gemm):
    assert worst_excess(machine, mixed_gemm, lambda bounds: None) == 0


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_fine_bound_makes_it_inadmissible(fault, machine, mixed_gemm):
    assert worst_excess(machine, mixed_gemm, FAULTS[fault]) > 0


def test_few_candidates_have_to_be_run_on_a_real_layer(machine, layers):
    workload, accelerator = layers(1, 784, 192), machine("packed")
    planner = Planner(workload, accelerator, make_flow(workload))
    chain = make_chains(planner.flow, planner.holds_rows)[0]
    bounds = Bounds(Space(demand_of(planner, chain), planner.amounts.cuts))
    estimates = bounds.estimates()
    fine = np.maximum(estimates.coarse_cycles, [bounds.fine(estimates, i) for i in range(len(estimates.choices))])
    best = estimates.choices[int(fine.argmin())]
    cycles = run_fast(lower_alone(accelerator, planner.plan(chain, best)), 2).total_cycles
    assert len(fine) > 1000
    assert (estimates.coarse_cycles < cycles).sum() > 5 * (fine < cycles).sum()
    assert (fine < cycles).sum() < len(fine) / 100


def test_dataflows_are_all_here():
    assert {dataflow for _, dataflow in LEGAL} == set(Dataflow)


def test_a_stripe_of_which_the_vector_unit_makes_nothing_is_done_when_the_array_is(machine, block):
    """A third of two sums each: the accumulator slot does not wait for a vector unit that has other work."""
    accelerator = machine(
        "packed", "arrays.0.rows=2", "arrays.0.columns=2", "arrays.0.weight_load_rows=used",
        "buffers.activation.capacity_kib=4", "buffers.weight.capacity_kib=2",
        "buffers.accumulator.capacity_kib=2", "buffers.accumulator.slots=1",
        "vector_units.0.lanes=1", "vector_units.0.latency_cycles=0", "dram_channels.0.bits_per_cycle=192",
        "dram_channels.0.latency_cycles=0", "dram_channels.0.burst_bits=1",
        "mixed_precision.movement=free", "mixed_precision.branch_parameters=free",
    )  # fmt: skip
    workload = block(4, 3, 2, positions=9, head_dim=8)
    planner = Planner(workload, accelerator, make_flow(workload))
    chain = next(c for c in make_chains(planner.flow, planner.holds_rows) if c.gemm is not None)
    bounds = Bounds(Space(demand_of(planner, chain), planner.amounts.cuts))
    estimates = bounds.estimates()
    places = [place for place, choice in enumerate(estimates.choices) if (choice.rows, choice.columns) == (5, 8)]
    assert places
    for place in places:
        choice = estimates.choices[place]
        cycles = run_fast(lower_alone(accelerator, planner.plan(chain, choice)), len(workload.operators)).total_cycles
        assert bounds.fine(estimates, place) <= cycles, choice
