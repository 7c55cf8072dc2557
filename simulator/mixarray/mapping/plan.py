"""What a chain has to move and compute in each of its iterations, before anything is put in order.

Everything is an exact total divided over the loops: elements of vector operators, bits of tensors. A tensor crosses
chains by name; whether it does so through DRAM or stays on the chip is decided in `residency`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NoReturn

from mixarray.accelerator.model import Accelerator
from mixarray.errors import InputError
from mixarray.mapping.amounts import ceil_div, divide
from mixarray.mapping.chain_plan import ChainPlan, Stage, Traffic, VectorWork, largest_moves
from mixarray.mapping.chains import ROW_WISE, Chain, Flow
from mixarray.mapping.cuts import Cuts
from mixarray.mapping.fetches import column_fetches, fits_slot
from mixarray.mapping.tiles import (
    Loops,
    Run,
    batched_loops,
    cut_rows,
    linear_loops,
    vector_loops,
)
from mixarray.trace.model import Operand, OperatorKind, Role, Tensor, Variation
from mixarray.trace.workload import GroupedOperator, Workload

LARGEST_VECTOR_TILE_ROWS = 256
LARGEST_LOOKAHEAD = 4


@dataclass(frozen=True)
class Planner:
    """Plans chains of one workload on one accelerator."""

    workload: Workload
    accelerator: Accelerator
    flow: Flow

    @property
    def _cuts(self) -> Cuts:
        return Cuts(self.accelerator)

    @cached_property
    def _forms(self) -> dict[int, list[Tensor]]:
        """The entries of every tensor, one per bit width."""
        forms: dict[int, list[Tensor]] = {}
        for tensor in self.workload.tensors.values():
            forms.setdefault(tensor.tensor, []).append(tensor)
        return forms

    def holds_rows(self, gemm: int) -> bool:
        """Whether an accumulator slot holds whole rows of a GEMM: all of a tile, or enough to hide a weight load."""
        op = self.flow.operators[gemm]
        return self._cuts.stripe_rows(op.n, True) >= min(op.m, self._cuts.fold_rows)

    def plan(self, chain: Chain) -> ChainPlan:
        """Loops and amounts of one chain: of the ways to cut N, the first that fetches the fewest weights.

        Raises InputError if the smallest part of the chain that moves at once is larger than a slot.
        """
        self._check_fold(chain)
        gemm, slot = chain.gemm, self.accelerator.buffers.activation.slot_bits
        plans = [self._fitted(chain, widths) for widths in ([()] if gemm is None else self._widths(gemm))]
        fitting = [plan for plan in plans if max(largest_moves(plan)) <= slot]
        if not fitting:
            name = self.flow.operators[chain.operators[0] if gemm is None else gemm].name
            self._refuse("activation", f"the smallest tile of {name!r}", max(largest_moves(plans[0])))
        return fitting[0] if len(fitting) == 1 else min(fitting, key=self._fetched_bits)

    def _fetched_bits(self, plan: ChainPlan) -> int:
        """Weights from DRAM: once where they fit a slot."""
        if fits_slot(plan, self._cuts):
            return plan.weight_bits
        return sum(bits for blocks in column_fetches(plan, self._cuts) for bits, _ in blocks)

    def _fitted(self, chain: Chain, widths: tuple[int, ...]) -> ChainPlan:
        """In tiles of as many rows as fit: nothing moves more than a slot at once, unless the smallest tile does."""
        slot = self.accelerator.buffers.activation.slot_bits
        height = piece = self._start_rows(chain, widths)
        while True:
            plan = self._plan_tiles(chain, widths, height, piece)
            first, later = largest_moves(plan)
            splits = plan.loops.ahead and later <= slot and plan.loops.parts > 1
            rows = piece if splits else height
            if max(first, later) <= slot or rows <= 1:
                return plan
            fewer = max(1, min(rows - 1, rows * slot // max(first, later)))
            fewer = fewer if chain.gemm is None else self._cuts.whole_folds(fewer)
            height, piece = (height, fewer) if splits else (fewer, fewer)

    def _plan_tiles(self, chain: Chain, widths: tuple[int, ...], height: int, piece: int) -> ChainPlan:
        loops = self._loops(chain, widths, height, piece)
        before = tuple(self._vector(index, loops.feed_weights(False), chain) for index in chain.before)
        stripes = loops.stripe_weights(False)
        after = tuple(self._vector(index, stripes, chain) for index in chain.after)
        if chain.gemm is not None and self._drains_itself(chain):
            after = (self._drain(chain.gemm, stripes), *after)
        k = 0 if chain.gemm is None else self.flow.operators[chain.gemm].k
        return ChainPlan(chain, loops, before, after, tuple(self._traffic(chain, loops)), self._weight_bits(chain), k)

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

    def is_weight(self, index: int) -> bool:
        """Whether the stationary operand of a GEMM is a weight, shared by all of its rows."""
        entry = next(e for e in self.flow.operators[index].inputs if e.operand is Operand.STATIONARY)
        return self._forms[entry.tensor][0].role is Role.WEIGHT

    def _drains_itself(self, chain: Chain) -> bool:
        """Whether accumulators need a requantization of their own: nobody in the chain reads them, or others do too."""
        assert chain.gemm is not None
        readers = self.flow.consumers.get(self.flow.operators[chain.gemm].output, ())
        return not readers or any(reader not in chain.after for reader in readers)

    def _weight_bits(self, chain: Chain) -> int:
        if chain.gemm is None or not self.is_weight(chain.gemm):
            return 0
        grouped = self.workload.operators[chain.gemm]
        return grouped.operator.k * grouped.operator.n * max(g.stationary_bits for g in grouped.groups)

    def _start_rows(self, chain: Chain, widths: tuple[int, ...]) -> int:
        """Rows of a tile to begin with: what an accumulator slot holds, and what on average fills a buffer slot."""
        buffer = self.accelerator.buffers.activation
        if chain.gemm is None:
            rows = self._rows(chain.after[0])
            row_bits = ceil_div(sum(self.tensor_bits(t) for t, _, _ in self._crossing(chain)), rows)
            return max(1, min(LARGEST_VECTOR_TILE_ROWS, rows, buffer.slot_bits // max(row_bits, 1)))
        if not self.is_weight(chain.gemm):
            return 1  # a batch element is not divided
        columns = self.flow.operators[chain.gemm].n
        whole_rows = self._whole_rows(chain)
        parts = 1 if whole_rows or len(set(widths)) > 1 or buffer.slots == 1 else len(widths)
        stays = self._weight_bits(chain) <= self.accelerator.buffers.weight.slot_bits
        most = min(self._cuts.tile_rows(columns, whole_rows, stays), self._tile_rows(chain, parts))
        return min(self._cuts.whole_folds(most), self._rows(chain.gemm))

    def _rows(self, index: int) -> int:
        return sum(g.batch * g.rows for g in self.workload.operators[index].groups)

    def _whole_rows(self, chain: Chain) -> bool:
        return any(self.flow.operators[i].kind in ROW_WISE for i in chain.after)

    def _loops(self, chain: Chain, widths: tuple[int, ...], height: int, piece: int) -> Loops:
        buffer = self.accelerator.buffers.activation
        if chain.gemm is None:
            grouped = self.workload.operators[chain.after[0]]
            runs = [Run(i, g.batch * g.rows, g.bits) for i, g in enumerate(grouped.groups)]
            return vector_loops(cut_rows(runs, height), grouped.operator.n, buffer.slots)
        grouped = self.workload.operators[chain.gemm]
        whole_rows = self._whole_rows(chain)
        stripe_rows = self._cuts.stripe_rows(grouped.operator.n, whole_rows)
        if self.is_weight(chain.gemm):
            tiles = self._cuts.tiles(self._runs(chain.gemm), height)
            return linear_loops(tiles, widths, whole_rows, stripe_rows, buffer.slots, piece)
        elements = [(self._run(i, grouped, g.rows), g.batch) for i, g in enumerate(grouped.groups)]
        total = sum(g.batch for g in grouped.groups)
        element_bits = ceil_div(sum(self.tensor_bits(t) for t, _, _ in self._crossing(chain)), total)
        ahead = min(LARGEST_LOOKAHEAD, buffer.capacity_bits // max(element_bits, 1) - 1) if buffer.slots > 1 else 0
        return batched_loops(elements, widths, whole_rows, stripe_rows, max(ahead, 0))

    def _check_fold(self, chain: Chain) -> None:
        """InputError if the weights that the array reads at once are more than a slot of their buffer holds."""
        slot = self.accelerator.buffers.weight.slot_bits
        if chain.gemm is None or self._weight_bits(chain) <= slot:
            return
        op = self.flow.operators[chain.gemm]
        for run in self._runs(chain.gemm):
            least = self._cuts.least_weight_bits(op.k, op.n, run)
            if least > slot:
                self._refuse("weight", f"one fold of {op.name!r}", least)

    def _refuse(self, buffer: str, what: str, bits: int) -> NoReturn:
        slot = getattr(self.accelerator.buffers, buffer).slot_bits
        message = f"one slot holds {slot} bits, {what} needs {bits}; give more capacity_kib or fewer slots"
        raise InputError(self.accelerator.name, message, f"buffers.{buffer}.capacity_kib")

    def _widths(self, gemm: int) -> list[tuple[int, ...]]:
        op = self.flow.operators[gemm]
        return self._cuts.widths(op.n, op.k, self._runs(gemm), self.is_weight(gemm))

    def _runs(self, gemm: int) -> list[Run]:
        grouped = self.workload.operators[gemm]
        return [self._run(i, grouped, g.batch * g.rows) for i, g in enumerate(grouped.groups)]

    def _run(self, index: int, grouped: GroupedOperator, rows: int) -> Run:
        group = grouped.groups[index]
        array = self.accelerator.arrays[0]
        mode = array.mode(*array.roles(group.stream_bits, group.stationary_bits))
        return Run(index, rows, group.bits, mode, group.stream_bits, group.stationary_bits)

    def _tile_rows(self, chain: Chain, parts: int) -> int:
        """Rows whose codes, and their part of everything else that a tile moves, fit one slot of the buffer."""
        assert chain.gemm is not None
        grouped = self.workload.operators[chain.gemm]
        codes = grouped.operator.k * max(g.stream_bits for g in grouped.groups)
        others = sum(self.tensor_bits(t) for t, stage, _ in self._crossing(chain) if stage is not Stage.STREAM)
        slot = self.accelerator.buffers.activation.slot_bits
        if codes > slot:
            self._refuse("activation", f"one row of {grouped.operator.name!r}", codes)
        return max(1, slot // (codes + ceil_div(others, self._rows(chain.gemm) * parts)))

    def _crossing(self, chain: Chain) -> Iterable[tuple[int, Stage, int]]:
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
                if entry.tensor in self.flow.consumers and outside and key not in seen:  # weights have no consumers
                    seen.add(key)
                    yield entry.tensor, stage, index
            users = self.flow.consumers.get(op.output, ())
            if not users or any(user not in inside for user in users):
                yield op.output, Stage.FED if index in chain.before else Stage.OUT, index

    def _traffic(self, chain: Chain, loops: Loops) -> Iterable[Traffic]:
        for tensor, stage, index in self._crossing(chain):
            varying = self._forms[tensor][0].variation is not Variation.NONE
            by_iteration = stage in (Stage.SIDE, Stage.OUT)
            weights = loops.iteration_weights(varying) if by_iteration else loops.feed_weights(varying)
            yield Traffic(tensor, stage, index, divide(self.tensor_bits(tensor), weights))

    def _vector(self, index: int, weights: list[int], chain: Chain) -> VectorWork:
        grouped = self.workload.operators[index]
        op = grouped.operator
        elements = sum(g.batch * g.rows for g in grouped.groups) * op.n
        result = None if chain.gemm is None else self.flow.operators[chain.gemm].output
        reads = [entry.tensor for entry in op.inputs if entry.tensor in self.flow.consumers]
        return VectorWork(
            operator=index,
            kind=op.kind,
            elements=divide(elements, weights),
            total_elements=max(elements, 1),
            makers=tuple(self.flow.producer[tensor] for tensor in reads if tensor in self.flow.producer),
            read_bits=sum(self.tensor_bits(tensor) for tensor in reads if tensor != result),
            accumulator_bits=self.accelerator.arrays[0].accumulator_bits if result in reads else 0,
            write_bits=self.tensor_bits(op.output),
        )

    def _drain(self, gemm: int, weights: list[int]) -> VectorWork:
        """The requantization that empties the accumulators of a GEMM that nobody in its chain reads."""
        grouped = self.workload.operators[gemm]
        elements = sum(g.batch * g.rows for g in grouped.groups) * grouped.operator.n
        return VectorWork(
            gemm,
            OperatorKind.REQUANTIZE,
            divide(elements, weights),
            max(elements, 1),
            (),
            0,
            self.accelerator.arrays[0].accumulator_bits,
            self.tensor_bits(grouped.operator.output),
        )
