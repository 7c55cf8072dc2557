"""Relative cycles of ANT's table, beside our writing of its rule on the layers and bits of its simulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cache
from typing import Annotated

from pydantic import BeforeValidator

from mixarray.timing.ant import AntArray, ant_timing
from mixarray.timing.tile_search import Layer, TileTiming
from mixarray_analysis.validation.published.figure import Comparison, Sourced, read_published, same_digits, shown

Rule = Callable[[AntArray, Layer], TileTiming]
BATCH = 64
BASE = AntArray(rows=32, columns=28)
"""AdaFloat, which all is relative to: 8 bits everywhere."""
BASE_BITS = 8


class Design(StrEnum):
    """Machines of the table."""

    ANT_OS = "ANT-OS"
    ANT_WS = "ANT-WS"
    BIT_FUSION = "BitFusion"
    OLACCEL = "OLAccel"


ARRAYS = {
    Design.ANT_OS: AntArray(),
    Design.ANT_WS: AntArray(weight_stationary=True),
    Design.BIT_FUSION: AntArray(),
    Design.OLACCEL: AntArray(rows=16, columns=18),
}
"""What the authors' configurations say; their Bit Fusion is ANT's array with other bits."""


@dataclass(frozen=True, slots=True)
class Product:
    """One layer of a network: rows of one input of the batch, input and output channels."""

    rows: int
    inputs: int
    outputs: int


def _products(cell: object) -> tuple[Product, ...]:
    return tuple(Product(*(int(size) for size in part.split("x"))) for part in str(cell).split())


Products = Annotated[tuple[Product, ...], BeforeValidator(_products)]


class NetworkRow(Sourced):
    """A network: its block so many times, then its head."""

    network: str
    block: Products
    blocks: int
    head: Products

    @property
    def layers(self) -> tuple[Product, ...]:
        """Every layer in order."""
        return self.block * self.blocks + self.head


class RatioRow(Sourced):
    """Relative cycles of a network on a design; `bits` has one digit per layer."""

    network: str
    design: Design
    bits: str
    printed: str


@cache
def _networks() -> dict[str, NetworkRow]:
    return {row.network: row for row in read_published("ant_networks.csv", NetworkRow)}


@cache
def _ratios() -> tuple[RatioRow, ...]:
    return read_published("ant_ratios.csv", RatioRow)


def ant_ratios(rule: Rule = ant_timing) -> Iterator[Comparison]:
    """Every published ratio beside ours, one at a time."""
    timed = cache(rule)
    return (_compare(row, timed) for row in _ratios())


def _compare(row: RatioRow, rule: Rule) -> Comparison:
    layers = _networks()[row.network].layers
    own = _cycles(rule, ARRAYS[row.design], layers, tuple(int(bits) for bits in row.bits))
    base = _cycles(rule, BASE, layers, (BASE_BITS,) * len(layers))
    ratio = Fraction(own, base)
    what = f"{row.network} on {row.design}, over AdaFloat"
    agrees = same_digits(ratio, row.printed)
    return Comparison(what, row.printed, shown(ratio, row.printed), agrees, row.source, row.status)


def _cycles(rule: Rule, array: AntArray, layers: tuple[Product, ...], bits: tuple[int, ...]) -> int:
    timed = (
        rule(array, Layer(BATCH * layer.rows, 1, layer.inputs, layer.outputs, width, width))
        for layer, width in zip(layers, bits, strict=True)
    )
    return sum(timing.total_cycles for timing in timed)
