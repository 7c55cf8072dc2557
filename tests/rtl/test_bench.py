"""What both checks of hardware do with cases and faults, on hardware that is made up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from mixarray.array.events import EventLog, make_log
from mixarray_analysis.validation.checks import rtl_output_stationary, rtl_packed_w4
from mixarray_analysis.validation.rtl.bench import (
    MUTANT_CASES,
    MUTANT_SHAPE,
    SHAPES,
    SHIFTED_EVENT,
    Bench,
    Directed,
    build_folder,
    check_cases,
    check_mutants,
    is_noticed,
)
from mixarray_analysis.validation.rtl.build import Patch, rtl_dir
from mixarray_analysis.validation.rtl.difference import log_difference
from mixarray_analysis.validation.rtl.errors import HardwareError, HardwareStallError

CHECKS = (rtl_packed_w4, rtl_output_stationary)
LOG = make_log([np.array([[0, 0, 0, 0, 0, 0, 0], [1, 1, 0, 0, 8, 8, 0], [7, 2, 0, 0, 8, 8, 0]])])


@dataclass(frozen=True)
class Record:
    log: EventLog


@dataclass(frozen=True)
class MadeUp:
    """A case that goes as the library's name says."""

    name: str

    def describe(self) -> str:
        return self.name

    def expected_log(self) -> EventLog:
        return LOG

    def record(self, library: Path) -> Record:
        return Record(LOG)

    def compare(self, library: Path) -> str:
        match library.name:
            case "stalls":
                raise HardwareStallError("still waits")
            case "babbles":
                raise HardwareError("says too much")
            case "wrong":
                return "a wrong sum" if self.name == "drawn 2" else ""
        return log_difference(LOG, self.record(library).log)


def bench(sound: str = "sound") -> Bench:
    """Hardware that behaves as the file of its fault says, and without a fault as `sound` says."""
    return Bench(
        build=lambda rows, columns, folder, fault: folder / (fault[0].file if fault else sound),
        directed=(Directed((16, 16), lambda shape: MadeUp("deep")), Directed((4, 4), lambda shape: MadeUp("odd"))),
        draw=lambda seed, number, shape: MadeUp(f"drawn {number}"),
    )


def faults(*names: str) -> dict[str, tuple[Patch, ...]]:
    return {name: (Patch(name, "", ""),) for name in names}


def test_the_five_shapes():
    assert SHAPES == ((4, 4), (8, 8), (16, 16), (8, 4), (4, 16))
    assert MUTANT_SHAPE in SHAPES


def test_directed_cases_come_first_and_random_ones_take_the_shapes_in_turn():
    shapes = [bench().shape(number) for number in range(12)]
    assert shapes == [(16, 16), (4, 4), *SHAPES, *SHAPES]
    names = [bench().case(0, number).describe() for number in range(4)]
    assert names == ["deep", "odd", "drawn 0", "drawn 1"]


@pytest.mark.parametrize("module", CHECKS, ids=lambda module: module.CHECK.name)
def test_directed_cases_are_among_those_of_the_check(module):
    directed = module.BENCH.directed
    assert 3 <= len(directed) < module.CHECK.cases // 10
    assert {one.shape for one in directed} >= {(4, 4), (16, 16)}
    assert all(module.BENCH.case(0, n).array.rows == one.shape[0] for n, one in enumerate(directed))


def test_a_disagreement_and_a_stall_are_mismatches_in_words():
    outcome = check_cases(bench("wrong"), 8, 5, lambda done: None)
    assert (outcome.cases, outcome.mismatches) == (8, 1)
    assert outcome.first_mismatch == "case 4 of seed 5 (drawn 2): a wrong sum"
    outcome = check_cases(bench("stalls"), 3, 5, lambda done: None)
    assert (outcome.mismatches, outcome.first_mismatch) == (3, "case 0 of seed 5 (deep): still waits")


def test_a_fault_that_disagrees_is_caught_and_one_that_only_stalls_is_not():
    mutants = check_mutants(bench(), faults("wrong", "stalls", "babbles", "sound"), 0)
    assert mutants.planted == ("wrong", "stalls", "babbles", "sound", SHIFTED_EVENT)
    assert mutants.caught == ("wrong", "babbles", SHIFTED_EVENT)


def test_a_stall_does_not_hide_a_disagreement_on_another_case():
    class Odd(MadeUp):
        def compare(self, library: Path) -> str:
            if self.name == "short":
                raise HardwareStallError("still waits")
            return "a wrong sum"

    assert is_noticed([Odd("short"), Odd("long")], Path("any"))
    assert not is_noticed([Odd("short")], Path("any"))


@pytest.mark.parametrize("kind", ["wrong", "stalls", "babbles"])
def test_faults_show_nothing_where_the_sound_hardware_disagrees(kind):
    with pytest.raises(HardwareError):
        check_mutants(bench(kind), faults("wrong"), 0)


def test_faults_see_the_directed_cases_of_their_shape():
    class Late(MadeUp):
        def compare(self, library: Path) -> str:
            return "a wrong sum" if library.name == "wrong" and self.name == "odd" else ""

    late = Bench(
        bench().build,
        (Directed((16, 16), lambda shape: Late("deep")), Directed((4, 4), lambda shape: Late("odd"))),
        lambda seed, number, shape: Late(f"drawn {number}"),
    )
    assert MUTANT_CASES >= 40
    assert check_mutants(late, faults("wrong"), 0).caught == ("wrong", SHIFTED_EVENT)


def test_a_shifted_event_that_is_not_seen_is_told():
    class Deaf(MadeUp):
        def expected_log(self) -> EventLog:
            table = LOG.table()
            table[len(table) // 2, 0] += 1
            return make_log([table])

    deaf = Bench(bench().build, (), lambda seed, number, shape: Deaf("drawn"))
    assert check_mutants(deaf, faults("wrong"), 0).caught == ()


def test_libraries_lie_in_one_folder_for_as_long_as_the_process_lives():
    assert build_folder() is build_folder()
    assert build_folder().is_dir()


@pytest.mark.parametrize(
    ("module", "name"),
    [pytest.param(module, name, id=f"{module.CHECK.name}: {name}") for module in CHECKS for name in module.FAULTS],
)
def test_every_edit_of_a_fault_has_exactly_one_place_in_the_sources(module, name):
    for patch in module.FAULTS[name]:
        assert (rtl_dir() / patch.file).read_text().count(patch.old) == 1
        assert patch.old != patch.new
