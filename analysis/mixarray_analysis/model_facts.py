"""What a quantized model is and how it came about: the answer of `mixarray inspect` for a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mixarray.atomic import ResultKind
from mixarray_analysis.models import open_model

if TYPE_CHECKING:
    from mixarray_traces.quantization.options import QuantizationOptions
    from mixarray_traces.quantization.provenance import Training
    from mixarray_traces.quantization.quantized import QuantizedDetector


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A quantized model: its kind, where its weights came from, bits and calibration, and the runs that trained it.

    `layers` are the weights and activations with bits of their own: those of the codes by branch, the high one first.
    `ranks` are those of the low-rank weights (AIQViT) of every linear operator of the blocks, 0 where it has none.
    `low_branch` says whether the low branch was trained: initialised or trained of method `ofq`, else calibrated.
    """

    model: str
    source: str
    method: str
    weight_bits: int
    high_bits: int
    low_bits: int
    other_bits: int
    low_branch: str
    calibration: str
    training: Training
    layers: Mapping[str, tuple[int, ...]]
    ranks: Mapping[str, int]


def is_model(folder: Path) -> bool:
    """Whether a directory is a quantized model."""
    return (folder / ResultKind.MODEL.value).is_file()


def model_facts(folder: Path) -> ModelFacts:
    """Read a quantized model, which checks it; InputError where it is broken."""
    model = open_model(folder)
    from mixarray_traces.model.kinds import kind_of

    options = model.options
    return ModelFacts(
        kind_of(model.detector.config).value,
        model.source,
        options.method,
        options.weight_bits,
        options.high_bits,
        options.low_bits,
        options.other_bits,
        "calibrated" if options.ofq is None else options.ofq.low_branch.value,
        _calibration(options),
        model.training,
        _layers(options),
        _ranks(model),
    )


def lines_of(facts: ModelFacts) -> Iterator[str]:
    """A line per fact, per run of training, per layer with bits of its own, and per layer that may be compensated."""
    named = {
        name.replace("_", " "): str(value)
        for name, value in asdict(facts).items()
        if name not in ("training", "layers", "ranks")
    }
    width = max(map(len, named | {"training": ""}))
    for name, value in named.items():
        yield f"{name:<{width}}  {value}"
    for run in facts.training or ("none noted",):
        yield f"{'training':<{width}}  {run}"
    for name, bits in facts.layers.items():
        yield f"{'bits of':<{width}}  {name}: {'/'.join(map(str, bits))}"
    for name, rank in facts.ranks.items():
        yield f"{'rank of':<{width}}  {name}: {rank}"


def _ranks(model: QuantizedDetector) -> dict[str, int]:
    from mixarray_traces.quantization.allocation import in_block
    from mixarray_traces.quantization.network import named_weights

    if model.options.aiqvit is None:
        return {}
    names = (name for name in named_weights(model.detector) if in_block(name))
    return {name: model.low_rank[name].rank if name in model.low_rank else 0 for name in names}


def _layers(options: QuantizationOptions) -> dict[str, tuple[int, ...]]:
    given, bits = options.allocation, options.layer_bits
    if given is None:
        return {}
    weights = {f"{name}.weight": (bits.weight(name),) for name in given.weights}
    return weights | {name: tuple(bits.activation(name).values()) for name in given.activations}


def _calibration(options: QuantizationOptions) -> str:
    from mixarray_traces.quantization.options import CalibrationData

    count, seed = options.calibration_canvases, options.seed
    if options.calibration_data is CalibrationData.IMAGES:
        return f"{count} images of the user, seed {seed}"
    split = options.calibration_split.name.lower()
    return f"{count} canvases of {options.calibration_size} px, {split} split, seed {seed}"
