"""Quantized models on disk: a directory with the float weights and a manifest that holds every quantizer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, replace
from enum import Enum
from pathlib import Path
from typing import Any

from mixarray.atomic import ResultKind, atomic_directory
from mixarray.errors import InputError
from mixarray.trace.manifest import ModelSource
from mixarray_traces.data.items import Split
from mixarray_traces.json_file import read_json
from mixarray_traces.model.kinds import Model, blocks_by_name, build_model, shape_from_json, shape_to_json
from mixarray_traces.model.weights import StateDict, load_into
from mixarray_traces.quantization.arithmetic import Calibration
from mixarray_traces.quantization.folding import Fold, Folding, foldable_layers
from mixarray_traces.quantization.kinds import (
    activation_from_json,
    activation_to_json,
    fold_from_json,
    fold_to_json,
    weight_from_json,
    weight_to_json,
)
from mixarray_traces.quantization.low_norms import NormPair, pair_from_json, pair_to_json
from mixarray_traces.quantization.method import load_method
from mixarray_traces.quantization.network import named_weights, weights_by_bits
from mixarray_traces.quantization.options import (
    BranchSteps,
    CalibrationData,
    LearnedVectors,
    LowBranch,
    OfqOptions,
    QuantizationOptions,
    QueryKey,
    RangeRule,
    RepqOptions,
    SoftmaxZero,
    ZeroPoints,
)
from mixarray_traces.quantization.provenance import Training, training_from_json, training_to_json
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.quantizers import ActivationQuantizer, WeightQuantizer
from mixarray_traces.quantization.query_key import with_query_key

FORMAT = "mixarray quantized detector 1"
MANIFEST = "manifest.json"
WEIGHTS = "model.safetensors"


def save_quantized(model: QuantizedDetector, path: Path | str, force: bool = False) -> Path:
    """Write a model as a directory, whole or not at all; InputError if `path` exists, unless `force`."""
    from safetensors.torch import save

    state = {name: tensor.contiguous() for name, tensor in sorted(model.detector.state_dict().items())}
    content = save(state)
    described = quantizers_to_json(model) | {"sha256": hashlib.sha256(content).hexdigest()}
    described |= {"training": training_to_json(model.training)}
    final = Path(path)
    with atomic_directory(final, ResultKind.MODEL, force) as work:
        (work / WEIGHTS).write_bytes(content)
        (work / MANIFEST).write_text(json.dumps(described, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return final


def load_quantized(path: Path | str) -> QuantizedDetector:
    """Read what `save_quantized` wrote; InputError, with file and field, for anything missing, broken or NaN."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    folder = Path(path)
    described = read_json(folder / MANIFEST)
    try:
        content = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise InputError(str(folder / WEIGHTS), f"cannot be read: {error.strerror}") from None
    if hashlib.sha256(content).hexdigest() != described.get("sha256"):
        raise InputError(str(folder / WEIGHTS), "is not the file that the manifest names", "sha256")
    try:
        state = load(content)
    except SafetensorError as error:
        raise InputError(str(folder / WEIGHTS), f"is no safetensors file: {error}") from None
    where = str(folder / MANIFEST)
    detector = build_model(shape_from_json(where, described))
    _load_state(detector, state, str(folder / WEIGHTS))
    return replace(quantizers_from_json(detector.eval(), described, where), training=_training(where, described))


def quantizers_to_json(model: QuantizedDetector) -> dict[str, Any]:
    """Everything that the model computes with but the float weights, as plain JSON values."""
    activations = {
        f"{name}@{bits}": activation_to_json(quantizer)
        for (name, bits), quantizer in sorted(model.calibration.activations.items(), key=lambda entry: entry[0])
    }
    weights = {
        name: weight_to_json(quantizer)
        for name, quantizer in sorted(model.calibration.weights.items(), key=lambda entry: entry[0])
    }
    return {
        "format": FORMAT,
        "source": model.source,
        "options": _plain(asdict(model.options)),
        "activations": activations,
        "weights": weights,
        "folding": {
            name: fold_to_json(fold) for name, fold in sorted(model.folding.items(), key=lambda entry: entry[0])
        },
        "low_norms": {name: pair_to_json(pair) for name, pair in model.low_norms.items()},
    } | shape_to_json(model.detector.config)


def quantizers_from_json(detector: Model, described: Mapping[str, Any], where: str) -> QuantizedDetector:
    """The quantized model of a detector whose quantizers were saved; InputError if they do not fit or are broken."""
    if described.get("format") != FORMAT:
        raise InputError(where, f"{described.get('format')!r} is not {FORMAT!r}", "format")
    options, source = _options(where, described), _source(where, described)
    detector = with_query_key(detector, options)
    expected = named_weights(detector)
    bits_of = weights_by_bits(expected, options.weight_bits, options.other_bits)
    saved = _entries(where, described, "weights", bits_of)
    weights = {
        name: _weight(where, name, saved[name], bits_of[name], weight.matrix.shape[0])
        for name, weight in expected.items()
    }
    keys = {f"{tensor}@{bits}": (tensor, bits) for name in expected for tensor, bits in _operands(name, options)}
    saved = _entries(where, described, "activations", keys)
    activations = {place: _activation(where, key, place[1], saved[key]) for key, place in keys.items()}
    folding = _folding(where, detector, described)
    low_norms = _low_norms(where, detector, described)
    return QuantizedDetector(detector, options, Calibration(activations, weights), source, folding, low_norms)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(entry) for entry in value]
    return value.name.lower() if isinstance(value, Enum) else value


def _mapping(where: str, described: Mapping[str, Any], field: str) -> dict[str, Any]:
    found = described.get(field)
    if not isinstance(found, dict):
        raise InputError(where, "is missing or no object", field)
    return found


def _entries(where: str, described: Mapping[str, Any], field: str, expected: Iterable[str]) -> dict[str, Any]:
    """The object `field`, which has an entry for each expected name and no other."""
    found, names = _mapping(where, described, field), set(expected)
    for name in sorted(names - found.keys()):
        raise InputError(where, "is missing", f"{field}.{name}")
    for name in sorted(found.keys() - names):
        raise InputError(where, "belongs to no quantizer of this model at its bits", f"{field}.{name}")
    return found


def _source(where: str, described: Mapping[str, Any]) -> str:
    allowed = [source.value for source in ModelSource]
    if described.get("source") not in allowed:
        raise InputError(where, f"{described.get('source')!r} is unknown; allowed: {', '.join(allowed)}", "source")
    return str(described["source"])


def _options(where: str, described: Mapping[str, Any]) -> QuantizationOptions:
    saved = _mapping(where, described, "options")
    ranges = ("weight_range", "high_range", "low_range")
    try:
        # Options of one method alone are null for the others, and missing in models saved before they existed.
        later = ("repq", "ofq", "calibration_data")
        known = {field.name: saved[field.name] for field in fields(QuantizationOptions) if field.name not in later}
        values: dict[str, Any] = known | {"repq": _repq(saved.get("repq")), "ofq": _ofq(saved.get("ofq"))}
        values["calibration_data"] = CalibrationData(saved.get("calibration_data", CalibrationData.CANVASES))
        values |= {name: RangeRule(saved[name]) for name in ranges}
        values["calibration_split"] = Split[saved["calibration_split"].upper()]
        for name, value in values.items():
            if name.endswith("_bits") and type(value) is not int:
                raise InputError(where, f"{value!r} is no integer", f"options.{name}")
        load_method(values["method"])
        return QuantizationOptions(**values)
    except InputError as error:
        if error.where == where:
            raise
        raise InputError(where, error.message, f"options.{error.field}") from None
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError(where, f"is wrong: {error}", "options") from None


def _load_state(detector: Model, state: StateDict, where: str) -> None:
    try:
        load_into(detector, state, where)
    except ValueError as error:
        raise InputError(where, str(error).removeprefix(f"{where}: ")) from None


def _repq(saved: Mapping[str, Any] | None) -> RepqOptions | None:
    if saved is None:
        return None
    if type(saved["largest_shift"]) is not int:
        raise ValueError(f"largest_shift {saved['largest_shift']!r} is no integer")
    return RepqOptions(
        ZeroPoints(saved["zero_points"]),
        BranchSteps(saved["branch_steps"]),
        SoftmaxZero(saved["softmax_zero"]),
        saved["largest_shift"],
    )


def _ofq(saved: Mapping[str, Any] | None) -> OfqOptions | None:
    if saved is None:
        return None
    return OfqOptions(LearnedVectors(saved["vectors"]), QueryKey(saved["query_key"]), LowBranch(saved["low_branch"]))


def _activation(where: str, key: str, bits: int, entry: Any) -> ActivationQuantizer:
    try:
        return activation_from_json(bits, entry)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(where, f"is wrong: {error}", f"activations.{key}") from None


def _weight(where: str, name: str, entry: Any, bits: int, outputs: int) -> WeightQuantizer:
    place = f"weights.{name}"
    try:
        if entry["bits"] != bits:
            raise InputError(where, f"{entry['bits']!r} bits; the options say {bits}", f"{place}.bits")
        quantizer = weight_from_json(entry)
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(where, f"is wrong: {error}", place) from None
    steps = quantizer.steps
    if len(steps) != outputs or not bool((steps.isfinite() & (steps > 0)).all()):
        raise InputError(where, f"needs {outputs} finite steps above 0", f"{place}.steps")
    return quantizer


def _folding(where: str, detector: Model, described: Mapping[str, Any]) -> Folding:
    """The folds of a saved model; models saved before there were folds have none."""
    saved = _mapping(where, described, "folding") if "folding" in described else {}
    layers = foldable_layers(detector)
    folding: dict[str, Fold] = {}
    for name, entry in saved.items():
        if name not in layers:
            raise InputError(where, "is no linear operator behind a LayerNorm", f"folding.{name}")
        try:
            folding[name] = fold_from_json(entry)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(where, f"is wrong: {error}", f"folding.{name}") from None
        channels = layers[name][1].in_features
        if len(folding[name].factors) != channels:
            raise InputError(where, f"needs {channels} factors and shifts", f"folding.{name}")
    return folding


def _low_norms(where: str, detector: Model, described: Mapping[str, Any]) -> dict[str, NormPair]:
    """The low branch's own LayerNorms: of no block, or of every block."""
    if not described.get("low_norms"):
        return {}
    blocks = blocks_by_name(detector)
    saved, found = _entries(where, described, "low_norms", blocks), dict[str, NormPair]()
    for name, block in blocks.items():
        try:
            found[name] = pair_from_json(saved[name], len(block.norm1.weight))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(where, f"is wrong: {error}", f"low_norms.{name}") from None
    return found


def _training(where: str, described: Mapping[str, Any]) -> Training:
    """The runs behind a model; models saved before runs were noted have none."""
    try:
        return training_from_json(described.get("training", []))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(where, f"is wrong: {error}", "training") from None


def _operands(name: str, options: QuantizationOptions) -> list[tuple[str, int]]:
    """The activations that operator `name` brings in, at every width they may run at."""
    tensors = [f"{name}.input"]
    if name.endswith((".attn.qkv", ".attn.qkx")):
        stem = name[: -len("qkv")]
        tensors += [f"{stem}{product}.{side}" for product in ("qk", "av") for side in ("left", "right")]
    inside = ".blocks." in name
    widths = (options.high_bits, options.low_bits) if inside else (options.other_bits,)
    return [(tensor, bits) for tensor in tensors for bits in widths]
