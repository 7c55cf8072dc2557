"""SCALE-Sim's configuration files: read as it reads them, refused where it stops."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.scalesim_config import DATAFLOWS, read_scalesim_config
from mixarray.errors import InputError
from mixarray_analysis.validation.scalesim.golden import golden_dir
from mixarray_analysis.validation.scalesim.questions import config_text

TEXT = config_text(16, 8, "os")
KEYS = [line.partition(":")[0].partition("=")[0].strip() for line in TEXT.splitlines() if line and line[0] != "["]
NEEDED = ("ArrayHeight", "ArrayWidth", "Dataflow")


def refusal(tmp_path: Path, text: str) -> str:
    (tmp_path / "C.cfg").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_scalesim_config(tmp_path / "C.cfg")
    assert "C.cfg" in str(caught.value)
    return str(caught.value)


def without(key: str) -> str:
    return "\n".join(line for line in TEXT.splitlines() if not line.startswith(key))


def test_what_decides_the_cycles(tmp_path: Path) -> None:
    (tmp_path / "C.cfg").write_text("\ufeff" + TEXT, encoding="utf-8")
    config = read_scalesim_config(tmp_path / "C.cfg")
    assert (config.run_name, config.rows, config.columns) == ("mixarray", 16, 8)
    assert (config.dataflow, config.dataflow_key) == (Dataflow.OUTPUT_STATIONARY, "os")
    assert config.stall_settings == ()


def test_the_golden_configuration_unchanged() -> None:
    config = read_scalesim_config(golden_dir() / "scalesim_3.0.0_ws_128x128.cfg")
    assert (config.run_name, config.rows, config.columns, config.dataflow_key) == ("ws_128x128_gen", 128, 128, "ws")


def test_every_dataflow_has_its_letters() -> None:
    assert set(DATAFLOWS.values()) == set(Dataflow)


def test_unknown_keys_and_sections_are_ignored_and_keys_have_no_case(tmp_path: Path) -> None:
    text = (
        TEXT.replace("ArrayHeight", "ARRAYHEIGHT").replace("[layout]", "Nonsense = 50 %\n[layout]") + "[more]\nx = 1\n"
    )
    (tmp_path / "C.cfg").write_text(text, encoding="utf-8")
    assert read_scalesim_config(tmp_path / "C.cfg").rows == 16


@pytest.mark.parametrize("key", NEEDED)
def test_a_key_that_decides_the_cycles_is_missed_by_name(tmp_path: Path, key: str) -> None:
    assert f".{key}: is missing, and the cycles depend on it" in refusal(tmp_path, without(key))


@pytest.mark.parametrize("key", [key for key in KEYS if key not in NEEDED])
def test_a_key_of_the_memory_model_may_be_missing(tmp_path: Path, key: str) -> None:
    (tmp_path / "C.cfg").write_text(without(key), encoding="utf-8")
    config = read_scalesim_config(tmp_path / "C.cfg")
    assert (config.rows, config.columns, config.dataflow_key) == (16, 8, "os")
    assert config.run_name == ("C" if key == "run_name" else "mixarray")


def test_three_keys_are_enough(tmp_path: Path) -> None:
    text = "[architecture_presets]\nArrayHeight: 4\nArrayWidth: 5\nDataflow: is\n"
    (tmp_path / "old.cfg").write_text(text, encoding="utf-8")
    config = read_scalesim_config(tmp_path / "old.cfg")
    assert (config.rows, config.columns, config.dataflow_key) == (4, 5, "is")
    assert (config.run_name, config.stall_settings) == ("old", ())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Dataflow: os", "Dataflow: rs", "architecture_presets.Dataflow: 'rs' is unknown; allowed: ws, os, is"),
        ("Dataflow: os", "Dataflow: OS", "'OS' is unknown"),
        ("ArrayHeight: 16", "ArrayHeight: 0", "architecture_presets.ArrayHeight: 0 is no size of an array"),
        ("ArrayWidth: 8", "ArrayWidth: 8.0", "architecture_presets.ArrayWidth: '8.0' is no integer"),
        ("IfmapSramSzkB: 8192", "IfmapSramSzkB: big", "IfmapSramSzkB: 'big' is no integer"),
        ("SparsitySupport: false", "SparsitySupport: True", "sparsity.SparsitySupport: sparse layers"),
        ("InterfaceBandwidth: CALC", "InterfaceBandwidth: calc", "run_presets.InterfaceBandwidth: 'calc' is unknown"),
        ("IfmapCustomLayout: False", "IfmapCustomLayout: maybe", "layout.IfmapCustomLayout: 'maybe' is neither"),
        ("[layout]", "[general]", "is no configuration of SCALE-Sim"),
        ("[general]\n", "", "is no configuration of SCALE-Sim"),
    ],
)
def test_mistakes_are_refused_by_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in TEXT
    assert message in refusal(tmp_path, TEXT.replace(old, new))


def test_a_bandwidth_may_be_missing_but_not_wrong_where_it_is_used(tmp_path: Path) -> None:
    user = TEXT.replace("CALC", "USER")
    (tmp_path / "C.cfg").write_text(user.replace("Bandwidth: 16\nData", "Data"), encoding="utf-8")
    assert read_scalesim_config(tmp_path / "C.cfg").stall_settings == ("run_presets.InterfaceBandwidth",)
    assert "'many' is no list" in refusal(tmp_path, user.replace("Bandwidth: 16\nData", "Bandwidth: many\nData"))


def test_settings_that_only_stall_are_named(tmp_path: Path) -> None:
    text = TEXT.replace("CALC", "USER").replace("Trace: False", "Trace: True")
    text = text.replace("FilterCustomLayout: False", "FilterCustomLayout: yes")
    (tmp_path / "C.cfg").write_text(text, encoding="utf-8")
    assert read_scalesim_config(tmp_path / "C.cfg").stall_settings == (
        "run_presets.InterfaceBandwidth",
        "run_presets.UseRamulatorTrace",
        "layout.FilterCustomLayout",
    )


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.cfg: cannot be read"):
        read_scalesim_config(tmp_path / "nothing.cfg")
    with pytest.raises(InputError, match=r"cannot be read: Is a directory$"):
        read_scalesim_config(tmp_path)
