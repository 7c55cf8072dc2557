"""Banks: an access reads all of them; area and leakage are those of all banks, and of one buffer for each array."""

from __future__ import annotations

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import Accelerator
from mixarray.cost.area import area_mm2
from mixarray.cost.buffers import MOST_BANKS, buffer_names, buffer_sram, buffer_static, copies
from mixarray.cost.energy import check_energies, energy
from mixarray.cost.leakage import leakage_mw
from mixarray.cost.sram import sram, sram_static
from mixarray.cost.tables import energy_table
from mixarray.errors import InputError

TABLE = "45nm-horowitz"


def banked(banks: int) -> Accelerator:
    fields = f"buffers.accumulator={{capacity_kib: 256, port_bits: 1024, slots: 2, banks: {banks}}}"
    return load_accelerator("packed_w4_32x32", [fields, "leakage=lstp300"])


def test_an_access_reads_every_bank() -> None:
    four, each = buffer_sram(banked(4), "accumulator", TABLE), sram(TABLE, 64, 256, "b", "mine")
    assert (four.read_pj, four.write_pj) == (4 * each.read_pj, 4 * each.write_pj)
    assert buffer_sram(banked(1), "accumulator", TABLE) == sram(TABLE, 256, 1024, "b", "mine")


def test_area_and_leakage_are_those_of_all_banks() -> None:
    four, each = buffer_static(banked(4), "accumulator", TABLE), sram_static(TABLE, 64, 256, "b", "mine")
    assert (four.area_mm2, four.lstp300_mw) == (4 * each.area_mm2, 4 * each.lstp300_mw)
    assert four.hp360_mw is not None
    assert each.hp360_mw is not None
    assert four.hp360_mw == 4 * each.hp360_mw


def test_accumulators_are_there_once_for_each_array() -> None:
    two = load_accelerator("decoupled_int8_int4", ["leakage=lstp300"])
    assert {name: copies(two, name) for name in buffer_names(two)} == {"activation": 1, "weight": 1, "accumulator": 2}
    one, table = two.model_copy(update={"arrays": two.arrays[:1]}), energy_table(TABLE)
    alone, both = (leakage_mw(machine, table) for machine in (one, two))
    assert both["buffers.accumulator"].value == 2 * alone["buffers.accumulator"].value
    assert both["buffers.weight"] == alone["buffers.weight"]
    areas = [area_mm2(machine, table) for machine in (one, two)]
    assert areas[0] is not None
    assert areas[1] is not None
    pes_um2 = table.get("pe_area_plain", 4, 4).value * two.arrays[1].pes
    accumulators = table.get("sram_area_scale").value * buffer_static(one, "accumulator", TABLE).area_mm2
    assert areas[1].value - areas[0].value == pytest.approx(pes_um2 / 1e6 + accumulators)


def test_the_note_names_banks_and_a_bank_outside_the_grid_is_refused() -> None:
    assert "buffers.accumulator in 4 equal banks" in energy({}, 1, banked(4), {}).note
    assert "banks" not in energy({}, 1, banked(1), {}).note
    fields = "buffers.weight={capacity_kib: 128, port_bits: 256, slots: 2, banks: 32}"
    with pytest.raises(InputError, match=r"buffers.weight \(one of 32 banks\).capacity_kib: 4 lies outside"):
        buffer_sram(load_accelerator("packed_w4_32x32", [fields]), "weight", TABLE)


@pytest.mark.parametrize(
    ("preset", "sets", "buffer", "banks"),
    [
        ("packed_w4_128x128", ["energy_table=7nm-jouppi"], "activation", 2),
        ("packed_w4_32x32", ["buffers.weight={capacity_kib: 128, port_bits: 256, slots: 2, banks: 32}"], "weight", 4),
        ("packed_w4_32x32", ["buffers.weight={capacity_kib: 128, port_bits: 4096, slots: 2, banks: 1}"], "weight", 4),
        ("packed_w4_32x32", ["buffers.weight={capacity_kib: 4096, port_bits: 256, slots: 2, banks: 1}"], "weight", 2),
    ],
)
def test_a_refused_buffer_is_told_how_many_banks_fit(preset: str, sets: list[str], buffer: str, banks: int) -> None:
    with pytest.raises(InputError, match=rf"lies outside the SRAM grid; .*; buffers\.{buffer}\.banks={banks} fits$"):
        check_energies(load_accelerator(preset, sets))
    check_energies(load_accelerator(preset, [*sets, f"buffers.{buffer}.banks={banks}"]))


def test_a_buffer_that_no_banks_make_fit_says_so() -> None:
    fields = "buffers.weight={capacity_kib: 4, port_bits: 256, slots: 2, banks: 1}"
    with pytest.raises(InputError, match=r"no number of banks makes buffers\.weight fit$"):
        check_energies(load_accelerator("packed_w4_32x32", [fields]))


def test_advice_goes_up_to_as_many_banks_as_a_buffer_may_have() -> None:
    machine = load_accelerator("packed_w4_32x32", [f"buffers.weight.banks={MOST_BANKS}"])
    assert machine.buffers.weight.banks == MOST_BANKS
    with pytest.raises(InputError, match=f"less than or equal to {MOST_BANKS}|at most {MOST_BANKS}"):
        load_accelerator("packed_w4_32x32", [f"buffers.weight.banks={MOST_BANKS + 1}"])
