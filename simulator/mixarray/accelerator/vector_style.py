"""What a kind of vector unit makes of an operator: how often it walks over the elements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mixarray.trace.model import OperatorKind


@dataclass(frozen=True, slots=True)
class VectorStyle:
    """A kind of vector unit.

    passes: times that the unit walks over the elements of an operator, for every kind but GEMM; 0: done on the way of
    the data, the unit is not occupied. sources: where that is written, by kind; kinds not named follow `source`.
    """

    name: str
    title: str
    passes: Mapping[OperatorKind, int]
    source: str
    sources: Mapping[OperatorKind, str]

    def source_of(self, kind: OperatorKind) -> str:
        """Where the passes of a kind come from."""
        return self.sources.get(kind, self.source)
