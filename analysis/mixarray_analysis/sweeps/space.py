"""The points of one model on one accelerator, addressed by number: nothing is listed, so size costs no memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from mixarray.errors import InputError
from mixarray.trace.ratio import Promotion
from mixarray_analysis.sweeps.axes import values_of
from mixarray_analysis.sweeps.draws import Draws
from mixarray_analysis.sweeps.keys import SPEC_PLACE, check_used, concrete, is_share, read_share
from mixarray_analysis.sweeps.spec import SweepSpec, axis_keys

Values = Mapping[str, Any]
"""By key: thousandths of a share, or the value of a field of the accelerator."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """One axis in one model: each value sets some keys. stage: of what `ratio.pair` or `pruning.pair` stands for."""

    values: tuple[Values, ...]
    stage: str | None = None

    @property
    def of_shares(self) -> bool:
        """Whether it sets shares of windows alone, so that the machine stays the same."""
        return all(is_share(key) for key in self.values[0])


class Space:
    """The points of a model with so many block `pairs` per stage.

    In order: every value of the grid's machine axes, every draw, every value of the grid's shares, the last fastest.
    Raises InputError for keys or shares that the model cannot have.
    """

    def __init__(self, spec: SweepSpec, pairs: tuple[int, ...]) -> None:
        grid = _dimensions(spec.grid, pairs)
        self._fixed = _spread(spec.set, pairs)
        self._machines = [one for one in grid if not one.of_shares]
        self._shares = [one for one in grid if one.of_shares]
        self._drawn = _dimensions(spec.sample.axes, pairs) if spec.sample is not None else []
        self._draws: Draws | None = None
        self._points_drawn = 1
        if spec.sample is not None:
            rising = _by_stage(self._drawn) if spec.promotion is Promotion.REFUSED else []
            self._draws = Draws(spec.sample, [len(one.values) for one in self._drawn], rising)
            self._points_drawn = spec.sample.points
        keys = [*self._fixed, *(key for one in (*grid, *self._drawn) for key in one.values[0])]
        repeated = next((key for key in keys if keys.count(key) > 1), None)
        if repeated is not None:
            raise InputError(SPEC_PLACE, f"{repeated!r} is given twice, once by what stands for all stages or pairs")
        check_used({key for key in keys if is_share(key)}, pairs)

    @property
    def size(self) -> int:
        """How many points there are, those included that will be refused."""
        return self._points_drawn * prod(len(one.values) for one in (*self._machines, *self._shares))

    def __getitem__(self, number: int) -> Values:
        number, shares = _split(number, self._shares)
        number, draw = divmod(number, self._points_drawn)
        _, machines = _split(number, self._machines)
        values = dict(self._fixed)
        drawn = [] if self._draws is None else self._draws[draw]
        for dimensions, digits in ((self._machines, machines), (self._drawn, drawn), (self._shares, shares)):
            for dimension, digit in zip(dimensions, digits, strict=True):
                values |= dimension.values[digit]
        return values


def _split(number: int, dimensions: list[Dimension]) -> tuple[int, list[int]]:
    """The number as digits of the dimensions, the last one's lowest, and what is above them."""
    digits = []
    for dimension in reversed(dimensions):
        number, digit = divmod(number, len(dimension.values))
        digits.append(digit)
    return number, digits[::-1]


def _dimensions(axes: Mapping[str, Any], pairs: tuple[int, ...]) -> list[Dimension]:
    found: list[Dimension] = []
    for name, axis in axes.items():
        keys = axis_keys(name, axis)
        values = [value if isinstance(value, dict) else {name: value} for value in values_of(axis)]
        if len(keys) == 1 and is_share(keys[0]):
            found += _share_dimensions(keys[0], [value[keys[0]] for value in values], pairs)
        else:
            found.append(Dimension(tuple(_spread(value, pairs) for value in values)))
    return found


def _share_dimensions(key: str, given: list[Any], pairs: tuple[int, ...]) -> list[Dimension]:
    """One axis, or one for each stage or pair; the shares of pairs rise, so that rising digits are rising shares."""
    values = [read_share(key, value) for value in given]
    if not key.endswith(".pair"):
        return [Dimension(tuple({one: value} for value in values)) for one in concrete(key, pairs)]
    rising = sorted(values)
    return [Dimension(tuple({one: value} for value in rising), one.rpartition(".")[0]) for one in concrete(key, pairs)]


def _spread(values: Mapping[str, Any], pairs: tuple[int, ...]) -> Values:
    """The same with `ratio.stage` and `ratio.pair` as what they stand for, and shares in thousandths."""
    return {
        one: read_share(key, value) if is_share(key) else value
        for key, value in values.items()
        for one in (concrete(key, pairs) if is_share(key) else (key,))
    }


def _by_stage(dimensions: list[Dimension]) -> list[list[int]]:
    """Numbers of the dimensions that stand for the pairs of one stage."""
    stages = sorted({one.stage for one in dimensions if one.stage is not None})
    return [[number for number, one in enumerate(dimensions) if one.stage == stage] for stage in stages]
