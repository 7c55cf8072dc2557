"""Parameters beside weights: what one branch of an operator needs of them, and what further branches load."""

from __future__ import annotations

from mixarray.trace.model import Operand, OperatorKind, Role
from mixarray.trace.workload import GroupedOperator, Workload

PARAMETER_BITS = 16
"""A gamma or beta: those of the residual stream that LayerNorm reads (assumed)."""
PARAMETERS_PER_CHANNEL = 2
SCALE_BITS = 32
"""step_x * step_w / step_y of an output channel: a fixed-point number as wide as the accumulators (assumed)."""
BIAS_BITS = 32
"""The bias of an output channel in steps of its accumulators, bias / (step_x * step_w) - zero_x * sum(codes of w).

Standard algebra of zero points. Branches share weights and bias, but each has a step and a zero point of its own
(MixA-Q, ICCV 2025: activation quantizers by branch), so the integers differ. As wide as the accumulators (assumed).
"""


def set_bits(grouped: GroupedOperator, has_weights: bool) -> int:
    """One set: gamma and beta for each channel of a LayerNorm, scale and bias for each output channel of a GEMM.

    Operators without either have none; steps and zero points of whole tensors, one number each, are left out.
    """
    op = grouped.operator
    if op.kind is OperatorKind.LAYERNORM:
        return PARAMETERS_PER_CHANNEL * op.n * PARAMETER_BITS
    if op.kind is OperatorKind.GEMM and has_weights:
        return op.n * (SCALE_BITS + BIAS_BITS)
    return 0


def parameter_bits(grouped: GroupedOperator, has_weights: bool) -> int:
    """What an operator loads for its groups beside the first, whose set a uniform model has as well."""
    return max(len(grouped.groups) - 1, 0) * set_bits(grouped, has_weights)


def first_set_bits(workload: Workload) -> int:
    """The sets of the first or only group of every operator that runs: needed by every run, and loaded by none."""
    weights = {number for (number, _), tensor in workload.tensors.items() if tensor.role is Role.WEIGHT}
    running = (grouped for grouped in workload.operators if grouped.groups)
    return sum(set_bits(grouped, _has_weights(grouped, weights)) for grouped in running)


def _has_weights(grouped: GroupedOperator, weights: set[int]) -> bool:
    inputs = grouped.operator.inputs
    return any(entry.operand is Operand.STATIONARY and entry.tensor in weights for entry in inputs)
