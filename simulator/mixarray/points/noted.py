"""Views of a workload and its flow that note what is looked at, and so tell what a plan made from them depends on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, SupportsIndex, TypeVar, overload

from mixarray.mapping.chains import Flow
from mixarray.trace.workload import Workload

Entry = TypeVar("Entry")


class _NotedTuple(tuple[Entry, ...]):
    """A tuple that notes the places of the entries that are taken out of it."""

    seen: set[int]

    @overload
    def __getitem__(self, place: SupportsIndex, /) -> Entry: ...
    @overload
    def __getitem__(self, place: slice, /) -> tuple[Entry, ...]: ...
    def __getitem__(self, place: Any, /) -> Any:
        self.seen.update(range(len(self))[place] if isinstance(place, slice) else (range(len(self))[place],))
        return super().__getitem__(place)

    def __iter__(self) -> Iterator[Entry]:
        self.seen.update(range(len(self)))
        return super().__iter__()


class _NotedReaders(dict[int, tuple[int, ...]]):
    """The readers of tensors; notes the tensors that are asked for."""

    seen: set[int]

    def __getitem__(self, tensor: int) -> tuple[int, ...]:
        self.seen.add(tensor)
        return super().__getitem__(tensor)

    def __contains__(self, tensor: object) -> bool:
        assert isinstance(tensor, int)
        self.seen.add(tensor)
        return super().__contains__(tensor)

    def get(self, tensor: int, default: Any = None) -> Any:
        """The readers of a tensor, or what is given in place of them."""
        self.seen.add(tensor)
        return super().get(tensor, default)

    def __iter__(self) -> Iterator[int]:
        self.seen.update(super().keys())
        return super().__iter__()


@dataclass(frozen=True, slots=True)
class Notes:
    """What was looked at since the last `forget`: operators with and without their groups, readers of tensors."""

    grouped: set[int] = field(default_factory=set)
    operators: set[int] = field(default_factory=set)
    readers: set[int] = field(default_factory=set)

    def forget(self) -> None:
        """Begin anew."""
        for seen in (self.grouped, self.operators, self.readers):
            seen.clear()


def noted(workload: Workload, flow: Flow, notes: Notes) -> tuple[Workload, Flow]:
    """The same workload and flow; from now on `notes` holds what is looked at."""
    grouped = _NotedTuple(workload.operators)
    operators = _NotedTuple(flow.operators)
    readers = _NotedReaders(flow.consumers)
    grouped.seen, operators.seen, readers.seen = notes.grouped, notes.operators, notes.readers
    return replace(workload, operators=grouped), replace(flow, operators=operators, consumers=readers)
