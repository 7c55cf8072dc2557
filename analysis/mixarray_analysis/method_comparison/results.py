"""What the committed files below `docs/methods/results` say; NotMeasuredError names the run of what is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from mixarray_analysis.method_comparison.cost import Cost, read_costs
from mixarray_analysis.method_comparison.subjects import MARKS, METHODS, PRECISIONS, model_name, shape_name
from mixarray_analysis.method_comparison.timing import Quantized, read_quantized
from mixarray_analysis.reproduction.results import Measured, NotMeasuredError, Results

NOT_YET = "not measured yet"


@dataclass(frozen=True, slots=True)
class Compared:
    """The files below `directory`."""

    directory: Path

    def accuracy(self, model: str) -> Measured:
        """AP50 of a model with all windows high."""
        return Results(self.directory).measured(f"{model}/accuracy")

    def cost(self, name: str, machine: str) -> Cost:
        """Of a model, or of a trace without one."""
        path = self.directory / name / "costs.csv"
        found = [one for one in read_costs(path) if one.accelerator == machine] if path.exists() else []
        if not found:
            raise NotMeasuredError(f"{name}/costs")
        return found[0]

    def quantized(self, model: str) -> Quantized:
        """What the quantization of a model took."""
        path = self.directory / model / "quantized.json"
        if not path.exists():
            raise NotMeasuredError(model)
        return read_quantized(path)


def cell(text: Callable[[], str]) -> str:
    """What `text` gives, or what it lacks."""
    try:
        return text()
    except NotMeasuredError as error:
        return f"{NOT_YET}: {error}"


def every_model() -> Iterable[str]:
    """Names of all quantized models."""
    return (model_name(method, precision) for precision in PRECISIONS for method in METHODS)


def every_shape() -> Iterable[str]:
    """Names of all traces without a model."""
    return (
        shape_name(marks, precision)
        for precision in PRECISIONS
        for marks in MARKS
        if not (precision.mixed and marks.rank)
    )
