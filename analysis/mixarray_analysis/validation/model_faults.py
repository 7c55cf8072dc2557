"""Mistakes in the array model itself: a rule of the real thing is replaced for a while, and put back whatever happens.

Rules that model, mapping and functional model share are wrong in all of them then; somebody else has to notice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from types import ModuleType

from mixarray.accelerator.model import Array
from mixarray.accelerator.modes import Mode
from mixarray.array import output, stationary
from mixarray.array.events import EventLog, Integers, make_log
from mixarray.array.fold import OutputFold, StationaryFold


@dataclass(frozen=True, slots=True)
class ModelFault:
    """A mistake: `wrong` stands for `attribute` of every owner."""

    name: str
    owners: tuple[type | ModuleType, ...]
    attribute: str
    wrong: object


@contextmanager
def in_model(fault: ModelFault) -> Iterator[None]:
    """The array model with this mistake, until the block ends."""
    with ExitStack() as stack:
        for owner in fault.owners:
            stack.callback(setattr, owner, fault.attribute, vars(owner)[fault.attribute])
            setattr(owner, fault.attribute, fault.wrong)
        yield


def _passes_of_all_slots(mode: Mode, depth: int, array_rows: int) -> int:
    return mode.slots_per_value if mode.slots_per_value > 1 else mode.slots // mode.lanes


def _stretched_log(parts: Sequence[Integers]) -> EventLog:
    log = make_log(parts)
    return replace(log, cycle=3 * log.cycle + 7)


EMPTY_SLOTS_PASS = ModelFault("model: an empty slot costs a pass", (Mode,), "passes", _passes_of_all_slots)
PORT_IGNORED = ModelFault("model: port width ignored", (Array,), "row_load_cycles", property(lambda array: 1))
ALL_LOADED = ModelFault("model: all rows always loaded", (StationaryFold,), "load_rows", lambda fold, array: array.rows)
ALL_DRAINED = ModelFault("model: all rows always drained", (OutputFold,), "drain_rows", lambda fold, array: array.rows)
LOG_STRETCHED = ModelFault("model: log stretched, times kept", (stationary, output), "make_log", _stretched_log)
