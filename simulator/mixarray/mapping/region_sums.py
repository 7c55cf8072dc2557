"""Whether sums of shifted products fit the accumulators: codes of two regions lengthen them by their shift."""

from __future__ import annotations

from mixarray.accelerator.model import Accelerator
from mixarray.errors import InputError
from mixarray.trace.model import Operand, Tensor
from mixarray.trace.workload import ALL_WINDOWS, Group, GroupedOperator, Workload


def check_region_sums(workload: Workload, accelerator: Accelerator) -> None:
    """Raise InputError for the first GEMM whose largest sum, whatever the codes, leaves its array's accumulators.

    Plain codes are not held to this: their sums do not depend on what calibration chose.
    """
    for grouped in workload.operators:
        for group in grouped.groups:
            if group.shifts:
                _check(grouped, group, _streamed(workload, grouped, group), accelerator)


def _check(grouped: GroupedOperator, group: Group, tensor: Tensor, accelerator: Accelerator) -> None:
    index, _ = accelerator.array_for(group.stream_bits, group.stationary_bits)
    magnitude = ((1 << (tensor.bits - 1)) - 1) << tensor.region_shift
    largest = grouped.operator.k * magnitude << (group.stationary_bits - 1)
    bits = accelerator.arrays[index].accumulator_bits
    if largest.bit_length() >= bits:
        message = (
            f"{bits} bits do not hold the sums of {grouped.operator.name}: {grouped.operator.k} products of "
            f"{group.stream_bits} by {group.stationary_bits} bits, shifted by up to {tensor.region_shift}, may take "
            f"{largest.bit_length() + 1}"
        )
        raise InputError(accelerator.name, message, f"arrays.{index}.accumulator_bits")


def _streamed(workload: Workload, grouped: GroupedOperator, group: Group) -> Tensor:
    """The entry of the tensor that streams in a group."""
    number = next(entry.tensor for entry in grouped.operator.inputs if entry.operand is Operand.STREAM)
    entry = workload.tensors.get((number, group.bits))
    return workload.tensors[number, ALL_WINDOWS] if entry is None else entry
