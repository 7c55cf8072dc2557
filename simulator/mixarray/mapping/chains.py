"""Which operators run together: a GEMM with the vector operators before and after it, tile by tile.

A *chain* is one pass over the rows of a GEMM. Vector operators that only need the same rows run inside it, so that
they overlap with the array and their intermediate results never leave the chip:

- before the GEMM: LayerNorm, gather, patch embedding and merging, requantization that make its streaming operand, and
  the row sums of what they make, which whoever reads the results reads beside them;
- after it: whatever reads its accumulators (or what such an operator made) with the same rows or windows. LayerNorm
  and softmax need whole rows and are taken only where the accumulator buffer holds enough of them.

Everything else (ranking above all: it needs the whole map) is a chain of its own and hence a barrier. Operators of
which nothing is left, all their windows being pruned, are in no chain: what they make exists and has no bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mixarray.trace.model import Operand, Operator, OperatorKind, Relation, Role
from mixarray.trace.workload import Workload

TILEABLE = frozenset({Relation.SAME_ROW, Relation.SAME_WINDOW, Relation.SAME_WINDOW_HEAD})
ROW_WISE = frozenset({OperatorKind.LAYERNORM, OperatorKind.SOFTMAX})
FEEDING = frozenset(
    {
        OperatorKind.LAYERNORM,
        OperatorKind.GATHER,
        OperatorKind.PATCH_EMBED,
        OperatorKind.PATCH_MERGE,
        OperatorKind.REQUANTIZE,
    }
)


@dataclass(frozen=True, slots=True)
class Chain:
    """Operators by their index in the workload: those feeding the GEMM, the GEMM (None: vector work only), the rest."""

    before: tuple[int, ...]
    gemm: int | None
    after: tuple[int, ...]

    @property
    def operators(self) -> tuple[int, ...]:
        """All of them, in the order in which a row passes them."""
        return (*self.before, *(() if self.gemm is None else (self.gemm,)), *self.after)


@dataclass(frozen=True, slots=True)
class Flow:
    """Who makes and who reads each tensor (operator indices); weights are no part of it.

    absent: the operators without any rows.
    """

    operators: tuple[Operator, ...]
    producer: dict[int, int]
    consumers: dict[int, tuple[int, ...]]
    absent: frozenset[int]


def make_flow(workload: Workload) -> Flow:
    """The producer and the consumers of every tensor that is not a weight."""
    operators = tuple(grouped.operator for grouped in workload.operators)
    weights = {number for (number, _), tensor in workload.tensors.items() if tensor.role is Role.WEIGHT}
    consumers: dict[int, tuple[int, ...]] = {}
    for index, op in enumerate(operators):
        for tensor in dict.fromkeys(entry.tensor for entry in op.inputs):
            if tensor not in weights:
                consumers[tensor] = (*consumers.get(tensor, ()), index)
    absent = frozenset(index for index, grouped in enumerate(workload.operators) if not grouped.groups)
    return Flow(operators, {op.output: index for index, op in enumerate(operators)}, consumers, absent)


def make_chains(flow: Flow, holds_rows: Callable[[int], bool]) -> tuple[Chain, ...]:
    """Divide all operators into chains, in an order that respects every dependency.

    holds_rows(gemm) says whether the accumulator buffer holds enough whole rows of that GEMM for row-wise operators.
    """
    owner: dict[int, int] = {}
    for index, op in enumerate(flow.operators):
        if op.kind is OperatorKind.GEMM and index not in flow.absent:
            owner.update(dict.fromkeys(_feeding(flow, index), index))
    done = set(flow.absent)
    chains = []
    for index, op in enumerate(flow.operators):
        if index in done or index in owner:
            continue
        if op.kind is OperatorKind.GEMM:
            before = tuple(sorted(feeder for feeder, gemm in owner.items() if gemm == index))
            chain = Chain(before, index, _following(flow, index, done, owner, holds_rows(index)))
        else:
            chain = Chain((), None, (index,))
        done.update(chain.operators)
        chains.append(chain)
    return tuple(chains)


def _feeding(flow: Flow, gemm: int) -> set[int]:
    """Vector operators that make the streaming operand of a GEMM row by row, found backwards."""
    taken: set[int] = set()
    waiting = [entry for entry in flow.operators[gemm].inputs if entry.operand is Operand.STREAM]
    while waiting:
        entry = waiting.pop()
        index = flow.producer.get(entry.tensor)
        if index is None or index in flow.absent or entry.relation not in TILEABLE:
            continue
        op, sums = flow.operators[index], _row_sums(flow, index, gemm)
        from_gemm = any(
            flow.operators[maker].kind is OperatorKind.GEMM
            for maker in (flow.producer.get(source.tensor) for source in op.inputs)
            if maker is not None
        )
        early = any(index < user < gemm and user not in taken | sums for user in flow.consumers[op.output])
        if op.kind in FEEDING and not from_gemm and not early:
            taken |= {index, *sums}
            waiting.extend(op.inputs)
    return taken


def _row_sums(flow: Flow, index: int, gemm: int) -> set[int]:
    """Sums of the rows that an operator before a GEMM makes, for readers behind it."""
    return {
        user
        for user in flow.consumers[flow.operators[index].output]
        if user < gemm and user not in flow.absent and flow.operators[user].kind is OperatorKind.ROW_SUM
        if all(entry.relation in TILEABLE for entry in flow.operators[user].inputs)
        if all(reader > gemm for reader in flow.consumers.get(flow.operators[user].output, ()))
    }


def _following(flow: Flow, gemm: int, done: set[int], owner: dict[int, int], whole_rows: bool) -> tuple[int, ...]:
    """Vector operators that can run on the results of a GEMM while they are still on the chip, found forwards."""
    inside = {gemm}
    sums = {index for index, of in owner.items() if of == gemm and flow.operators[index].kind is OperatorKind.ROW_SUM}
    following = []
    for index in range(gemm + 1, len(flow.operators)):
        op = flow.operators[index]
        if op.kind is OperatorKind.GEMM or index in done or index in owner:
            continue
        if op.kind in ROW_WISE and not whole_rows:
            continue
        sources = [(flow.producer.get(entry.tensor), entry.relation) for entry in op.inputs]
        fused = [relation in TILEABLE for maker, relation in sources if maker in inside]
        known = all(maker is None or maker in inside | done | sums for maker, _ in sources)
        if fused and all(fused) and known:
            inside.add(index)
            following.append(index)
    return tuple(following)
