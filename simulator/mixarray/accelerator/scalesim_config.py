"""SCALE-Sim's `.cfg`: the keys that decide compute cycles and SRAM counts are needed, all others only checked.

Unknown keys are ignored, as SCALE-Sim does. Keys of its memory model may be missing: which of them a file has depends
on the version it was written for, and no number here depends on them.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from mixarray.accelerator.enums import Dataflow
from mixarray.errors import InputError

GENERAL, ARCHITECTURE, LAYOUT, SPARSITY, RUN = "general", "architecture_presets", "layout", "sparsity", "run_presets"
DATAFLOWS: Mapping[str, Dataflow] = {
    "ws": Dataflow.WEIGHT_STATIONARY,
    "os": Dataflow.OUTPUT_STATIONARY,
    "is": Dataflow.INPUT_STATIONARY,
}
BUFFER_KEYS = ("IfmapSramSzkB", "FilterSramSzkB", "OfmapSramSzkB")
MEMORY_KEYS = ("IfmapOffset", "FilterOffset", "OfmapOffset", "ReadRequestBuffer", "WriteRequestBuffer")
BANK_KEYS = tuple(f"{tensor}SRAMBank{what}" for tensor in ("Ifmap", "Filter") for what in ("Bandwidth", "Num", "Port"))
CUSTOM_LAYOUT_KEYS = ("IfmapCustomLayout", "FilterCustomLayout")
LARGEST_SIDE = 65_536


@dataclass(frozen=True, slots=True)
class ScaleSimConfig:
    """What decides compute cycles and SRAM counts, and the settings that could only add stalls.

    stall_settings: keys of the file that describe memory below the SRAM ports; the timing rule does not model it.
    """

    run_name: str
    rows: int
    columns: int
    dataflow: Dataflow
    stall_settings: tuple[str, ...]

    @property
    def dataflow_key(self) -> str:
        """The dataflow in SCALE-Sim's letters: ws, os or is."""
        return next(key for key, dataflow in DATAFLOWS.items() if dataflow is self.dataflow)


def read_scalesim_config(path: Path) -> ScaleSimConfig:
    """The configuration in a SCALE-Sim `.cfg` file.

    Raises InputError naming the file and `section.key` where the array's size or dataflow is missing or no such thing,
    where SCALE-Sim 3.0.0 would stop at a value, and for sparsity, whose cycles this rule lacks. `run_name` is the
    file's name where the file gives none.
    """
    keys = _Keys(str(path), _parse(path))
    for section, names in ((ARCHITECTURE, (*BUFFER_KEYS, *MEMORY_KEYS)), (LAYOUT, BANK_KEYS)):
        for key in names:
            if keys.has(section, key):
                keys.integer(section, key)
    if keys.has(SPARSITY, "SparsitySupport") and keys.text(SPARSITY, "SparsitySupport").lower() == "true":
        keys.refuse(SPARSITY, "SparsitySupport", "sparse layers are not simulated; false gives the dense cycles")
    return ScaleSimConfig(
        run_name=keys.text(GENERAL, "run_name") if keys.has(GENERAL, "run_name") else path.stem,
        rows=keys.side("ArrayHeight"),
        columns=keys.side("ArrayWidth"),
        dataflow=DATAFLOWS[keys.choice(ARCHITECTURE, "Dataflow", tuple(DATAFLOWS))],
        stall_settings=_stall_settings(keys),
    )


@dataclass(frozen=True, slots=True)
class _Keys:
    """Typed access to a parsed file; every mistake names its section and key."""

    where: str
    parser: configparser.ConfigParser

    def refuse(self, section: str, key: str, message: str) -> NoReturn:
        raise InputError(self.where, message, f"{section}.{key}")

    def has(self, section: str, key: str) -> bool:
        return self.parser.has_option(section, key)

    def text(self, section: str, key: str) -> str:
        if not self.has(section, key):
            raise InputError(self.where, "is missing, and the cycles depend on it", f"{section}.{key}")
        return self.parser.get(section, key).strip()

    def choice(self, section: str, key: str, allowed: tuple[str, ...]) -> str:
        value = self.text(section, key)
        if value not in allowed:
            self.refuse(section, key, f"{value!r} is unknown; allowed: {', '.join(allowed)}")
        return value

    def integer(self, section: str, key: str) -> int:
        value = self.text(section, key)
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", value):
            self.refuse(section, key, f"{value!r} is no integer")
        return int(value)

    def flag(self, section: str, key: str) -> bool:
        value = self.text(section, key).lower()
        if value not in self.parser.BOOLEAN_STATES:
            self.refuse(section, key, f"{value!r} is neither true nor false")
        return self.parser.BOOLEAN_STATES[value]

    def side(self, key: str) -> int:
        value = self.integer(ARCHITECTURE, key)
        if not 1 <= value <= LARGEST_SIDE:
            self.refuse(ARCHITECTURE, key, f"{value} is no size of an array; allowed: 1 to {LARGEST_SIDE}")
        return value


def _parse(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig"), str(path))
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(str(path), f"cannot be read: {error}") from None
    except configparser.Error as error:
        message = str(error).replace(repr(str(path)), "it")
        raise InputError(str(path), f"is no configuration of SCALE-Sim: {message}") from None
    return parser


def _stall_settings(keys: _Keys) -> tuple[str, ...]:
    """Settings that make SCALE-Sim look at the memory below its SRAM; also checks them as it does."""
    found = []
    given_by = keys.has(RUN, "InterfaceBandwidth") and keys.choice(RUN, "InterfaceBandwidth", ("USER", "CALC"))
    if given_by == "USER":
        found.append(f"{RUN}.InterfaceBandwidth")
        if keys.has(ARCHITECTURE, "Bandwidth"):
            _check_bandwidth(keys)
    if keys.has(RUN, "UseRamulatorTrace") and keys.text(RUN, "UseRamulatorTrace") == "True":
        found.append(f"{RUN}.UseRamulatorTrace")
    found += [f"{LAYOUT}.{key}" for key in CUSTOM_LAYOUT_KEYS if keys.has(LAYOUT, key) and keys.flag(LAYOUT, key)]
    return tuple(found)


def _check_bandwidth(keys: _Keys) -> None:
    given = keys.text(ARCHITECTURE, "Bandwidth")
    if not all(re.fullmatch(r"\s*[0-9]{1,18}\s*", part) for part in given.split(",")):
        keys.refuse(ARCHITECTURE, "Bandwidth", f"{given!r} is no list of integers")
