"""What a quantized model is and how it came about: the answer of `mixarray inspect` for a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mixarray.atomic import ResultKind
from mixarray_analysis.models import open_model

if TYPE_CHECKING:
    from mixarray_traces.quantization.options import QuantizationOptions
    from mixarray_traces.quantization.provenance import Training


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A quantized model: its kind, where its weights came from, bits and calibration, and the runs that trained it.

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
    )


def lines_of(facts: ModelFacts) -> Iterator[str]:
    """A line per fact and per run of training."""
    named = {name.replace("_", " "): str(value) for name, value in asdict(facts).items() if name != "training"}
    width = max(map(len, named | {"training": ""}))
    for name, value in named.items():
        yield f"{name:<{width}}  {value}"
    for run in facts.training or ("none noted",):
        yield f"{'training':<{width}}  {run}"


def _calibration(options: QuantizationOptions) -> str:
    from mixarray_traces.quantization.options import CalibrationData

    count, seed = options.calibration_canvases, options.seed
    if options.calibration_data is CalibrationData.IMAGES:
        return f"{count} images of the user, seed {seed}"
    split = options.calibration_split.name.lower()
    return f"{count} canvases of {options.calibration_size} px, {split} split, seed {seed}"
