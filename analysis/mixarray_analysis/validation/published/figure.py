"""One published figure beside ours: how they are compared, and what a check makes of a list of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from importlib.resources import files
from itertools import islice
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from mixarray.cost.rows import Status, Text, parse_rows
from mixarray_analysis.validation.check import Outcome, Progress

DATA = files("mixarray_analysis.validation.published") / "data"


class Sourced(BaseModel):
    """A row of published data: where it stands, and how we know it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Text
    status: Status


@dataclass(frozen=True, slots=True)
class Comparison:
    """A published figure and ours, as people read them; agrees: whether they are the same to the digits published."""

    what: str
    published: str
    ours: str
    agrees: bool
    source: str
    status: Status

    @property
    def mismatch(self) -> str:
        """How they differ, in words, or nothing."""
        return "" if self.agrees else f"{self.what}: {self.ours}, published {self.published}"


RowT = TypeVar("RowT", bound=BaseModel)


def read_published(name: str, model: type[RowT]) -> tuple[RowT, ...]:
    """All rows of a file in `data/`; InputError naming line and column of the first bad one."""
    return parse_rows((DATA / name).read_text(encoding="utf-8"), name, model)


def half_unit(printed: str) -> Fraction:
    """Half a unit of the last printed digit: 1/2000 of `4.491`. Raises ValueError for a text that is no number."""
    exponent = Decimal(printed).as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"{printed!r} is not a finite number")
    return Fraction(10) ** exponent / 2


def same_digits(ours: Fraction, printed: str) -> bool:
    """Whether `ours` rounds to the printed number (both ways at a tie)."""
    return abs(ours - Fraction(printed)) <= half_unit(printed)


def shown(ours: Fraction, printed: str, more: int = 2) -> str:
    """`ours` with `more` decimals than were printed, never fewer than none."""
    exponent = Decimal(printed).as_tuple().exponent
    decimals = more - exponent if isinstance(exponent, int) and exponent < 0 else 0
    return f"{float(ours):.{decimals}f}"


def outcome_of(comparisons: Iterable[Comparison], cases: int, progress: Progress) -> Outcome:
    """The first `cases` comparisons as the outcome of a check."""
    mismatches = [comparison.mismatch for comparison in islice(comparisons, cases)]
    progress(len(mismatches))
    wrong = [mismatch for mismatch in mismatches if mismatch]
    return Outcome(len(mismatches), len(wrong), wrong[0] if wrong else "")
