"""Anchors of the tables, and energy as exactly the sum of counts times cost."""

from __future__ import annotations

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.cost.energy import IDLE, action_energy, check_energies, energy, unit_energy
from mixarray.cost.sram import sram
from mixarray.cost.tables import energy_table, list_tables, read_csv, vector_ops
from mixarray.errors import InputError
from mixarray.mapping.schedule import Action
from mixarray.trace.model import OperatorKind

TABLE = "45nm-horowitz"
PACKED = load_accelerator("packed_w4_32x32")
PLAIN = load_accelerator("plain_int8_32x32")


def test_rows_are_sourced_and_bounded() -> None:
    for row in read_csv(f"{TABLE}.csv"):
        assert row["source"]
        assert row["status"] in ("primary", "secondary", "derived", "assumed")
        assert 0 < float(row["low"]) <= float(row["value"]) <= float(row["high"]), row["action"]
        assert row["unit"] in ("pJ", "mW", "1")


def test_mac_anchors() -> None:
    """Bit Fusion's fixed 8/8 equals Horowitz's 0.2 + 0.1 within 1 %; INT4 over INT8 lies within the published band."""
    int8 = energy_table(TABLE).get("pe_cycle_plain", 8, 8).value
    int4 = energy_table(TABLE).get("pe_cycle_plain", 4, 4).value
    assert int8 == pytest.approx(0.2 + 0.1, rel=0.01)
    assert 0.38 <= int4 / int8 <= 0.45


def test_packed_pe_follows_its_measured_ratios() -> None:
    table = energy_table(TABLE)
    int8 = table.get("pe_cycle_plain", 8, 8).value
    assert table.get("pe_cycle_packed_w4", 8, 4).value == pytest.approx(0.75 * int8, rel=1e-3)
    assert table.get("pe_cycle_packed_w4", 4, 4).value == pytest.approx(0.85 * int8, rel=1e-3)
    assert table.get("pe_cycle_packed_w4", 8, 8) == table.get("pe_cycle_packed_w4", 8, 4)


@pytest.mark.parametrize(
    ("kib", "cacti", "horowitz", "error"), [(8, 6.14, 10, 1e-9), (32, 17.04, 20, 1e-9), (1024, 93.5, 100, 0.2)]
)
def test_sram_anchors_64_bits(kib: int, cacti: float, horowitz: float, error: float) -> None:
    read = sram(TABLE, kib, 64, "buffers.weight", "mine").read_pj
    assert read == pytest.approx(cacti, abs=error)
    assert 0.5 <= read / horowitz <= 1.1


def test_sram_interpolation_is_monotone_and_bounded() -> None:
    at = [sram(TABLE, kib, 256, "b", "mine").read_pj for kib in (8, 12, 32, 64, 128, 256, 2048)]
    assert at == sorted(at)
    assert sram(TABLE, 64, 192, "b", "mine").write_pj > sram(TABLE, 64, 128, "b", "mine").write_pj


@pytest.mark.parametrize(
    ("kib", "bits", "field"), [(4, 64, "capacity_kib"), (4096, 64, "capacity_kib"), (8, 32, "port_bits")]
)
def test_outside_the_sram_grid_is_refused(kib: int, bits: int, field: str) -> None:
    with pytest.raises(InputError, match=f"mine: buffers.weight.{field}: .*outside the SRAM grid"):
        sram(TABLE, kib, bits, "buffers.weight", "mine")


def test_a_buffer_outside_the_grid_names_its_accelerator() -> None:
    small = load_accelerator("plain_int8_32x32", ["buffers.weight.capacity_kib=4", "leakage=lstp300"])
    for refused in (lambda: check_energies(small), lambda: energy({}, 1, small)):
        with pytest.raises(InputError, match=r"^plain_int8_32x32: buffers\.weight\.capacity_kib: 4 lies outside"):
            refused()


def test_every_vector_operator_has_an_energy() -> None:
    kinds = {kind.value for kind in OperatorKind if kind is not OperatorKind.GEMM}
    assert set(vector_ops()) == kinds
    for kind in kinds:
        estimate = unit_energy(Action("vector_units.0", f"{kind}_element"), PACKED)
        ops = vector_ops()[kind]
        assert estimate.value == pytest.approx(0.4 * ops.adds + 1.1 * ops.multiplies)


def test_dram_costs_per_bit_with_its_band() -> None:
    estimate = unit_energy(Action("dram_channels.0", "write_bits"), PACKED)
    assert (estimate.value, estimate.low, estimate.high) == (8, 8, 13)


@pytest.mark.parametrize(
    "action",
    [
        Action("arrays.0", "pe_cycle_2x2"),
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
        energy({action: 1}, 10, PACKED)


def test_total_is_the_sum_of_counts_times_costs() -> None:
    actions = {
        Action("arrays.0", "pe_cycle_8x4"): 1000,
        Action("arrays.0", "pe_cycle_4x4"): 500,
        Action("buffers.weight", "read"): 7,
        Action("dram_channels.0", "read_bits"): 512,
    }
    breakdown = energy(actions, 10, PACKED)
    idle = 1024 * 10 - 1500
    read = sram(TABLE, 128, 256, "buffers.weight", "mine").read_pj
    expected = 1000 * 0.2235 + 500 * 0.2533 + 7 * read + 512 * 8 + idle * 0.34 * 0.2235
    assert breakdown.total_pj == pytest.approx(expected, rel=1e-12)
    assert breakdown.low_pj < breakdown.total_pj < breakdown.high_pj
    assert sum(breakdown.by_component().values()) == pytest.approx(breakdown.total_pj)
    assert [i.count for i in breakdown.items if i.action == IDLE] == [idle]
    assert sum(i.pj for i in action_energy(actions, PACKED)) == pytest.approx(expected - idle * 0.34 * 0.2235)


def test_more_active_pe_cycles_than_there_are_is_an_error() -> None:
    with pytest.raises(ValueError, match="exceed"):
        energy({Action("arrays.0", "pe_cycle_8x8"): 1025}, 1, PLAIN)


def test_leakage_is_a_named_choice() -> None:
    leaking = load_accelerator("plain_int8_32x32", ["leakage=lstp300"])
    with_leakage, without = energy({}, 500_000, leaking), energy({}, 500_000, PLAIN)
    pes_pj = 1024 * 0.022952e-3 * 1e-3 * 1e12  # 1024 PEs of 22.952 uW for 1 ms
    found = {i.component: i.pj for i in with_leakage.items if i.action == "leakage"}
    assert found["arrays.0"] == pytest.approx(pes_pj, rel=1e-9)
    assert set(found) == {"arrays.0", "buffers.activation", "buffers.weight", "buffers.accumulator"}
    assert with_leakage.total_pj == pytest.approx(without.total_pj + sum(found.values()))
    assert "no leakage" in without.note
    assert "lstp300" in with_leakage.note


def test_presets_have_all_energies_and_unknown_tables_are_refused() -> None:
    check_energies(PACKED)
    check_energies(PLAIN)
    assert list_tables() == (TABLE,)
    with pytest.raises(InputError, match="no such energy table; allowed: 45nm-horowitz"):
        check_energies(load_accelerator("packed_w4_32x32", ["energy_table=3nm-wishes"]))
    with pytest.raises(InputError, match="no energy for this action at 6x6 bits"):
        check_energies(load_accelerator("plain_int8_32x32", ["arrays.0.modes=[[6, 6]]"]))
