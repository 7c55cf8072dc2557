"""What the borders between groups of rows cost, GEMM by GEMM: tiles that end there although they are not full."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from mixarray.choosing import chooser, preference
from mixarray.mapping.remainders import Remainder, remainders
from mixarray.result.totals import Weighted, mean, plain
from mixarray.simulation import Simulation


class RemainderEntry(BaseModel):
    """One GEMM on one array, mean per image: what its rows need more than they would as one group."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    operator: int = Field(description="its place among the operators")
    name: str
    array: int
    tiles: int | float = Field(description="tiles of rows beyond need")
    folds: int | float = Field(description="folds beyond need")
    cycles: int | float = Field(
        description="cycles that these folds take on the units of the array whatever their rows"
    )
    weight_bits: int | float = Field(description="weights fetched from DRAM for the tiles beyond need")


def remainders_of(simulation: Simulation) -> tuple[Remainder, ...]:
    """The remainders of one simulation, planned as it was."""
    accelerator = simulation.accelerator
    return remainders(simulation.workload, accelerator, chooser(accelerator), preference(accelerator))


def remainder_entries(
    simulations: Weighted, found: Sequence[tuple[Sequence[Remainder], int]]
) -> tuple[RemainderEntry, ...]:
    """Every GEMM that has any; `found` are those of each simulation, with the images that it stands for."""
    places = sorted({(one.operator, one.array) for ended, _ in found for one in ended if one.tiles > one.least_tiles})
    names = [grouped.operator.name for grouped in simulations[0][0].workload.operators]
    entries = []
    for place in places:
        here = [([one for one in ended if (one.operator, one.array) == place], images) for ended, images in found]
        entries.append(
            RemainderEntry(
                operator=place[0],
                name=names[place[0]],
                array=place[1],
                tiles=plain(mean((sum(one.tiles - one.least_tiles for one in ours), n) for ours, n in here)),
                folds=plain(mean((sum(one.folds for one in ours), n) for ours, n in here)),
                cycles=plain(mean((sum(one.cycles for one in ours), n) for ours, n in here)),
                weight_bits=plain(mean((sum(one.weight_bits for one in ours), n) for ours, n in here)),
            )
        )
    return tuple(entries)
