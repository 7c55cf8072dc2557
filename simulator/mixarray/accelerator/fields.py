"""The types of fields, with their limits, and the base of every configuration model."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

Count = Annotated[int, Field(strict=True, ge=1, le=65_536)]
"""Lanes, passes, and bits side by side: far beyond any machine, and no product of two overflows."""
Passes = Annotated[int, Field(strict=True, ge=0, le=65_536)]
Latency = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
Capacity = Annotated[int, Field(strict=True, ge=1, le=1_048_576)]
Clock = Annotated[int, Field(strict=True, ge=1, le=100_000)]
Width = Annotated[int, Field(strict=True, ge=1, le=32)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64)]


def _rational(value: object) -> object:
    """An integer, or digits/digits: Fraction itself would also take "1e9", "0.5" or spaces."""
    text = isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}(/[0-9]{1,9})?", value)
    if isinstance(value, bool) or not (text or isinstance(value, int | Fraction)):
        raise ValueError("give an integer or a fraction such as 1024/5, so that cycles stay exact")
    if isinstance(value, str) and re.search(r"/0+$", value):
        raise ValueError("a fraction has no denominator 0")
    return value


def _shortest(value: Fraction) -> int | str:
    return value.numerator if value.denominator == 1 else str(value)


Rational = Annotated[
    Fraction,
    BeforeValidator(_rational, json_schema_input_type=int | str),
    PlainSerializer(_shortest, return_type=int | str),
    Field(ge=Fraction(1, 1_000_000), le=1_000_000),
]


class Frozen(BaseModel):
    """Base of every configuration model: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
