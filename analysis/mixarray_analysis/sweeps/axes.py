"""Values that an axis of a sweep takes: a list, or a range in equal steps or by equal factors; numbers stay exact."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Annotated, Any, Self

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    StrictFloat,
    StrictInt,
    Tag,
    field_validator,
    model_validator,
)

from mixarray.accelerator.fields import Frozen
from mixarray.explain import TAG

MOST_VALUES = 100_000
Number = StrictInt | Annotated[StrictFloat, Field(allow_inf_nan=False)]


class Range(Frozen):
    """`{from: 0, to: 0.8, step: 0.1}` or `{from: 8, to: 128, times: 2}`: both ends included, and reached exactly."""

    model_config = ConfigDict(populate_by_name=True)

    first: Number = Field(alias="from")
    to: Number
    step: Number | None = Field(default=None, description="added from value to value")
    times: Number | None = Field(default=None, description="multiplied from value to value, above 1")

    @model_validator(mode="after")
    def _reaches_its_end(self) -> Self:
        if (self.step is None) == (self.times is None):
            raise ValueError("a range has a step or times, one of the two")
        if self.step is not None and self.step <= 0:
            raise ValueError(f"the step {self.step} is not above 0")
        if self.times is not None and (self.times <= 1 or self.first <= 0):
            raise ValueError("a range by times starts above 0 and multiplies by more than 1")
        self.values()
        return self

    def values(self) -> tuple[int | float, ...]:
        """All values, rising; integers where they are. ValueError where `to` is not among them, or for too many."""
        value, last = Fraction(str(self.first)), Fraction(str(self.to))
        found = []
        while value <= last:
            found.append(value.numerator if value.denominator == 1 else float(value))
            if len(found) > MOST_VALUES:
                raise ValueError(f"more than {MOST_VALUES:,} values")
            if value == last:
                return tuple(found)
            value = value + Fraction(str(self.step)) if self.times is None else value * Fraction(str(self.times))
        raise ValueError(f"from {self.first} the range does not reach {self.to}")


def _form(value: object) -> str | None:
    if isinstance(value, list | tuple):
        return f"{TAG}list"
    return f"{TAG}range" if isinstance(value, dict | Range) else None


Axis = Annotated[
    Annotated[tuple[JsonValue, ...], Field(min_length=1, max_length=MOST_VALUES), Tag(f"{TAG}list")]
    | Annotated[Range, Tag(f"{TAG}range")],
    Discriminator(
        _form,
        custom_error_type="no_axis",
        custom_error_message="write a list of values, or a range such as {from: 0, to: 0.8, step: 0.1}",
    ),
]
"""A list of values or a range."""


def values_of(axis: Any) -> tuple[Any, ...]:
    """The values of an `Axis`, in order."""
    return axis.values() if isinstance(axis, Range) else tuple(axis)


class Axes(Frozen):
    """Base of models with axes: no value stands twice in one."""

    @field_validator("grid", "axes", check_fields=False)
    @classmethod
    def _distinct(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name, axis in value.items():
            texts = [json.dumps(one, sort_keys=True) for one in values_of(axis)]
            repeated = next((text for text in texts if texts.count(text) > 1), None) if len(texts) < 1000 else None
            if repeated is not None or len(set(texts)) < len(texts):
                raise ValueError(f"{name}: a value stands twice" + (f": {repeated}" if repeated else ""))
        return value
