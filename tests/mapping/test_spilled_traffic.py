"""DRAM traffic where sums leave before they are complete, kind by kind against closed forms, on the large packed array.

Every result is stored once, every weight comes at least once, rows as often as their tile is entered, and what goes
out of incomplete sums comes back.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.engine.event import run_event
from mixarray.mapping.build import lower_alone
from mixarray.mapping.chains import Chain, make_chains, make_flow
from mixarray.mapping.choice import Choice
from mixarray.mapping.chosen import IllegalChoiceError
from mixarray.mapping.demand import demand_of
from mixarray.mapping.jobs import Shop
from mixarray.mapping.plan import Planner
from mixarray.mapping.reloads import reloads
from mixarray.mapping.schedule import JobKind, dram_bits
from mixarray.mapping.space import Space
from mixarray.mapping.tile_tables import row_table
from mixarray.simulation import simulate
from mixarray.trace.model import Role

EXACT = (
    *(f"dram_channels.{number}.burst_bits=1" for number in range(8)), "mixed_precision.branch_parameters=free",
)  # fmt: skip
SMALL = (
    *EXACT,
    "buffers.activation.capacity_kib=512", "buffers.weight.capacity_kib=64", "buffers.accumulator.capacity_kib=256",
)  # fmt: skip
SUM_BITS = 32
SEEDS = range(12)
DIRECTIONS = {"read_bits", "write_bits"}


@dataclass(frozen=True)
class Case:
    """A GEMM of (rows, low rows, N, K) with K cut and sums that leave, in one of the choices that say so."""

    shape: tuple[int, int, int, int]
    planner: Planner
    chain: Chain
    choice: Choice

    @property
    def wanted(self) -> dict[JobKind, int]:
        """Bits of every kind of transfer, in closed form."""
        rows, _, n, k = self.shape
        space = Space(demand_of(self.planner, self.chain), self.planner.amounts.cuts)
        found = reloads(space, [self.choice], {self.choice.rows: row_table(space, self.choice.rows)})
        assert int(found.weight_bits[0]) >= 4 * n * k
        return {
            JobKind.DRAM_LOAD_ACTIVATION: int(found.row_loads[0]) * rows * k * 8,  # an input comes at its widest
            JobKind.DRAM_LOAD_WEIGHT: int(found.weight_bits[0]),
            JobKind.DRAM_STORE: rows * n * SUM_BITS,
            JobKind.DRAM_STORE_PARTIAL: (-(-k // self.choice.depth) - 1) * rows * n * SUM_BITS,
            JobKind.DRAM_LOAD_PARTIAL: int(found.partial_bits[0]),
        }

    @property
    def counted(self) -> dict[JobKind, int]:
        """The same from the jobs; all of them together are the counters of the run."""
        schedule = lower_alone(self.planner.accelerator, self.planner.plan(self.chain, self.choice))
        found = Counter[JobKind]()
        for segment in schedule.segments:
            for job in segment.body:
                found[job.kind] += segment.repeat * sum(n for a, n in job.actions if a.name in DIRECTIONS)
        run = run_event(schedule, 1)
        assert sum(found.values()) == sum(n for a, n in run.actions.items() if a.name in DIRECTIONS)
        return {kind: bits for kind, bits in found.items() if bits}


def drawn(seed: int, mixed_gemm) -> Case:
    rng = random.Random(seed)
    rows = rng.randint(100, 900)
    shape = rows, rng.randint(0, rows), rng.randint(129, 500), rng.randint(300, 1200)
    workload, accelerator = mixed_gemm(*shape), load_accelerator("packed_w4_128x128", SMALL)
    planner = Planner(workload, accelerator, make_flow(workload))
    (chain,) = make_chains(planner.flow, planner.holds_rows)
    points = [p for p in Space(demand_of(planner, chain), planner.amounts.cuts).points() if p.depth < shape[3]]
    rng.shuffle(points)
    return next(Case(shape, planner, chain, point) for point in points if spills(planner, chain, point))


def spills(planner: Planner, chain: Chain, choice: Choice) -> bool:
    try:
        return planner.plan(chain, choice).loops.spills
    except IllegalChoiceError:
        return False


@pytest.mark.parametrize("seed", SEEDS)
def test_every_bit_is_accounted_for(seed, mixed_gemm):
    case = drawn(seed, mixed_gemm)
    assert case.wanted[JobKind.DRAM_STORE_PARTIAL] > 0
    assert case.counted == case.wanted


def test_sums_that_come_back_in_part_are_noticed(mixed_gemm, monkeypatch):
    load = Shop.partial_load
    monkeypatch.setattr(Shop, "partial_load", lambda self, operator, bits: load(self, operator, bits // 2))
    case = drawn(0, mixed_gemm)
    assert case.counted != case.wanted


@pytest.mark.parametrize("search", ["fixed", "exhaustive"])
def test_a_block_that_fits_the_chip_moves_its_input_its_weights_and_its_result_once(search, block):
    workload = block(12, 2, 5)
    run = simulate(workload, load_accelerator("packed_w4_128x128", [*EXACT, f"mapping.search={search}"])).execution
    weights = sum(t.rows * t.columns * t.bits for t in workload.tensors.values() if t.role is Role.WEIGHT)
    state = workload.operators[0].operator.m * workload.operators[0].operator.n * 16
    assert (dram_bits(run.actions.items(), "read_bits"), dram_bits(run.actions.items(), "write_bits")) == (
        weights + state,
        state,
    )
