"""Which activations stay on the chip between operators.

The rule, simple and conservative: in the order in which they are made, a tensor stays in the activation buffer from
its producer to its last reader if, in every chain in between, the tensors that stay plus the tiles in flight of
everything that does not stay fit the buffer. All others go through DRAM, tile by tile, at their packed bits. Inputs
of the network come from DRAM and its results go there.
"""

from __future__ import annotations

from collections.abc import Sequence

from mixarray.mapping.chain_plan import ChainPlan, Stage


def resident_tensors(
    sections: Sequence[Sequence[ChainPlan]], tensor_bits: dict[int, int], capacity_bits: int
) -> frozenset[int]:
    """The tensors that never leave the chip; the plans of a section run at the same time."""
    made: dict[int, int] = {}
    last: dict[int, int] = {}
    flying: list[dict[int, int]] = []
    for number, section in enumerate(sections):
        tiles: dict[int, int] = {}
        for plan in section:
            for entry in plan.traffic:
                if entry.stage in (Stage.FED, Stage.OUT):
                    made.setdefault(entry.tensor, number)
                else:
                    last[entry.tensor] = number
                tiles[entry.tensor] = tiles.get(entry.tensor, 0) + _tile_bits(plan, entry.stage, entry.bits)
        flying.append(tiles)
    need = [
        sum(tiles.values()) + sum(_codes_in_flight(plan) for plan in section)
        for tiles, section in zip(flying, sections, strict=True)
    ]
    resident: set[int] = set()
    for tensor, producer in sorted(made.items(), key=lambda item: item[1]):
        if tensor not in last:
            continue
        life = range(producer, last[tensor] + 1)
        change = [tensor_bits[tensor] - flying[number].get(tensor, 0) for number in life]
        if all(need[number] + more <= capacity_bits for number, more in zip(life, change, strict=True)):
            resident.add(tensor)
            for number, more in zip(life, change, strict=True):
                need[number] += more
    return frozenset(resident)


def _tile_bits(plan: ChainPlan, stage: Stage, bits: Sequence[int]) -> int:
    """Space that a tensor going through DRAM takes in a chain: as many tiles as are in flight."""
    tiles = (plan.loops.ahead + 1) if stage in (Stage.STREAM, Stage.STATIONARY) else 2
    by_iteration = stage in (Stage.SIDE, Stage.OUT, Stage.INNER)
    return min(sum(bits), tiles * (max(bits) if by_iteration else plan.loops.tile_amount(bits)))


def _codes_in_flight(plan: ChainPlan) -> int:
    """Space for the operand that operators before the GEMM make: two tiles of their last output."""
    if not plan.before:
        return 0
    work = plan.before[-1]
    return min(work.write_bits, 2 * -(-work.write_bits * plan.loops.tile_amount(work.elements) // work.total_elements))
