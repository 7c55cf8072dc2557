"""Which operand of an attention product lies the wrong way round in its buffer, and what turning it adds.

Q, K and V are stored token by token, weights as the array wants them. What an array takes in one cycle decides:

- weight-stationary: a row of the array holds one value of K of the GEMM for every column of N. For QK^T that is one
  channel of 32 tokens, so K has to be turned; for AV one token's channels, as V is stored.
- input-stationary: the other operand streams column of N by column of N, all values of K of the GEMM at once. For QK^T
  that is a token of K, as stored; for AV one channel of all tokens, so V has to be turned. Rows enter as those of every
  linear layer do, each array column taking its own token, which costs nothing there either.
- output-stationary: both operands enter value after value, a token of K on each array column exactly as a token of Q on
  each array row; V enters token by token. Nothing has to be turned.

An operand that no vector operator of the workload makes comes as it is needed.
"""

from __future__ import annotations

from dataclasses import replace

from mixarray.accelerator.enums import Dataflow, Transpose
from mixarray.accelerator.model import Accelerator
from mixarray.mapping.chain_plan import VectorWork
from mixarray.mapping.chains import Flow
from mixarray.trace.model import Operand, OperatorKind
from mixarray.trace.workload import Group


def product_of(flow: Flow, index: int) -> int | None:
    """The attention product that holds in the array what operator `index` writes; None if there is none."""
    for reader in flow.consumers.get(flow.operators[index].output, ()):
        op = flow.operators[reader]
        held = [entry.tensor for entry in op.inputs if entry.operand is Operand.STATIONARY]
        if op.kind is OperatorKind.GEMM and flow.operators[index].output in held:
            return reader
    return None


def needs_turning(flow: Flow, product: int, dataflow: Dataflow) -> bool:
    """Whether the operand that is not the rows of an attention product has to be turned."""
    op = flow.operators[product]
    match dataflow:
        case Dataflow.WEIGHT_STATIONARY:  # QK^T
            readers = flow.consumers.get(op.output, ())
            return any(flow.operators[reader].kind is OperatorKind.SOFTMAX for reader in readers)
        case Dataflow.INPUT_STATIONARY:  # AV
            makers = [flow.producer.get(entry.tensor) for entry in op.inputs if entry.operand is Operand.STREAM]
            return any(flow.operators[m].kind is OperatorKind.SOFTMAX for m in makers if m is not None)
        case Dataflow.OUTPUT_STATIONARY:
            return False


def with_turning(work: VectorWork, flow: Flow, groups: list[Group], accelerator: Accelerator) -> tuple[VectorWork, ...]:
    """The work that writes an operand of an attention product, and what turns it (`mapping.transpose`).

    groups: those of the product that the work is for. `pass`: one more pass reads and writes all of it. `in_buffer`:
    every value is an access of its own.
    """
    product = product_of(flow, work.operator)
    if product is None:
        return (work,)
    arrays = {accelerator.array_for(group.stream_bits, group.stationary_bits)[0] for group in groups}
    if not any(needs_turning(flow, product, accelerator.arrays[array].dataflow) for array in arrays):
        return (work,)
    match accelerator.mapping.transpose:
        case Transpose.FREE:
            return (work,)
        case Transpose.IN_BUFFER:
            return (replace(work, by_value=True),)
        case Transpose.PASS:
            turning = replace(work, makers=(work.operator,), read_bits=work.write_bits, accumulator_bits=0, turns=True)
            return work, turning
