"""What a part of a vector operator costs: how long it occupies the unit, what it counts, and what it moves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mixarray.accelerator.enums import Movement
from mixarray.accelerator.model import Accelerator
from mixarray.mapping.chain_plan import VectorWork
from mixarray.mapping.own_work import BURST, COMPARE
from mixarray.mapping.schedule import JobKind

Move = tuple[str, str, int]
"""(buffer, read or write, bits)"""


@dataclass(frozen=True, slots=True)
class VectorCost:
    """`count` times `action` on the vector unit in so many cycles; `moves` in the buffers."""

    kind: JobKind
    cycles: int
    action: str
    count: int
    moves: tuple[Move, ...]


def vector_cost(accelerator: Accelerator, work: VectorWork, elements: int) -> VectorCost:
    """Elements of an operator, or scores where they are sorted."""
    if work.sorts:
        return _sort(accelerator, work, elements)
    if work.burst_elements and accelerator.mixed_precision.movement is Movement.BURSTS:
        return _bursts(accelerator, work, elements)
    unit, name = accelerator.vector_units[0], f"{work.kind.value}_element"
    passes, cycles = unit.passes_of(work.kind), unit.cycles(work.kind, elements)
    return VectorCost(
        JobKind(work.kind.value), cycles, name, elements, tuple(_read_again(work.moves(elements), passes))
    )


def _read_again(moves: Iterable[Move], passes: int) -> Iterable[Move]:
    """Every pass reads everything; the last one writes. No pass: the unit looks at what one read brings past it."""
    for move in moves:
        yield from [move] * (passes if move[1] == "read" and passes > 1 else 1)


def _bursts(accelerator: Accelerator, work: VectorWork, elements: int) -> VectorCost:
    """Addresses alone: the elements move with whoever reads or writes them. A tile that ends inside a burst cuts it."""
    bursts = -(-elements // work.burst_elements)
    cycles = bursts * accelerator.mixed_precision.burst_address_cycles
    return VectorCost(JobKind(work.kind.value), cycles, BURST, bursts, ())


def _sort(accelerator: Accelerator, work: VectorWork, scores: int) -> VectorCost:
    """All scores of a grid, and their order into the activation buffer."""
    mixed = accelerator.mixed_precision
    cycles = compares = 0
    if mixed.sorting is not None:
        cycles, compares = mixed.sorting.cycles(scores, mixed.sorter_width), mixed.sorting.compares(scores)
    return VectorCost(JobKind.SORT, cycles, COMPARE, compares, work.moves(scores))
