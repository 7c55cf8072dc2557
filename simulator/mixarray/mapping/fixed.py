"""The fixed form of a chain (`mapping.search: fixed`): nothing is searched, everything follows from what fits.

Tiles of rows outside, pieces of N inside, K innermost (a row tile holds the whole K, so sums never leave). A row tile
is as high as one accumulator slot and one activation slot allow. Weights stay where all of them fit a slot; otherwise
those of one piece of N are fetched together, for every tile of rows anew. Input-stationary: of the ways to cut N, the
first that fetches the fewest weights.
"""

from __future__ import annotations

from dataclasses import dataclass

from mixarray.mapping.amounts import ceil_div
from mixarray.mapping.chain_amounts import Amounts
from mixarray.mapping.chain_plan import ChainPlan, Holding, largest_moves
from mixarray.mapping.chains import Chain
from mixarray.mapping.choice import Choice, Doubled, LoopOrder
from mixarray.mapping.fetches import column_fetches
from mixarray.mapping.tiles import Loops, Run, batched_loops, cut_rows, linear_loops, vector_loops

LARGEST_VECTOR_TILE_ROWS = 256
LARGEST_LOOKAHEAD = 4


@dataclass(frozen=True, slots=True)
class FixedForm:
    """Plans chains in the fixed form."""

    amounts: Amounts

    def plan(self, chain: Chain) -> ChainPlan:
        """Raises InputError if the smallest part of the chain that moves at once is larger than a slot."""
        amounts, gemm = self.amounts, chain.gemm
        amounts.check_fold(chain)
        buffer = amounts.accelerator.buffers.activation
        plans = [self._fitted(chain, widths) for widths in ([()] if gemm is None else self.widths(gemm))]
        fitting = [plan for plan in plans if buffer.slot_holds(max(largest_moves(plan)))]
        if not fitting:
            name = amounts.flow.operators[chain.operators[0] if gemm is None else gemm].name
            amounts.refuse("activation", f"the smallest tile of {name!r}", max(largest_moves(plans[0])))
        return fitting[0] if len(fitting) == 1 else min(fitting, key=self.fetched_bits)

    def widths(self, gemm: int) -> list[tuple[int, ...]]:
        """N of a GEMM in pieces, in every way worth trying."""
        op = self.amounts.flow.operators[gemm]
        return self.amounts.cuts.widths(op.n, op.k, self.amounts.runs(gemm), self.amounts.is_weight(gemm))

    def fetched_bits(self, plan: ChainPlan) -> int:
        """Weights from DRAM: once where they fit a slot."""
        if plan.holding.weights_whole:
            return plan.weight_bits
        return sum(bits for blocks in column_fetches(plan, self.amounts.cuts) for bits, _ in blocks)

    def _fitted(self, chain: Chain, widths: tuple[int, ...]) -> ChainPlan:
        """In tiles of as many rows as fit: nothing moves more than a slot at once, unless the smallest tile does."""
        buffer = self.amounts.accelerator.buffers.activation
        height = piece = self._start_rows(chain, widths)
        while True:
            plan = self.plan_tiles(chain, widths, (height, piece), self._stays(chain))
            first, later = largest_moves(plan)
            if buffer.slot_holds(max(first, later)):
                return plan
            splits = plan.loops.ahead and buffer.slot_holds(later) and plan.loops.parts > 1
            rows = piece if splits else height
            if rows <= 1:
                return plan
            fewer = max(1, min(rows - 1, rows * buffer.slot_bits // max(first, later)))
            fewer = fewer if chain.gemm is None else self.amounts.cuts.whole_folds(fewer)
            height, piece = (height, fewer) if splits else (fewer, fewer)

    def plan_tiles(self, chain: Chain, widths: tuple[int, ...], rows: tuple[int, int], stays: bool) -> ChainPlan:
        """In tiles and, of the first one, pieces of so many rows; stays: all weights stay in a slot of their buffer.

        Nobody has asked whether anything fits.
        """
        height, piece = rows
        holding = Holding(self.amounts.accelerator.buffers.activation.slots, False, 1, stays)
        choice = None if chain.gemm is None else self._as_choice(chain.gemm, widths, height, stays)
        return self.amounts.plan(chain, self._loops(chain, widths, height, piece), holding, choice)

    def _stays(self, chain: Chain) -> bool:
        """Whether all weights of a chain fit a slot of their buffer."""
        bits = self.amounts.weight_bits(chain)
        return bits > 0 and self.amounts.accelerator.buffers.weight.slot_holds(bits)

    def _as_choice(self, gemm: int, widths: tuple[int, ...], height: int, whole: bool) -> Choice:
        """The fixed form in words of the mapping space: a column tile is what is fetched at once."""
        op, buffers = self.amounts.flow.operators[gemm], self.amounts.accelerator.buffers
        weights = self.amounts.is_weight(gemm)
        doubled = {
            (True, True): Doubled.BOTH,
            (True, False): Doubled.ROWS,
            (False, True): Doubled.WEIGHTS,
            (False, False): Doubled.NEITHER,
        }[buffers.activation.slots > 1, buffers.weight.slots > 1]
        columns = op.n if whole or not weights else widths[0]
        return Choice(height if weights else op.m, columns, op.k, LoopOrder.MNK, doubled)

    def _start_rows(self, chain: Chain, widths: tuple[int, ...]) -> int:
        """Rows of a tile to begin with: what an accumulator slot holds, and what on average fills a buffer slot."""
        amounts, buffer = self.amounts, self.amounts.accelerator.buffers.activation
        if chain.gemm is None:
            rows = amounts.rows(chain.after[0])
            row_bits = ceil_div(sum(amounts.tensor_bits(t) for t, _, _ in amounts.crossing(chain)), rows)
            return max(1, buffer.slot_parts(max(row_bits, 1), min(LARGEST_VECTOR_TILE_ROWS, rows)))
        if not amounts.is_weight(chain.gemm):
            return 1  # a batch element is not divided
        columns = amounts.flow.operators[chain.gemm].n
        whole_rows = amounts.whole_rows(chain)
        parts = 1 if whole_rows or len(set(widths)) > 1 or buffer.slots == 1 else len(widths)
        stays = amounts.accelerator.buffers.weight.slot_holds(amounts.weight_bits(chain))
        rows, fold = amounts.part_rows(chain.gemm), amounts.cuts.fold_rows  # room for more rows changes nothing
        most = min(amounts.cuts.tile_rows(columns, whole_rows, stays), ceil_div(rows, fold) * fold)
        return min(amounts.cuts.whole_folds(self._tile_rows(chain, parts, most)), rows)

    def _tile_rows(self, chain: Chain, parts: int, most: int) -> int:
        """Rows whose codes, and their part of everything else that a tile moves, fit one slot of the buffer; one at
        least, `most` at most.
        """
        assert chain.gemm is not None
        op = self.amounts.flow.operators[chain.gemm]
        codes = op.k * max(run.stream_bits for run in self.amounts.runs(chain.gemm))
        buffer = self.amounts.accelerator.buffers.activation
        if not buffer.slot_holds(codes):
            self.amounts.refuse("activation", f"one row of {op.name!r}", codes)
        return min(most, max(1, buffer.slot_parts(self.amounts.row_bits(chain, op.k, parts), most)))

    def _loops(self, chain: Chain, widths: tuple[int, ...], height: int, piece: int) -> Loops:
        amounts, slots = self.amounts, self.amounts.accelerator.buffers.activation.slots
        if chain.gemm is None:
            grouped = amounts.workload.operators[chain.after[0]]
            runs = [Run(i, g.batch * g.rows, g.bits) for i, g in enumerate(grouped.groups)]
            return vector_loops(cut_rows(runs, height), grouped.operator.n, slots)
        whole_rows = amounts.whole_rows(chain)
        op = amounts.flow.operators[chain.gemm]
        stripe_rows = amounts.cuts.stripe_rows(op.n, whole_rows)
        if amounts.is_weight(chain.gemm):
            tiles = amounts.cuts.tiles(amounts.runs(chain.gemm), height)
            return linear_loops(tiles, widths, op.k, whole_rows, stripe_rows, slots, piece)
        ahead = elements_ahead(amounts, chain) if slots > 1 else 0
        return batched_loops(amounts.elements(chain.gemm), widths, op.k, whole_rows, stripe_rows, ahead)


def elements_ahead(amounts: Amounts, chain: Chain) -> int:
    """How many batch elements may be on their way beside the one in use."""
    assert chain.gemm is not None
    total = sum(batch for _, batch in amounts.elements(chain.gemm))
    element_bits = ceil_div(sum(amounts.crossing_bits(chain, t) for t, _, _ in amounts.crossing(chain)), total)
    on_chip = amounts.accelerator.buffers.activation.parts(max(element_bits, 1), 1 + LARGEST_LOOKAHEAD)
    return max(on_chip - 1, 0)
