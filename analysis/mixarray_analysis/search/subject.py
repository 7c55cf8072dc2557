"""What is searched, opened once: the model, its work at the input size, and the accelerator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import Accelerator
from mixarray.accelerator.write import accelerator_sha256
from mixarray.errors import InputError
from mixarray_analysis.models import open_model
from mixarray_analysis.search.accuracy import Meter
from mixarray_analysis.search.hardware import Costs, Machine
from mixarray_analysis.search.settings import Settings
from mixarray_analysis.search.space import Space
from mixarray_analysis.search.store import Store
from mixarray_traces.evaluation import detector_config
from mixarray_traces.quantization import QuantizedDetector
from mixarray_traces.quantization.identity import quantized_sha256
from mixarray_traces.record.recorder import shape_of, topology_of
from mixarray_traces.record.topology import block_grids


@dataclass(frozen=True, slots=True)
class Subject:
    """What measures a setting: its space, its accuracy and its costs."""

    space: Space
    meter: Meter
    costs: Costs


def open_subject(settings: Settings, cache: Path, jobs: int = 1) -> Subject:
    """Open what the settings name; InputError where model or accelerator is not the one they were made for.

    cache: file of the accuracies that searches share. jobs: processes that simulate side by side (0: one per CPU).
    """
    model, machine = open_machine(settings)
    meter = Meter(model, settings.model_sha256, settings.score, machine.groups, Store(cache))
    return Subject(Space.of_depths(model.depths, settings.pruning), meter, Costs(machine, jobs))


def open_machine(settings: Settings) -> tuple[QuantizedDetector, Machine]:
    """The model and the machine that the settings name; InputError where they changed since."""
    model = open_model(Path(settings.model) if settings.model else None)
    if quantized_sha256(model) != settings.model_sha256:
        raise InputError(settings.model or "the shipped model", "is not the model that was searched", "model_sha256")
    accelerator = load_accelerator(settings.accelerator, settings.overrides)
    if accelerator_sha256(accelerator) != settings.accelerator_sha256:
        raise InputError(settings.accelerator, "is not the accelerator that was searched on", "accelerator_sha256")
    return model, machine_of(model, settings.size, settings.score, accelerator)


def machine_of(model: QuantizedDetector, size: int, score: str, accelerator: Accelerator) -> Machine:
    """A detector's work on square canvases of `size` px; InputError for another model, or where windows are padded."""
    detector_config(model)
    grids = block_grids(shape_of(model.detector), size, size)
    bits = model.options.high_bits, model.options.low_bits
    return Machine(topology_of(model, size, size, score), grids, bits, accelerator)
