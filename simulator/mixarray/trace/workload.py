"""A workload is a topology with its precision resolved: each operator divided into groups of equal precision.

This is all a mapping needs. A recorded image, a SCALE-Sim layer and a single GEMM are the same object; the latter
two simply have one group per operator. Cycles depend on the sizes of the groups alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from mixarray.errors import InputError
from mixarray.trace.model import (
    Encoding,
    Grid,
    Input,
    Operand,
    Operator,
    OperatorKind,
    Relation,
    Role,
    RowsPer,
    Tensor,
    Topology,
    Variation,
)


@dataclass(frozen=True, slots=True)
class WindowCount:
    """How many windows of one block run at `bits` activation bits (0 = pruned), and how many real tokens they hold."""

    bits: int
    windows: int
    tokens: int


RESULT_BITS = 8
"""What a single GEMM's results are requantized to unless it says otherwise: the next layer's activations."""

ALL_WINDOWS = 0
"""`Tensor.window_bits` of a tensor whose bits do not vary."""

Assignment = Mapping[tuple[int, int], tuple[WindowCount, ...]]
"""(stage, block) -> its window counts, highest bits first."""


@dataclass(frozen=True, slots=True)
class Group:
    """The part of an operator that runs at one precision.

    (batch, rows) replace the operator's (batch, m). `bits` are those that the assignment gives the windows, the name of
    their branch (0 where the operator does not vary). All others are the tensors' own: stream_bits and stationary_bits
    of the operands entering the array (0 for operators that are no GEMM), input_bits of each input in order,
    output_bits of the result. shifts: what streams has two regions, so every product passes a conditional shift.
    """

    bits: int
    batch: int
    rows: int
    stream_bits: int
    stationary_bits: int
    input_bits: tuple[int, ...]
    output_bits: int
    shifts: bool = False


@dataclass(frozen=True, slots=True)
class GroupedOperator:
    """An operator and the groups it runs as, highest precision first; empty groups are left out."""

    operator: Operator
    groups: tuple[Group, ...]

    @property
    def macs(self) -> int:
        """Multiply-accumulates that really run: pruned windows count nothing."""
        op = self.operator
        return sum(g.batch * g.rows for g in self.groups) * op.n * op.k


@dataclass(frozen=True, slots=True)
class Workload:
    """One inference: its grouped operators in execution order, and the tensors by (tensor, window bits)."""

    name: str
    operators: tuple[GroupedOperator, ...]
    tensors: Mapping[tuple[int, int], Tensor]
    window_rows: int

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference."""
        return sum(grouped.macs for grouped in self.operators)


def build_workload(name: str, topology: Topology, assignment: Assignment, window_rows: int) -> Workload:
    """Divide every operator of `topology` into groups by the bits of its windows.

    `window_rows` is window_size**2. Raises InputError when the window rows do not add up to the operator's shape or
    a tensor does not exist at the bits that a group needs.
    """
    topology = without_needless_ranking(topology, assignment)
    tensors = {(tensor.tensor, tensor.window_bits): tensor for tensor in topology.tensors}
    two_region = {tensor.tensor for tensor in topology.tensors if tensor.encoding is Encoding.TWO_REGION}
    bits_of: dict[int, dict[int, int]] = {}
    for tensor in topology.tensors:
        bits_of.setdefault(tensor.tensor, {})[tensor.window_bits] = tensor.bits

    def resolve(op: Operator, tensor: int, bits: int) -> int:
        choices = bits_of.get(tensor)
        if choices is None:
            raise InputError(name, f"operator {op.name!r} names tensor {tensor}, which does not exist", "operators")
        if ALL_WINDOWS in choices:
            return choices[ALL_WINDOWS]
        if bits in choices:
            return choices[bits]
        if op.variation is Variation.NONE:
            return max(choices.values())
        raise InputError(
            name,
            f"tensor {tensor} of {op.name!r} has no form for {bits}-bit windows; it has {list(choices)}",
            "tensors",
        )

    def group(op: Operator, bits: int, batch: int, rows: int) -> Group:
        inputs = tuple(resolve(op, entry.tensor, bits) for entry in op.inputs)
        place = {entry.operand: width for entry, width in zip(op.inputs, inputs, strict=True)}
        return Group(
            bits=bits,
            batch=batch,
            rows=rows,
            stream_bits=place.get(Operand.STREAM, 0),
            stationary_bits=place.get(Operand.STATIONARY, 0),
            input_bits=inputs,
            output_bits=resolve(op, op.output, bits),
            shifts=any(entry.operand is Operand.STREAM and entry.tensor in two_region for entry in op.inputs),
        )

    grouped = []
    for op in topology.operators:
        if op.variation is Variation.NONE:
            groups = [group(op, 0, op.batch, op.m)]
        else:
            counts = assignment.get((op.stage, op.block))
            if counts is None:
                raise InputError(name, f"no windows for stage {op.stage} block {op.block} ({op.name})", "windows")
            groups = _divide(name, op, counts, window_rows, group)
        grouped.append(GroupedOperator(op, tuple(groups)))
    return Workload(name, tuple(grouped), tensors, window_rows)


def without_needless_ranking(topology: Topology, assignment: Assignment) -> Topology:
    """Leave out scoring and ranking in stages where every window runs at the same bits: a uniform model ranks nothing.

    What depended on the order no longer names it.
    """
    bits_of_stage: dict[int, set[int]] = {}
    for (stage, _), counts in assignment.items():
        bits_of_stage.setdefault(stage, set()).update(count.bits for count in counts if count.windows)
    needless = {
        op.operator: op.output
        for op in topology.operators
        if op.kind in (OperatorKind.TOKEN_MAP, OperatorKind.RANK) and len(bits_of_stage.get(op.stage, ())) == 1
    }
    gone = set(needless.values())
    operators = tuple(
        replace(op, inputs=tuple(entry for entry in op.inputs if entry.tensor not in gone))
        for op in topology.operators
        if op.operator not in needless
    )
    tensors = tuple(tensor for tensor in topology.tensors if tensor.tensor not in gone)
    return Topology(operators, tensors)


def _divide(
    name: str,
    op: Operator,
    counts: tuple[WindowCount, ...],
    window_rows: int,
    group: Callable[[Operator, int, int, int], Group],
) -> list[Group]:
    """The groups of an operator whose precision varies; InputError if its windows do not add up to its shape."""
    windows = sum(count.windows for count in counts)
    groups: list[Group] = []
    total = 0
    for count in counts:
        if op.variation is Variation.BATCH:
            heads, remainder = divmod(op.batch, windows)
            if remainder:
                raise InputError(name, f"batch {op.batch} of {op.name!r} is no multiple of {windows} windows", "batch")
            batch, rows = count.windows * heads, op.m
            total += batch
        else:
            batch = op.batch
            rows = count.tokens if op.rows_per is RowsPer.TOKEN else count.windows * window_rows
            total += rows
        if count.bits and batch and rows:
            groups.append(group(op, count.bits, batch, rows))
    expected = op.batch if op.variation is Variation.BATCH else op.m
    if total != expected:
        raise InputError(name, f"the windows of {op.name!r} give {total}, its shape says {expected}", "windows")
    return groups


def single_gemm(
    m: int, n: int, k: int, stream_bits: int, stationary_bits: int, result_bits: int = RESULT_BITS
) -> Workload:
    """The workload of one GEMM: streaming (m, k) times stationary (k, n), results requantized to `result_bits`."""
    for label, size in (("M", m), ("N", n), ("K", k)):
        if size < 1:
            raise InputError("--gemm", f"{size} is not a size; allowed: integers from 1", label)
    for label, bits in (("streaming", stream_bits), ("stationary", stationary_bits), ("result", result_bits)):
        if not 1 <= bits <= 32:
            raise InputError(
                "--result-bits" if label == "result" else "--bits", f"{bits} is no bit width; allowed: 1 to 32", label
            )

    def tensor(index: int, label: str, role: Role, shape: tuple[int, int], bits: int) -> Tensor:
        return Tensor(
            index, label, role, 1, *shape, bits, True, 0, float("nan"), Encoding.INT, Variation.NONE, ALL_WINDOWS
        )

    op = Operator(
        operator=0,
        name="gemm",
        kind=OperatorKind.GEMM,
        stage=-1,
        block=-1,
        grid=Grid.NONE,
        batch=1,
        m=m,
        n=n,
        k=k,
        variation=Variation.NONE,
        rows_per=RowsPer.WINDOW,
        in_block=True,
        inputs=(Input(0, Operand.STREAM, Relation.SAME_ROW), Input(1, Operand.STATIONARY, Relation.ALL)),
        output=2,
    )
    topology = Topology(
        (op,),
        (
            tensor(0, "stream", Role.ACTIVATION, (m, k), stream_bits),
            tensor(1, "stationary", Role.WEIGHT, (k, n), stationary_bits),
            tensor(2, "result", Role.STATE, (m, n), result_bits),
        ),
    )
    return build_workload(f"gemm {m}x{n}x{k}", topology, {}, 1)
