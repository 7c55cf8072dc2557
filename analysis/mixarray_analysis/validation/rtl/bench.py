"""What a check of hardware does: build it, hold it against the model case by case, and plant faults in it."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from mixarray.array.events import EventLog, make_log
from mixarray.errors import InputError
from mixarray_analysis.validation.check import Mutants, Outcome, Progress, compare_cases
from mixarray_analysis.validation.rtl.build import BuildError, Fault
from mixarray_analysis.validation.rtl.difference import log_difference
from mixarray_analysis.validation.rtl.errors import HardwareError, HardwareStallError

Shape = tuple[int, int]
"""Rows, columns."""

SHAPES: tuple[Shape, ...] = ((4, 4), (8, 8), (16, 16), (8, 4), (4, 16))
MUTANT_SHAPE: Shape = (4, 4)
MUTANT_CASES = 60
SHIFTED_EVENT = "an event of the log one cycle late"


class Recorded(Protocol):
    """What the hardware did; its sums lie beside the log."""

    @property
    def log(self) -> EventLog:
        """What its tags said."""
        ...


class Comparable(Protocol):
    """A case: work for one array, and what should come of it."""

    def describe(self) -> str:
        """In a few words."""
        ...

    def expected_log(self) -> EventLog:
        """What the array model says."""
        ...

    def record(self, library: Path) -> Recorded:
        """What the hardware does. Raises HardwareError."""
        ...

    def compare(self, library: Path) -> str:
        """What differs from the array model or from NumPy, in words; empty if nothing does. Raises HardwareError."""
        ...


@dataclass(frozen=True, slots=True)
class Directed:
    """A case with a purpose, and the shape that it is made for."""

    shape: Shape
    make: Callable[[Shape], Comparable]


@dataclass(frozen=True, slots=True)
class Bench:
    """One kind of array: build(rows, columns, folder, fault), cases with a purpose, draw(seed, number, shape)."""

    build: Callable[[int, int, Path, Fault], Path]
    directed: Sequence[Directed]
    draw: Callable[[int, int, Shape], Comparable]

    def shape(self, number: int) -> Shape:
        """The shape of case `number`: the directed ones come first, random ones take the shapes in turn."""
        if number < len(self.directed):
            return self.directed[number].shape
        return SHAPES[(number - len(self.directed)) % len(SHAPES)]

    def case(self, seed: int, number: int) -> Comparable:
        """Case `number` of a seed."""
        if number < len(self.directed):
            return self.directed[number].make(self.directed[number].shape)
        return self.draw(seed, number - len(self.directed), self.shape(number))


def check_cases(bench: Bench, cases: int, seed: int, progress: Progress) -> Outcome:
    """The check itself; all shapes are built first. Raises InputError if the tools here cannot build them."""
    shapes = sorted({bench.shape(number) for number in range(cases)})
    libraries = dict(zip(shapes, _build_sound(bench, shapes), strict=True))

    def disagreement(number: int) -> str:
        case = bench.case(seed, number)
        try:
            found = case.compare(libraries[bench.shape(number)])
        except HardwareError as error:
            found = str(error)
        return f"case {number} of seed {seed} ({case.describe()}): {found}" if found else ""

    return compare_cases(cases, progress, disagreement)


def check_mutants(bench: Bench, faults: Mapping[str, Fault], seed: int) -> Mutants:
    """Each fault is built into the hardware and must be noticed within a few cases; so must a wrong log.

    Raises HardwareError if the hardware without a fault disagrees on any of these cases: then a noticed fault shows
    nothing. Raises InputError if the tools here cannot build it.
    """
    cases = mutant_cases(bench, seed)
    (sound,) = _build_sound(bench, [MUTANT_SHAPE])
    for number, case in enumerate(cases):
        if found := case.compare(sound):
            raise HardwareError(f"without a fault, case {number} for mutants ({case.describe()}): {found}")
    faulty = _build_all(bench, [(MUTANT_SHAPE, fault) for fault in faults.values()])
    caught = [name for name, library in zip(faults, faulty, strict=True) if is_noticed(cases, library)]
    if _notices_shifted_event(cases[0], sound):
        caught.append(SHIFTED_EVENT)
    return Mutants((*faults, SHIFTED_EVENT), tuple(caught))


def mutant_cases(bench: Bench, seed: int) -> tuple[Comparable, ...]:
    """Random cases on the smallest shape, then the directed ones made for it."""
    drawn = (bench.draw(seed, number, MUTANT_SHAPE) for number in range(MUTANT_CASES))
    made = (directed.make(directed.shape) for directed in bench.directed if directed.shape == MUTANT_SHAPE)
    return (*drawn, *made)


def is_noticed(cases: Iterable[Comparable], library: Path) -> bool:
    """Whether any case disagrees with the hardware in `library`; one that it never finishes shows nothing."""
    return any(_disagrees(case, library) for case in cases)


def _disagrees(case: Comparable, library: Path) -> bool:
    try:
        return bool(case.compare(library))
    except HardwareStallError:
        return False
    except HardwareError:
        return True


def _notices_shifted_event(case: Comparable, library: Path) -> bool:
    """One event in the middle of a log that agrees, moved by one cycle."""
    table = case.record(library).log.table()
    table[len(table) // 2, 0] += 1
    return bool(log_difference(case.expected_log(), make_log([table])))


@cache
def build_folder() -> Path:
    """Where libraries lie until this process ends, so that checks and their mutants build each only once."""
    folder = Path(tempfile.mkdtemp(prefix="mixarray-rtl-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _build_sound(bench: Bench, shapes: Sequence[Shape]) -> list[Path]:
    """The libraries without a fault: where they cannot be built, it is the tools that are wrong."""
    try:
        return _build_all(bench, [(shape, ()) for shape in shapes])
    except BuildError as error:
        raise InputError("validate", f"rtl could not be built: {error}") from error


def _build_all(bench: Bench, designs: Sequence[tuple[Shape, Fault]]) -> list[Path]:
    """The libraries, built side by side; the compilers are processes of their own, so threads suffice."""
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        builds = [pool.submit(bench.build, *shape, build_folder(), fault) for shape, fault in designs]
        return [build.result() for build in builds]
