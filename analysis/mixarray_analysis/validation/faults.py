"""The engine with one deliberate fault: a private copy of its modules in which one piece of text is replaced.

A fault is in the engine, not in the Schedule it is given; the real modules are untouched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

from mixarray.engine.attribution import Attribution, attribute
from mixarray.engine.event import run_event
from mixarray.engine.timeline import Execution, Timeline
from mixarray.mapping.schedule import Schedule

PLAN, EVENT, ATTRIBUTION = (f"mixarray.engine.{name}" for name in ("event_plan", "event", "attribution"))


@dataclass(frozen=True, slots=True)
class Fault:
    """A mistake: `old` in the source of `module` becomes `new`."""

    name: str
    module: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Engine:
    """What the checks of this room examine: a run with its timeline, and the walk back."""

    run: Callable[[Schedule, int, bool], Execution] = run_event
    attribute: Callable[[Schedule, Timeline], Attribution] = attribute


def faulty_engine(fault: Fault) -> Engine:
    """The engine with this fault; raises ValueError where the source has not exactly one place for it."""
    plan, event, attribution = (_copy(name, fault) for name in (PLAN, EVENT, ATTRIBUTION))
    vars(event)["make_plan"] = vars(plan)["make_plan"]
    return Engine(vars(event)["run_event"], vars(attribution)["attribute"])


def _copy(name: str, fault: Fault) -> ModuleType:
    file = import_module(name).__file__
    if file is None:
        raise ValueError(f"{name} has no source to plant {fault.name!r} in")
    source = Path(file).read_text(encoding="utf-8")
    if fault.module == name:
        if source.count(fault.old) != 1:
            raise ValueError(f"{name} has {source.count(fault.old)} places for {fault.name!r}: {fault.old!r}")
        source = source.replace(fault.old, fault.new)
    module = ModuleType(name)
    exec(compile(source, f"{file} with {fault.name}", "exec"), vars(module))
    return module
