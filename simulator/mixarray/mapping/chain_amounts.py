"""What the operators of a chain move and compute in all: bits of tensors, elements of vector work, rows of GEMMs.

Everything is an exact total divided over the loops. A tensor crosses chains by name; whether it does so through DRAM or
stays on the chip is decided in `residency`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NoReturn

from mixarray.accelerator.model import Accelerator, Array
from mixarray.accelerator.sorter import SCORE_BITS
from mixarray.errors import InputError
from mixarray.mapping.amounts import ceil_div, divide
from mixarray.mapping.chain_plan import ChainPlan, Holding, Stage, Traffic, VectorWork
from mixarray.mapping.chains import ROW_WISE, Chain, Flow
from mixarray.mapping.choice import Choice
from mixarray.mapping.cuts import Cuts
from mixarray.mapping.own_work import burst_elements, copied_map
from mixarray.mapping.parameters import parameter_bits
from mixarray.mapping.ranking import distinct_cuts, token_walk
from mixarray.mapping.tiles import ALIKE, Loops, RowBits, Run
from mixarray.mapping.turning import product_of, with_turning
from mixarray.trace.model import Grid, Operand, OperatorKind, Role, Tensor, Variation
from mixarray.trace.workload import ALL_WINDOWS, Group, Workload


@dataclass(frozen=True)
class Amounts:
    """Totals of chains of one workload, on array number `array` of one accelerator.

    groups: those of the chain's GEMM whose rows are meant (None: all). Whatever belongs to all rows of a chain is then
    shared by rows, or by rows times the bits of each, exactly: the parts of a chain sum to the whole. inner: tensors
    that one chain of a fused pair makes for the other; they cross no border.
    """

    workload: Workload
    accelerator: Accelerator
    flow: Flow
    array: int = 0
    groups: tuple[int, ...] | None = None
    inner: frozenset[int] = frozenset()

    @property
    def cuts(self) -> Cuts:
        """The sizes that this array allows."""
        return Cuts(self.accelerator, self.array)

    @property
    def _array(self) -> Array:
        return self.accelerator.arrays[self.array]

    @cached_property
    def _forms(self) -> dict[int, list[Tensor]]:
        """The entries of every tensor, one per branch."""
        forms: dict[int, list[Tensor]] = {}
        for tensor in self.workload.tensors.values():
            forms.setdefault(tensor.tensor, []).append(tensor)
        return forms

    def tensor_bits(self, tensor: int) -> int:
        """All bits of a tensor in this workload: each group's rows at its bits (pruned windows have none)."""
        forms = self._forms[tensor]
        elements = forms[0].batch * forms[0].rows * forms[0].columns
        maker = self.flow.producer.get(tensor)
        if maker is None or forms[0].variation is Variation.NONE:
            return elements * forms[0].bits
        grouped = self.workload.operators[maker]
        rows = grouped.operator.batch * grouped.operator.m
        return sum(ceil_div(elements * g.batch * g.rows, rows) * g.output_bits for g in grouped.groups)

    def moved_bits(self, tensor: int, index: int) -> int:
        """What operator `index` reads or writes of a tensor: what belongs to its rows that run.

        Tensors whose bits vary have nothing else; of others, pruned windows have rows that nobody touches.
        """
        grouped, total = self.workload.operators[index], self.tensor_bits(tensor)
        if grouped.operator.variation is Variation.NONE or self._forms[tensor][0].variation is not Variation.NONE:
            return total
        return ceil_div(total * self.rows(index), grouped.operator.batch * grouped.operator.m)

    def is_weight(self, index: int) -> bool:
        """Whether the stationary operand of a GEMM is a weight, shared by all of its rows."""
        entry = next(e for e in self.flow.operators[index].inputs if e.operand is Operand.STATIONARY)
        return self._forms[entry.tensor][0].role is Role.WEIGHT

    def weight_bits(self, chain: Chain) -> int:
        """All weights of a chain's GEMM; 0 if it has none."""
        if chain.gemm is None or not self.is_weight(chain.gemm):
            return 0
        op = self.flow.operators[chain.gemm]
        return op.k * op.n * max(group.stationary_bits for _, group in self._mine(chain.gemm))

    def rows(self, index: int) -> int:
        """Rows of all groups and batch elements of an operator."""
        return sum(g.batch * g.rows for g in self.workload.operators[index].groups)

    def part_rows(self, gemm: int) -> int:
        """Rows of the groups of a GEMM that are meant."""
        return sum(group.batch * group.rows for _, group in self._mine(gemm))

    def _mine(self, gemm: int) -> list[tuple[int, Group]]:
        """The groups of a GEMM that are meant, with their numbers."""
        groups = self.workload.operators[gemm].groups
        return [(i, group) for i, group in enumerate(groups) if self.groups is None or i in self.groups]

    def share(self, chain: Chain, total: int, by: RowBits) -> int:
        """The part of `total`, of which rows of a chain have as much as `by` says, for the groups that are meant."""
        if self.groups is None or chain.gemm is None:
            return total
        groups, bits = self.workload.operators[chain.gemm].groups, dict(by)
        shares = divide(total, [g.batch * g.rows * bits.get(g.bits, 1) for g in groups])
        return sum(shares[number] for number in self.groups)

    def moved(self, chain: Chain, tensor: int, index: int) -> int:
        """What operator `index` of a chain reads or writes of a tensor for the groups that are meant."""
        return self.share(chain, self.moved_bits(tensor, index), self.row_bits_of(tensor))

    def row_bits_of(self, tensor: int) -> RowBits:
        """What rows have of a tensor whose bits follow the windows; ALIKE of any other."""
        forms = (form for form in self._forms[tensor] if form.window_bits != ALL_WINDOWS)
        return tuple(sorted(((form.window_bits, form.bits) for form in forms), reverse=True))

    def whole_rows(self, chain: Chain) -> bool:
        """Whether an operator after the GEMM needs whole rows of it."""
        return any(self.flow.operators[i].kind in ROW_WISE for i in chain.after)

    def runs(self, gemm: int) -> list[Run]:
        """The rows of a GEMM, group by group."""
        return [self._run(number, group, group.batch * group.rows) for number, group in self._mine(gemm)]

    def elements(self, gemm: int) -> list[tuple[Run, int]]:
        """The groups of a batched GEMM: the rows of one batch element, and how many there are."""
        return [(self._run(number, group, group.rows), group.batch) for number, group in self._mine(gemm)]

    def _run(self, index: int, group: Group, rows: int) -> Run:
        mode = self._array.mode(*self._array.roles(group.stream_bits, group.stationary_bits))
        return Run(index, rows, group.bits, mode, group.stream_bits, group.stationary_bits, group.shifts)

    def check_fold(self, chain: Chain) -> None:
        """InputError if the weights that the array reads at once are more than a slot of their buffer holds."""
        buffer = self.accelerator.buffers.weight
        if chain.gemm is None or buffer.slot_holds(self.weight_bits(chain)):
            return
        op = self.flow.operators[chain.gemm]
        for run in self.runs(chain.gemm):
            least = self.cuts.least_weight_bits(op.k, op.n, run)
            if not buffer.slot_holds(least):
                self.refuse("weight", f"one fold of {op.name!r}", least)

    def refuse(self, buffer: str, what: str, bits: int) -> NoReturn:
        """InputError: `what` is larger than a slot of a buffer."""
        slot = getattr(self.accelerator.buffers, buffer).slot_bits
        message = f"one slot holds {slot} bits, {what} needs {bits}; give more capacity_kib or fewer slots"
        raise InputError(self.accelerator.name, message, f"buffers.{buffer}.capacity_kib")

    def row_bits(self, chain: Chain, depth: int, parts: int) -> int:
        """Bits on the chip for one row of a tile: `depth` codes, and its part of everything else that a tile moves."""
        assert chain.gemm is not None
        codes = depth * max(group.stream_bits for _, group in self._mine(chain.gemm))
        return codes + ceil_div(self.beside_bits(chain), self.part_rows(chain.gemm) * parts)

    def beside_bits(self, chain: Chain) -> int:
        """Bits of everything that crosses a chain's border but its streaming operand."""
        return sum(self.crossing_bits(chain, t) for t, stage, _ in self.crossing(chain) if stage is not Stage.STREAM)

    def crossing_bits(self, chain: Chain, tensor: int) -> int:
        """All bits of a tensor that crosses a chain's border, for the groups that are meant."""
        return self.share(chain, self.tensor_bits(tensor), self.row_bits_of(tensor))

    def crossing(self, chain: Chain) -> Iterable[tuple[int, Stage, int]]:
        """(tensor, stage, operator) of all that enters or leaves a chain; a tensor once per stage."""
        seen: set[tuple[int, Stage]] = set()
        inside = set(chain.operators)
        for index in chain.operators:
            op = self.flow.operators[index]
            stages = {Operand.STREAM: Stage.STREAM, Operand.STATIONARY: Stage.STATIONARY}
            vector = Stage.RAW if index in chain.before else Stage.SIDE
            for entry in op.inputs:
                stage = stages.get(entry.operand, vector)
                key = entry.tensor, stage
                outside = self.flow.producer.get(entry.tensor) not in inside
                crosses = entry.tensor in self.flow.consumers and entry.tensor not in self.inner  # weights have none
                if crosses and outside and key not in seen:
                    seen.add(key)
                    yield entry.tensor, stage, index
            users = self.flow.consumers.get(op.output, ())
            if op.output not in self.inner and (not users or any(user not in inside for user in users)):
                yield op.output, Stage.FED if index in chain.before else Stage.OUT, index

    def plan(self, chain: Chain, loops: Loops, holding: Holding, choice: Choice | None) -> ChainPlan:
        """The chain with everything divided over its loops."""
        feeds, stripes = loops.feed_weights(), loops.stripe_weights()
        before = tuple(self._vector(index, feeds, chain, loops.loads) for index in chain.before)
        after = tuple(work for index in chain.after for work in self._works(index, stripes, chain))
        if chain.gemm is not None and self._drains_itself(chain):
            after = (self._drain(chain, stripes), *after)
        k = 0 if chain.gemm is None else self.flow.operators[chain.gemm].k
        traffic = tuple(self._traffic(chain, loops, before[-1].elements if before else ()))
        parameters = tuple(entry for entry in self._parameters(chain) if entry[1])
        weight_bits = self.weight_bits(chain)
        return ChainPlan(chain, loops, before, after, traffic, weight_bits, k, holding, choice, parameters, self.array)

    def _parameters(self, chain: Chain) -> Iterable[tuple[int, int]]:
        """(operator, bits) of further parameter sets: those of the groups that are meant, without the very first."""
        for index in chain.operators:
            has_weights = index == chain.gemm and self.is_weight(index)
            bits = parameter_bits(self.workload.operators[index], has_weights)
            if self.groups is not None and chain.gemm is not None:
                further = len(self.workload.operators[chain.gemm].groups) - 1
                bits = sum(divide(bits, [0] + [1] * further)[number] for number in self.groups)
            yield index, bits

    def _drains_itself(self, chain: Chain) -> bool:
        """Whether accumulators need a requantization of their own: nobody in the chain reads them, or others do too."""
        assert chain.gemm is not None
        readers = self.flow.consumers.get(self.flow.operators[chain.gemm].output, ())
        return not readers or any(reader not in chain.after for reader in readers)

    def _traffic(self, chain: Chain, loops: Loops, worked: tuple[int, ...]) -> Iterable[Traffic]:
        """A tensor that is read with the rows comes as often as they do; what operators make of them leaves once.

        worked: elements of operators before the GEMM in every feed. Feeds too small for any bring and make nothing.
        """
        for tensor, stage, index in self.crossing(chain):
            by, total = self.row_bits_of(tensor), self.moved(chain, tensor, index)
            if stage in (Stage.SIDE, Stage.OUT):
                weights = loops.iteration_weights(by)
            elif stage is Stage.FED:
                weights = loops.once(loops.feed_weights(by))
            else:
                weights, total = loops.feed_weights(by), total * loops.loads
            if stage in (Stage.RAW, Stage.FED):
                weights = [weight if elements else 0 for weight, elements in zip(weights, worked, strict=True)]
            if stage is Stage.OUT and self.flow.operators[index].kind is OperatorKind.RANK:
                weights = [0] * (len(weights) - 1) + [1]  # no order before the last score
            copied = copied_map(self.flow.operators[index]) if stage in (Stage.FED, Stage.OUT) else None
            yield Traffic(tensor, stage, index, divide(total, weights), copied)

    def _vector(self, index: int, weights: list[int], chain: Chain, times: int = 1) -> VectorWork:
        grouped = self.workload.operators[index]
        op = grouped.operator
        elements = self.share(chain, self.rows(index) * op.n, ALIKE)
        result = None if chain.gemm is None else self.flow.operators[chain.gemm].output
        reads = [entry.tensor for entry in op.inputs if entry.tensor in self.flow.consumers]
        return VectorWork(
            operator=index,
            kind=op.kind,
            elements=divide(elements * times, weights),
            total_elements=max(elements, 1),
            makers=tuple(self.flow.producer[tensor] for tensor in reads if tensor in self.flow.producer),
            read_bits=sum(self.moved(chain, tensor, index) for tensor in reads if tensor != result),
            accumulator_bits=self._array.accumulator_bits if result in reads else 0,
            write_bits=self.moved(chain, op.output, index),
            burst_elements=burst_elements(grouped, self.workload),
            masks=op.kind is OperatorKind.SOFTMAX and op.grid is Grid.SHIFTED,
            walk=token_walk(op),
        )

    def _works(self, index: int, weights: list[int], chain: Chain) -> tuple[VectorWork, ...]:
        """A vector operator that feeds no GEMM. Ranking is two: scores tile by tile into the activation buffer, then
        one sort of all of them; so is what makes an operand that has to be turned.
        """
        work, op = self._vector(index, weights, chain), self.flow.operators[index]
        if op.kind is not OperatorKind.RANK:
            product = product_of(self.flow, index)
            groups = [] if product is None else [group for _, group in self._mine(product)]
            return with_turning(work, self.flow, groups, self.accelerator)
        scores, last = op.batch * op.m, (0,) * (len(weights) - 1)
        bits, cuts = scores * SCORE_BITS, self._cuts(op.output)
        sort = VectorWork(
            index, op.kind, (*last, scores), scores, (index,), bits, 0, work.write_bits, sorts=True, cuts=cuts
        )
        return replace(work, write_bits=bits), sort

    def _cuts(self, order: int) -> int:
        """Places where those who read an order of windows cut it."""
        return distinct_cuts(self.workload.operators[reader] for reader in self.flow.consumers.get(order, ()))

    def _drain(self, chain: Chain, weights: list[int]) -> VectorWork:
        """The requantization that empties the accumulators of a GEMM that nobody in its chain reads."""
        assert chain.gemm is not None
        op = self.flow.operators[chain.gemm]
        elements = self.part_rows(chain.gemm) * op.n
        return VectorWork(
            chain.gemm,
            OperatorKind.REQUANTIZE,
            divide(elements, weights),
            max(elements, 1),
            (),
            0,
            self._array.accumulator_bits,
            self.moved(chain, op.output, chain.gemm),
        )
