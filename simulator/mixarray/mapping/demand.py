"""What one chain asks of the machine, apart from how it is laid out: the numbers that all choices have in common.

Two chains with equal demands (the blocks of a stage, for example) have the same best choice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from mixarray.accelerator.enums import Movement
from mixarray.mapping.chain_plan import ChainPlan, Holding, Stage, VectorWork
from mixarray.mapping.chains import Chain
from mixarray.mapping.own_work import FreeJobs, free_jobs
from mixarray.mapping.plan import Planner
from mixarray.mapping.schedule import JobKind
from mixarray.mapping.tiles import ALIKE, Loops, RowBits, Run, Stripe, rows_weight
from mixarray.mapping.vector_cost import vector_cost, vector_kind

NOBODY = -1


@dataclass(frozen=True, slots=True)
class Moved:
    """A tensor that crosses the border of the chain.

    bits: in all, once. by: what rows have of it. maker: the place of the vector work that
    writes it (NOBODY for inputs). free: moving it costs nothing.
    """

    stage: Stage
    bits: int
    by: RowBits
    maker: int
    free: bool


@dataclass(frozen=True, slots=True)
class Vector:
    """A vector operator: every `step` elements, rounded up per job, take `cycles`; results come `latency_cycles` later.

    maker: the latest work of the same side of the GEMM whose results it reads (NOBODY: none). work: what else it moves,
    its operators numbered by their places.
    """

    elements: int
    step: int
    cycles: int
    latency_cycles: int
    maker: int
    work: VectorWork


@dataclass(frozen=True)
class Demand:
    """A chain with a GEMM of M x N x K.

    runs: the rows of all groups; elements: of a batched GEMM, the rows of one element and how many there are (empty for
    weights). m: rows of the operator, pruned ones too. beside_bits: all tensors that cross the border but its streaming
    operand, as the sizes of tiles count them. parameter_bits: transfers that no loop divides.
    """

    m: int
    n: int
    k: int
    runs: tuple[Run, ...]
    elements: tuple[tuple[Run, int], ...]
    whole_rows: bool
    weight_bits: int
    beside_bits: int
    tensors: tuple[Moved, ...]
    before: tuple[Vector, ...]
    after: tuple[Vector, ...]
    parameter_bits: tuple[int, ...]

    @property
    def rows(self) -> int:
        """Rows of all groups and elements."""
        return sum(run.rows for run in self.runs)

    @cached_property
    def weightings(self) -> tuple[RowBits, ...]:
        """How the tensors divide among rows, ALIKE first: each once."""
        return tuple(dict.fromkeys((ALIKE, *(entry.by for entry in self.tensors))))

    def all_rows(self, by: RowBits) -> int:
        """Rows, each times its bits."""
        return rows_weight(self.runs, by)

    def at(self, *stages: Stage) -> tuple[Moved, ...]:
        """The tensors of some stages that cost something to move."""
        return tuple(entry for entry in self.tensors if entry.stage in stages and not entry.free)


def demand_of(planner: Planner, chain: Chain) -> Demand:
    """The demand of a chain that has a GEMM."""
    assert chain.gemm is not None
    amounts, op = planner.amounts, planner.flow.operators[chain.gemm]
    plan = _undivided(planner, chain)
    free = free_jobs([plan], planner.accelerator.mixed_precision)
    places = {work.operator: place for place, work in enumerate((*plan.before, *plan.after))}
    return Demand(
        m=op.m,
        n=op.n,
        k=op.k,
        runs=tuple(amounts.runs(chain.gemm)),
        elements=() if amounts.is_weight(chain.gemm) else tuple(amounts.elements(chain.gemm)),
        whole_rows=amounts.whole_rows(chain),
        weight_bits=plan.weight_bits,
        beside_bits=amounts.beside_bits(chain),
        tensors=tuple(_tensors(planner, plan, places, free)),
        before=tuple(_vector(planner, work, plan.before, places, free) for work in plan.before),
        after=tuple(_vector(planner, work, plan.after, places, free) for work in plan.after),
        parameter_bits=tuple(
            bits for operator, bits in plan.parameters if (operator, JobKind.DRAM_LOAD_PARAMETER) not in free
        ),
    )


def _undivided(planner: Planner, chain: Chain) -> ChainPlan:
    """The chain as one tile; it need not fit anywhere."""
    assert chain.gemm is not None
    op, runs = planner.flow.operators[chain.gemm], tuple(planner.amounts.runs(chain.gemm))
    loops = Loops(((Stripe(runs, (op.n,), op.k),),), ((runs, 1),), 0, 1)
    return planner.amounts.plan(chain, loops, Holding(1, True, 1, True), None)


def _tensors(planner: Planner, plan: ChainPlan, places: dict[int, int], free: FreeJobs) -> list[Moved]:
    found = []
    for entry in plan.traffic:
        leaves = entry.stage in (Stage.FED, Stage.OUT)
        stored = JobKind.DRAM_STORE if entry.copy_of is None else JobKind.DRAM_STORE_COPY
        kind = stored if leaves else JobKind.DRAM_LOAD_ACTIVATION
        maker = places.get(entry.operator, NOBODY) if leaves else NOBODY
        by = planner.amounts.row_bits_of(entry.tensor)
        found.append(Moved(entry.stage, sum(entry.bits), by, maker, (entry.operator, kind) in free))
    return found


def _vector(
    planner: Planner, work: VectorWork, side: tuple[VectorWork, ...], places: dict[int, int], free: FreeJobs
) -> Vector:
    accelerator = planner.accelerator
    unit, cost = accelerator.vector_units[0], vector_cost(accelerator, work, 1)
    in_bursts = work.burst_elements and accelerator.mixed_precision.movement is Movement.BURSTS
    step, cycles, latency = work.burst_elements if in_bursts else unit.lanes, cost.cycles, unit.latency_cycles
    if work.sorts or (work.operator, vector_kind(accelerator, work)) in free:
        cycles = latency = 0  # sorting does not grow with its elements alone; left out of bounds
    earlier = [other.operator for other in side[: side.index(work)]]
    makers = [earlier.index(maker) for maker in work.makers if maker in earlier]
    known = tuple(places.get(maker, NOBODY) for maker in work.makers)
    plain = replace(work, operator=places[work.operator], makers=known, elements=())
    return Vector(sum(work.elements), step, cycles, latency, max(makers, default=NOBODY), plain)
