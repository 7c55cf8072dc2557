"""Rows of the tables: strict, sourced, and equal to what is published."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from mixarray.accelerator.enums import DramType, Leakage
from mixarray.cost.rows import GridInfo, StaticRow, TableRow, VectorRow, parse_rows, read_rows
from mixarray.cost.sram import grid_infos
from mixarray.cost.tables import Key, energy_table, list_tables, vector_ops
from mixarray.cost.unit_energy import ELEMENT
from mixarray.errors import InputError
from mixarray.mapping.ranking import TokenWalk
from mixarray.mapping.vector_cost import MASK, TURN
from mixarray.trace.model import OperatorKind

TABLE = "45nm-horowitz"
HEAD = "action,bits_a,bits_w,value,unit,node_nm,source,status,low,high\n"
GOOD = "fp16_add,,,0.4,pJ,45,Horowitz,secondary,0.4,0.8\n"


@pytest.mark.parametrize("table", list_tables())
def test_rows_are_sourced_and_bounded(table: str) -> None:
    rows = read_rows(f"{table}.csv", TableRow)
    assert {row.action for row in rows} >= {"pe_cycle_plain", "pe_idle_plain", "sram_scale", "compare"}
    assert all(row.low <= row.value <= row.high and row.source for row in rows)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (GOOD.replace("0.4,0.8", "0.5,0.8"), "outside its band"),
        (GOOD.replace("0.4,0.8", "0.1,0.3"), "outside its band"),
        (GOOD.replace("pJ", "nJ"), "unit"),
        (GOOD.replace("Horowitz", ""), "source"),
        (GOOD.replace("Horowitz", " "), "source"),
        (GOOD.replace("secondary", "rumour"), "status"),
        (GOOD.replace("0.4,pJ", "nan,pJ"), "value"),
        (GOOD.replace("0.4,pJ", "-1,pJ"), "value"),
        (GOOD.replace("0.4,pJ", ",pJ"), "value"),
        (GOOD.replace("45", "0"), "node_nm"),
        (GOOD.replace(",,", ",-4,", 1), "bits"),
        ("fp16_add,,,0.4,pJ\n", "source"),
        (GOOD.replace("\n", ",more\n"), "more"),
    ],
)
def test_a_bad_row_is_refused_with_its_line(row: str, field: str) -> None:
    assert len(parse_rows(HEAD + GOOD, "mine.csv", TableRow)) == 1
    with pytest.raises(InputError, match=rf"^mine\.csv line 3: .*{field}"):
        parse_rows(HEAD + GOOD + row, "mine.csv", TableRow)


@pytest.mark.parametrize(
    ("key", "published"),
    [
        (Key("pe_cycle_plain", 8, 8), 0.298),
        (Key("pe_cycle_plain", 4, 4), 0.120),
        (Key("pe_leakage_plain", 8, 8), 22.952e-3),
        (Key("pe_leakage_plain", 4, 4), 7.781e-3),
        (Key("pe_area_plain", 8, 8), 687.6),
        (Key("pe_area_plain", 4, 4), 282.2),
        (Key("dram_ddr4_bit"), 20.3),
        (Key("dram_lpddr4_bit"), 8),
        (Key("dram_hbm2_bit"), 3.9),
        (Key("dram_hbm2e_bit"), 4.3),
        (Key("fp16_add"), 0.4),
        (Key("fp16_multiply"), 1.1),
        (Key("fp32_add"), 0.9),
        (Key("fp32_multiply"), 3.7),
    ],
)
def test_rows_at_45_nm_are_the_published_numbers(key: Key, published: float) -> None:
    assert energy_table(TABLE).rows[key].value == published


def test_rows_at_7_nm_are_the_published_numbers() -> None:
    table = energy_table("7nm-jouppi")
    assert table.get("pe_cycle_plain", 8, 8).value == pytest.approx(0.07 + 0.03)
    operations = ("fp16_add", "fp16_multiply", "fp32_add", "fp32_multiply")
    assert [table.get(one).value for one in operations] == [0.16, 0.34, 0.38, 1.31]
    assert (table.get("dram_hbm2_bit").low, table.get("dram_hbm2_bit").high) == (3.9, 7.0)


@pytest.mark.parametrize("name", list_tables())
def test_mac_anchors(name: str) -> None:
    """Bit Fusion's fixed 8/8 equals Horowitz's 0.2 + 0.1 within 1 %; INT4 over INT8 lies within the published band."""
    table = energy_table(name)
    int8, int4 = (table.get("pe_cycle_plain", bits, bits).value for bits in (8, 4))
    assert int8 == pytest.approx({TABLE: 0.2 + 0.1, "7nm-jouppi": 0.07 + 0.03}[name], rel=0.01)
    assert 0.38 <= int4 / int8 <= 0.45


@pytest.mark.parametrize("name", list_tables())
def test_packed_pe_follows_its_measured_ratios(name: str) -> None:
    """pJ of the two-slot PE over an INT8 PE's; low: of a PE with two 4-bit bricks; high: a quarter above."""
    table = energy_table(name)
    int8 = table.get("pe_cycle_plain", 8, 8)
    for bits, measured, bricks in ((8, 33.8 / 30.0, 0.75), (4, 2 * 15.8 / 30.0, 0.85)):
        cycle = table.get("pe_cycle_packed_w4", bits, 4)
        assert cycle.value == pytest.approx(measured * int8.value, rel=1e-3)
        assert cycle.low == pytest.approx(bricks * int8.low, rel=2e-3)
        assert cycle.high == pytest.approx(1.25 * measured * int8.high, rel=1e-3)
    eight = table.get("pe_cycle_packed_w4", 8, 4)
    assert eight.high > 82.6 / 59.9 * int8.high  # with glitches
    assert table.get("pe_cycle_packed_w4", 8, 8) == eight


@pytest.mark.parametrize("name", list_tables())
def test_a_packed_pe_idles_at_its_own_energy(name: str) -> None:
    """10.2 pJ where an INT8 PE spends 30.0; with glitches 13.5 of 59.9; in the other library 0.636 of 1.504."""
    table = energy_table(name)
    idle, int8 = table.get("pe_idle_packed_w4"), table.get("pe_cycle_plain", 8, 8)
    assert idle.value == pytest.approx(10.2 / 30.0 * int8.value, rel=1e-3)
    assert idle.low == pytest.approx(13.5 / 59.9 * int8.low, rel=4e-3)
    assert idle.high == pytest.approx(0.636 / 1.504 * int8.high, rel=1e-3)
    assert 0.30 <= idle.value / table.get("pe_cycle_packed_w4", 8, 4).value <= 0.38


@pytest.mark.parametrize("name", list_tables())
@pytest.mark.parametrize("bits", [(8, 8), (8, 4), (4, 4)])
def test_a_plain_pe_idles_at_a_share_of_its_own_cycle(name: str, bits: tuple[int, int]) -> None:
    table = energy_table(name)
    idle, active = table.get("pe_idle_plain", *bits), table.get("pe_cycle_plain", *bits)
    shares = [idle.value / active.value, idle.low / active.low, idle.high / active.high]
    assert shares == pytest.approx([0.34, 0.30, 0.38], rel=2e-3)


def test_a_packed_pe_takes_and_leaks_what_its_synthesis_says() -> None:
    table = energy_table(TABLE)
    for what in ("area", "leakage"):
        packed, int8 = table.get(f"pe_{what}_packed_w4"), table.get(f"pe_{what}_plain", 8, 8)
        assert packed.value == pytest.approx(26923 / 25816 * int8.value, rel=1e-4)
        assert packed.low == pytest.approx(0.82 * int8.low, rel=1e-4)
        assert packed.high == pytest.approx(1.25 * packed.value, rel=1e-4)


def test_dram_rows_do_not_depend_on_the_node() -> None:
    tables = [
        [row for row in read_rows(f"{name}.csv", TableRow) if row.action[:5] == "dram_"] for name in list_tables()
    ]
    assert all(rows == tables[0] for rows in tables)
    assert {row.action for row in tables[0]} == {f"dram_{memory.value}_bit" for memory in DramType}
    assert all(row.node_nm is None for row in tables[0])


def test_a_compare_lies_between_the_additions_of_8_and_32_bits() -> None:
    for name, adds in ((TABLE, (0.03, 0.1)), ("7nm-jouppi", (0.007, 0.03))):
        compare = energy_table(name).get("compare")
        assert compare.value == pytest.approx(adds[0] + (adds[1] - adds[0]) * (16 - 8) / (32 - 8), rel=0.03)
        assert (compare.low, compare.high) == adds


def test_an_unknown_action_or_table_is_an_error_never_a_fallback() -> None:
    table = energy_table(TABLE)
    assert table.get("dram_ddr4_bit", 8, 8) == table.get("dram_ddr4_bit")  # where bits do not matter
    with pytest.raises(InputError, match="no energy for this action at 6x6 bits"):
        table.get("pe_cycle_plain", 6, 6)
    with pytest.raises(InputError, match="dram_hbm9_bit: has no energy for this action"):
        table.get("dram_hbm9_bit")
    with pytest.raises(InputError, match="no such energy table; allowed: 45nm-horowitz, 7nm-jouppi"):
        energy_table("5nm-keller")  # figures of a whole accelerator: an anchor, no table


def test_a_table_has_what_its_entry_says() -> None:
    """A table with leakage or areas has a grid and constants for them; hp360 needs a node where it is known."""
    for name in list_tables():
        table = energy_table(name)
        static = {row.capacity_kib for row in _static(table.sram_grid)}
        assert bool(static) == bool(table.leakage) == table.areas
        for leakage in table.leakage:
            assert Key(f"sram_leakage_{leakage}") in table.rows
        assert (Leakage.HP360 in table.leakage) <= (grid_infos()[table.sram_grid].hp360_mw is not None)
        assert (Key("sram_area_scale") in table.rows) == table.areas


def _static(grid: str) -> tuple[StaticRow, ...]:
    return () if grid == "7nm-jouppi" else read_rows(f"sram/{grid}.static.csv", StaticRow)


def test_every_vector_operator_has_operations() -> None:
    beside = {MASK.removesuffix(ELEMENT), TURN.removesuffix(ELEMENT)}  # what attention adds to two of them
    walks = {walk.value for walk in TokenWalk}
    assert set(vector_ops()) == {kind.value for kind in OperatorKind if kind is not OperatorKind.GEMM} | beside | walks


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("kind,adds,multiplies,source,status\ngelu,-1,0,x,derived\n", VectorRow),
        ("grid,node_nm,access,hp360_mw,title,source,status\ng,45,whole,1,t,s,primary\n", GridInfo),
    ],
)
def test_the_other_tables_are_as_strict(text: str, model: type[BaseModel]) -> None:
    with pytest.raises(InputError, match="mine line 2"):
        parse_rows(text, "mine", model)
