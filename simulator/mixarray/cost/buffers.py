"""SRAM figures of the buffers of an accelerator: their banks, and how many of each there are."""

from __future__ import annotations

from mixarray.accelerator.model import Accelerator, Buffer
from mixarray.cost.sram import Sram, SramStatic, sram, sram_static

ACCUMULATOR = "accumulator"


def buffer_names(accelerator: Accelerator) -> tuple[str, ...]:
    """The fields of `buffers`."""
    return tuple(type(accelerator.buffers).model_fields)


def copies(accelerator: Accelerator, name: str) -> int:
    """How many buffers of that name the accelerator has: accumulators one for each array, others one."""
    return len(accelerator.arrays) if name == ACCUMULATOR else 1


def buffer_sram(accelerator: Accelerator, name: str, table: str) -> Sram:
    """Energy per access of one buffer of that name: an access of the port's width reads or writes all of its banks.

    Raises InputError where a bank lies outside the grid of `table`.
    """
    buffer, component = _find(accelerator, name)
    bank = sram(table, buffer.bank_kib, buffer.bank_port_bits, component, accelerator.name)
    return Sram(
        read_pj=buffer.banks * bank.read_pj,
        write_pj=buffer.banks * bank.write_pj,
        priced_kib=buffer.banks * bank.priced_kib,
    )


def buffer_static(accelerator: Accelerator, name: str, table: str) -> SramStatic:
    """Area and leakage of all buffers of that name, with their banks; InputError as for `buffer_sram`."""
    buffer, component = _find(accelerator, name)
    bank = sram_static(table, buffer.bank_kib, buffer.bank_port_bits, component, accelerator.name)
    times = buffer.banks * copies(accelerator, name)
    return SramStatic(
        area_mm2=times * bank.area_mm2,
        lstp300_mw=times * bank.lstp300_mw,
        hp360_mw=None if bank.hp360_mw is None else times * bank.hp360_mw,
    )


def _find(accelerator: Accelerator, name: str) -> tuple[Buffer, str]:
    """A buffer, and its path for messages."""
    buffer: Buffer = getattr(accelerator.buffers, name)
    return buffer, f"buffers.{name}" + (f" (one of {buffer.banks} banks)" if buffer.banks > 1 else "")
