"""Presets load, are fixed twins, and every mistake names file, field and what is allowed."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from mixarray.accelerator import load
from mixarray.accelerator.load import config_dir, list_accelerators, load_accelerator, parse_accelerator
from mixarray.accelerator.sources import SET_BY_USER, check_sources, leaves, source_of
from mixarray.accelerator.write import accelerator_sha256, json_schema, new_from, resolved_yaml
from mixarray.errors import InputError

PACKED, PLAIN, OUTPUT = "packed_w4_32x32", "plain_int8_32x32", "plain_int8_os_32x32"


def data_of(name: str = PACKED) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((config_dir() / f"{name}.yaml").read_text())
    return data


@pytest.mark.parametrize("name", list_accelerators())
def test_every_preset_loads_under_its_own_name(name: str) -> None:
    accelerator = load_accelerator(name)
    assert accelerator.name == name
    check_sources(accelerator, name)


def test_both_presets_are_shipped_and_differ_only_in_style() -> None:
    assert set(list_accelerators()) >= {PACKED, PLAIN}
    packed, plain = dict(leaves(data_of(PACKED))), dict(leaves(data_of(PLAIN)))
    differing = {path for path in packed.keys() | plain.keys() if packed.get(path) != plain.get(path)}
    allowed = ("name", "description", "arrays.0.pe_style", "arrays.0.modes", "sources.arrays.0.modes")
    assert {path for path in differing if not path.startswith(allowed)} == set()


def test_the_output_stationary_preset_differs_from_its_twin_only_in_dataflow() -> None:
    twin, output = (load_accelerator(name).model_dump() for name in (PLAIN, OUTPUT))
    texts = ("name", "description", "sources")
    differing = {path for path, value in leaves(output) if dict(leaves(twin)).get(path) != value}
    assert {path for path in differing if not path.startswith(texts)} == {"arrays.0.dataflow"}


def test_units_are_resolved_by_the_model() -> None:
    accelerator = load_accelerator(PACKED)
    assert accelerator.buffers.weight.capacity_bits == 128 * 1024 * 8
    assert accelerator.buffers.weight.slot_bits == 64 * 1024 * 8
    assert accelerator.buffers.weight.accesses(257) == 2
    assert accelerator.arrays[0].row_load_cycles == 1
    assert accelerator.cycles_to_ms(500_000) == 1.0
    assert accelerator.arrays[0].largest_lanes == 2


def test_bandwidth_is_rational_and_rounded_up_per_transfer() -> None:
    accelerator = load_accelerator(PACKED, ["dram_channels.0.bits_per_cycle=1024/5"])
    memory = accelerator.memory
    assert accelerator.dram_channels[0].bits_per_cycle == Fraction(1024, 5)
    assert (memory.transfer_bits(1), memory.transfer_cycles(1)) == (256, 2)
    assert memory.transfer_cycles(1024) == 5


def test_bursts_are_spread_over_equal_channels() -> None:
    data = data_of()
    channel = data["dram_channels"][0]
    data["dram_channels"] = [{**channel, "name": f"dram{number}"} for number in range(3)]
    data["sources"]["dram_channels"] = "assumed"
    memory = parse_accelerator(data, "here").memory
    assert memory.transfer_bits(7 * 256) == 7 * 256
    assert memory.transfer_cycles(7 * 256) == -(-3 * 256 // 192)  # the busiest of the three has three bursts
    data["dram_channels"][1]["latency_cycles"] += 1
    with pytest.raises(InputError, match=r"dram_channels: channels must differ in nothing but their names"):
        parse_accelerator(data, "here")


def test_models_are_frozen() -> None:
    accelerator = load_accelerator(PACKED)
    with pytest.raises(ValidationError, match="frozen"):
        accelerator.clock_mhz = 1  # type: ignore[misc]


def test_override_changes_value_and_source() -> None:
    accelerator = load_accelerator(PACKED, ["arrays.0.rows=64", "mixed_precision.sorter_width=3"])
    assert accelerator.arrays[0].rows == 64
    assert source_of(accelerator, "arrays.0.rows") == SET_BY_USER
    assert source_of(accelerator, "mixed_precision.sorter_width") == SET_BY_USER
    assert "ANT" in str(source_of(accelerator, "arrays.0.columns"))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("arrays.0.rowz=1", r"arrays.0.rowz: arrays.0 has no 'rowz'; allowed: name, rows, columns"),
        ("arrays.1.rows=1", r"arrays has no '1'; allowed: 0"),
        ("arrays.0.rows.x=1", r"arrays.0.rows is a value"),
        ("clock=1", r"clock: the accelerator has no 'clock'; allowed: schema_version, name"),
        ("arrays.0.rows", r"not of the form path=value"),
        ("sources.clock_mhz=x", r"cannot be set"),
        ("clock_mhz=[", r"is not a YAML value"),
        ("arrays.0.rows=0", r"arrays.0.rows: Input should be greater than or equal to 1; found 0"),
        ("arrays.0.rows=32.0", r"arrays.0.rows: Input should be a valid integer; found 32.0"),
        ("arrays.0.rows=.nan", r"arrays.0.rows"),
        ("arrays.0.rows=true", r"arrays.0.rows"),
        ("arrays.0.dataflow=rs", r"arrays.0.dataflow: .*'weight_stationary'.*found 'rs'"),
        ("arrays.0.dataflow=output_stationary", r"arrays.0: packed_w4 PEs cannot run output_stationary: "),
        ("arrays.0.pe_style=magic", r"'magic' is no PE style; allowed: bricks16, packed_w4, plain"),
        ("arrays.0.modes=[[16, 4]]", r"no mode \(16, 4\); allowed"),
        ("arrays.0.modes=[]", r"arrays.0.modes"),
        ("arrays.0.modes=[[8, 4], [8, 4]]", r"listed twice"),
        ("arrays.0.weight_loading=fast", r"'serial', 'single' or 'double'"),
        ("leakage=some", r"'none', 'lstp300' or 'hp360'"),
        ("buffers.weight={capacity_kib: 1, port_bits: 64}", r"buffers.weight.slots: this field is required"),
        ("buffers.accumulator.capacity_kib=1", None),
        (
            "buffers.accumulator={capacity_kib: 1, port_bits: 64, slots: 16, banks: 1}",
            r"slot holds 512 bits.*needs 1024",
        ),
        ("dram_channels.0.bits_per_cycle=102.4", r"integer or a fraction"),
        ("dram_channels.0.bits_per_cycle=0", r"dram_channels.0.bits_per_cycle"),
        ("dram_channels.0.bits_per_cycle='1e9'", r"integer or a fraction.*found '1e9'"),
        ("dram_channels.0.bits_per_cycle='0.5'", r"integer or a fraction"),
        ("dram_channels.0.bits_per_cycle=' 3 / 2'", r"integer or a fraction"),
        ("dram_channels.0.bits_per_cycle=-3/2", r"integer or a fraction"),
        ("dram_channels.0.bits_per_cycle=3/0", r"no denominator 0"),
        ("dram_channels.0.bits_per_cycle=null", r"integer or a fraction"),
        ("dram_channels.0.bits_per_cycle=10000000", r"dram_channels.0.bits_per_cycle: .*less than or equal"),
        ("dram_channels.0.bits_per_cycle=1/999999999", r"dram_channels.0.bits_per_cycle: .*greater than or equal"),
        ("dram_channels.0.burst_bits=1000000", r"dram_channels.0.burst_bits: .*less than or equal to 65536"),
        ("dram_channels.0.latency_cycles=1000000000000", r"latency_cycles: .*less than or equal to 1000000"),
        ("vector_units.0.latency_cycles=9999999", r"latency_cycles: .*less than or equal to 1000000"),
        ("vector_units.0.lanes=1000000", r"lanes: .*less than or equal to 65536"),
        ("vector_units.0.passes={softmax: 1000000}", r"passes.*softmax: .*less than or equal to 65536"),
        (
            "vector_units.0.passes=magic",
            r"vector_units.0.passes.*'magic' is no vector unit style; allowed: fused, multi_pass",
        ),
        ("mixed_precision.sorter=quick", r"mixed_precision.sorter: 'quick' is no sorter; allowed: bitonic, .*, free"),
        ("mapping.attention=both", r"mapping.attention: .*'layerwise', 'fused' or 'best'"),
        ("clock_mhz=1000000", r"clock_mhz: .*less than or equal to 100000"),
        ("arrays.0.weight_port_bits=1000000", r"weight_port_bits: .*less than or equal to 65536"),
        ("buffers.weight.port_bits=1000000", r"port_bits: .*less than or equal to 65536"),
        ("buffers.weight.capacity_kib=10000000", r"capacity_kib: .*less than or equal to 1048576"),
        ("buffers.weight={slots: 2, slots: 3}", r"is not a YAML value"),
        ("clock_mhz=2001-99-99", r"is not a YAML value"),
        ("vector_units.0.passes={softmax: 1}", r"vector_units.0.passes: .*missing: layernorm"),
    ],
)
def test_override_mistakes(override: str, message: str | None) -> None:
    if message is None:
        assert load_accelerator(PACKED, [override]).buffers.accumulator.capacity_kib == 1
        return
    with pytest.raises(InputError, match=message):
        load_accelerator(PACKED, [override])


def test_unknown_names_get_a_suggestion() -> None:
    with pytest.raises(InputError, match=r"did you mean 'packed_w4_32x32'\?.*plain_int8_32x32"):
        load_accelerator("packed_w4_32")


def test_unknown_field_names_the_allowed_ones() -> None:
    data = data_of()
    data["arrays"][0]["row"] = 3
    with pytest.raises(InputError, match=r"here: arrays.0.row: unknown field; allowed: name, rows, columns"):
        parse_accelerator(data, "here")


def test_a_number_without_a_source_is_refused() -> None:
    data = data_of()
    del data["sources"]["buffers.weight"]
    with pytest.raises(InputError, match=r"buffers.weight.capacity_kib: this number has no source"):
        parse_accelerator(data, "here")


def test_a_source_of_nothing_is_refused() -> None:
    data = data_of()
    data["sources"]["arrays.0.rowz"] = "typo"
    with pytest.raises(InputError, match=r"sources.arrays.0.rowz: this source belongs to nothing"):
        parse_accelerator(data, "here")


def test_the_longest_prefix_wins() -> None:
    accelerator = load_accelerator(PACKED)
    assert "32-bit" in str(source_of(accelerator, "arrays.0.accumulator_bits"))
    assert "ANT" in str(source_of(accelerator, "arrays.0.rows"))


@pytest.mark.parametrize("text", ["- 1\n", "a: [1\n", "", "\x00", "[" * 100_000, "a: 2001-99-99\n"])
def test_files_that_are_no_accelerator(tmp_path: Path, text: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=r"bad\.yaml"):
        load_accelerator(str(file))


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    text = (config_dir() / f"{PACKED}.yaml").read_text()
    file = tmp_path / "twice.yaml"
    for doubled in (f"{text}clock_mhz: 1000\n", text.replace("    rows: 32 ", "    rows: 64\n    rows: 32 ")):
        file.write_text(doubled)
        with pytest.raises(InputError, match=r"twice\.yaml: .*'(clock_mhz|rows)' is given twice"):
            load_accelerator(str(file))
        with pytest.raises(InputError, match=r"mine\.yaml: .*is given twice"):
            new_from(str(file), tmp_path / "mine.yaml")


def test_keys_merged_from_an_anchor_may_be_overridden(tmp_path: Path) -> None:
    text = (config_dir() / f"{PACKED}.yaml").read_text()
    text = text.replace("  activation: {", "  activation: &same {").replace(
        "  weight: {capacity_kib: 128, port_bits: 256, slots: 2, banks: 1}", "  weight: {<<: *same, capacity_kib: 128}"
    )
    file = tmp_path / "merged.yaml"
    file.write_text(text)
    assert load_accelerator(str(file)) == load_accelerator(PACKED)


def test_resolved_yaml_loads_as_the_same_accelerator(tmp_path: Path) -> None:
    accelerator = load_accelerator(PACKED, ["dram_channels.0.bits_per_cycle=1024/5", "arrays.0.rows=64"])
    file = tmp_path / "resolved.yaml"
    file.write_text(resolved_yaml(accelerator))
    assert load_accelerator(str(file)) == accelerator
    assert accelerator_sha256(accelerator) != accelerator_sha256(load_accelerator(PACKED))


def test_new_from_copies_comments_and_refuses_taken_names(tmp_path: Path) -> None:
    made = new_from(PACKED, tmp_path / "mine.yaml")
    assert load_accelerator(str(made)).name == "mine"
    assert "# K lies on the rows" in made.read_text()
    with pytest.raises(InputError, match="already exists"):
        new_from(PACKED, made)
    with pytest.raises(InputError, match="name of a shipped accelerator"):
        new_from(PACKED, tmp_path / f"{PLAIN}.yaml")


def test_json_schema_lists_the_styles() -> None:
    schema = json_schema()
    assert schema["$defs"]["Array"]["properties"]["pe_style"]["enum"] == ["bricks16", "packed_w4", "plain"]
    assert schema["additionalProperties"] is False


def test_config_dir_prefers_package_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = Path(__file__).parents[2] / "accelerator_configs"
    monkeypatch.setattr(load, "files", lambda package: tmp_path / "no" / package)
    assert config_dir() == repository
    packaged = tmp_path / "mixarray" / "accelerator_configs"
    packaged.mkdir(parents=True)
    monkeypatch.setattr(load, "files", lambda package: tmp_path / package)
    assert config_dir() == packaged


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "machine.yaml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"machine\.yaml: cannot be read: it is not UTF-8 text"):
        load_accelerator(str(path))
