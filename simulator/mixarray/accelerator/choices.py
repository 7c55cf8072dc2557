"""What mixed windows cost beside GEMMs, and how work is laid on the machine where there is a choice."""

from __future__ import annotations

from typing import Self

from pydantic import Field, field_validator, model_validator

from mixarray.accelerator.enums import (
    BorderTiles,
    Charge,
    Fusion,
    GroupOrder,
    Movement,
    PrunedWindows,
    Search,
    Transpose,
)
from mixarray.accelerator.fields import Count, Frozen, Latency
from mixarray.accelerator.sorter import Sorter
from mixarray.accelerator.sorters import sorters

FREE = "free"


class MixedPrecision(Frozen):
    """What windows of different bits ask of the machine beside GEMMs; every item has a price, and can be made free."""

    scoring: Charge = Field(description="token map and window scores")
    sorter: str = Field(description="name of a sorter, or free", json_schema_extra={"enum": [*sorted(sorters()), FREE]})
    sorter_width: Count = Field(
        description="scores that the sorter handles per cycle; systolic_queue: one, whatever it says"
    )
    movement: Movement = Field(description="gather and scatter of windows")
    burst_address_cycles: Latency = Field(description="cycles for the address of one burst (a window's row of tokens)")
    mode_switch_cycles: Latency = Field(description="cycles that the array pauses between rows of different modes")
    branch_parameters: Charge = Field(description="second sets: LayerNorm, scales and biases, from DRAM")
    pruned_windows: PrunedWindows

    @field_validator("sorter")
    @classmethod
    def _known_sorter(cls, value: str) -> str:
        if value != FREE and value not in sorters():
            raise ValueError(f"{value!r} is no sorter; allowed: {', '.join(sorted(sorters()))}, {FREE}")
        return value

    @property
    def sorting(self) -> Sorter | None:
        """The sorter; None: windows are put in order for nothing."""
        return None if self.sorter == FREE else sorters()[self.sorter]


class MappingChoices(Frozen):
    """How work is laid on the machine where there is a choice."""

    search: Search = Field(description="tiles and loop orders: all of the space, or the documented form")
    attention: Fusion = Field(description="QK^T, softmax and AV: layerwise, fused, or the better of both (best)")
    mlp: Fusion = Field(description="both linear layers of an MLP: layerwise, fused, or the better of both (best)")
    transpose: Transpose = Field(
        description="how K of QK^T is turned; in_buffer: each value is an access of its own, and the banks of the "
        "buffer take one value per lane and cycle"
    )
    group_order: GroupOrder
    border_tiles: BorderTiles

    @model_validator(mode="after")
    def _best_is_searched(self) -> Self:
        if self.search is Search.FIXED:
            for field, value in (("attention", self.attention), ("mlp", self.mlp)):
                if value is Fusion.BEST:
                    raise ValueError(f"{field}: best needs search: exhaustive; with search: fixed layerwise or fused")
        return self
