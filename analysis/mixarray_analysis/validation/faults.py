"""Deliberate faults: a private copy of a module in which one piece of text is replaced; and the engine of such copies.

A fault is in the code, not in what it is given (of the engine: a Schedule); the real modules are untouched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from inspect import getsource
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


def planted_copy(module: str, old: str, new: str) -> ModuleType:
    """A private copy of a module, by its name, in which the text `old` became `new`.

    What other modules imported is not replaced. Raises ValueError unless the text stands in the source exactly once.
    """
    source = _source(module)
    if source.count(old) != 1:
        raise ValueError(f"{module} has {source.count(old)} places for a fault, not one: {old!r}")
    return _executed(module, source.replace(old, new))


def faulty_engine(fault: Fault) -> Engine:
    """The engine with this fault; raises ValueError where the source has not exactly one place for it."""
    plan, event, attribution = (copy_with(fault, name) for name in (PLAN, EVENT, ATTRIBUTION))
    vars(event)["make_plan"] = vars(plan)["make_plan"]
    return Engine(vars(event)["run_event"], vars(attribution)["attribute"])


def copy_with(fault: Fault, module: str) -> ModuleType:
    """A private copy of a module, by its name, with the fault if it is one of that module."""
    return planted_copy(module, fault.old, fault.new) if fault.module == module else _executed(module, _source(module))


def _source(module: str) -> str:
    return getsource(import_module(module))


def _executed(module: str, source: str) -> ModuleType:
    copy = ModuleType(module)
    exec(compile(source, f"{module}, with a fault", "exec"), vars(copy))
    return copy
