"""A chain laid out as a `Choice` says: any tile sizes, any order of loops, buffers divided or not.

Batched GEMMs (activation by activation): operands of an element are on the chip as a whole, elements follow each other,
and the choice orders the stripes inside each of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from mixarray.accelerator.enums import Dataflow
from mixarray.mapping.chain_amounts import Amounts
from mixarray.mapping.chain_plan import ChainPlan, Holding, largest_moves
from mixarray.mapping.chains import Chain
from mixarray.mapping.choice import Choice, Doubled
from mixarray.mapping.fixed import elements_ahead
from mixarray.mapping.nest import Nest, element_stripes, nest_loops
from mixarray.mapping.tiles import Iteration, Loops, Run, Runs, column_widths, cut_rows, even_widths


class IllegalChoiceError(ValueError):
    """A choice that the machine cannot run; the message says why."""


@dataclass(frozen=True, slots=True)
class ChosenForm:
    """Plans chains as choices say."""

    amounts: Amounts

    def plan(self, chain: Chain, choice: Choice) -> ChainPlan:
        """Raises IllegalChoiceError where `reason` has one."""
        early = self._early_reason(chain, choice)
        if early is not None:
            raise IllegalChoiceError(early)
        plan = self._fitted(chain, choice)
        late = self._late_reason(plan, choice)
        if late is not None:
            raise IllegalChoiceError(late)
        return plan

    def reason(self, chain: Chain, choice: Choice) -> str | None:
        """Why a choice cannot be; None if it can."""
        early = self._early_reason(chain, choice)
        return self._late_reason(self._fitted(chain, choice), choice) if early is None else early

    def _activation_slots(self, choice: Choice) -> int:
        buffer = self.amounts.accelerator.buffers.activation
        return buffer.slots if choice.doubled in (Doubled.BOTH, Doubled.ROWS) else 1

    def _activation_bits(self, choice: Choice) -> int:
        buffer = self.amounts.accelerator.buffers.activation
        return buffer.slot_bits if self._activation_slots(choice) > 1 else buffer.capacity_bits

    def _weight_slots(self, choice: Choice) -> int:
        """Slots of the weight buffer that a tile takes."""
        return 1 if choice.doubled in (Doubled.BOTH, Doubled.WEIGHTS) else self.amounts.accelerator.buffers.weight.slots

    def _early_reason(self, chain: Chain, choice: Choice) -> str | None:
        """What the sizes alone tell."""
        if chain.gemm is None:
            return "no GEMM takes part in this chain"
        return (
            self._form_reason(chain, choice)
            or self._fold_reason(chain.gemm, choice)
            or self._accumulator_reason(chain, choice)
            or (self._size_reason(chain, choice) if self.amounts.is_weight(chain.gemm) else None)
        )

    def _form_reason(self, chain: Chain, choice: Choice) -> str | None:
        """What the chain and the slots allow."""
        assert chain.gemm is not None
        op, buffers = self.amounts.flow.operators[chain.gemm], self.amounts.accelerator.buffers
        reasons = {
            "a tile is empty": min(choice.rows, choice.columns, choice.depth) < 1,
            "the activation buffer has one slot": buffers.activation.slots == 1
            and choice.doubled in (Doubled.BOTH, Doubled.ROWS),
            "the weight buffer has one slot": buffers.weight.slots == 1
            and choice.doubled in (Doubled.BOTH, Doubled.WEIGHTS),
            "operators before the GEMM need whole rows of K": bool(chain.before) and choice.depth < op.k,
            "operators after the GEMM need whole rows of N": self.amounts.whole_rows(chain) and choice.columns < op.n,
        }
        return next((reason for reason, holds in reasons.items() if holds), None)

    def _fold_reason(self, gemm: int, choice: Choice) -> str | None:
        """Tiles in the middle of a dimension are whole folds."""
        op, cuts = self.amounts.flow.operators[gemm], self.amounts.cuts
        array, flow = cuts.array, cuts.array.dataflow
        if flow is not Dataflow.INPUT_STATIONARY and choice.columns < op.n and choice.columns % array.columns:
            return f"columns are no multiple of the array's {array.columns}"
        if flow is not Dataflow.WEIGHT_STATIONARY and choice.rows < op.m and choice.rows % cuts.fold_rows:
            return f"rows are no multiple of a fold's {cuts.fold_rows}"
        if flow is Dataflow.OUTPUT_STATIONARY or choice.depth >= op.k:
            return None
        for run in self.amounts.runs(gemm):
            assert run.mode is not None  # a GEMM's rows have one
            if choice.depth % run.mode.fold_depth(array.rows):
                return f"depth is no multiple of a fold's {run.mode.fold_depth(array.rows)}"
        return None

    def _accumulator_reason(self, chain: Chain, choice: Choice) -> str | None:
        """A stripe fits an accumulator slot, and so do all sums that stay."""
        assert chain.gemm is not None
        nest, slots = self._nest(chain, choice), self.amounts.accelerator.buffers.accumulator.slots
        if not nest.stripe_rows:
            return "an accumulator slot holds no whole row"
        if len(nest.depths) > 1 and not nest.spills and nest.most_stripes() > slots:
            return "sums that have to stay are more than the accumulator slots hold"
        return None

    def _size_reason(self, chain: Chain, choice: Choice) -> str | None:
        """Tiles fit their buffers."""
        assert chain.gemm is not None
        op, buffer = self.amounts.flow.operators[chain.gemm], self.amounts.accelerator.buffers.weight
        most = buffer.slot_bits if self._weight_slots(choice) < buffer.slots else buffer.capacity_bits
        bits = max(run.stationary_bits for run in self.amounts.runs(chain.gemm))
        if min(choice.columns, op.n) * min(choice.depth, op.k) * bits > most:
            return "a tile of weights is larger than its part of the buffer"
        rows = min(choice.rows, self.amounts.part_rows(chain.gemm))
        parts = self._parts(chain, choice)
        if rows * self.amounts.row_bits(chain, min(choice.depth, op.k), parts) > self._activation_bits(choice):
            return "a tile of rows is larger than its part of the buffer"
        return None

    def _late_reason(self, plan: ChainPlan, choice: Choice) -> str | None:
        """What only the planned chain tells."""
        if max(largest_moves(plan)) > self._activation_bits(choice):
            return "something that moves at once is larger than its part of the activation buffer"
        return None

    def _parts(self, chain: Chain, choice: Choice) -> int:
        """Iterations at least while a tile of rows stays: results and side inputs move in as many parts."""
        assert chain.gemm is not None
        if self._activation_slots(choice) == 1 or self.amounts.whole_rows(chain):
            return 1
        tiles = self._columns(chain.gemm, choice)
        # one visit, or all tiles of N where they are the loop inside that of M and K is not cut
        stays = choice.order.value.index("n") > choice.order.value.index("m")
        whole = choice.depth >= self.amounts.flow.operators[chain.gemm].k
        return sum(len(widths) for widths in tiles) if stays and whole else len(tiles[-1])

    def _columns(self, gemm: int, choice: Choice) -> tuple[tuple[int, ...], ...]:
        """Tiles of N in pieces: columns of the array, or (input-stationary) what an accumulator slot holds."""
        n, cuts = self.amounts.flow.operators[gemm].n, self.amounts.cuts
        tiles = column_widths(n, min(choice.columns, n))
        if cuts.array.dataflow is Dataflow.INPUT_STATIONARY:
            return tuple(even_widths(columns, cuts.sums) for columns in tiles)
        return tuple(column_widths(columns, cuts.array.columns) for columns in tiles)

    def _nest(self, chain: Chain, choice: Choice, run: Run | None = None) -> Nest:
        """The tiles of a GEMM, or of one batch element with the rows of `run`."""
        assert chain.gemm is not None
        op, cuts = self.amounts.flow.operators[chain.gemm], self.amounts.cuts
        whole_rows = self.amounts.whole_rows(chain)
        if self.amounts.is_weight(chain.gemm):
            tiles = cuts.tiles(self.amounts.runs(chain.gemm), choice.rows)
        else:
            tiles = cut_rows([run or self.amounts.elements(chain.gemm)[0][0]], choice.rows)
        alike: dict[Runs, Runs] = {}  # equal tiles share their objects: comparing them is then quick
        return Nest(
            tuple(alike.setdefault(tile, tile) for tile in tiles),
            self._columns(chain.gemm, choice),
            column_widths(op.k, min(choice.depth, op.k)),
            choice.order,
            cuts.stripe_rows(op.n, whole_rows),
            whole_rows,
        )

    def _fitted(self, chain: Chain, choice: Choice) -> ChainPlan:
        """With two slots the first tile of rows comes in pieces small enough for one."""
        piece = choice.rows
        while True:
            plan = self._plan(chain, choice, piece)
            first, later = largest_moves(plan)
            bits = self._activation_bits(choice)
            if first <= bits or later > bits or piece <= 1 or plan.holding.activation_slots == 1:
                return plan
            piece = max(1, min(piece - 1, piece * bits // first))

    def _plan(self, chain: Chain, choice: Choice, piece: int) -> ChainPlan:
        assert chain.gemm is not None
        op, slots = self.amounts.flow.operators[chain.gemm], self._activation_slots(choice)
        if self.amounts.is_weight(chain.gemm):
            loops = nest_loops(self._nest(chain, choice), slots, piece)
            whole = choice.columns >= op.n and choice.depth >= op.k
            loops = replace(loops, weight_tiles=(), weight_bits=()) if whole else loops
        else:
            loops, whole = self._element_loops(chain, choice, slots), False
        holding = Holding(slots, slots == 1, self._weight_slots(choice), whole)
        return self.amounts.plan(chain, loops, holding, choice)

    def _element_loops(self, chain: Chain, choice: Choice, slots: int) -> Loops:
        assert chain.gemm is not None
        iterations: list[Iteration] = []
        feeds: list[tuple[Runs, int]] = []
        spills = False
        for run, elements in self.amounts.elements(chain.gemm):
            nest = self._nest(chain, choice, run)
            spills = spills or nest.spills
            iterations.extend([element_stripes(nest)] * elements)
            feeds.extend([((run,), 1)] * elements)
        ahead = elements_ahead(self.amounts, chain) if slots > 1 else 0
        return Loops(tuple(iterations), tuple(feeds), ahead, 1, spills=spills)
