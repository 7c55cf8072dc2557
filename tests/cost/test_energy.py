"""Energy is exactly the sum of counts times costs, and every PE-cycle is counted once."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixarray.accelerator.load import load_accelerator
from mixarray.cost.area import area_mm2
from mixarray.cost.energy import EnergyBreakdown, EnergyItem, action_energy, check_energies, energy
from mixarray.cost.pe_time import IDLE, UNUSED, split_zeros, stream_cycles
from mixarray.cost.recost import priced_pj
from mixarray.cost.sram import sram
from mixarray.cost.tables import Estimate, energy_table, list_tables, plus, vector_ops
from mixarray.cost.unit_energy import unit_energy
from mixarray.errors import InputError
from mixarray.mapping.schedule import Action, JobKind

TABLE = "45nm-horowitz"
ROWS = energy_table(TABLE)
PACKED = load_accelerator("packed_w4_32x32")
PLAIN = load_accelerator("plain_int8_32x32")
ARRAY = "arrays.0"


def test_a_buffer_outside_the_grid_names_its_accelerator() -> None:
    small = load_accelerator("plain_int8_32x32", ["buffers.weight.capacity_kib=4", "leakage=lstp300"])
    for refused in (lambda: check_energies(small), lambda: energy({}, 1, small, {})):
        with pytest.raises(InputError, match=r"^plain_int8_32x32: buffers\.weight\.capacity_kib: 4 lies outside"):
            refused()


def test_every_vector_operator_costs_its_operations() -> None:
    for kind, ops in vector_ops().items():
        estimate = unit_energy(Action("vector_units.0", f"{kind}_element"), PACKED, ROWS)
        assert estimate.value == pytest.approx(0.4 * ops.adds + 1.1 * ops.multiplies)
    assert unit_energy(Action("vector_units.0", "compare"), PACKED, ROWS).value == 0.053


def test_dram_costs_per_bit_with_its_band() -> None:
    estimate = unit_energy(Action("dram_channels.0", "write_bits"), PACKED, ROWS)
    assert (estimate.value, estimate.low, estimate.high) == (8, 8, 13)


@pytest.mark.parametrize(
    "action",
    [
        Action(ARRAY, "pe_cycle_2x2"),
        Action(ARRAY, "pe_cycle_2x2_zero"),
        Action("arrays.1", "pe_cycle_8x8"),
        Action("buffers.weight", "erase"),
        Action("buffers.cache", "read"),
        Action("vector_units.0", "gemm_element"),
        Action("vector_units.0", "softmax"),
        Action("dram_channels.0", "refresh"),
        Action("nowhere", "read"),
    ],
)
def test_an_action_without_an_energy_is_an_error(action: Action) -> None:
    with pytest.raises(InputError, match="has no energy for this action"):
        energy({action: 1}, 10, PACKED, {ARRAY: 10})


def test_total_is_the_sum_of_counts_times_costs() -> None:
    actions = {
        Action(ARRAY, "pe_cycle_8x4"): 1000,
        Action(ARRAY, "pe_cycle_4x4"): 500,
        Action("buffers.weight", "read"): 7,
        Action("dram_channels.0", "read_bits"): 512,
    }
    breakdown = energy(actions, 10, PACKED, {ARRAY: 4})
    unused, idle = 1024 * 4 - 1500, 1024 * 6
    read = sram(TABLE, 128, 256, "buffers.weight", "mine").read_pj
    spent = 1000 * 0.3357 + 500 * 0.3139 + 7 * read + 512 * 8
    assert breakdown.total_pj == pytest.approx(spent + (unused + idle) * 0.1013, rel=1e-12)
    assert breakdown.low_pj < breakdown.total_pj < breakdown.high_pj
    assert sum(breakdown.by_component().values()) == pytest.approx(breakdown.total_pj)
    assert {i.action: i.count for i in breakdown.items if i.action in (IDLE, UNUSED)} == {IDLE: idle, UNUSED: unused}
    assert sum(i.pj for i in action_energy(actions, PACKED)) == pytest.approx(spent)


NAMES = st.sampled_from(
    [
        Action(ARRAY, "pe_cycle_8x4"),
        Action(ARRAY, "pe_cycle_4x4"),
        Action("buffers.activation", "read"),
        Action("buffers.accumulator", "write"),
        Action("vector_units.0", "softmax_element"),
        Action("vector_units.0", "compare"),
        Action("dram_channels.0", "write_bits"),
    ]
)


@given(
    actions=st.dictionaries(NAMES, st.integers(0, 10**6)),
    table=st.sampled_from(list_tables()),
    extra=st.tuples(NAMES, st.integers(1, 1000)),
)
def test_conservation_and_monotony(actions: dict[Action, int], table: str, extra: tuple[Action, int]) -> None:
    """Exactly sum(count * cost), in rationals; and one more action never costs less."""
    machine = load_accelerator("packed_w4_32x32", [f"energy_table={table}"])
    cycles = 10**6
    breakdown = energy(actions, cycles, machine, {ARRAY: cycles})
    costs = {a: unit_energy(a, machine, energy_table(table)) for a in (*actions, Action(ARRAY, UNUSED))}
    counts = {Action(i.component, i.action): i.count for i in breakdown.items if i.action != IDLE}
    exact = sum(Fraction(costs[action].value) * count for action, count in counts.items())
    assert breakdown.total_pj == pytest.approx(float(exact), rel=1e-12)
    assert sum(n for a, n in counts.items() if a.component == ARRAY) == machine.arrays[0].pes * cycles
    assert priced_pj(counts, cycles, machine, energy_table(table)).value == pytest.approx(breakdown.total_pj, rel=1e-12)
    more = {**actions, extra[0]: actions.get(extra[0], 0) + extra[1]}
    assert energy(more, cycles, machine, {ARRAY: cycles}).total_pj > breakdown.total_pj * (1 - 1e-15)


def test_a_planted_fault_in_a_count_changes_the_sum() -> None:
    counts = {Action("dram_channels.0", "read_bits"): 512, Action("buffers.weight", "read"): 7}
    right = priced_pj(counts, 10, PACKED, ROWS).value
    for action, count in counts.items():
        assert priced_pj({**counts, action: count + 1}, 10, PACKED, ROWS).value != right


def test_more_active_pe_cycles_than_there_are_is_an_error() -> None:
    with pytest.raises(ValueError, match="exceed"):
        energy({Action(ARRAY, "pe_cycle_8x8"): 1025}, 2, PLAIN, {ARRAY: 1})
    with pytest.raises(ValueError, match="exceed"):
        energy({}, 1, PLAIN, {ARRAY: 2})


def test_streams_are_those_of_the_arrays() -> None:
    busy = {(0, JobKind.STREAM): 5, (0, JobKind.MODE_SWITCH): 2, (1, JobKind.ARRAY_LOAD): 3, (2, JobKind.STREAM): 7}
    assert stream_cycles(("arrays.0", "arrays.0.weight_port", "arrays.1"), busy) == {"arrays.0": 5, "arrays.1": 7}


def test_a_gated_clock_makes_idle_pes_free_and_no_others() -> None:
    gated = load_accelerator("packed_w4_32x32", ["clock_gating=idle"])
    for action, factor in ((IDLE, 0.0), (UNUSED, 1.0), ("pe_cycle_8x4", 1.0)):
        without = unit_energy(Action(ARRAY, action), PACKED, ROWS)
        assert unit_energy(Action(ARRAY, action), gated, ROWS).value == factor * without.value
    assert "PEs of waiting arrays only leak" in energy({}, 1, gated, {}).note


def test_gated_zeros_cost_what_unused_pes_cost() -> None:
    gated = load_accelerator("packed_w4_32x32", ["zero_gating=operand"])
    active = Action(ARRAY, "pe_cycle_4x4")
    breakdown = energy({active: 1000}, 1, gated, {ARRAY: 1}, {active: 300})
    counts = {item.action: item.count for item in breakdown.items}
    costs = {item.action: item.pj / item.count for item in breakdown.items if item.count}
    assert counts == {"pe_cycle_4x4": 700, "pe_cycle_4x4_zero": 300, UNUSED: 24, IDLE: 0}
    assert costs["pe_cycle_4x4"] == pytest.approx(0.3139)
    assert costs["pe_cycle_4x4_zero"] == costs[UNUSED] == pytest.approx(0.1013)
    with pytest.raises(ValueError, match="1001 of 1000 PE-cycles are zero"):
        split_zeros({active: 1000}, {active: 1001})


def test_zero_gating_and_counted_zeros_belong_together() -> None:
    gated = load_accelerator("packed_w4_32x32", ["zero_gating=operand"])
    with pytest.raises(InputError, match="zero_gating: operand needs the codes"):
        energy({}, 1, gated, {})
    with pytest.raises(ValueError, match="gates no zero codes"):
        energy({}, 1, PACKED, {}, {})


@pytest.mark.parametrize("model", ["lstp300", "hp360"])
def test_leakage_is_a_named_choice(model: str) -> None:
    leaking = load_accelerator("plain_int8_32x32", [f"leakage={model}"])
    with_leakage, without = energy({}, 500_000, leaking, {}), energy({}, 500_000, PLAIN, {})
    pes_pj = 1024 * 0.022952e-3 * 1e-3 * 1e12  # 1024 PEs of 22.952 uW for 1 ms
    found = {i.component: i.pj for i in with_leakage.items if i.action == "leakage"}
    assert found["arrays.0"] == pytest.approx(pes_pj, rel=1e-9)
    weight_mw = {"lstp300": 0.0033, "hp360": 524 * 0.0033 / 0.0125}[model]  # 128 KiB
    assert found["buffers.weight"] == pytest.approx(weight_mw * 1e-3 * 1e-3 * 1e12)
    assert set(found) == {"arrays.0", "buffers.activation", "buffers.weight", "buffers.accumulator"}
    assert with_leakage.total_pj == pytest.approx(without.total_pj + sum(found.values()))
    assert "no leakage" in without.note
    assert f"leakage {model}" in with_leakage.note


def test_a_table_without_leakage_or_areas_says_so() -> None:
    small = ("energy_table=7nm-jouppi",)
    assert area_mm2(load_accelerator("packed_w4_32x32", small), energy_table("7nm-jouppi")) is None
    with pytest.raises(InputError, match="leakage: energy table 7nm-jouppi has no leakage lstp300; allowed: none"):
        check_energies(load_accelerator("packed_w4_32x32", [*small, "leakage=lstp300"]))


def test_area_is_that_of_pes_and_buffers() -> None:
    area = area_mm2(PLAIN, ROWS)
    assert area is not None
    buffers_mm2 = 0.4738 + (0.4738 * 1.7977) ** 0.5 + (0.1034 * 0.4738) ** 0.5  # 128, 256 and 64 KiB
    assert area.value == pytest.approx(1024 * 687.6e-6 + buffers_mm2, rel=1e-9)
    assert area.low < area.value < area.high
    twice = area_mm2(PLAIN.model_copy(update={"arrays": PLAIN.arrays * 2}), ROWS)
    assert twice is not None
    accumulators_mm2 = (0.1034 * 0.4738) ** 0.5  # every array has its own; operands' buffers are shared
    assert twice.value - area.value == pytest.approx(1024 * 687.6e-6 + accumulators_mm2)


def test_the_note_says_what_is_behind_the_energies() -> None:
    note = energy({}, 1, PACKED, {}).note
    for part in (
        TABLE,
        "CACTI 7 at 45 nm",
        "interpolated",
        "no leakage",
        "no clock gating",
        "no zero gating",
        "not in the energy beyond PE-cycles: stationary tiles shifted from PE to PE;",
        "not in it",
    ):
        assert part in note
    assert "priced as" not in note
    wide = load_accelerator("packed_w4_32x32", ["buffers.weight.capacity_kib=16", "buffers.weight.port_bits=1024"])
    assert "buffers.weight priced as 32 KiB, so that it has 256 words" in energy({}, 1, wide, {}).note


@pytest.mark.parametrize(
    ("weight_loading", "left_out"),
    [
        ("double", "sums shifted out from PE to PE, each PE's second sum register (also not in leakage and area);"),
        ("single", "sums shifted out from PE to PE;"),
    ],
)
def test_the_note_names_the_registers_of_output_stationary_pes(weight_loading: str, left_out: str) -> None:
    machine = load_accelerator("plain_int8_os_32x32", [f"arrays.0.weight_loading={weight_loading}"])
    assert f"not in the energy beyond PE-cycles: {left_out}" in energy({}, 1, machine, {}).note


def test_sums_are_the_same_in_every_order() -> None:
    """1e16 + 1 + 1 is 1e16 from the left and 1e16 + 2 from the right."""
    items = [EnergyItem("a", str(pj), 1, pj, pj, pj) for pj in (1e16, 1.0, 1.0)]
    for order in permutations(items):
        found = EnergyBreakdown(order, "")
        assert found.total_pj == found.low_pj == found.high_pj == 1e16 + 2
        assert found.by_component() == {"a": 1e16 + 2}
        assert plus([Estimate(item.pj, 0, 0) for item in order]).value == 1e16 + 2


def test_presets_have_all_energies_and_unknown_tables_are_refused() -> None:
    for machine in (PACKED, PLAIN):
        check_energies(machine)
    with pytest.raises(InputError, match="no such energy table; allowed: 45nm-horowitz"):
        check_energies(load_accelerator("packed_w4_32x32", ["energy_table=3nm-wishes"]))
    with pytest.raises(InputError, match="no energy for this action at 6x6 bits"):
        check_energies(load_accelerator("plain_int8_32x32", ["arrays.0.modes=[[6, 6]]"]))
