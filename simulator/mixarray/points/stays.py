"""Compiled: which tensors stay on the chip, by the rule of `mapping.residency`, from the space that groups take."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixarray.compiled import compiled

Integers = NDArray[np.int64]

NEVER = -1


class Spaces(NamedTuple):
    """Of all groups' plans behind one another.

    plans: (first section, sections, first entry, entries, first size, sizes, first name, names) of each. need_bits: by
    section. entries: (tensor, section of the plan, bits in flight, made, read). sizes: (tensor, bits) of what a plan
    makes. names: the tensors that it names, in the order of their own numbers.
    """

    plans: Integers
    need_bits: Integers
    entries: Integers
    sizes: Integers
    names: Integers


class Memories(NamedTuple):
    """Tensors that are one memory, in the order in which they are decided: those of memory i are
    tensors[starts[i]:starts[i + 1]]. memory_of: the memory of a tensor, NEVER if nobody makes it.
    """

    starts: Integers
    tensors: Integers
    memory_of: Integers


class _Chip(NamedTuple):
    """Space by section: in need of all that moves, and in flight by memory. made, last: by tensor, the section that
    makes it and the last one that reads it, NEVER if none does. bits: all bits, by memory.
    """

    need: Integers
    flying: Integers
    made: Integers
    last: Integers
    bits: Integers


@compiled
def _fill(chip: _Chip, chosen: Integers, spaces: Spaces, memories: Memories) -> None:
    """Put the plans `chosen` behind one another."""
    first = 0
    for plan in chosen:
        start, length, entry, entries, size, sizes, _, _ = spaces.plans[plan]
        chip.need[first : first + length] = spaces.need_bits[start : start + length]
        for row in range(entry, entry + entries):
            tensor, section, bits, made, read = spaces.entries[row]
            if made and chip.made[tensor] == NEVER:
                chip.made[tensor] = first + section
            if read:
                chip.last[tensor] = first + section
            if memories.memory_of[tensor] != NEVER:
                chip.flying[first + section, memories.memory_of[tensor]] += bits
        for row in range(size, size + sizes):
            memory = memories.memory_of[spaces.sizes[row, 0]]
            chip.bits[memory] = max(chip.bits[memory], spaces.sizes[row, 1])
        first += length


@compiled
def _fits(chip: _Chip, memories: Memories, memory: int, capacity_bits: int) -> bool:
    """Whether a memory stays; its space is then needed as long as it lives."""
    begins, ends = len(chip.need), NEVER
    for place in range(memories.starts[memory], memories.starts[memory + 1]):
        tensor = memories.tensors[place]
        if chip.made[tensor] == NEVER or chip.last[tensor] == NEVER:
            return False
        begins, ends = min(begins, chip.made[tensor]), max(ends, chip.last[tensor])
    if ends < begins:
        return False
    more = chip.bits[memory] - chip.flying[begins : ends + 1, memory]
    if (chip.need[begins : ends + 1] + more).max() > capacity_bits:
        return False
    chip.need[begins : ends + 1] += more
    return True


@compiled
def staying(chosen: Integers, spaces: Spaces, memories: Memories, capacity_bits: int) -> Integers:
    """Which tensors never leave the chip when the plans `chosen` follow each other: of each plan those that it names,
    as bits by their own numbers.
    """
    sections, count, tensors = spaces.plans[chosen, 1].sum(), len(memories.starts) - 1, len(memories.memory_of)
    chip = _Chip(
        np.zeros(sections, np.int64),
        np.zeros((sections, count), np.int64),
        np.full(tensors, NEVER, np.int64),
        np.full(tensors, NEVER, np.int64),
        np.zeros(count, np.int64),
    )
    _fill(chip, chosen, spaces, memories)
    stays = np.zeros(tensors, np.int64)
    for memory in range(count):
        if _fits(chip, memories, memory, capacity_bits):
            stays[memories.tensors[memories.starts[memory] : memories.starts[memory + 1]]] = 1
    masks = np.zeros(len(chosen), np.int64)
    for place in range(len(chosen)):
        first, names = spaces.plans[chosen[place], 6], spaces.plans[chosen[place], 7]
        for name in range(names):
            masks[place] |= stays[spaces.names[first + name]] << name
    return masks
