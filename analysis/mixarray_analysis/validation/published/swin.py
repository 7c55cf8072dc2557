"""Multiply-accumulates of Swin: totals, shares and whole lists of GEMMs, counted from the topology of a trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cache
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from mixarray.cost.rows import Status
from mixarray.trace.model import Operator, OperatorKind, Topology
from mixarray_analysis.validation.published.figure import (
    Comparison,
    Sourced,
    read_published,
    same_digits,
    shown,
)
from mixarray_traces.record import shape as real_shape
from mixarray_traces.record import topology as real_topology
from mixarray_traces.record.shape import ClassifierShape, HeadShape, MapGrid, SwinShape

GIGA = 10**9
LISTS = (
    ("swin_t_224_gemms.csv", 224, 224, 1000),
    ("swin_t_800x1333_gemms.csv", 800, 1333, 0),
)
"""Lists of every GEMM of Swin-T: file, input height and width, classes of the head (0: a backbone)."""
LIST_SOURCE = "written down from the published shapes (Liu et al., ICCV 2021), independently of this code"


class Quantity(StrEnum):
    """What a figure counts; block pairs are numbered from the first stage on."""

    NETWORK = "GMAC of the network"
    BLOCKS = "GMAC of the blocks"
    EMBEDDING = "GMAC of the patch embedding"
    MERGING = "GMAC of the patch merging"
    PRODUCTS_OF_NETWORK = "% of the network in QK^T and AV"
    PRODUCTS_OF_BLOCKS = "% of the blocks in QK^T and AV"
    PAIR = "share of the blocks in pair"
    WINDOWS = "windows in stage"


class SwinFigure(Sourced):
    """A published figure of one model at one input size. classes 0: no head. part: number of the pair or stage."""

    model: str
    height: int
    width: int
    classes: int
    quantity: Quantity
    part: Annotated[int | None, BeforeValidator(lambda cell: None if cell == "" else cell)]
    printed: str


class GemmRow(BaseModel):
    """One GEMM of a list: `count` identical products of (M, K) by (K, N)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    M: int
    N: int
    K: int
    count: int


@dataclass(frozen=True, slots=True)
class Swin:
    """What is examined: named shapes, topologies from them, and the window grids of their blocks."""

    shape_named: Callable[[str], SwinShape] = real_shape.shape_named
    build_topology: Callable[[SwinShape, int, int, HeadShape], Topology] = real_topology.build_topology
    block_grids: Callable[[SwinShape, int, int], dict[tuple[int, int], MapGrid]] = real_topology.block_grids


@cache
def _figures() -> tuple[SwinFigure, ...]:
    return read_published("swin_macs.csv", SwinFigure)


@cache
def _list(file: str) -> tuple[GemmRow, ...]:
    return read_published(file, GemmRow)


def swin_figures(swin: Swin) -> tuple[Comparison, ...]:
    """Every published figure beside what our topology gives."""
    return tuple(_compare(swin, figure) for figure in _figures())


def swin_lists(swin: Swin) -> tuple[Comparison, ...]:
    """Every GEMM of the lists beside the one at its place in our topology; a list of another length is one more."""
    return tuple(comparison for file, *size in LISTS for comparison in _compare_list(swin, file, *size))


def _compare(swin: Swin, figure: SwinFigure) -> Comparison:
    ours = _measure(swin, figure)
    part = "" if figure.part is None else f" {figure.part}"
    place = f"{figure.model}, {figure.height}x{figure.width}"
    agrees = same_digits(ours, figure.printed)
    text = shown(ours, figure.printed)
    return Comparison(f"{place}: {figure.quantity}{part}", figure.printed, text, agrees, figure.source, figure.status)


def _measure(swin: Swin, figure: SwinFigure) -> Fraction:
    shape = swin.shape_named(figure.model)
    if figure.quantity is Quantity.WINDOWS:
        return Fraction(swin.block_grids(shape, figure.height, figure.width)[figure.part or 0, 0].windows)
    ops = _gemms(swin, shape, figure.height, figure.width, figure.classes)
    counted = sum(_macs(op) for op in ops if _belongs(shape, figure, op))
    blocks = sum(_macs(op) for op in ops if op.in_block)
    match figure.quantity:
        case Quantity.PRODUCTS_OF_NETWORK:
            return Fraction(100 * counted, sum(map(_macs, ops)))
        case Quantity.PRODUCTS_OF_BLOCKS:
            return Fraction(100 * counted, blocks)
        case Quantity.PAIR:
            return Fraction(counted, blocks)
        case _:
            return Fraction(counted, GIGA)


def _belongs(shape: SwinShape, figure: SwinFigure, op: Operator) -> bool:
    """Whether the figure counts this GEMM."""
    match figure.quantity:
        case Quantity.BLOCKS:
            return op.in_block
        case Quantity.EMBEDDING:
            return op.name == "patch_embed"
        case Quantity.MERGING:
            return ".downsample." in op.name
        case Quantity.PRODUCTS_OF_NETWORK | Quantity.PRODUCTS_OF_BLOCKS:
            return op.name.endswith((".attn.qk", ".attn.av"))
        case Quantity.PAIR:
            return op.in_block and _pair(shape, op) == figure.part
        case _:
            return True


def _pair(shape: SwinShape, op: Operator) -> int:
    """The number of the operator's block pair, counted through all stages."""
    return sum((depth + 1) // 2 for depth in shape.depths[: op.stage]) + op.block // 2


def _gemms(swin: Swin, shape: SwinShape, height: int, width: int, classes: int) -> list[Operator]:
    head = ClassifierShape(classes) if classes else None
    topology = swin.build_topology(shape, height, width, head)
    return [op for op in topology.operators if op.kind is OperatorKind.GEMM]


def _macs(op: Operator) -> int:
    return op.batch * op.m * op.n * op.k


def _compare_list(swin: Swin, file: str, height: int, width: int, classes: int) -> Iterator[Comparison]:
    listed = [(row.name, row.M, row.N, row.K, row.count) for row in _list(file)]
    ops = _gemms(swin, swin.shape_named("swin_t"), height, width, classes)
    ours = [(op.name, op.m, op.n, op.k, op.batch) for op in ops]
    place = f"swin_t, {height}x{width}"
    for number, row in enumerate(listed):
        own = ours[number] if number < len(ours) else ()
        yield Comparison(f"{place}: GEMM {number}", _sizes(row), _sizes(own), own == row, LIST_SOURCE, Status.DERIVED)
    lengths = f"{len(listed)} GEMMs", f"{len(ours)} GEMMs"
    yield Comparison(f"{place}: length of the list", *lengths, len(ours) == len(listed), LIST_SOURCE, Status.DERIVED)


def _sizes(row: tuple[str, int, int, int, int] | tuple[()]) -> str:
    if not row:
        return "none"
    name, m, n, k, count = row
    return f"{name} {count} x ({m}, {n}, {k})"
