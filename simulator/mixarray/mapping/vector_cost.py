"""What a part of a vector operator costs: how long it occupies the unit, what it counts, and what it moves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mixarray.accelerator.enums import Movement
from mixarray.accelerator.model import Accelerator
from mixarray.accelerator.sorter import NUMBER_BITS, SCORE_BITS, Sorter
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
    """`count` times each of `actions` on the vector unit in so many cycles; `moves` in the buffers.

    latency_cycles: from the last of these cycles until the results exist.
    """

    cycles: int
    latency_cycles: int
    actions: tuple[str, ...]
    count: int
    moves: tuple[Move, ...]


def vector_kind(accelerator: Accelerator, work: VectorWork) -> JobKind:
    """The kind of the jobs of an operator."""
    if work.sorts:
        return JobKind.SORT
    return JobKind.TRANSPOSE if work.turns and not _by_address(accelerator, work) else JobKind(work.kind.value)


def _by_address(accelerator: Accelerator, work: VectorWork) -> bool:
    """Whether windows stay where they are, and only addresses are made."""
    return bool(work.burst_elements) and accelerator.mixed_precision.movement is Movement.BURSTS


def vector_cost(accelerator: Accelerator, work: VectorWork, elements: int) -> VectorCost:
    """Elements of an operator, or scores where they are sorted."""
    if work.sorts:
        return _sort(accelerator, work, elements)
    if _by_address(accelerator, work):
        return _bursts(accelerator, work, elements)
    if work.turns:
        return _turn(accelerator, work, elements)
    unit, name = accelerator.vector_units[0], (work.walk or work.kind).value
    names = (f"{name}_element", *((MASK,) if work.masks else ()))
    passes, cycles = unit.passes_of(work.kind), unit.cycles(work.kind, elements)
    moves = _read_again(work.moves(elements), passes)
    if work.by_value:
        moves = _one_by_one(moves, elements, accelerator.buffers.activation.port_bits)
    return VectorCost(cycles, unit.latency_cycles, names, elements, tuple(moves))


def _one_by_one(moves: Iterable[Move], elements: int, port_bits: int) -> Iterable[Move]:
    """Every value written takes an access of its own, as wide as the port: those beyond whole words are named apart."""
    for move in moves:
        yield move
        place, name, bits = move
        if name == "write" and elements > ceil_div(bits, port_bits):
            yield place, WRITE_VALUE, (elements - ceil_div(bits, port_bits)) * port_bits


def _turn(accelerator: Accelerator, work: VectorWork, elements: int) -> VectorCost:
    """One pass that reads what was written and writes it the other way round; every unit takes one."""
    unit = accelerator.vector_units[0]
    cycles = ceil_div(elements, unit.lanes)
    return VectorCost(cycles, unit.latency_cycles, (TURN,), elements, work.moves(elements))


def _read_again(moves: Iterable[Move], passes: int) -> Iterable[Move]:
    """Every pass reads everything; the last one writes. No pass: the unit looks at what one read brings past it."""
    for move in moves:
        yield from [move] * (passes if move[1] == "read" and passes > 1 else 1)


def _bursts(accelerator: Accelerator, work: VectorWork, elements: int) -> VectorCost:
    """Addresses alone: the elements move with whoever reads or writes them. A tile that ends inside a burst cuts it."""
    bursts = ceil_div(elements, work.burst_elements)
    cycles = bursts * accelerator.mixed_precision.burst_address_cycles
    latency = accelerator.vector_units[0].latency_cycles
    return VectorCost(cycles, latency, (BURST,), bursts, ())


def _sort(accelerator: Accelerator, work: VectorWork, scores: int) -> VectorCost:
    """All scores of a grid, and their order into the activation buffer; for nothing where no sorter is named.

    A sorter of its own takes no cycles of the vector unit: the order is there so much later.
    """
    mixed, latency = accelerator.mixed_precision, accelerator.vector_units[0].latency_cycles
    sorter = mixed.sorting
    if sorter is None:
        return VectorCost(0, latency, (COMPARE,), 0, ())
    cycles, compares = sorter.cycles(scores, mixed.sorter_width, work.cuts), sorter.compares(scores, work.cuts)
    times = (0, cycles) if sorter.dedicated else (cycles, latency)
    moves = _walks(sorter, work, scores, accelerator.buffers.activation.port_bits)
    return VectorCost(*times, (COMPARE,), compares, moves)


def _walks(sorter: Sorter, work: VectorWork, scores: int, port_bits: int) -> tuple[Move, ...]:
    """Every walk over the scores begins with a word of its own; behind a swap, window numbers are read with them."""
    walks = sorter.walks(scores, work.cuts)
    swaps = max(walks - 1, 0) if sorter.swaps else 0
    plain, swapped = (ceil_div(scores * bits, port_bits) * port_bits for bits in (SCORE_BITS, SCORE_BITS + NUMBER_BITS))
    return (
        ("buffers.activation", "read", (walks - swaps) * plain + swaps * swapped),
        ("buffers.activation", "write", swaps * swapped + work.write_bits),
    )
