"""What exhaustive mapping promises for one operator: more SRAM and fewer bits never cost cycles."""

from __future__ import annotations

import random

import pytest

from mixarray.accelerator.enums import Dataflow
from mixarray.engine.fast import total_cycles
from mixarray.mapping.chains import make_chains, make_flow
from mixarray.mapping.mapper import Mapper
from mixarray.mapping.plan import Planner
from mixarray.mapping.search import Evaluate
from mixarray.trace.workload import single_gemm

MACHINES = [("packed", Dataflow.WEIGHT_STATIONARY), *(("plain", dataflow) for dataflow in Dataflow)]
CYCLES = Evaluate(total_cycles, lambda schedule: 0.0, lambda schedule: 0)
SEEDS = range(2)


def best_cycles(workload, accelerator):
    planner = Planner(workload, accelerator, make_flow(workload))
    (chain,) = make_chains(planner.flow, planner.holds_rows)
    return Mapper().search(planner, chain, CYCLES).best.cycles


def overrides(rng, dataflow):
    return [
        f"arrays.0.dataflow={dataflow.value}",
        f"arrays.0.rows={rng.choice((4, 8))}",
        f"arrays.0.columns={rng.choice((4, 8))}",
        f"arrays.0.weight_loading={rng.choice(('serial', 'single', 'double'))}",
        f"dram_channels.0.bits_per_cycle={rng.choice((16, 64, 192))}",
        f"vector_units.0.lanes={rng.choice((1, 8, 32))}",
        "buffers.accumulator.capacity_kib=1",
    ]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("style", "dataflow"), MACHINES, ids=str)
def test_one_operator_never_loses_from_a_larger_buffer(style, dataflow, seed, machine, mixed_gemm):
    rng = random.Random(f"{style} {dataflow} {seed}")
    choices = overrides(rng, dataflow)
    rows = rng.randint(20, 60)
    workload = mixed_gemm(rows, rng.randint(0, rows), rng.randint(8, 24), rng.randint(16, 40))
    for larger in ("activation", "weight"):
        sizes = {"activation": 1, "weight": 1}
        found = []
        for sizes[larger] in (1, 2, 4):
            kib = [f"buffers.{name}.capacity_kib={size}" for name, size in sizes.items()]
            found.append(best_cycles(workload, machine(style, *choices, *kib)))
        assert found == sorted(found, reverse=True), (larger, found)


def test_more_sram_can_win(machine, mixed_gemm):
    small, large = (f"buffers.activation.capacity_kib={size}" for size in (1, 8))
    array = ("arrays.0.rows=8", "arrays.0.columns=8", "buffers.weight.capacity_kib=1")
    runs = [best_cycles(mixed_gemm(80, 20, 40, 60), machine("packed", *array, size)) for size in (small, large)]
    assert runs[0] > runs[1]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("style", "dataflow"), MACHINES, ids=str)
def test_a_uniform_gemm_never_loses_from_fewer_bits(style, dataflow, seed, machine):
    rng = random.Random(f"bits {style} {dataflow} {seed}")
    kib = [f"buffers.{name}.capacity_kib={rng.choice((1, 2))}" for name in ("activation", "weight")]
    accelerator = machine(style, *overrides(rng, dataflow), *kib)
    shape = rng.randint(1, 60), rng.randint(1, 24), rng.randint(1, 40)
    runs = [best_cycles(single_gemm(*shape, *bits), accelerator) for bits in ((8, 8), (8, 4), (4, 4))]
    assert runs == sorted(runs, reverse=True), (shape, runs)


def test_fewer_bits_win_on_packed_pes(machine):
    accelerator = machine("packed", ideal_memory=True)
    runs = [best_cycles(single_gemm(512, 64, 128, *bits), accelerator) for bits in ((8, 8), (8, 4), (4, 4))]
    assert runs[0] > runs[1] > runs[2]
