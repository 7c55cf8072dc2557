"""What a topology must fulfil before anything reads it: sound tensors, an order, and GEMMs that fit their operands."""

from __future__ import annotations

import math

from mixarray.errors import InputError
from mixarray.trace.model import Encoding, Grid, Operand, Operator, OperatorKind, Role, Tensor, Topology, Variation

LARGEST_SIZE = 2**31 - 1
LARGEST_BITS = 32
RANKING = (OperatorKind.TOKEN_MAP, OperatorKind.RANK)


def check_topology(topology: Topology, operators_file: str, tensors_file: str) -> None:
    """Raise InputError, naming the file and the column, for a topology that cannot be simulated."""
    tensors = _checked_tensors(topology.tensors, tensors_file)
    for number, op in enumerate(topology.operators):
        if op.operator != number:
            raise InputError(operators_file, f"row {number} has number {op.operator}", "operator")
        _check_shape(op, operators_file)
        missing = {op.output, *(entry.tensor for entry in op.inputs)} - tensors.keys()
        if missing:
            raise InputError(operators_file, f"{op.name}: tensor {min(missing)} does not exist", "inputs")
        _check_operands(op, tensors, operators_file)
    _check_order(topology.operators, operators_file)
    block_grids(topology, operators_file)
    if not any(op.in_block for op in topology.operators):
        raise InputError(operators_file, "holds no GEMM of a transformer block", "in_block")


def block_grids(topology: Topology, where: str) -> dict[tuple[int, int], Grid]:
    """The window grid of every (stage, block); InputError unless all operators of a block name the same."""
    grids: dict[tuple[int, int], Grid] = {}
    for op in topology.operators:
        if op.block < 0:
            continue
        if op.grid is Grid.NONE or grids.setdefault((op.stage, op.block), op.grid) is not op.grid:
            raise InputError(where, f"{op.name}: {op.grid.value} is not the grid of its block", "grid")
    return grids


def _checked_tensors(tensors: tuple[Tensor, ...], where: str) -> dict[int, Tensor]:
    """One entry per tensor; entries of one tensor may differ in bits, step and zero point alone."""
    first: dict[int, Tensor] = {}
    branches: set[tuple[int, int]] = set()
    for tensor in tensors:
        _check_tensor(tensor, where)
        known = first.setdefault(tensor.tensor, tensor)
        if (tensor.tensor, tensor.window_bits) in branches:
            message = f"{tensor.name}: listed twice for windows of {tensor.window_bits} bits"
            raise InputError(where, message, "window_bits")
        if known is not tensor and known.variation is Variation.NONE:
            raise InputError(where, f"{tensor.name}: has several entries, but its bits do not vary", "variation")
        if _constant(known) != _constant(tensor):
            raise InputError(where, f"{tensor.name}: its entries differ in more than bits and quantizer", "tensor")
        branches.add((tensor.tensor, tensor.window_bits))
    return first


def _constant(tensor: Tensor) -> tuple[object, ...]:
    """What is the same in every branch."""
    shape = tensor.batch, tensor.rows, tensor.columns
    return tensor.name, tensor.role, shape, tensor.signed, tensor.encoding, tensor.variation


def _check_tensor(tensor: Tensor, where: str) -> None:
    if not 1 <= tensor.bits <= LARGEST_BITS:
        raise InputError(where, f"{tensor.name}: {tensor.bits} is no bit width; allowed: 1 to {LARGEST_BITS}", "bits")
    least = 0 if tensor.variation is Variation.NONE else 1
    if not least <= tensor.window_bits <= (0 if least == 0 else LARGEST_BITS):
        allowed = "0, as its bits do not vary" if least == 0 else f"1 to {LARGEST_BITS}"
        raise InputError(where, f"{tensor.name}: {tensor.window_bits}; allowed: {allowed}", "window_bits")
    for column, size in (("batch", tensor.batch), ("rows", tensor.rows), ("columns", tensor.columns)):
        _check_size(tensor.name, column, size, where)
    given_beside_codes = math.isnan(tensor.step) and tensor.role is not Role.ACTIVATION
    if not given_beside_codes and not (math.isfinite(tensor.step) and tensor.step > 0):
        raise InputError(where, f"{tensor.name}: {tensor.step} is no step; allowed: finite and positive", "step")
    most_shift = tensor.bits if tensor.encoding is Encoding.TWO_REGION else 0
    if not 0 <= tensor.region_shift <= most_shift:
        message = f"{tensor.name}: {tensor.region_shift} of {tensor.encoding} codes; allowed: 0 to {most_shift}"
        raise InputError(where, message, "region_shift")


def _check_size(name: str, column: str, size: int, where: str) -> None:
    if not 1 <= size <= LARGEST_SIZE:
        raise InputError(where, f"{name}: {size} is no size; allowed: 1 to {LARGEST_SIZE}", column)


def _check_shape(op: Operator, where: str) -> None:
    for column, size in (("batch", op.batch), ("m", op.m), ("n", op.n)):
        _check_size(op.name, column, size, where)
    if op.kind is OperatorKind.GEMM:
        _check_size(op.name, "k", op.k, where)
    elif op.k != 0:
        raise InputError(where, f"{op.name}: {op.k} for an operator that is no GEMM; allowed: 0", "k")
    if op.in_block and (op.kind is not OperatorKind.GEMM or op.block < 0):
        raise InputError(where, f"{op.name}: is no GEMM of a transformer block", "in_block")


def _check_operands(op: Operator, tensors: dict[int, Tensor], where: str) -> None:
    """A GEMM has one streaming and one stationary operand, and their shapes are its own.

    The stationary operand may be stored transposed, as K of QK^T is.
    """
    streams = [tensors[entry.tensor] for entry in op.inputs if entry.operand is Operand.STREAM]
    stationaries = [tensors[entry.tensor] for entry in op.inputs if entry.operand is Operand.STATIONARY]
    needed = 1 if op.kind is OperatorKind.GEMM else 0
    for label, operands in (("streaming", streams), ("stationary", stationaries)):
        if len(operands) != needed:
            message = f"{op.name}: has {len(operands)} {label} inputs, a {op.kind.value} has {needed}"
            raise InputError(where, message, "inputs")
    if needed:
        _check_fit(op, streams[0], ((op.m, op.k),), where)
        _check_fit(op, stationaries[0], ((op.k, op.n), (op.n, op.k)), where)
        _check_fit(op, tensors[op.output], ((op.m, op.n),), where)


def _check_fit(op: Operator, tensor: Tensor, matrices: tuple[tuple[int, int], ...], where: str) -> None:
    if tensor.batch != op.batch or (tensor.rows, tensor.columns) not in matrices:
        found = f"{tensor.batch}x{tensor.rows}x{tensor.columns}"
        allowed = " or ".join(f"{op.batch}x{rows}x{columns}" for rows, columns in matrices)
        raise InputError(where, f"{op.name}: tensor {tensor.name!r} is {found}, its shape asks for {allowed}", "m")


def _check_order(operators: tuple[Operator, ...], where: str) -> None:
    """Every tensor has at most one producer, it comes before its readers, and no GEMM depends on a ranking.

    (A workload whose windows all run alike leaves the ranking out.)
    """
    producer: dict[int, Operator] = {}
    for op in operators:
        other = producer.setdefault(op.output, op)
        if other is not op:
            raise InputError(where, f"{op.name}: tensor {op.output} is already the output of {other.name}", "output")
    for op in operators:
        for entry in op.inputs:
            source = producer.get(entry.tensor)
            if source is None:
                continue
            if source.operator >= op.operator:
                raise InputError(where, f"{op.name}: reads what {source.name} has not yet made", "inputs")
            if source.kind in RANKING and entry.operand is not Operand.VECTOR:
                raise InputError(where, f"{op.name}: cannot multiply what {source.name} ranks", "inputs")
