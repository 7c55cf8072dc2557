"""Machines without their prices: those with the same bare one have the same plans, and the same jobs."""

from __future__ import annotations

from fractions import Fraction

from mixarray.accelerator.buffers import Buffer
from mixarray.accelerator.enums import Arithmetic, ClockGating, DramType, Leakage, Search, WeightLoadRows
from mixarray.accelerator.memory import DramChannel
from mixarray.accelerator.model import Accelerator, Array, VectorUnit

_SIZE = {"capacity_kib": True, "banks": True}
_BUFFERS = {"activation": _SIZE, "weight": _SIZE, "accumulator": _SIZE}
_NAMES = ("name", "description", "sources", "clock_mhz", "energy_table", "leakage", "clock_gating")
_LABELS: dict[str, object] = {"name": "bare", "description": "", "sources": {}}
_CHANNEL = DramChannel(name="bare", type=DramType.LPDDR4, bits_per_cycle=Fraction(1), burst_bits=1, latency_cycles=0)
_UNIT = VectorUnit(name="bare", lanes=1, arithmetic=Arithmetic.FP16, latency_cycles=0, passes="streaming")


def bare(accelerator: Accelerator) -> Accelerator:
    """The machine with 1 or 0 in place of everything that only prices of tasks, or of energy, depend on.

    Who plans and lowers on it cannot see these, so what is found holds for all of them. A search weighs cycles and
    energies: then everything but labels stays.
    """
    if accelerator.mapping.search is not Search.FIXED:
        return accelerator.model_copy(update=_LABELS)
    buffers, mixed = accelerator.buffers, accelerator.mixed_precision
    named = {"activation": buffers.activation, "weight": buffers.weight, "accumulator": buffers.accumulator}
    changed: dict[str, object] = {
        "clock_mhz": 1,
        "energy_table": "bare",
        "leakage": Leakage.NONE,
        "clock_gating": ClockGating.NONE,
        "arrays": tuple(map(_array, accelerator.arrays)),
        "buffers": buffers.model_copy(update={name: _buffer(buffer) for name, buffer in named.items()}),
        "vector_units": (_UNIT,),
        "dram_channels": (_CHANNEL,),
        "mixed_precision": mixed.model_copy(
            update={"sorter_width": 1, "burst_address_cycles": 0, "mode_switch_cycles": 0}
        ),
    }
    return accelerator.model_copy(update=_LABELS | changed)


def prices_of(accelerator: Accelerator) -> str:
    """Equal for machines with equal bare ones, capacities aside, on which every task has the same price."""
    return accelerator.model_dump_json(exclude=dict.fromkeys(_NAMES, True) | {"buffers": _BUFFERS})


def _array(array: Array) -> Array:
    return array.model_copy(update={"name": "bare", "weight_port_bits": 1, "weight_load_rows": WeightLoadRows.ALL})


def _buffer(buffer: Buffer) -> Buffer:
    return buffer.model_copy(update={"port_bits": 1, "banks": 1})
