"""The specification of a sweep as frozen models: what is combined, drawn and required."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, JsonValue, ValidationError, field_validator, model_validator

from mixarray.accelerator.fields import Frozen, Name, Width
from mixarray.accelerator.yaml_text import parse_yaml
from mixarray.errors import InputError
from mixarray.explain import explain
from mixarray.trace.padding import Padding
from mixarray.trace.ratio import Promotion
from mixarray_analysis.sweeps.axes import Axes, Axis, values_of
from mixarray_analysis.sweeps.constraints import Constraints

SHIPPED = "shipped"
MOST_POINTS = 10_000_000
KEYS = (
    "ratio, ratio.stage (each stage its own), ratio.pair (each block pair its own), ratio.2 (stage 2), ratio.2.1 "
    "(pair 1 of it), the same of pruning, or the path of a field of the accelerator such as arrays.0.rows"
)
InputPx = tuple[int, int]


class ModelSpec(Frozen):
    """A model, as counts of windows: a published shape, a quantized model, or the topology of a recorded bundle."""

    shape: Literal["swin_t", "swin_s", "swin_b"] | None = None
    quantized: str | None = Field(default=None, description=f"a quantized model's directory, or {SHIPPED}")
    bundle: str | None = Field(default=None, description="a recorded bundle; its input size and bits are kept")
    inputs: Axis | None = Field(default=None, description="pixels: 224 (a square) or 800x1333; not with a bundle")
    label: Name | None = Field(default=None, description="its name in the rows (default: shape or directory)")
    branch_bits: tuple[Width, Width] | None = Field(default=None, description="of a shape: activations, high and low")
    padding: Padding | None = Field(default=None, description="what runs on padded positions; not with a bundle")
    score: str | None = Field(default=None, description="of a quantized model: importance score that ranks windows")

    @model_validator(mode="after")
    def _is_one_model(self) -> Self:
        given = [name for name in ("shape", "quantized", "bundle") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of shape, quantized and bundle; found {', '.join(given) or 'none'}")
        foreign = {
            "shape": ("score",),
            "quantized": ("branch_bits",),
            "bundle": ("inputs", "branch_bits", "padding", "score"),
        }[given[0]]
        refused = [name for name in foreign if getattr(self, name) is not None]
        if refused:
            raise ValueError(f"{refused[0]} does not go with {given[0]}")
        if self.bundle is None and self.inputs is None:
            raise ValueError("inputs: give at least one input size, such as [224]")
        if self.branch_bits is not None and self.branch_bits[0] <= self.branch_bits[1]:
            raise ValueError(f"branch_bits: the low branch has fewer bits than the high one; found {self.branch_bits}")
        return self

    @field_validator("inputs")
    @classmethod
    def _are_sizes(cls, value: Any) -> Any:
        for one in () if value is None else values_of(value):
            read_input(one)
        return value

    def sizes(self) -> tuple[InputPx, ...]:
        """(height, width) in px of every input; none for a bundle, which has its own."""
        return () if self.inputs is None else tuple(read_input(one) for one in values_of(self.inputs))


def read_input(value: object) -> InputPx:
    """(height, width) of 224 or "800x1333"; ValueError for anything else."""
    found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", value) if isinstance(value, str) else None
    if found is not None:
        return int(found[1]), int(found[2])
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 100_000:
        return value, value
    raise ValueError(f"{value!r} is no input size; write 224 or 800x1333")


class Method(StrEnum):
    """How a sample is drawn. random: independent draws; more points keep the first ones. latin_hypercube: of n equal
    parts of every axis each is drawn once (McKay, Beckman, Conover 1979); another number of points is another sample.
    """

    RANDOM = "random"
    LATIN_HYPERCUBE = "latin_hypercube"


class Sample(Axes):
    """Points drawn over axes together; every combination of `grid` gets the same draws.

    With refused promotion, what is drawn for the pairs of a stage by `ratio.pair` or `pruning.pair` is put in rising
    order. Of distinct values every rising choice is equally likely then, as in drawing until no ratio falls; equal ones
    are rarer than there. The parts of a Latin hypercube are drawn once by the axes of the stage together.
    """

    method: Method
    points: Annotated[int, Field(strict=True, ge=1, le=MOST_POINTS)]
    seed: Annotated[int, Field(strict=True, ge=0)] = 0
    axes: Annotated[dict[str, Axis], Field(min_length=1, description=KEYS)]


class SweepSpec(Axes):
    """A sweep: every model at every input, on every accelerator, for every combination of `grid`, for every draw."""

    schema_version: Literal["1.0"]
    description: str = ""
    models: Annotated[tuple[ModelSpec, ...], Field(min_length=1)]
    accelerators: Annotated[tuple[str, ...], Field(min_length=1, description="shipped names or YAML files")]
    set: dict[str, JsonValue] = Field(default_factory=dict, description=f"one value for every point; keys: {KEYS}")
    grid: dict[str, Axis] = Field(
        default_factory=dict,
        description=f"axes of which every combination is a point; keys: {KEYS}; where the values of an axis are "
        "mappings of such keys, its own name is free",
    )
    sample: Sample | None = None
    promotion: Promotion = Field(default=Promotion.REFUSED, description="whether ratios may fall within a stage")
    constraints: Constraints = Constraints()

    @field_validator("schema_version", mode="before")
    @classmethod
    def _is_text(cls, value: object) -> object:
        if isinstance(value, int | float):
            raise ValueError(f'write "{value}", with quotes: it is a text')
        return value

    @field_validator("accelerators")
    @classmethod
    def _differ(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ValueError("an accelerator stands twice")
        return value

    @model_validator(mode="after")
    def _keys_stand_once(self) -> Self:
        drawn = self.sample.axes if self.sample is not None else {}
        keys = [key for axes in (self.grid, drawn) for name, axis in axes.items() for key in axis_keys(name, axis)]
        keys += self.set
        repeated = next((key for key in keys if keys.count(key) > 1), None)
        if repeated is not None:
            raise ValueError(f"{repeated!r} is given twice among set, grid and sample")
        return self

    def to_data(self) -> dict[str, Any]:
        """Plain JSON values: the specification with every default written out."""
        return self.model_dump(mode="json", by_alias=True)


def axis_keys(name: str, axis: Any) -> tuple[str, ...]:
    """The keys that an axis sets: its name, or those of its values where they are mappings."""
    values = values_of(axis)
    mappings = [value for value in values if isinstance(value, dict)]
    if not mappings:
        return (name,)
    if len(mappings) < len(values) or any(set(one) != set(mappings[0]) for one in mappings):
        raise ValueError(f"{name}: where one value is a mapping, all are, of the same keys")
    return tuple(mappings[0])


def read_spec(source: Path) -> SweepSpec:
    """The specification in a YAML file; InputError naming file and field. Files it names are seen from here."""
    try:
        data = parse_yaml(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(str(source), f"cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(str(source), f"cannot be read: {error}") from None
    return parse_spec(data, str(source))


def parse_spec(data: object, where: str) -> SweepSpec:
    """Validate plain data; InputError naming the field."""
    if not isinstance(data, dict):
        raise InputError(where, "is no specification of a sweep: it must be a mapping of fields")
    try:
        return SweepSpec.model_validate(data)
    except ValidationError as error:
        field, message = explain(error, SweepSpec)
        raise InputError(where, message, field) from None


def spec_schema() -> dict[str, Any]:
    """JSON Schema of a specification, for editors."""
    return SweepSpec.model_json_schema()
