"""Machines of a sweep: an accelerator with a point's fields set, checked, with what the rows say of it."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mixarray.accelerator.load import find_accelerator, parse_accelerator, parse_fields, read_text
from mixarray.accelerator.model import Accelerator
from mixarray.accelerator.overrides import apply_override, set_field
from mixarray.cost.energy import check_energies, check_gating
from mixarray_analysis.sweeps.constraints import Quantity, measure
from mixarray_analysis.sweeps.keys import SPEC_PLACE

Setting = tuple[str, Any]
"""A path of the accelerator and its value."""


@dataclass(frozen=True, eq=False)
class Machine:
    """A resolved accelerator. overrides: as `--set` takes them. digest: of everything in it."""

    base: str
    overrides: tuple[str, ...]
    accelerator: Accelerator
    digest: bytes

    @cached_property
    def pes(self) -> int:
        """PEs of all arrays."""
        return sum(array.pes for array in self.accelerator.arrays)

    @cached_property
    def peak_macs_per_cycle(self) -> float | int:
        """Most MACs of any mode, all arrays together."""
        return measure(Quantity.PEAK_MACS_PER_CYCLE, self.accelerator)


@dataclass(frozen=True)
class Base:
    """An accelerator of the specification, read once, before anything is set."""

    name: str

    @cached_property
    def _fields(self) -> dict[str, Any]:
        path = find_accelerator(self.name)
        return parse_fields(read_text(path), str(path))

    def with_settings(self, settings: Iterable[Setting]) -> Machine:
        """The machine; InputError where it is none, or none that can be simulated from counts alone."""
        fields = copy.deepcopy(self._fields)
        overrides = tuple(setting_text(path, value) for path, value in settings)
        for override in overrides:
            apply_override(fields, override)
        accelerator = parse_accelerator(fields, self.name)
        check_energies(accelerator)
        check_gating(accelerator, False)
        digest = hashlib.sha256(accelerator.model_dump_json(exclude={"sources"}).encode()).digest()
        return Machine(accelerator.name, overrides, accelerator, digest)

    def check_path(self, key: str) -> None:
        """Raise InputError unless the path can be set, whatever the value."""
        set_field(copy.deepcopy(self._fields), key, 0, SPEC_PLACE)


def setting_text(path: str, value: Any) -> str:
    """A field and its value as `--set` takes them; no spaces, but those of a text."""
    return f"{path}={value if isinstance(value, str) else json.dumps(value, separators=(',', ':'))}"
