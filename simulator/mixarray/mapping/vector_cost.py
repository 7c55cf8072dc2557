"""What a part of a vector operator costs: how long it occupies the unit, what it counts, and what it moves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mixarray.accelerator.enums import Movement
from mixarray.accelerator.model import Accelerator
from mixarray.mapping.amounts import ceil_div
from mixarray.mapping.chain_plan import VectorWork
from mixarray.mapping.own_work import BURST, COMPARE
from mixarray.mapping.schedule import JobKind

MASK = "mask_element"
"""The action of adding the shift mask to one element. Blocks of the shifted grid add it in every window, as the
original code does: a trace does not say which windows the shift cuts.
"""
TURN = "transpose_element"
"""The action of passing one value on; its accesses are counted at the buffer."""

Move = tuple[str, str, int]
"""(buffer, read or write, bits)"""


WRITE_VALUE = "write_value"
"""A write access that whole words of the port would not have needed; it costs what a write costs."""


@dataclass(frozen=True, slots=True)
class VectorCost:
    """`count` times each of `actions` on the vector unit in so many cycles; `moves` in the buffers."""

    kind: JobKind
    cycles: int
    actions: tuple[str, ...]
    count: int
    moves: tuple[Move, ...]


def vector_cost(accelerator: Accelerator, work: VectorWork, elements: int) -> VectorCost:
    """Elements of an operator, or scores where they are sorted."""
    if work.sorts:
        return _sort(accelerator, work, elements)
    if work.burst_elements and accelerator.mixed_precision.movement is Movement.BURSTS:
        return _bursts(accelerator, work, elements)
    if work.turns:
        return _turn(accelerator, work, elements)
    unit, names = accelerator.vector_units[0], (f"{work.kind.value}_element", *((MASK,) if work.masks else ()))
    passes, cycles = unit.passes_of(work.kind), unit.cycles(work.kind, elements)
    moves = _read_again(work.moves(elements), passes)
    if work.by_value:
        moves = _one_by_one(moves, elements, accelerator.buffers.activation.port_bits)
    return VectorCost(JobKind(work.kind.value), cycles, names, elements, tuple(moves))


def _one_by_one(moves: Iterable[Move], elements: int, port_bits: int) -> Iterable[Move]:
    """Every value written takes an access of its own, as wide as the port: those beyond whole words are named apart."""
    for move in moves:
        yield move
        place, name, bits = move
        if name == "write" and elements > ceil_div(bits, port_bits):
            yield place, WRITE_VALUE, (elements - ceil_div(bits, port_bits)) * port_bits


def _turn(accelerator: Accelerator, work: VectorWork, elements: int) -> VectorCost:
    """One pass that reads what was written and writes it the other way round; every unit takes one."""
    cycles = ceil_div(elements, accelerator.vector_units[0].lanes)
    return VectorCost(JobKind.TRANSPOSE, cycles, (TURN,), elements, work.moves(elements))


def _read_again(moves: Iterable[Move], passes: int) -> Iterable[Move]:
    """Every pass reads everything; the last one writes. No pass: the unit looks at what one read brings past it."""
    for move in moves:
        yield from [move] * (passes if move[1] == "read" and passes > 1 else 1)


def _bursts(accelerator: Accelerator, work: VectorWork, elements: int) -> VectorCost:
    """Addresses alone: the elements move with whoever reads or writes them. A tile that ends inside a burst cuts it."""
    bursts = ceil_div(elements, work.burst_elements)
    cycles = bursts * accelerator.mixed_precision.burst_address_cycles
    return VectorCost(JobKind(work.kind.value), cycles, (BURST,), bursts, ())


def _sort(accelerator: Accelerator, work: VectorWork, scores: int) -> VectorCost:
    """All scores of a grid, and their order into the activation buffer."""
    mixed = accelerator.mixed_precision
    cycles = compares = 0
    if mixed.sorting is not None:
        cycles, compares = mixed.sorting.cycles(scores, mixed.sorter_width), mixed.sorting.compares(scores)
    return VectorCost(JobKind.SORT, cycles, (COMPARE,), compares, work.moves(scores))
