"""DRAM: one channel as it is configured, and all of them together as the machine uses them."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from mixarray.accelerator.enums import DramType
from mixarray.accelerator.fields import Count, Frozen, Latency, Name, Rational


class DramChannel(Frozen):
    """One memory channel; the bandwidth is a rational, rounded up per transfer."""

    name: Name
    type: DramType
    bits_per_cycle: Rational = Field(description="bits per array clock cycle: an integer or a fraction like 1024/5")
    burst_bits: Count
    latency_cycles: Latency


@dataclass(frozen=True, slots=True)
class Memory:
    """All DRAM channels together: equal, with consecutive bursts on consecutive channels."""

    channels: tuple[DramChannel, ...]

    @property
    def latency_cycles(self) -> int:
        """Cycles from the end of a transfer to its data."""
        return self.channels[0].latency_cycles

    def transfer_bits(self, bits: int) -> int:
        """Bits on the bus for `bits` of payload: whole bursts."""
        return self._bursts(bits) * self.channels[0].burst_bits

    def transfer_cycles(self, bits: int) -> int:
        """Cycles that a transfer of `bits` occupies the channels: those of the one with the most bursts.

        A burst in the sense of design 5 is one transfer job: its whole bus time is rounded up once.
        """
        channel = self.channels[0]
        most = -(-self._bursts(bits) // len(self.channels))
        return -int(-most * channel.burst_bits // channel.bits_per_cycle)

    def _bursts(self, bits: int) -> int:
        return -(-bits // self.channels[0].burst_bits)
