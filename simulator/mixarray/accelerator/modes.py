"""A PE style, its modes, and what a mode means for a fold (design 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from mixarray.accelerator.enums import Dataflow
from mixarray.errors import InputError

Bits = tuple[int, int]
"""(streaming bits, stationary bits)"""


@dataclass(frozen=True, slots=True)
class Mode:
    """How one PE multiplies a streaming value of `stream_bits` by a stationary one of `stationary_bits`.

    lanes: products per PE and cycle, along K. slots: stationary slots of the PE. slots_per_value: slots that one
    stationary value occupies (2 = its two nibbles); with more than one, every slot takes a pass of its own.
    action: name of the energy action of one active PE-cycle in this mode.
    """

    stream_bits: int
    stationary_bits: int
    lanes: int
    slots: int
    slots_per_value: int

    @property
    def action(self) -> str:
        """Energy action of one active PE-cycle, for example `pe_cycle_8x4`."""
        return f"pe_cycle_{self.stream_bits}x{self.stationary_bits}"

    @property
    def layout(self) -> tuple[int, int]:
        """(stationary bits, slots per value): rows of two modes may share a fold exactly when their layouts agree."""
        return self.stationary_bits, self.slots_per_value

    @property
    def macs_per_pe_cycle(self) -> float:
        """Products finished per PE and cycle at best: the lanes, or a part of one when a value needs several passes."""
        return self.lanes / self.slots_per_value

    def fold_depth(self, array_rows: int) -> int:
        """Values of K that one fold covers on an array of that many rows."""
        return self.slots // self.slots_per_value * array_rows

    def passes(self, depth: int, array_rows: int) -> int:
        """Cycles that one streamed row occupies the array in a fold covering `depth` values of K.

        Slot 0 of all rows is filled first, so an empty slot costs no pass; split values pass once per slot always.
        """
        if self.slots_per_value > 1:
            return self.slots_per_value
        return -(-depth // (self.lanes * array_rows))

    def active_rows(self, depth: int, array_rows: int) -> int:
        """Array rows doing a useful MAC pass, summed over the passes of one streamed row (at most passes * rows)."""
        if self.slots_per_value > 1:
            return self.slots_per_value * depth
        step = self.lanes * array_rows
        return sum(min(array_rows, depth - start) for start in range(0, depth, step))

    def widens(self, stream_bits: int, stationary_bits: int) -> bool:
        """Whether operands of these bits run here in a wider mode than they need: reported, never silent."""
        return (self.stream_bits, self.stationary_bits) != (stream_bits, stationary_bits)


@dataclass(frozen=True, slots=True)
class PeStyle:
    """A kind of processing element.

    make_modes turns the configured (stream, stationary) pairs into modes or raises ValueError saying what the style
    cannot do. pe_stationary_bits is what one PE stores for a set of modes (both slots together).
    illegal: the dataflows that it does not serve, with the reason.
    """

    name: str
    title: str
    make_modes: Callable[[tuple[Bits, ...]], tuple[Mode, ...]]
    pe_stationary_bits: Callable[[tuple[Mode, ...]], int]
    illegal: Mapping[Dataflow, str]


def mode_for(
    modes: Iterable[Mode], stream_bits: int, stationary_bits: int, where: str = "accelerator", note: str = ""
) -> Mode:
    """The exact mode, or the narrowest one at least as wide in both operands; `note` goes into the error.

    Raises InputError if none is wide enough: slicing an operand that is wider than every mode is not built yet.
    """
    known = tuple(modes)
    fitting = [m for m in known if m.stream_bits >= stream_bits and m.stationary_bits >= stationary_bits]
    if not fitting:
        listed = ", ".join(f"({m.stream_bits},{m.stationary_bits})" for m in known)
        raise InputError(
            where,
            f"no mode serves {stream_bits} streaming by {stationary_bits} stationary bits{note}; it has {listed}",
            "arrays.0.modes",
        )
    return min(fitting, key=lambda m: (m.stream_bits * m.stationary_bits, m.stationary_bits))
