"""One way to lay a GEMM on the machine: tile sizes, order of loops, and which operand arrives while another is used."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LoopOrder(StrEnum):
    """Loops over tiles from outside to inside: M the rows, N the columns of the result, K the reduction.

    With K outside M or N, sums that are not complete leave the accumulators and come back.
    """

    MNK = "mnk"
    MKN = "mkn"
    NMK = "nmk"
    NKM = "nkm"
    KMN = "kmn"
    KNM = "knm"


class Doubled(StrEnum):
    """Which operand's buffer is divided in slots, so that the next tile arrives while one is used.

    A buffer that is not divided holds one tile of its whole capacity, and the next one waits until it has been read.
    """

    BOTH = "both"
    ROWS = "rows"
    WEIGHTS = "weights"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True, order=True)
class Choice:
    """A point of the mapping space of one GEMM.

    A tile is `rows` of M by `columns` of N by `depth` of K; tiles at the end of a dimension are smaller. Compared
    field by field, in this order, where nothing else tells two choices apart.
    """

    rows: int
    columns: int
    depth: int
    order: LoopOrder
    doubled: Doubled
