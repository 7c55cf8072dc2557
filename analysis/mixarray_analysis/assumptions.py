"""What may be assumed otherwise about energies: constants within their bands, and the sensitivities that matter."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from mixarray.accelerator.enums import Leakage
from mixarray.accelerator.model import Accelerator
from mixarray.cost.tables import EnergyTable, Estimate, Key

SRAM_FACTORS = (0.6, 1.6)
MAC_RATIOS = (0.25, 0.43)
"""Energy of an INT4 multiply-accumulate over an INT8 one: of the multiplier alone (as BOPs count), and in silicon."""
SRAM_SCALE = Key("sram_scale")
INT8 = Key("pe_cycle_plain", 8, 8)


class Kind(StrEnum):
    """One constant at an end of its band; several together; or a sensitivity beyond the bands."""

    NOMINAL = "nominal"
    CONSTANT = "constant"
    TOGETHER = "together"
    SENSITIVITY = "sensitivity"


class End(StrEnum):
    """An end of a band."""

    LOW = "low"
    HIGH = "high"

    def of(self, estimate: Estimate) -> float:
        """That end of an estimate's band."""
        return estimate.low if self is End.LOW else estimate.high


@dataclass(frozen=True, slots=True)
class Assumption:
    """Something assumed of both runs at once.

    ends: constants at an end of their bands. sram_factor: sram_scale at this value. mac_ratio: an INT4
    multiply-accumulate costs this share of an INT8 one, in every PE style. leakage: instead of the accelerators' own.
    """

    kind: Kind
    name: str
    ends: Mapping[Key, End] = field(default_factory=dict)
    sram_factor: float | None = None
    mac_ratio: float | None = None
    leakage: Leakage | None = None

    @staticmethod
    def nothing() -> Assumption:
        """The tables as they are."""
        return Assumption(Kind.NOMINAL, "as the tables are")

    @property
    def key(self) -> Key | None:
        """The constant that is moved, where it is one."""
        return next(iter(self.ends)) if self.kind is Kind.CONSTANT else None

    def allows(self, table: EnergyTable) -> bool:
        """Whether a table has the leakage that is assumed."""
        return self.leakage in (None, Leakage.NONE, *table.leakage)

    def table(self, table: EnergyTable, accelerator: Accelerator) -> EnergyTable:
        """The table of an accelerator under this assumption."""
        values = {key: end.of(table.rows[key]) for key, end in self.ends.items() if key in table.rows}
        if self.sram_factor is not None:
            values[SRAM_SCALE] = self.sram_factor
        if self.mac_ratio is not None:
            values |= _int4_cycles(self.mac_ratio, table, accelerator)
        return table.with_values(values) if values else table


def assumptions(tables: Sequence[EnergyTable]) -> tuple[Assumption, ...]:
    """Every assumption asked of runs on these tables: each constant alone, all together, and the sensitivities."""
    keys = sorted({key for table in tables for key, row in table.rows.items() if row.low < row.high})
    dram = [key for key in keys if key.action.startswith("dram_")]
    return (
        *(Assumption(Kind.CONSTANT, f"{key} {end}", {key: end}) for key in keys for end in End),
        *(Assumption(Kind.TOGETHER, f"all constants {end}", dict.fromkeys(keys, end)) for end in End),
        *(Assumption(Kind.SENSITIVITY, f"DRAM {end}", dict.fromkeys(dram, end)) for end in End),
        *(Assumption(Kind.SENSITIVITY, f"SRAM x{factor}", sram_factor=factor) for factor in SRAM_FACTORS),
        *(Assumption(Kind.SENSITIVITY, f"leakage {leakage}", leakage=leakage) for leakage in Leakage),
        *(Assumption(Kind.SENSITIVITY, f"INT4:INT8 MAC {ratio}", mac_ratio=ratio) for ratio in MAC_RATIOS),
    )


def worst_corner(keys: Collection[Key], lead: Callable[[Assumption], float]) -> Assumption:
    """The ends of all constants at once that leave the least of a lead (in uJ, positive: the ranking holds).

    Exact: a lead is linear in every constant, so each is chosen by itself.
    """
    ends = {}
    for key in sorted(keys):
        low, high = (lead(_corner({key: end})) for end in End)
        ends[key] = End.LOW if low <= high else End.HIGH
    return _corner(ends)


def _corner(ends: Mapping[Key, End]) -> Assumption:
    return Assumption(Kind.TOGETHER, "worst combination of ends", ends)


def _int4_cycles(ratio: float, table: EnergyTable, accelerator: Accelerator) -> dict[Key, float]:
    """Active PE-cycles of (4,4) modes, from their MACs per cycle and an INT8 MAC."""
    int8_pj = table.rows[INT8].value
    return {
        Key(f"pe_cycle_{array.pe_style}", 4, 4): ratio * mode.macs_per_pe_cycle * int8_pj
        for array in accelerator.arrays
        for mode in array.pe_modes
        if (mode.stream_bits, mode.stationary_bits) == (4, 4)
    }
