"""Which activations stay on the chip between operators.

The rule, simple and conservative: in the order in which they are made, a tensor stays in the activation buffer from
its producer to its last reader if, in every chain in between, the tensors that stay plus the tiles in flight of
everything that does not stay fit the buffer. All others go through DRAM, tile by tile, at their packed bits. Inputs
of the network come from DRAM and its results go there.

Where pruned windows are bypassed, nobody moves their rows from the map before a block to the map behind it: both are
one memory. Such maps stay together, from the first producer to the last reader, or go through DRAM together.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from mixarray.mapping.chain_plan import ChainPlan, Stage
from mixarray.trace.model import OperatorKind


def resident_tensors(
    sections: Sequence[Sequence[ChainPlan]],
    tensor_bits: dict[int, int],
    capacity_bits: int,
    shared: Collection[frozenset[int]] = (),
) -> frozenset[int]:
    """The tensors that never leave the chip; the plans of a section run at the same time.

    shared: sets of tensors that are one memory, without a tensor in two of them. One that nobody makes or reads here
    keeps all of its set in DRAM.
    """
    crossing = _crossing(sections)
    need = [
        sum(tiles.values()) + sum(codes_in_flight(plan) for plan in section)
        for tiles, section in zip(crossing.flying, sections, strict=True)
    ]
    memory_of = {tensor: memory for memory in shared for tensor in memory}
    in_order = sorted(crossing.made, key=lambda tensor: crossing.made[tensor])
    resident: set[int] = set()
    for memory in dict.fromkeys(memory_of.get(tensor, frozenset([tensor])) for tensor in in_order):
        life = crossing.life(memory)
        bits = max(tensor_bits[tensor] for tensor in memory if tensor in tensor_bits)
        change = [bits - sum(crossing.flying[number].get(tensor, 0) for tensor in memory) for number in life]
        if life and all(need[number] + more <= capacity_bits for number, more in zip(life, change, strict=True)):
            resident.update(memory)
            for number, more in zip(life, change, strict=True):
                need[number] += more
    return frozenset(resident)


@dataclass(slots=True)
class _Crossing:
    """What crosses borders of chains: the sections that make and that read a tensor last, and the space of its tiles in
    each section.
    """

    made: dict[int, int] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)
    flying: list[dict[int, int]] = field(default_factory=list)

    def life(self, memory: Collection[int]) -> range:
        """From the first section that makes any of these tensors to the last one that reads any; empty unless all of
        them are made and read.
        """
        if not all(tensor in self.made and tensor in self.last for tensor in memory):
            return range(0)
        return range(min(self.made[tensor] for tensor in memory), max(self.last[tensor] for tensor in memory) + 1)


def _crossing(sections: Sequence[Sequence[ChainPlan]]) -> _Crossing:
    found = _Crossing()
    for number, section in enumerate(sections):
        tiles: dict[int, int] = {}
        for plan in section:
            for entry in plan.traffic:
                if entry.stage in (Stage.FED, Stage.OUT):
                    found.made.setdefault(entry.tensor, number)
                else:
                    found.last[entry.tensor] = number
                tiles[entry.tensor] = tiles.get(entry.tensor, 0) + tile_bits(plan, entry.stage, entry.bits)
        found.flying.append(tiles)
    return found


def tile_bits(plan: ChainPlan, stage: Stage, bits: Sequence[int]) -> int:
    """Space that a tensor going through DRAM takes in a chain: as many tiles as are in flight."""
    tiles = (plan.loops.ahead + 1) if stage in (Stage.STREAM, Stage.STATIONARY) else 2
    by_iteration = stage in (Stage.SIDE, Stage.OUT, Stage.INNER)
    return min(sum(bits), tiles * (max(bits) if by_iteration else plan.loops.tile_amount(bits)))


def codes_in_flight(plan: ChainPlan) -> int:
    """Space for what operators before the GEMM make: two tiles of its operand, and of the row sums of that."""
    sums = sum(work.kind is OperatorKind.ROW_SUM for work in plan.before)
    return sum(
        min(work.write_bits, 2 * -(-work.write_bits * plan.loops.tile_amount(work.elements) // work.total_elements))
        for work in plan.before[-1 - sums :]
    )
