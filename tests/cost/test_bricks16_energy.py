"""What a 16-brick PE costs: Bit Fusion's synthesis, own synthesis as the band, and energies of whole GEMMs."""

from __future__ import annotations

from itertools import product

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.modes import Bits
from mixarray.cost.rows import Status, TableRow, read_rows
from mixarray.cost.tables import energy_table, list_tables
from mixarray.mapping.schedule import Action
from mixarray.simulation import simulate
from mixarray.trace.workload import single_gemm

PRESET, TABLE = "bricks16_16x32", "45nm-horowitz"
EVERY = tuple(product((2, 4, 8), (2, 4, 8)))
FUSION_NW, FIXED_8_NW, CLOCK_HZ = 279_960, 148_845, 500e6
"""systolic_array_synth.csv, 1x1: dynamic power of the fusion unit 8/2 and of the fixed 8/8 unit."""
OWN = {(8, 8): 1.72, (4, 4): 1.90}
"""Own synthesis of a 16-brick PE: energy of a cycle over that of an INT8 PE."""


@pytest.mark.parametrize("name", list_tables())
@pytest.mark.parametrize("bits", EVERY)
def test_a_cycle_costs_bit_fusions_average_in_every_mode(name: str, bits: Bits) -> None:
    table = energy_table(name)
    cycle, int8 = table.get("pe_cycle_bricks16", *bits), table.get("pe_cycle_plain", 8, 8)
    assert cycle.value == pytest.approx(FUSION_NW / FIXED_8_NW * int8.value, rel=2e-3)
    ratio = OWN.get(bits, OWN[4, 4])
    assert cycle.low == pytest.approx(ratio * int8.low, rel=1e-3)
    assert cycle.high == pytest.approx(1.25 * ratio * int8.high, rel=1e-3)


def test_the_figures_at_45_nm_are_the_published_ones() -> None:
    table = energy_table(TABLE)
    assert table.get("pe_cycle_bricks16", 8, 8).value == pytest.approx(FUSION_NW * 1e-9 / CLOCK_HZ * 1e12, rel=1e-3)
    assert (table.get("pe_area_bricks16").value, table.get("pe_leakage_bricks16").value) == (1733, 64_314e-6)
    for what, high in (("area", 1733), ("leakage", 64_314e-6)):
        found, int8 = table.get(f"pe_{what}_bricks16"), table.get(f"pe_{what}_plain", 8, 8)
        assert found.low == pytest.approx(2.27 * int8.low, rel=1e-4)
        assert found.high == pytest.approx(1.25 * high, rel=1e-3)
    published = 1735 * 0.459  # per PE in a 4x4 array: area in um2, energy in pJ
    assert table.get("pe_area_bricks16").low * table.get("pe_cycle_bricks16", 4, 4).low < published
    assert published < table.get("pe_area_bricks16").high * table.get("pe_cycle_bricks16", 4, 4).high


@pytest.mark.parametrize("name", list_tables())
def test_what_is_not_published_is_called_derived_or_assumed(name: str) -> None:
    rows = [row for row in read_rows(f"{name}.csv", TableRow) if row.action.endswith("bricks16")]
    status = {row.action: row.status for row in rows}
    assert status["pe_cycle_bricks16"] is Status.DERIVED  # one power for all modes is a rule, not a measurement
    assert status["pe_idle_bricks16"] is Status.ASSUMED
    table = energy_table(name)
    idle, eight, four = (
        table.get("pe_idle_bricks16"),
        table.get("pe_cycle_bricks16", 8, 8),
        table.get("pe_cycle_bricks16", 4, 4),
    )
    shares = [idle.value / eight.value, idle.low / eight.low, idle.high / four.high]
    assert shares == pytest.approx([0.34, 0.30, 0.38], rel=2e-3)


def test_pe_cycles_of_a_gemm_are_its_macs_over_the_lanes_and_cost_what_the_table_says() -> None:
    """K = 256 fills every lane of every mode, so active PE-cycles are M N K / lanes."""
    machine, (m, n, k) = load_accelerator(PRESET), (100, 48, 256)
    each = energy_table(TABLE).get("pe_cycle_bricks16", 2, 4).value
    spent = {}
    for bits in EVERY:
        done = simulate(single_gemm(m, n, k, *bits), machine)
        action = Action("arrays.0", f"pe_cycle_{bits[0]}x{bits[1]}")
        assert done.execution.actions[action] == m * n * k // machine.arrays[0].mode(*bits).lanes
        (item,) = (one for one in done.energy.items if (one.component, one.action) == (action.component, action.name))
        assert item.pj == pytest.approx(each * item.count)
        spent[bits] = done.energy.total_pj
    assert spent[2, 4] < spent[4, 4] < spent[8, 4] < spent[8, 8]


@pytest.mark.parametrize("leakage", ["lstp300", "hp360"])
def test_units_leak_and_take_area(leakage: str) -> None:
    machine = load_accelerator(PRESET, [f"leakage={leakage}"])
    done = simulate(single_gemm(64, 64, 64, 4, 4), machine)
    (leak,) = (item for item in done.energy.items if (item.component, item.action) == ("arrays.0", "leakage"))
    microseconds = done.execution.total_cycles / machine.clock_mhz
    assert leak.pj == pytest.approx(512 * 0.064314 * microseconds * 1000)
