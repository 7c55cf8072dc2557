"""What a machine must fulfil to be a point of a sweep: relations between its fields, equal area, equal peak MACs."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import inf, prod
from typing import Annotated, Any

from pydantic import Field, field_validator

from mixarray.accelerator.fields import Frozen
from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import Accelerator
from mixarray.cost.area import area_mm2
from mixarray.cost.tables import energy_table
from mixarray.errors import InputError
from mixarray_analysis.sweeps.keys import SPEC_PLACE

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
RELATIONS = "constraints.relations"
_FACTOR = r"(?:\d+(?:\.\d+)?|[A-Za-z_]\w*(?:\.\w+)*)"
_SIDE = rf"{_FACTOR}(?:\s*\*\s*{_FACTOR})*"
_RELATION = re.compile(rf"\s*({_SIDE})\s*(==|!=|<=|>=|<|>)\s*({_SIDE})\s*")


class Quantity(StrEnum):
    """What machines may be held equal in. peak_macs: most MACs of any mode, all arrays together."""

    AREA_MM2 = "area_mm2"
    PEAK_MACS_PER_CYCLE = "peak_macs_per_cycle"
    PEAK_MACS_PER_US = "peak_macs_per_us"


class Equal(Frozen):
    """A quantity that must be that of another accelerator, or a number, within a share of it."""

    quantity: Quantity
    to: Annotated[str | float, Field(description="a shipped accelerator or a YAML file, or a number above 0")]
    within: Annotated[float, Field(ge=0, lt=1, description="largest difference, as a share of `to`: 0.05 is 5 %")] = 0

    @field_validator("to")
    @classmethod
    def _above_zero(cls, value: str | float) -> str | float:
        if isinstance(value, float) and not 0 < value < inf:
            raise ValueError(f"{value} is not above 0")
        return value


class Constraints(Frozen):
    """All of them must hold; a machine for which one does not is refused, with the reason."""

    relations: tuple[str, ...] = Field(
        default=(), description="such as `arrays.0.rows == arrays.0.columns`; sides are products of fields and numbers"
    )
    equal: tuple[Equal, ...] = ()

    @field_validator("relations")
    @classmethod
    def _are_relations(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            parse_relation(text)
        return value


@dataclass(frozen=True, slots=True)
class Relation:
    """`left` and `right` are factors, each a dotted path of the accelerator or a number."""

    text: str
    left: tuple[str, ...]
    sign: str
    right: tuple[str, ...]

    def holds(self, fields: dict[str, Any]) -> bool:
        """Whether it does for the fields of an accelerator; InputError for a path that is not there."""
        left, right = (self._side(side, fields) for side in (self.left, self.right))
        if self.sign not in ("==", "!=") and not (isinstance(left, Fraction) and isinstance(right, Fraction)):
            raise InputError(SPEC_PLACE, f"{self.text!r} orders what are no numbers", RELATIONS)
        return OPERATORS[self.sign](left, right)

    def _side(self, factors: tuple[str, ...], fields: dict[str, Any]) -> object:
        values = [_value(factor, fields, self.text) for factor in factors]
        if len(values) == 1:
            return values[0]
        numbers = [value for value in values if isinstance(value, Fraction)]
        if len(numbers) < len(values):
            raise InputError(SPEC_PLACE, f"{self.text!r} multiplies what is no number", RELATIONS)
        return prod(numbers)


def parse_relation(text: str) -> Relation:
    """A relation; ValueError for another text."""
    found = _RELATION.fullmatch(text)
    if found is None:
        signs = " ".join(OPERATORS)
        raise ValueError(f"{text!r} is no relation; write FIELD {signs.split()[0]} FIELD, of {signs}, products by *")
    return Relation(text, _factors(found[1]), found[2], _factors(found[3]))


def _factors(side: str) -> tuple[str, ...]:
    return tuple(factor.strip() for factor in side.split("*"))


def _value(factor: str, fields: dict[str, Any], text: str) -> object:
    """A number as a Fraction, anything else as it is."""
    if factor[0].isdigit():
        return Fraction(factor)
    node: Any = fields
    for key in factor.split("."):
        try:
            node = node[int(key)] if isinstance(node, list) else node[key]
        except (KeyError, IndexError, TypeError, ValueError):
            raise InputError(SPEC_PLACE, f"{text!r}: the accelerator has no {factor!r}", RELATIONS) from None
    number = isinstance(node, int) or (isinstance(node, str) and re.fullmatch(r"\d+(/\d+)?", node))
    return Fraction(node) if number and not isinstance(node, bool) else node


def measure(quantity: Quantity, accelerator: Accelerator) -> float | int:
    """A quantity of an accelerator; InputError where its energy table has no areas."""
    if quantity is Quantity.AREA_MM2:
        area = area_mm2(accelerator, energy_table(accelerator.energy_table))
        if area is None:
            raise InputError(accelerator.name, f"the table {accelerator.energy_table} has no areas", "energy_table")
        return area.value
    per_cycle = sum(array.pes * array.largest_lanes for array in accelerator.arrays)
    whole = int(per_cycle) if per_cycle == int(per_cycle) else float(per_cycle)
    return whole if quantity is Quantity.PEAK_MACS_PER_CYCLE else whole * accelerator.clock_mhz


@dataclass(frozen=True, slots=True)
class Limit:
    """An `Equal` with its number looked up."""

    quantity: Quantity
    target: float | int
    within: float
    of: str

    def refusal(self, accelerator: Accelerator) -> str | None:
        """Why the accelerator is refused, or None."""
        value = measure(self.quantity, accelerator)
        if abs(value - self.target) <= self.within * self.target:
            return None
        near = f"within {self.within:.1%} of" if self.within else "equal to"
        return f"{self.quantity} {value:.6g} is not {near} {self.target:.6g}{self.of}"


@dataclass(frozen=True, slots=True)
class Checks:
    """Constraints, ready to be asked."""

    relations: tuple[Relation, ...]
    limits: tuple[Limit, ...]

    @classmethod
    def of(cls, constraints: Constraints) -> Checks:
        """Look up what accelerators are named; InputError where one is bad."""
        return cls(
            tuple(map(parse_relation, constraints.relations)),
            tuple(_limit(place, one) for place, one in enumerate(constraints.equal)),
        )

    def refusal(self, accelerator: Accelerator) -> str | None:
        """Why the accelerator is no point, or None; InputError for a relation between fields that it lacks."""
        fields = accelerator.model_dump(mode="json") if self.relations else {}
        for relation in self.relations:
            if not relation.holds(fields):
                return f"{relation.text} does not hold"
        return next((text for limit in self.limits if (text := limit.refusal(accelerator)) is not None), None)


def _limit(place: int, equal: Equal) -> Limit:
    if isinstance(equal.to, str):
        try:
            reference = measure(equal.quantity, load_accelerator(equal.to))
        except InputError as error:
            raise InputError(SPEC_PLACE, str(error), f"constraints.equal.{place}.to") from None
        return Limit(equal.quantity, reference, equal.within, f" ({equal.to})")
    return Limit(equal.quantity, equal.to, equal.within, "")
