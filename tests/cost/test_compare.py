"""Comparing runs: planted pairs that flip and that do not, and the worst corner against all corners."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixarray.accelerator.enums import Leakage
from mixarray.accelerator.load import load_accelerator
from mixarray.cost.recost import priced_pj
from mixarray.cost.tables import Key, energy_table
from mixarray.mapping.schedule import Action
from mixarray.result.run import EnergyEntry, RunResult, run_result
from mixarray.simulation import simulate
from mixarray.trace.workload import single_gemm
from mixarray_analysis.assumptions import Assumption, End, Kind, worst_corner
from mixarray_analysis.comparing import Comparison, Run, compare_pair
from mixarray_analysis.comparing_sentence import describe_pair
from mixarray_analysis.comparing_text import csv_rows, pair_cells
from mixarray_analysis.ranking import Order, Verdict

DRAM = Action("dram_channels.0", "read_bits")
SRAM = Action("buffers.activation", "read")
INT8 = Action("arrays.0", "pe_cycle_8x8")
INT4 = Action("arrays.0", "pe_cycle_4x4")
IDLE = Action("arrays.0", "pe_cycle_idle")
ADD = Action("vector_units.0", "residual_element")
Counts = dict[Action, int]


@pytest.fixture(scope="module")
def template() -> RunResult:
    """A real result whose counts and energies are then replaced."""
    done = simulate(single_gemm(8, 8, 8, 8, 8), load_accelerator("plain_int8_32x32"))
    return run_result([(done, 1)], source="planted", trace_sha256=None, seed=None, speedup=None)


def planted(template: RunResult, name: str, preset: str, counts: Counts, cycles: int, *sets: str) -> Run:
    """A run with these counts, priced as it would have been."""
    machine = load_accelerator(preset, sets)
    table = energy_table(machine.energy_table)
    entries = tuple(
        EnergyEntry(component=a.component, action=a.name, count=n, pj=0, low_pj=0, high_pj=0) for a, n in counts.items()
    )
    spent = priced_pj(counts, cycles, machine, table).times(1e-6)
    totals = template.totals.model_copy(
        update={
            "cycles": cycles,
            "energy_uj": spent.value,
            "energy_low_uj": spent.low,
            "energy_high_uj": spent.high,
        }
    )
    return Run(name, template.model_copy(update={"energy": entries, "totals": totals}), machine, table)


def pair(
    template: RunResult, first: Counts, second: Counts, *sets: str, cycles: tuple[int, int] = (1, 1)
) -> Comparison:
    """Two planted runs: the first on the packed array, the second on the plain one."""
    return compare_pair(
        planted(template, "first", "packed_w4_32x32", first, cycles[0], *sets),
        planted(template, "second", "plain_int8_32x32", second, cycles[1], *sets),
    )


def flips(comparison: Comparison, kind: Kind) -> set[str]:
    return {one.name for one in comparison.having(Verdict.FLIPS, kind)}


def test_three_times_the_same_actions_never_flips(template: RunResult) -> None:
    counts = {DRAM: 10**6, SRAM: 1000, ADD: 10**5}
    comparison = pair(template, counts, {action: 3 * n for action, n in counts.items()})
    assert comparison.having(Verdict.FLIPS, *Kind) == ()
    assert comparison.survives_constants
    assert comparison.survives_independent  # 3 times the low end lies above the high end
    assert "survives even if they err independently" in describe_pair(comparison)
    near = pair(template, counts, {action: 11 * n // 10 for action, n in counts.items()})
    assert near.survives_constants
    assert not near.survives_independent
    assert "but not independent bands" in describe_pair(near)


def test_a_constant_that_flips_the_ranking_is_named(template: RunResult) -> None:
    """8 pJ a bit against 0.298 pJ a PE-cycle: DRAM at its high end, 13 pJ, makes the first run the more expensive."""
    comparison = pair(template, {DRAM: 10**6}, {INT8: 30 * 10**6})
    assert flips(comparison, Kind.CONSTANT) == {"dram_lpddr4_bit high", "pe_cycle_plain 8x8 low"}
    assert flips(comparison, Kind.SENSITIVITY) == {"DRAM high"}
    assert not comparison.survives_constants
    assert "dram_lpddr4_bit high, pe_cycle_plain 8x8 low are each enough" in describe_pair(comparison)


def test_constants_that_flip_it_only_together_are_found(template: RunResult) -> None:
    comparison = pair(template, {DRAM: 10**6}, {INT8: 47 * 10**6})
    assert flips(comparison, Kind.CONSTANT) == set()
    assert flips(comparison, Kind.TOGETHER) == {"worst combination of ends"}
    corner = next(iter(comparison.having(Verdict.FLIPS, Kind.TOGETHER)))
    assert corner.ends == {Key("dram_lpddr4_bit"): End.HIGH, Key("pe_cycle_plain", 8, 8): End.LOW}
    assert not comparison.survives_constants
    assert "no constant alone flips" in describe_pair(comparison)


@pytest.mark.parametrize(
    ("first", "second", "cycles", "expected"),
    [
        ({SRAM: 10**5}, {DRAM: 1_500_000}, (1, 1), {"SRAM x1.6"}),
        ({INT4: 10**7}, {ADD: 7 * 10**6}, (1, 1), {"INT4:INT8 MAC 0.25", "INT4:INT8 MAC 0.43"}),
        ({INT4: 10**7}, {ADD: 5 * 10**6}, (1, 1), {"INT4:INT8 MAC 0.25"}),
        ({DRAM: 10**6}, {DRAM: 2 * 10**6}, (10**6, 10**3), {"leakage lstp300", "leakage hp360"}),
        ({DRAM: 10**6}, {DRAM: 3 * 10**6}, (2 * 10**4, 10**3), {"leakage hp360"}),
    ],
)
def test_sensitivities_beyond_the_bands(
    template: RunResult, first: Counts, second: Counts, cycles: tuple[int, int], expected: set[str]
) -> None:
    comparison = pair(template, first, second, cycles=cycles)
    assert flips(comparison, Kind.SENSITIVITY) == expected


def test_the_int4_ratio_is_that_of_multiply_accumulates(template: RunResult) -> None:
    """On the packed PE a (4,4) cycle does two of them; a MAC at 0.25 of 0.298 pJ makes the cycle 0.149 pJ."""
    comparison = pair(template, {INT4: 10**6}, {DRAM: 1})
    found = {one.assumption.name: one.first_uj for one in comparison.outcomes}
    assert found["INT4:INT8 MAC 0.25"] == pytest.approx(2 * 0.25 * 0.298)
    assert found["INT4:INT8 MAC 0.43"] == pytest.approx(2 * 0.43 * 0.298)


def test_a_table_without_leakage_leaves_the_question_open(template: RunResult) -> None:
    comparison = pair(template, {DRAM: 1}, {DRAM: 2}, "energy_table=7nm-jouppi")
    unknown = {one.assumption.leakage for one in comparison.outcomes if one.verdict is None}
    assert unknown == {Leakage.LSTP300, Leakage.HP360}
    assert "not known: leakage lstp300, leakage hp360" in describe_pair(comparison)
    assert [row[4:] for row in csv_rows([comparison]) if row[3] == "leakage hp360"] == [["", "", ""]]


COUNTS = st.fixed_dictionaries(
    {action: st.integers(0, 10**6) for action in (SRAM, IDLE, ADD)}
    | {DRAM: st.integers(0, 10**4), Action("arrays.0", "pe_cycle_8x8"): st.integers(0, 10**6)}
)


@settings(max_examples=25, deadline=None)
@given(first=COUNTS, second=COUNTS)
def test_the_worst_corner_is_the_worst_of_all_corners(first: Counts, second: Counts) -> None:
    """Energies are linear in every constant."""
    runs = [
        (load_accelerator(name), counts) for name, counts in (("plain_int8_32x32", first), ("packed_w4_32x32", second))
    ]
    table = energy_table("45nm-horowitz")
    keys = [
        Key("sram_scale"),
        Key("pe_idle_packed_w4"),
        Key("fp16_add"),
        Key("dram_lpddr4_bit"),
        Key("pe_cycle_plain", 8, 8),
        Key("pe_cycle_packed_w4", 8, 4),
    ]

    def lead(assumption: Assumption) -> float:
        energies = [priced_pj(counts, 1, m, assumption.table(table, m)).value for m, counts in runs]
        return energies[0] - energies[1]

    corners = (
        Assumption(Kind.TOGETHER, "", dict(zip(keys, ends, strict=True))) for ends in product(End, repeat=len(keys))
    )
    found = worst_corner(keys, lead)
    assert set(found.ends) == set(keys)
    assert lead(found) == pytest.approx(min(lead(corner) for corner in corners), rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("more", [0, 1])
def test_equal_energies_have_no_ranking_to_lose(template: RunResult, more: int) -> None:
    """Also where they differ by less than the tolerance of 0.1 %: nothing holds, and nothing flips."""
    comparison = pair(template, {DRAM: 5000}, {DRAM: 5000 + more})
    assert comparison.order is Order.EQUAL
    assert {one.verdict for one in comparison.outcomes} == {Verdict.EQUAL}
    assert (comparison.survives_constants, comparison.survives_independent) == (None, None)
    assert "spend the same energy within 0.1 %" in describe_pair(comparison)
    assert "nothing that was asked parts them" in describe_pair(comparison)
    assert "flip" not in describe_pair(comparison)
    assert {cells[-1] for cells in pair_cells(comparison)} == {"equal"}


def test_more_than_the_tolerance_is_a_ranking(template: RunResult) -> None:
    comparison = pair(template, {DRAM: 5000}, {DRAM: 5006})
    assert comparison.order is Order.FIRST
    assert "spends 0.1 % less energy" in describe_pair(comparison)


def test_what_parts_equal_energies_is_named(template: RunResult) -> None:
    """As much DRAM, at 8 pJ a bit, as additions: equal as the table is, and not where either constant moves."""
    addition_pj = energy_table("45nm-horowitz").rows[Key("fp16_add")].value
    comparison = pair(template, {DRAM: 10**6}, {ADD: round(8e6 / addition_pj)})
    assert comparison.order is Order.EQUAL
    parted = comparison.having(Verdict.PARTS, Kind.CONSTANT)
    assert {one.name for one in parted} >= {"dram_lpddr4_bit high", "fp16_add high"}
    assert "they part with dram_lpddr4_bit high" in describe_pair(comparison)


def test_a_ranking_that_becomes_a_tie_does_not_flip(template: RunResult) -> None:
    """DRAM at its high end, 13 pJ against 8 pJ: the other run's 13.005 pJ per bit is then as much."""
    addition_pj = energy_table("45nm-horowitz").rows[Key("fp16_add")].value
    comparison = pair(template, {DRAM: 10**6}, {ADD: round(13.005e6 / addition_pj)})
    assert comparison.order is Order.FIRST
    assert "dram_lpddr4_bit high" in {one.name for one in comparison.having(Verdict.EQUAL, Kind.CONSTANT)}
    assert not comparison.survives_constants
    assert "DRAM high" in {one.name for one in comparison.having(Verdict.EQUAL, Kind.SENSITIVITY)}
    assert "is lost, the two being equal, with DRAM high" in describe_pair(comparison)


def test_different_energy_tables_are_not_ranked(template: RunResult) -> None:
    first = planted(template, "first", "packed_w4_32x32", {DRAM: 5}, 100)
    second = planted(template, "second", "packed_w4_32x32", {DRAM: 9}, 100, "energy_table=7nm-jouppi")
    comparison = compare_pair(first, second)
    said = describe_pair(comparison)
    assert (comparison.order, comparison.outcomes) == (None, ())
    assert "different energy tables (45nm-horowitz and 7nm-jouppi), so their energies are not comparable" in said
    assert "less energy" not in said
    assert "as many cycles" in said


def test_different_leakage_is_said(template: RunResult) -> None:
    first = planted(template, "first", "packed_w4_32x32", {DRAM: 5}, 100)
    second = planted(template, "second", "packed_w4_32x32", {DRAM: 9}, 100, "leakage=hp360")
    assert "count different leakage (none and hp360)" in describe_pair(compare_pair(first, second))
    assert "leakage" not in describe_pair(pair(template, {DRAM: 5}, {DRAM: 9}))
