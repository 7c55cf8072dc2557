"""The on-chip buffers of an accelerator: sizes, slots and ports; what they cost is in `cost`."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, PrivateAttr, model_validator

from mixarray.accelerator.fields import Capacity, Count, Frozen


class Buffer(Frozen):
    """One on-chip SRAM, divided into equal slots (2 = double buffering)."""

    capacity_kib: Capacity
    port_bits: Count = Field(description="width of one access, which sets its energy; it bounds no time")
    slots: Annotated[int, Field(strict=True, ge=1, le=16)]
    banks: Annotated[int, Field(strict=True, ge=1, le=64, description="equal parts side by side, all read at once")]
    _shares: int = PrivateAttr(default=1)

    @model_validator(mode="after")
    def _banks_are_equal(self) -> Self:
        if self.capacity_kib % self.banks or self.port_bits % self.banks:
            raise ValueError(f"capacity_kib and port_bits must be multiples of banks, {self.banks}, which are equal")
        return self

    @property
    def bank_kib(self) -> int:
        """Capacity of one bank."""
        return self.capacity_kib // self.banks

    @property
    def bank_port_bits(self) -> int:
        """What one bank gives of an access of the port's width."""
        return self.port_bits // self.banks

    def share(self, shares: int) -> Buffer:
        """The buffer as one of `shares` users of equal right sees it: its part of every slot."""
        part = self.model_copy()
        part._shares = self._shares * shares
        return part

    @property
    def capacity_bits(self) -> int:
        """All slots together, or what is one user's of them."""
        return self.capacity_kib * 1024 * 8 // self._shares

    @property
    def slot_bits(self) -> int:
        """What one slot holds."""
        return self.capacity_bits // self.slots

    @property
    def shares(self) -> int:
        """How many users of equal right it has."""
        return self._shares

    def slot_holds(self, bits: int) -> bool:
        """Whether one slot holds so many bits."""
        return bits <= self.slot_bits

    def slot_parts(self, bits: int, most: int) -> int:
        """Parts of so many bits each that one slot holds, at most `most`."""
        return min(most, self.slot_bits // bits)

    def parts(self, bits: int, most: int) -> int:
        """Parts of so many bits each that all slots together hold, at most `most`."""
        return min(most, self.capacity_bits // bits)

    def accesses(self, bits: int) -> int:
        """Accesses of the port's width that move `bits`."""
        return -(-bits // self.port_bits)


class Buffers(Frozen):
    """The on-chip buffers: arrays share those of operands; each has an accumulator buffer of its own."""

    activation: Buffer = Field(description="rows and results; shared by all arrays")
    weight: Buffer = Field(description="shared by all arrays")
    accumulator: Buffer = Field(description="sums; every array has one of these to itself")
