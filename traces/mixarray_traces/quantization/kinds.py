"""Quantizers and folds as plain JSON values, tagged by kind. A new kind is one entry in each direction.

Reading raises ValueError, KeyError or TypeError for what is broken; `store.py` says where it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mixarray_traces.quantization.affine import AffineParams, WeightParams
from mixarray_traces.quantization.asymmetric import AsymmetricWeightParams
from mixarray_traces.quantization.folding import Fold
from mixarray_traces.quantization.fractional import FractionalParams
from mixarray_traces.quantization.interval import IntervalParams
from mixarray_traces.quantization.log_sqrt2 import LogSqrt2Params
from mixarray_traces.quantization.lsq import LsqParams
from mixarray_traces.quantization.quantizers import ActivationQuantizer, WeightQuantizer
from mixarray_traces.quantization.statsq import StatsqParams
from mixarray_traces.quantization.two_region import TwoRegionParams

AFFINE, FRACTIONAL, LOG_SQRT2, LSQ = "affine", "fractional", "log_sqrt2", "lsq"
TWO_REGION, INTERVAL = "two_region", "interval"
SYMMETRIC, ASYMMETRIC, STATSQ = "symmetric", "asymmetric", "statsq"


def activation_to_json(quantizer: ActivationQuantizer) -> dict[str, Any]:
    """Everything but the bits, which stand in the entry's name."""
    if isinstance(quantizer, AffineParams):
        return {"kind": AFFINE, "step": quantizer.step, "zero_point": quantizer.zero_point}
    if isinstance(quantizer, FractionalParams):
        return {"kind": FRACTIONAL, "step": quantizer.step, "offset": quantizer.offset}
    if isinstance(quantizer, LogSqrt2Params):
        return {
            "kind": LOG_SQRT2,
            "step": quantizer.step,
            "largest_shift": quantizer.largest_shift,
            "extra_zero": quantizer.extra_zero,
        }
    if isinstance(quantizer, TwoRegionParams):
        return {
            "kind": TWO_REGION,
            "step": quantizer.step,
            "shift": quantizer.shift,
            "negative": quantizer.negative,
        }
    if isinstance(quantizer, IntervalParams):
        return {"kind": INTERVAL, "low": quantizer.low, "high": quantizer.high}
    if isinstance(quantizer, LsqParams):
        return {
            "kind": LSQ,
            "steps": quantizer.steps.tolist(),
            "unsigned": quantizer.unsigned,
            "before": None if quantizer.before is None else quantizer.before.tolist(),
            "after": None if quantizer.after is None else quantizer.after.tolist(),
        }
    raise TypeError(f"{type(quantizer).__name__} is no kind that can be saved")


def activation_from_json(bits: int, entry: Mapping[str, Any]) -> ActivationQuantizer:
    """What `activation_to_json` wrote."""
    kind = _kind(entry, AFFINE)
    if kind == LSQ:
        steps = torch.tensor(entry["steps"], dtype=torch.float64)
        vectors = (None if entry[name] is None else _numbers(entry[name]) for name in ("before", "after"))
        return LsqParams(bits, steps, _flag(entry, "unsigned"), *vectors)
    if kind == INTERVAL:
        return IntervalParams(bits, float(entry["low"]), float(entry["high"]))
    step = float(entry["step"])
    if kind == AFFINE:
        return AffineParams(bits, step, _integer(entry, "zero_point"))
    if kind == FRACTIONAL:
        return FractionalParams(bits, step, float(entry["offset"]))
    if kind == LOG_SQRT2:
        return LogSqrt2Params(bits, step, _integer(entry, "largest_shift"), _flag(entry, "extra_zero"))
    if kind == TWO_REGION:
        return TwoRegionParams(bits, step, _integer(entry, "shift"), _flag(entry, "negative"))
    allowed = AFFINE, FRACTIONAL, LOG_SQRT2, LSQ, TWO_REGION, INTERVAL
    raise ValueError(f"kind {kind!r} is unknown; allowed: {', '.join(allowed)}")


def weight_to_json(quantizer: WeightQuantizer) -> dict[str, Any]:
    """Bits, steps and zero points."""
    entry: dict[str, Any] = {"bits": quantizer.bits, "steps": quantizer.steps.tolist()}
    if isinstance(quantizer, WeightParams):
        return entry | {"kind": SYMMETRIC}
    if isinstance(quantizer, StatsqParams):
        return entry | {"kind": STATSQ}
    if isinstance(quantizer, AsymmetricWeightParams):
        return entry | {"kind": ASYMMETRIC, "zero_points": quantizer.zero_points.tolist()}
    raise TypeError(f"{type(quantizer).__name__} is no kind that can be saved")


def weight_from_json(entry: Mapping[str, Any]) -> WeightQuantizer:
    """What `weight_to_json` wrote."""
    kind, steps = _kind(entry, SYMMETRIC), _numbers(entry["steps"])
    if kind == SYMMETRIC:
        return WeightParams(entry["bits"], steps)
    if kind == STATSQ:
        return StatsqParams(entry["bits"], steps)
    if kind == ASYMMETRIC:
        zeros = entry["zero_points"]
        if not all(type(zero) is int for zero in zeros):
            raise ValueError("zero_points are no integers")
        return AsymmetricWeightParams(entry["bits"], steps, torch.tensor(zeros, dtype=torch.int64))
    raise ValueError(f"kind {kind!r} is unknown; allowed: {SYMMETRIC}, {ASYMMETRIC}, {STATSQ}")


def fold_to_json(fold: Fold) -> dict[str, Any]:
    """Factors and shifts."""
    return {"factors": fold.factors.tolist(), "shifts": fold.shifts.tolist()}


def fold_from_json(entry: Mapping[str, Any]) -> Fold:
    """What `fold_to_json` wrote."""
    return Fold(_numbers(entry["factors"]), _numbers(entry["shifts"]))


def _kind(entry: Mapping[str, Any], first: str) -> str:
    """The entry's kind; models saved before there were kinds have none, and only the `first` existed."""
    kind = entry.get("kind", first)
    return kind if isinstance(kind, str) else repr(kind)


def _flag(entry: Mapping[str, Any], field: str) -> bool:
    value = entry[field]
    if type(value) is not bool:
        raise ValueError(f"{field} {value!r} is neither true nor false")
    return value


def _integer(entry: Mapping[str, Any], field: str) -> int:
    value = entry[field]
    if type(value) is not int:
        raise ValueError(f"{field.replace('_', ' ')} {value!r} is no integer")
    return value


def _numbers(values: Any) -> Tensor:
    return torch.tensor([float(value) for value in values], dtype=torch.float64)
