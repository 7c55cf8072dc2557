"""Quantization options as plain JSON values, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from enum import Enum, StrEnum
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from mixarray.errors import InputError
from mixarray_traces.data.items import Split
from mixarray_traces.quantization.aiqvit_options import AiqvitOptions
from mixarray_traces.quantization.allocation import allocation_from_json
from mixarray_traces.quantization.method import load_method
from mixarray_traces.quantization.mptq_options import MptqOptions
from mixarray_traces.quantization.options import (
    CalibrationData,
    OfqOptions,
    QuantizationOptions,
    RangeRule,
    RepqOptions,
)

_OF_METHODS: Mapping[str, type[Any]] = {
    "repq": RepqOptions,
    "ofq": OfqOptions,
    "mptq": MptqOptions,
    "aiqvit": AiqvitOptions,
}
_LEFT_OUT = ("allocation", "mptq", "aiqvit")
"""Options that are saved only where they are used: models without them are saved as before there were any."""

Options = TypeVar("Options")


def options_to_json(options: QuantizationOptions) -> dict[str, Any]:
    """The options by name."""
    plain: dict[str, Any] = _plain(asdict(options))
    return {name: value for name, value in plain.items() if value is not None or name not in _LEFT_OUT}


def options_from_json(where: str, saved: Mapping[str, Any]) -> QuantizationOptions:
    """What `options_to_json` gave; InputError, with `where` and the field, for anything else.

    Options of one method alone are null or missing for the others, and missing in models saved before they existed.
    """
    later = {*_OF_METHODS, "allocation", "calibration_data"}
    try:
        values = {field.name: saved[field.name] for field in fields(QuantizationOptions) if field.name not in later}
        for name, kind in _OF_METHODS.items():
            values[name] = None if saved.get(name) is None else _record(kind, saved[name])
        given = saved.get("allocation")
        values["allocation"] = None if given is None else allocation_from_json(given, where)
        values["calibration_data"] = CalibrationData(saved.get("calibration_data", CalibrationData.CANVASES))
        values |= {name: RangeRule(saved[name]) for name in ("weight_range", "high_range", "low_range")}
        values["calibration_split"] = Split[saved["calibration_split"].upper()]
        for name, value in values.items():
            if name.endswith("_bits") and type(value) is not int:
                raise InputError(where, f"{value!r} is no integer", f"options.{name}")
        load_method(values["method"])
        return QuantizationOptions(**values)
    except InputError as error:
        if error.where == where and (error.field or "").startswith("options."):
            raise
        raise InputError(where, error.message, f"options.{error.field}") from None
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError(where, f"is wrong: {error}", "options") from None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(entry) for entry in value]
    return value.name.lower() if isinstance(value, Enum) else value


def _record(kind: type[Options], saved: Mapping[str, Any]) -> Options:
    """Options of one method, each of the type that its class declares."""
    hints = get_type_hints(kind)
    return kind(**{name: _value(name, hint, saved[name]) for name, hint in hints.items()})


def _value(name: str, hint: Any, value: Any) -> Any:
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint(value)
    if get_origin(hint) is UnionType:
        (inner,) = (part for part in get_args(hint) if part is not NoneType)
        return None if value is None else _value(name, inner, value)
    if get_origin(hint) is tuple:
        return tuple(_value(name, get_args(hint)[0], entry) for entry in value)
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise ValueError(f"{name} {value!r} is no {_WORDS[hint]}")
    return value


_WORDS = {int: "integer", float: "number", bool: "true or false"}
