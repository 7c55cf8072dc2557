"""Which chains are fused in pairs: the second reads what the first makes tile by tile, before it leaves the chip.

- `mapping.attention: fused`: QK^T with its softmax, and AV; a tile is the attention matrix of one window and head.
- `mapping.mlp: fused`: the first linear layer of an MLP with its GELU, and the second; a tile is some rows of hidden
  codes, with all of their channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mixarray.accelerator.enums import Fusion
from mixarray.accelerator.model import Accelerator
from mixarray.errors import InputError
from mixarray.mapping.chains import TILEABLE, Chain, Flow
from mixarray.trace.model import Operand, OperatorKind


@dataclass(frozen=True, slots=True)
class Pair:
    """Two chains that take turns. inner: the tensors that the first makes for the second, and for nobody else.

    optional: they may as well run one after the other.
    """

    first: Chain
    second: Chain
    inner: frozenset[int]
    optional: bool = False

    @property
    def chains(self) -> tuple[Chain, Chain]:
        """Both chains, in order."""
        return self.first, self.second

    @property
    def gemms(self) -> tuple[int, int]:
        """The GEMMs of both."""
        assert self.first.gemm is not None  # nothing else is paired
        assert self.second.gemm is not None
        return self.first.gemm, self.second.gemm


def pair_chains(chains: Sequence[Chain], flow: Flow, accelerator: Accelerator) -> tuple[Chain | Pair, ...]:
    """The chains in order, those to be fused, or that may be, as pairs.

    Raises InputError where the accelerator asks for a fusion that its buffers or the network do not allow.
    """
    found: list[Chain | Pair] = []
    place = 0
    while place < len(chains):
        pair = _pair(chains, place, flow, accelerator)
        found.append(pair or chains[place])
        place += 1 if pair is None else 2
    return tuple(found)


def _pair(chains: Sequence[Chain], place: int, flow: Flow, accelerator: Accelerator) -> Pair | None:
    """The pair that begins with a chain, if it is one to be fused."""
    first, choices = chains[place], accelerator.mapping
    if first.gemm is None:
        return None
    for kind, choice, field in (
        (OperatorKind.SOFTMAX, choices.attention, "attention"),
        (OperatorKind.GELU, choices.mlp, "mlp"),
    ):
        readers = flow.consumers.get(flow.operators[first.gemm].output, ())
        between = [reader for reader in readers if flow.operators[reader].kind is kind]
        if choice is Fusion.LAYERWISE or not between or not _streaming(flow, between[0]):
            continue
        second = chains[place + 1] if place + 1 < len(chains) else None
        reason = _reason(flow, first, between[0], second)
        if reason is not None and choice is Fusion.BEST:
            continue
        if kind is OperatorKind.SOFTMAX and between[0] not in first.after:
            _refuse_rows(flow, first.gemm, accelerator)
        if reason is not None:
            message = f"fused: {flow.operators[first.gemm].name!r} cannot be fused with what reads it: {reason}"
            raise InputError(accelerator.name, message, f"mapping.{field}")
        assert second is not None  # a reason if it were
        return Pair(first, second, _shared(flow, first, second), choice is Fusion.BEST)
    return None


def _streaming(flow: Flow, index: int) -> list[int]:
    """The GEMMs that stream what an operator writes."""
    tensor = flow.operators[index].output
    return [
        reader
        for reader in flow.consumers.get(tensor, ())
        if any(e.tensor == tensor and e.operand is Operand.STREAM for e in flow.operators[reader].inputs)
    ]


def _shared(flow: Flow, first: Chain, second: Chain) -> frozenset[int]:
    """What one chain makes and the other reads."""
    made = {flow.operators[index].output for index in first.operators}
    return frozenset(e.tensor for index in second.operators for e in flow.operators[index].inputs if e.tensor in made)


def _reason(flow: Flow, first: Chain, between: int, second: Chain | None) -> str | None:
    """Why two chains cannot take turns tile by tile; None if they can."""
    if second is None or second.gemm not in _streaming(flow, between):
        return "other work comes between them"
    shared, inside = _shared(flow, first, second), {*first.operators, *second.operators}
    made = {flow.operators[index].output for index in first.after}
    links = [e for index in second.operators for e in flow.operators[index].inputs if e.tensor in shared]
    reasons = {
        "operators come between them": bool(second.before),
        "it reads more than the results of the operators behind it": not shared <= made,
        "others read the same": any(reader not in inside for t in shared for reader in flow.consumers[t]),
        "it holds some of it in the array": any(e.operand is Operand.STATIONARY for e in links),
        "it needs more than the same rows": any(e.relation not in TILEABLE for e in links),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _refuse_rows(flow: Flow, gemm: int, accelerator: Accelerator) -> None:
    buffer = accelerator.buffers.accumulator
    op = flow.operators[gemm]
    message = (
        f"one slot holds {buffer.slot_bits} bits; fused attention needs whole rows of {op.name!r} in it, {op.n} sums "
        "each, enough to fill the array; give more capacity_kib or fewer slots"
    )
    raise InputError(accelerator.name, message, "buffers.accumulator.capacity_kib")
