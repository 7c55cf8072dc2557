"""For which capacities of the activation and the weight buffer something holds: those with the same answers.

Planning and lowering ask a buffer whether something fits, or how many parts do. A noted buffer answers and narrows the
capacities that would have answered the same; where its size itself is asked for, only its own is left.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from pydantic import PrivateAttr

from mixarray.accelerator.buffers import Buffer
from mixarray.accelerator.model import Accelerator
from mixarray.mapping.amounts import ceil_div

Value = TypeVar("Value")
KIB_BITS = 8 * 1024
LARGEST_KIB = 2**62


@dataclass(frozen=True, slots=True)
class Capacities:
    """Sizes in KiB of the activation and the weight buffer."""

    activation_kib: int
    weight_kib: int


def capacities_of(accelerator: Accelerator) -> Capacities:
    """Those of an accelerator."""
    buffers = accelerator.buffers
    return Capacities(buffers.activation.capacity_kib, buffers.weight.capacity_kib)


class Range(NamedTuple):
    """Capacities of one buffer, both ends included."""

    least_kib: int = 0
    most_kib: int = LARGEST_KIB

    def both(self, other: Range) -> Range:
        """Those in both."""
        return Range(max(self.least_kib, other.least_kib), min(self.most_kib, other.most_kib))


ANY = Range()


@dataclass(frozen=True, slots=True)
class Alike:
    """The capacities of both buffers with the same answers."""

    activation: Range = ANY
    weight: Range = ANY

    def holds(self, sizes: Capacities) -> bool:
        """Whether these are among them."""
        ours, theirs = self.activation, self.weight
        return (
            ours.least_kib <= sizes.activation_kib <= ours.most_kib
            and theirs.least_kib <= sizes.weight_kib <= theirs.most_kib
        )


@dataclass(slots=True)
class _Asked:
    """What one buffer has been asked for: the capacities with the same answers."""

    range: Range = ANY


@dataclass(frozen=True, slots=True)
class Asked:
    """What both have been asked for since the last `forget`."""

    activation: _Asked = field(default_factory=_Asked)
    weight: _Asked = field(default_factory=_Asked)

    @property
    def alike(self) -> Alike:
        """The capacities with the same answers."""
        return Alike(self.activation.range, self.weight.range)

    def forget(self) -> None:
        """Begin anew."""
        self.activation.range = self.weight.range = ANY


class ByCapacity(Generic[Value]):
    """Values that each hold for some capacities."""

    def __init__(self) -> None:
        self._found: list[tuple[Alike, Value]] = []

    def find(self, sizes: Capacities) -> Value | None:
        """The one that holds for these, if there is one."""
        for alike, value in self._found:
            if alike.holds(sizes):
                return value
        return None

    def add(self, alike: Alike, value: Value) -> None:
        """Remember one more."""
        self._found.append((alike, value))


class _NotedBuffer(Buffer):
    """A buffer that narrows `_asked`; what it answers is what a plain one does."""

    _asked: _Asked = PrivateAttr(default_factory=_Asked)

    @property
    def capacity_bits(self) -> int:
        """As of a plain buffer; any other capacity would answer differently."""
        self._narrow(self.capacity_kib, self.capacity_kib)
        return super().capacity_bits

    def slot_holds(self, bits: int) -> bool:
        """As of a plain buffer."""
        return self._at_least(bits * self.slots)

    def slot_parts(self, bits: int, most: int) -> int:
        """As of a plain buffer."""
        return self._parts(bits * self.slots, most)

    def parts(self, bits: int, most: int) -> int:
        """As of a plain buffer."""
        return self._parts(bits, most)

    def _parts(self, bits: int, most: int) -> int:
        found = min(most, super().capacity_bits // bits)
        self._at_least(found * bits)
        if found < most:
            self._at_least((found + 1) * bits)
        return found

    def _at_least(self, bits: int) -> bool:
        """Whether its capacity, as one user sees it, is so many bits; all with the same answer stay in the range."""
        border_kib = ceil_div(bits * self.shares, KIB_BITS)
        if self.capacity_kib >= border_kib:
            self._narrow(border_kib, LARGEST_KIB)
            return True
        self._narrow(0, border_kib - 1)
        return False

    def _narrow(self, least_kib: int, most_kib: int) -> None:
        self._asked.range = self._asked.range.both(Range(least_kib, most_kib))


def asking(accelerator: Accelerator, asked: Asked) -> Accelerator:
    """The same accelerator; from now on `asked` holds what it was asked for."""
    buffers = accelerator.buffers
    changed = {
        "activation": _noted_buffer(buffers.activation, asked.activation),
        "weight": _noted_buffer(buffers.weight, asked.weight),
    }
    return accelerator.model_copy(update={"buffers": buffers.model_copy(update=changed)})


def _noted_buffer(buffer: Buffer, asked: _Asked) -> Buffer:
    made = _NotedBuffer(**buffer.model_dump())
    made._asked = asked
    return made
