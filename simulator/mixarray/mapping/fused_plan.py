"""The plan of a fused pair: both of its chains in the same tiles, small enough to hold what passes between them.

Both have the fixed form. Beside what each moves by itself, the buffer holds the inner tensors of as many tiles as the
activation buffer has slots: one that the second chain reads, and one that the first makes meanwhile.

- Attention: a tile is one window and head. Fewer operands are on their way than the chains would have apart.
- MLP: a slot holds a tile's rows of the input, all of its hidden codes, and its share of everything else. The weights
  of both layers stay in the weight buffer where each fits a slot; otherwise both are fetched anew for every tile.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

from mixarray.errors import InputError
from mixarray.mapping.amounts import ceil_div, divide
from mixarray.mapping.chain_amounts import Amounts
from mixarray.mapping.chain_plan import ChainPlan, Stage, Traffic, largest_moves
from mixarray.mapping.fixed import FixedForm
from mixarray.mapping.pairs import Pair


@dataclass(frozen=True, slots=True)
class FusedPlan:
    """Two chains in `tiles` tiles each; those of the second read what those of the first made, one by one."""

    first: ChainPlan
    second: ChainPlan
    tiles: int

    @property
    def members(self) -> tuple[ChainPlan, ChainPlan]:
        """Both chains, in order."""
        return self.first, self.second

    @property
    def array(self) -> int:
        """The array that both run on."""
        return self.first.array

    @property
    def lag(self) -> int:
        """Tiles that the first chain is ahead of the second."""
        return self.first.holding.activation_slots - 1


Planned = ChainPlan | FusedPlan
"""What is emitted as one: a chain, or a fused pair."""


def members(planned: Planned) -> tuple[ChainPlan, ...]:
    """The chains of it, in order."""
    return planned.members if isinstance(planned, FusedPlan) else (planned,)


@dataclass(frozen=True, slots=True)
class FusedForm:
    """Plans pairs; `amounts` are those of the part of the rows that the plan is for."""

    amounts: Amounts

    def plan(self, pair: Pair) -> FusedPlan:
        """InputError if a buffer cannot hold what passes between the chains: two tiles, one where it has one slot."""
        form = FixedForm(replace(self.amounts, inner=pair.inner))
        for chain in pair.chains:
            form.amounts.check_fold(chain)
        return _rows(form, pair) if self.amounts.is_weight(pair.gemms[0]) else _elements(form, pair)


def _elements(form: FixedForm, pair: Pair) -> FusedPlan:
    """Attention, window and head by window and head."""
    amounts, buffer = form.amounts, form.amounts.accelerator.buffers.activation
    ours, theirs = ([(run.group, run.rows, count) for run, count in amounts.elements(gemm)] for gemm in pair.gemms)
    _check_same(amounts, pair, ours == theirs, "attention")
    first, second = (form.plan(chain) for chain in pair.chains)
    fused = _with_inner(amounts, pair, (first, second), len(first.loops.iterations))
    matrix = sum(max(entry.bits) for entry in fused.first.at(Stage.INNER))
    if matrix > buffer.slot_bits:
        amounts.refuse("activation", f"the attention matrix of a window and head of {_name(amounts, pair)}", matrix)
    moved = sum(
        ceil_div(sum(amounts.crossing_bits(chain, tensor) for tensor, _, _ in amounts.crossing(chain)), fused.tiles)
        for chain in pair.chains
    )
    held = matrix * (fused.lag + 1)
    ahead = min(first.loops.ahead, second.loops.ahead, (buffer.capacity_bits - held) // moved - 1)
    if ahead < 0:
        message = (
            f"there is room for {buffer.capacity_bits} bits; fused attention needs {held + moved}: {fused.lag + 1} "
            f"attention matrices of {_name(amounts, pair)}, {matrix} each, and the operands of a window and head"
        )
        raise InputError(amounts.accelerator.name, message, "buffers.activation.capacity_kib")
    first, second = (replace(plan, loops=replace(plan.loops, ahead=ahead)) for plan in fused.members)
    return replace(fused, first=first, second=second)


Widths = tuple[tuple[int, ...], tuple[int, ...]]
"""The pieces of N of both chains."""


def _rows(form: FixedForm, pair: Pair) -> FusedPlan:
    """MLP, tile of rows by tile of rows; of the ways to cut N of both, the first that fetches the fewest weights."""
    first, second = (form.widths(gemm) for gemm in pair.gemms)
    plans = [_fitted(form, pair, widths) for widths in product(first, second)]
    return min(plans, key=lambda plan: sum(form.fetched_bits(member) for member in plan.members))


def _fitted(form: FixedForm, pair: Pair, widths: Widths) -> FusedPlan:
    """In tiles of as many rows as fit."""
    amounts, buffers = form.amounts, form.amounts.accelerator.buffers
    slot = buffers.activation.slot_bits
    stay = buffers.weight.slots > 1 and all(
        amounts.weight_bits(chain) <= buffers.weight.slot_bits for chain in pair.chains
    )
    height = piece = _start_rows(amounts, pair, widths, stay)
    while True:
        first = form.plan_tiles(pair.first, widths[0], (height, piece), stay)
        second = form.plan_tiles(pair.second, widths[1], (height, height), stay)
        early, late = largest_moves(first)
        late = max(late, *largest_moves(second))
        if max(early, late) <= slot:
            break
        splits = first.loops.ahead and first.loops.parts > 1 and late <= slot
        rows = piece if splits else height
        if rows <= 1:
            amounts.refuse("activation", f"the smallest fused tile of {_name(amounts, pair)}", max(early, late))
        fewer = amounts.cuts.whole_folds(max(1, min(rows - 1, rows * slot // max(early, late))))
        height, piece = (height, fewer) if splits else (fewer, fewer)
    ours, theirs = (_tiles(amounts, gemm, height) for gemm in pair.gemms)
    _check_same(amounts, pair, ours == theirs, "mlp")
    return _with_inner(amounts, pair, (first, second), len(ours))


def _tiles(amounts: Amounts, gemm: int, height: int) -> list[list[tuple[int, int]]]:
    """(group, rows) in every tile of a linear layer."""
    return [[(run.group, run.rows) for run in tile] for tile in amounts.cuts.tiles(amounts.runs(gemm), height)]


def _start_rows(amounts: Amounts, pair: Pair, widths: Widths, stay: bool) -> int:
    """Rows whose input codes and hidden codes, and their share of everything else, fit one slot of the buffer."""
    buffer, cuts = amounts.accelerator.buffers.activation, amounts.cuts
    most, row_bits = amounts.part_rows(pair.gemms[0]), 0
    for chain, gemm, pieces in zip(pair.chains, pair.gemms, widths, strict=True):
        op, whole_rows = amounts.flow.operators[gemm], amounts.whole_rows(chain)
        parts = 1 if whole_rows or len(set(pieces)) > 1 or buffer.slots == 1 else len(pieces)
        most = min(most, cuts.tile_rows(op.n, whole_rows, stay))
        row_bits += amounts.row_bits(chain, op.k, parts)
    if row_bits > buffer.slot_bits:
        amounts.refuse("activation", f"one row of {_name(amounts, pair)} with its hidden codes", row_bits)
    return cuts.whole_folds(min(most, buffer.slot_bits // row_bits))


def _with_inner(amounts: Amounts, pair: Pair, plans: tuple[ChainPlan, ChainPlan], tiles: int) -> FusedPlan:
    """Both plans, the first with what it makes for the second: a tile's bits in the iteration that begins the tile."""
    first, second = plans
    each = len(first.loops.iterations) // tiles
    inner = []
    for index in pair.first.after:
        tensor = amounts.flow.operators[index].output
        if tensor in pair.inner:
            weights = first.loops.iteration_weights(amounts.row_bits_of(tensor))
            by_tile = [sum(weights[start : start + each]) for start in range(0, len(weights), each)]
            bits = divide(amounts.moved(pair.first, tensor, index), by_tile)
            spread = tuple(bits[number // each] if number % each == 0 else 0 for number in range(len(weights)))
            inner.append(Traffic(tensor, Stage.INNER, index, spread))
    return FusedPlan(replace(first, traffic=(*first.traffic, *inner)), second, tiles)


def _check_same(amounts: Amounts, pair: Pair, same: bool, field: str) -> None:
    if not same:
        second = amounts.flow.operators[pair.gemms[1]].name
        message = f"fused: {_name(amounts, pair)} and {second!r} divide their rows in different ways"
        raise InputError(amounts.accelerator.name, message, f"mapping.{field}")


def _name(amounts: Amounts, pair: Pair) -> str:
    return repr(amounts.flow.operators[pair.gemms[0]].name)
