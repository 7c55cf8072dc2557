"""Quantized models on disk: a directory with the float weights and a manifest that holds every quantizer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mixarray.atomic import ResultKind, atomic_directory
from mixarray.errors import InputError
from mixarray.trace.manifest import ModelSource
from mixarray_traces.json_file import read_json
from mixarray_traces.model.kinds import Model, blocks_by_name, build_model, shape_from_json, shape_to_json
from mixarray_traces.model.weights import StateDict, load_into
from mixarray_traces.quantization.allocation import operands_of
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
from mixarray_traces.quantization.low_rank import NO_LOW_RANK, LowRanks
from mixarray_traces.quantization.low_rank_store import (
    LOW_RANK_FILE,
    check_low_rank,
    low_rank_content,
    low_rank_to_json,
    read_low_rank,
)
from mixarray_traces.quantization.network import named_weights, weights_by_bits
from mixarray_traces.quantization.options_store import options_from_json, options_to_json
from mixarray_traces.quantization.provenance import Training, training_from_json, training_to_json
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.quantizers import ActivationQuantizer, WeightQuantizer
from mixarray_traces.quantization.query_key import with_query_key
from mixarray_traces.quantization.side_names import between

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
        if model.low_rank:
            (work / LOW_RANK_FILE).write_bytes(low_rank_content(model.low_rank))
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
    model = quantizers_from_json(detector.eval(), described, where, read_low_rank(folder, described, where))
    return replace(model, training=_training(where, described))


def quantizers_to_json(model: QuantizedDetector) -> dict[str, Any]:
    """Everything that the model computes with but the float weights, as plain JSON values."""
    activations = {
        f"{name}@{branch}": activation_to_json(quantizer)
        for (name, branch), quantizer in sorted(model.calibration.activations.items(), key=lambda entry: entry[0])
    }
    weights = {
        name: weight_to_json(quantizer)
        for name, quantizer in sorted(model.calibration.weights.items(), key=lambda entry: entry[0])
    }
    return {
        "format": FORMAT,
        "source": model.source,
        "options": options_to_json(model.options),
        "activations": activations,
        "weights": weights,
        "folding": {
            name: fold_to_json(fold) for name, fold in sorted(model.folding.items(), key=lambda entry: entry[0])
        },
        "low_norms": {name: pair_to_json(pair) for name, pair in model.low_norms.items()},
        **low_rank_to_json(model.low_rank),
    } | shape_to_json(model.detector.config)


def quantizers_from_json(
    detector: Model, described: Mapping[str, Any], where: str, low_rank: LowRanks = NO_LOW_RANK
) -> QuantizedDetector:
    """The quantized model of a detector whose quantizers were saved; InputError if they do not fit or are broken."""
    if described.get("format") != FORMAT:
        raise InputError(where, f"{described.get('format')!r} is not {FORMAT!r}", "format")
    options, source = options_from_json(where, _mapping(where, described, "options")), _source(where, described)
    detector = with_query_key(detector, options)
    plain = named_weights(detector)
    check_low_rank(low_rank, described, plain, where)
    if options.allocation is not None:
        options.allocation.check_names(plain, operands_of(plain), where)
    # Without its quantizers, which are yet to be read: it says which ones there must be.
    model = QuantizedDetector(detector, options, Calibration({}, {}), source, low_rank=low_rank)
    layers, expected = model.layer_bits, model.compensated(plain)
    tensors = [*operands_of(plain), *map(between, model.sides)]
    bits_of = weights_by_bits(expected, layers)
    saved = _entries(where, described, "weights", bits_of)
    weights = {
        name: _weight(where, name, saved[name], bits_of[name], weight.matrix.shape[0])
        for name, weight in expected.items()
    }
    widths = {(tensor, branch): bits for tensor in tensors for branch, bits in layers.activation(tensor).items()}
    saved = _entries(where, described, "activations", [f"{tensor}@{branch}" for tensor, branch in widths])
    activations = {
        (tensor, branch): _activation(where, f"{tensor}@{branch}", bits, saved[f"{tensor}@{branch}"])
        for (tensor, branch), bits in widths.items()
    }
    folding = _folding(where, detector, described)
    low_norms = _low_norms(where, detector, described)
    calibration = Calibration(activations, weights)
    return replace(model, calibration=calibration, folding=folding, low_norms=low_norms, _arithmetics={})


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


def _load_state(detector: Model, state: StateDict, where: str) -> None:
    try:
        load_into(detector, state, where)
    except ValueError as error:
        raise InputError(where, str(error).removeprefix(f"{where}: ")) from None


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
