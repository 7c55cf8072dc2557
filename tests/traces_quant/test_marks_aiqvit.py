"""What AIQViT's marks in a trace do to the machine's work: the interval's column sums, and the side path's GEMMs."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.engine.choice import Engine
from mixarray.errors import InputError
from mixarray.points import Network
from mixarray.simulation import simulate
from mixarray.trace.baseline import ratio_zero_workload
from mixarray.trace.bundle import read_bundle
from mixarray.trace.check_topology import check_topology
from mixarray.trace.model import Encoding, Operand, Topology
from mixarray.trace.workload import Workload, build_workload
from mixarray_traces.quantization.side_names import between, side_a, side_b
from mixarray_traces.record.compensated import compensated, compensated_operators
from mixarray_traces.record.graph import ActivationFacts, Precision, Quantizers, WeightFacts
from mixarray_traces.record.random_trace import random_bundle
from mixarray_traces.record.shape import shape_named
from mixarray_traces.record.topology import build_topology

from .conftest import HEAD, TOY, toy_assignment

RANK = 8
COMPENSATED = compensated_operators(TOY)


def quantizers(softmax: ActivationFacts) -> Quantizers:
    def activation(tensor: str, branch: int) -> ActivationFacts:
        return softmax if tensor.endswith(".av.left") else ActivationFacts(1.0, -1)

    return Quantizers(activation, lambda name: WeightFacts())


INTERVAL, PLAIN = ActivationFacts(1.0, -8, Encoding.INTERVAL), ActivationFacts(1.0, 0)


def topology(softmax: ActivationFacts = PLAIN, rank: int = 0) -> Topology:
    precision, found = Precision(), quantizers(softmax)
    if rank:
        precision, found = compensated(TOY, rank, 8, precision, found)
    return build_topology(TOY, 112, 112, HEAD, precision, found)


def workload(found: Topology, pruned: bool = False) -> Workload:
    return build_workload(TOY.name, found, toy_assignment(0 if pruned else 4), TOY.window**2)


@cache
def counters(softmax: ActivationFacts, rank: int) -> dict[tuple[str, str], int]:
    """PE-cycles and vector operations by (operator, action): not what is fetched from buffers or memory."""
    work = workload(topology(softmax, rank))
    total: Counter[tuple[str, str]] = Counter()
    for counts in simulate(work, load_accelerator("packed_w4_32x32")).execution.operators:
        name = work.operators[counts.operator].operator.name if counts.operator >= 0 else ""
        for action, count in counts.actions.items():
            if action.component.startswith(("arrays.", "vector_units.")):
                total[name, f"{action.component}.{action.name}"] += count
    return dict(total)


def changed(one: dict[tuple[str, str], int], other: dict[tuple[str, str], int]) -> set[str]:
    """Operators whose operations differ."""
    return {key[0] for key in one.keys() | other.keys() if one.get(key, 0) != other.get(key, 0)}


def test_an_interval_asks_for_the_column_sums_of_v_and_nothing_else() -> None:
    full, plain = topology(INTERVAL), topology(PLAIN)
    assert {t.encoding for t in full.tensors if t.name.endswith(".av.left")} == {Encoding.INTERVAL}
    sums = {f"stages.{s}.blocks.{b}.attn.av.column_sum" for s in (0, 1) for b in (0, 1)}
    assert {op.name for op in full.operators} - {op.name for op in plain.operators} == sums
    assert changed(counters(INTERVAL, 0), counters(PLAIN, 0)) == sums


def test_plain_unsigned_codes_need_the_same_sums() -> None:
    """b1 = 0 saves nothing where codes are signed: their zero point is -2**(bits - 1)."""
    unsigned = topology(ActivationFacts(1.0, -8))
    assert [op.name for op in unsigned.operators] == [op.name for op in topology(INTERVAL).operators]


def side_operators() -> set[str]:
    gemms = {side for name in COMPENSATED for side in (side_a(name), side_b(name))}
    return gemms | {f"{side_a(name)}.requantize" for name in COMPENSATED}


def test_a_side_path_adds_its_operators_and_changes_no_others() -> None:
    full, plain = topology(rank=RANK), topology()
    check_topology(full, "operators", "tensors")
    assert {op.name for op in full.operators} - {op.name for op in plain.operators} == side_operators()
    assert changed(counters(PLAIN, RANK), counters(PLAIN, 0)) == side_operators()


def test_both_engines_and_points_agree_on_a_side_path() -> None:
    """Every counter of the compiled engine, of SimPy, and of a run put together from known parts."""
    full, machine = topology(rank=RANK), load_accelerator("packed_w4_32x32")
    work = workload(full)
    fast, event = simulate(work, machine), simulate(work, machine, engine=Engine.EVENT)
    assert fast.execution.total_cycles == event.execution.total_cycles
    assert fast.execution.actions == event.execution.actions
    found = Network(full, TOY.window**2).on(machine).totals(toy_assignment())
    assert (found.total_cycles, found.actions) == (fast.execution.total_cycles, fast.execution.actions)
    assert fast.execution.macs > simulate(workload(topology()), machine).execution.macs


def test_both_thin_products_have_the_right_operands() -> None:
    full = topology(rank=RANK)
    ops = {op.name: op for op in full.operators}
    tensors = {tensor.tensor: tensor for tensor in full.tensors}
    for name in COMPENSATED:
        main, a, b = ops[name], ops[side_a(name)], ops[side_b(name)]
        streams = {op.name: [e.tensor for e in op.inputs if e.operand is Operand.STREAM] for op in (main, a, b)}
        assert streams[main.name] == streams[a.name]
        assert tensors[streams[b.name][0]].name == between(name)
        assert (a.m, a.n, a.k, b.m, b.n, b.k) == (main.m, RANK, main.k, main.m, main.n, RANK)
        readers = [op for op in full.operators if main.output in {e.tensor for e in op.inputs}]
        assert readers
        assert all(b.output in {e.tensor for e in op.inputs} for op in readers)
    widths = {(t.name, t.window_bits): t.bits for t in full.tensors}
    assert widths[f"{side_a(COMPENSATED[0])}.weight", 0] == 8
    assert (widths[between(COMPENSATED[0]), 8], widths[between(COMPENSATED[0]), 4]) == (8, 4)


def test_pruned_windows_run_no_side_path() -> None:
    work = {grouped.operator.name: grouped for grouped in workload(topology(rank=RANK), pruned=True).operators}
    for name in COMPENSATED:
        rows = sum(group.rows for group in work[name].groups)
        assert 0 < rows < work[name].operator.m
        for side in (side_a(name), side_b(name)):
            assert sum(group.rows for group in work[side].groups) == rows


def test_a_random_bundle_may_have_a_side_path(tmp_path: Path) -> None:
    """No model runs; ratio 0 keeps the side path's bits, which the manifest states."""
    precision, facts = compensated(TOY, RANK, 6)
    bundle = read_bundle(random_bundle(TOY, 112, 112, 400, 0, tmp_path / "b", precision=precision, quantizers=facts))
    assert bundle.manifest.allocation is not None
    assert bundle.manifest.allocation.weights[side_a(COMPENSATED[0])] == 6
    groups = {grouped.operator.name: grouped.groups for grouped in ratio_zero_workload(bundle).operators}
    (group,) = groups[side_b(COMPENSATED[0])]
    assert (group.stream_bits, group.stationary_bits) == (6, 6)
    (group,) = groups[COMPENSATED[0]]
    assert (group.stream_bits, group.stationary_bits) == (8, 4)


@pytest.mark.parametrize(
    ("name", "share"), [("stages.0.blocks.0.attn.qkv", 0.278), ("stages.3.blocks.1.mlp.fc1", 0.033)]
)
def test_macs_of_a_side_path_are_rank_times_both_widths(name: str, share: float) -> None:
    """Methods 6b, Swin-T at rank 20: 20 * (96 + 288) / 27648 = 27.8 %, 20 * (768 + 3072) / 2359296 = 3.3 %."""
    shape = shape_named("swin_t")
    precision, facts = compensated(shape, 20)
    ops = {op.name: op for op in build_topology(shape, 224, 224, None, precision, facts).operators}
    main = ops[name]
    side = ops[side_a(name)].macs + ops[side_b(name)].macs
    assert side == main.m * 20 * (main.k + main.n)
    assert side / main.macs == pytest.approx(share, abs=5e-4)


def test_a_side_path_is_no_wider_than_a_layer() -> None:
    compensated(TOY, 32)
    with pytest.raises(InputError, match="33 is above the 32 channels"):
        compensated(TOY, 33)
