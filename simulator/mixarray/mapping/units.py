"""The units that serve jobs: their numbers and names, and what the jobs of an array wait for on them."""

from __future__ import annotations

from dataclasses import dataclass

from mixarray.accelerator.enums import WeightLoading
from mixarray.mapping.schedule import Event, JobKind, Recent

ARRAY, PORT, VECTOR, DRAM, RESULTS = range(5)
UNITS_OF_AN_ARRAY = 3


@dataclass(frozen=True, slots=True)
class ArrayUnits:
    """The units of one array: its PEs, the port that loads it, the port that its sums leave through."""

    array: int
    port: int
    results: int


def array_units(index: int) -> ArrayUnits:
    """The units of array number `index`; those of the first are as they were when there was one."""
    first = RESULTS + 1 + UNITS_OF_AN_ARRAY * (index - 1)
    return ArrayUnits(first, first + 1, first + 2) if index else ArrayUnits(ARRAY, PORT, RESULTS)


def unit_names(arrays: int) -> tuple[str, ...]:
    """All units of an accelerator with so many arrays, in the order of their numbers."""
    more = (name for index in range(1, arrays) for name in _array_names(index))
    array, port, results = _array_names(0)
    return (array, port, "vector_units.0", "dram_channels.0", results, *more)


def _array_names(index: int) -> tuple[str, str, str]:
    return f"arrays.{index}", f"arrays.{index}.weight_port", f"arrays.{index}.result_port"


UNITS = unit_names(1)


def load_waits(units: ArrayUnits) -> dict[WeightLoading, Recent]:
    """What a load waits for beside the one before it (design 5)."""
    return {
        WeightLoading.SERIAL: Recent(units.array, JobKind.STREAM, 1, Event.READY),
        WeightLoading.SINGLE: Recent(units.array, JobKind.STREAM, 1, Event.ISSUED),
        WeightLoading.DOUBLE: Recent(units.array, JobKind.STREAM, 2, Event.ISSUED),
    }


def output_waits(units: ArrayUnits) -> dict[WeightLoading, Recent]:
    """When the next sums start: the last ones are out, all on their way, or in their second register (array/output)."""
    return {
        WeightLoading.SERIAL: Recent(units.results, JobKind.DRAIN, 1, Event.READY),
        WeightLoading.SINGLE: Recent(units.results, JobKind.DRAIN, 1, Event.ISSUED),
        WeightLoading.DOUBLE: Recent(units.results, JobKind.DRAIN, 1, Event.STARTED),
    }


def loaded(units: ArrayUnits) -> Recent:
    """A stream waits for its fold's load."""
    return Recent(units.port, JobKind.ARRAY_LOAD, 1, Event.READY)


def summed(units: ArrayUnits) -> Recent:
    """A drain waits for the last step of its sums."""
    return Recent(units.array, JobKind.STREAM, 1, Event.ISSUED)
