"""How the arrays of an accelerator share the work of a run."""

from __future__ import annotations

from fractions import Fraction

from pydantic import BaseModel, ConfigDict, Field

from mixarray.cost.pe_time import stream_cycles
from mixarray.result.totals import Weighted, mean, plain


class ArrayLoad(BaseModel):
    """One array, mean per image."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    array: str = Field(description="its path in the configuration")
    name: str
    stream_cycles: int | float = Field(description="cycles that rows streamed through it")
    share: float = Field(description="stream_cycles over the cycles of the run")


class Balance(BaseModel):
    """The streams of all arrays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    arrays: tuple[ArrayLoad, ...]
    imbalance: float | None = Field(
        description="stream cycles of the busiest array over their mean: from 1 (all equal) to the number of arrays "
        "(one does everything); null: nothing streamed"
    )


def balance_of(simulations: Weighted) -> Balance:
    """Streams of each array of simulations on one accelerator; means over their images."""
    accelerator = simulations[0][0].accelerator
    streams = [(stream_cycles(s.schedule.units, s.execution.busy_cycles), images) for s, images in simulations]
    cycles = mean((s.execution.total_cycles, images) for s, images in simulations)
    paths = [f"arrays.{index}" for index in range(len(accelerator.arrays))]
    busy = [mean((found.get(path, 0), images) for found, images in streams) for path in paths]
    average = sum(busy, Fraction(0)) / len(busy)
    return Balance(
        arrays=tuple(
            ArrayLoad(array=path, name=array.name, stream_cycles=plain(streamed), share=float(streamed / cycles))
            for path, array, streamed in zip(paths, accelerator.arrays, busy, strict=True)
        ),
        imbalance=float(max(busy) / average) if average else None,
    )
