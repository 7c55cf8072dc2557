"""SRAM figures of the buffers of an accelerator: their banks, and how many of each there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from mixarray.accelerator.buffers import Buffer
from mixarray.accelerator.model import Accelerator
from mixarray.cost.sram import Sram, SramStatic, sram, sram_static
from mixarray.errors import InputError

ACCUMULATOR = "accumulator"
MOST_BANKS = 64
"""As many as an accelerator may give a buffer."""
BankT = TypeVar("BankT", Sram, SramStatic)


def buffer_names(accelerator: Accelerator) -> tuple[str, ...]:
    """The fields of `buffers`."""
    return tuple(type(accelerator.buffers).model_fields)


def copies(accelerator: Accelerator, name: str) -> int:
    """How many buffers of that name the accelerator has: accumulators one for each array, others one."""
    return len(accelerator.arrays) if name == ACCUMULATOR else 1


def buffer_sram(accelerator: Accelerator, name: str, table: str) -> Sram:
    """Energy per access of one buffer of that name: an access of the port's width reads or writes all of its banks.

    Raises InputError where a bank lies outside the grid of `table`; it says how many banks would not, if any number.
    """
    buffer, bank = _bank(accelerator, name, table, sram)
    return Sram(
        read_pj=buffer.banks * bank.read_pj,
        write_pj=buffer.banks * bank.write_pj,
        priced_kib=buffer.banks * bank.priced_kib,
    )


def buffer_static(accelerator: Accelerator, name: str, table: str) -> SramStatic:
    """Area and leakage of all buffers of that name, with their banks; InputError as for `buffer_sram`."""
    buffer, bank = _bank(accelerator, name, table, sram_static)
    times = buffer.banks * copies(accelerator, name)
    return SramStatic(
        area_mm2=times * bank.area_mm2,
        lstp300_mw=times * bank.lstp300_mw,
        hp360_mw=None if bank.hp360_mw is None else times * bank.hp360_mw,
    )


def _bank(
    accelerator: Accelerator, name: str, table: str, read: Callable[[str, int, int, str, str], BankT]
) -> tuple[Buffer, BankT]:
    """A buffer, and what `read` says of one of its banks."""
    buffer: Buffer = getattr(accelerator.buffers, name)
    component = f"buffers.{name}" + (f" (one of {buffer.banks} banks)" if buffer.banks > 1 else "")
    try:
        return buffer, read(table, buffer.bank_kib, buffer.bank_port_bits, component, accelerator.name)
    except InputError as refused:
        message = f"{refused.message}; {_advice(buffer, name, table)}"
        raise InputError(refused.where, message, refused.field) from None


def _advice(buffer: Buffer, name: str, table: str) -> str:
    """The number of banks nearest to what the buffer has with which it lies inside the grid."""
    fitting = [banks for banks in range(1, MOST_BANKS + 1) if _fits(buffer, banks, table)]
    if not fitting:
        return f"no number of banks makes buffers.{name} fit"
    return f"buffers.{name}.banks={min(fitting, key=lambda banks: abs(banks - buffer.banks))} fits"


def _fits(buffer: Buffer, banks: int, table: str) -> bool:
    if buffer.capacity_kib % banks or buffer.port_bits % banks:
        return False
    try:
        sram(table, buffer.capacity_kib // banks, buffer.port_bits // banks, "", "")
    except InputError:
        return False
    return True
