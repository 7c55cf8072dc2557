"""Layers with bits of their own on a machine: modes round up, what moves does not, and branches share by real bits."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

import pytest

from mixarray.engine.choice import Engine
from mixarray.mapping.chain_amounts import Amounts
from mixarray.mapping.chains import make_chains, make_flow
from mixarray.mapping.plan import Planner
from mixarray.mapping.schedule import Action, JobKind
from mixarray.mapping.tiles import ALIKE, Run, rows_weight
from mixarray.result.layers import layer_rows
from mixarray.simulation import simulate
from mixarray.trace.model import Operand, Role, Variation

WINDOWS, HEADS, POSITIONS = 6, 6, 9  # 48 channels, the array has 32 rows: both slots of its PEs are filled
READ = Action("buffers.activation", "read")
ROOMY = "buffers.activation.capacity_kib=2048", "buffers.accumulator.capacity_kib=2048"


@pytest.fixture(scope="module")
def plain(block):
    return block(WINDOWS, HEADS, 3)


def tensor_of(workload, operator, operand=Operand.STREAM):
    """The number of an operand's tensor."""
    op = next(one.operator for one in workload.operators if one.operator.name == operator)
    return next(entry.tensor for entry in op.inputs if entry.operand is operand)


def given(bits: Mapping[int, int]):
    """Own bits as an allocation gives them: by tensor, in the low branch at most its 4."""

    def own(number: int, branch: int) -> int:
        width = bits.get(number, branch)
        return width if branch == 8 else min(width, branch)

    return own


def chain_of(planner, operator):
    """The chain of a GEMM."""
    chains = [chain for chain in make_chains(planner.flow, planner.holds_rows) if chain.gemm is not None]
    return next(chain for chain in chains if planner.flow.operators[chain.gemm].name == operator)


def streams(run, kind=JobKind.STREAM):
    """Cycles that the array streams, by operator."""
    return [sum(n for (_, one), n in c.busy_cycles.items() if one is kind) for c in run.execution.operators]


def pe_cycles(run):
    return [{a: n for a, n in c.actions.items() if "pe_cycle" in a.name and n} for c in run.execution.operators]


@pytest.mark.parametrize(("bits", "as_if"), [(7, 8), (6, 8), (5, 8), (3, 4)])
def test_a_layer_runs_in_the_next_mode_and_moves_its_own_bits(block, machine, plain, bits, as_if) -> None:
    packed, number = machine("packed", *ROOMY, ideal_memory=True), tensor_of(plain, "qkv")
    own, rounded = (block(WINDOWS, HEADS, 3, own=given({number: width})) for width in (bits, as_if))
    narrow, wide = (simulate(workload, packed) for workload in (own, rounded))
    assert streams(narrow) == streams(wide)
    assert pe_cycles(narrow) == pe_cycles(wide)
    rows, width = WINDOWS * POSITIONS, HEADS * 8
    moved = [Planner(w, packed, make_flow(w)).amounts.tensor_bits(number) for w in (own, rounded)]
    high, low = rows // 2 * width, rows // 2 * width
    assert moved == [high * bits + low * min(bits, 4), high * as_if + low * min(as_if, 4)]
    index = next(i for i, one in enumerate(own.operators) if one.operator.name == "qkv")
    reads = [run.execution.operators[index].actions[READ] for run in (narrow, wide)]
    assert reads[0] < reads[1]


def test_rounding_the_wrong_way_would_be_noticed(block, machine, plain) -> None:
    packed, number = machine("packed", *ROOMY, ideal_memory=True), tensor_of(plain, "fc2")
    six, four = (simulate(block(WINDOWS, HEADS, 3, own=given({number: width})), packed) for width in (6, 4))
    assert streams(six) != streams(four)


def test_both_branches_at_four_bits_are_the_low_branch(block, machine, plain) -> None:
    """All codes at 4 bits in both branches: the array does what it does for low windows alone, without a switch."""
    packed = machine("packed", *ROOMY, ideal_memory=True)
    codes = {t.tensor for t in plain.tensors.values() if t.role is Role.ACTIVATION}
    equal = simulate(block(WINDOWS, HEADS, 3, own=given(dict.fromkeys(codes, 4))), packed)
    low = simulate(block(WINDOWS, HEADS, WINDOWS), packed)
    switches = [sum(streams(run, JobKind.MODE_SWITCH)) for run in (equal, low)]
    assert pe_cycles(equal) == pe_cycles(low) != pe_cycles(simulate(plain, packed))
    assert switches == [0, 0]
    assert [len(one.groups) for one in equal.workload.operators] == [len(one.groups) for one in plain.operators]


@pytest.mark.parametrize("seed", range(6))
def test_random_layers_do_the_same_work_in_the_modes_that_serve_them(block, machine, seed) -> None:
    """MACs, PE-cycles per mode and streams are those at the bits of the modes; both engines agree."""
    rng = random.Random(seed)
    bits = {number: rng.randint(2, 8) for number in range(60)}
    modes = {number: 8 if width > 4 else 4 for number, width in bits.items()}
    windows, heads, low = rng.randint(1, 5), rng.randint(1, 3), rng.randint(0, 1)
    plain = block(windows, heads, low)
    own, rounded = (block(windows, heads, low, own=given(each)) for each in (bits, modes))
    packed = machine("packed", *ROOMY, ideal_memory=True)
    fast, event, served = simulate(own, packed), simulate(own, packed, engine=Engine.EVENT), simulate(rounded, packed)
    assert own.macs == plain.macs == sum(counts.macs for counts in fast.execution.operators)
    assert pe_cycles(fast) == pe_cycles(served)
    assert streams(fast) == streams(served)
    assert fast.execution.operators == event.execution.operators
    assert fast.execution.total_cycles == event.execution.total_cycles


def test_groups_share_a_tensor_by_its_own_bits(block, machine) -> None:
    """6 bits in high windows and 4 in low ones: each group has its rows times these, and all of it is shared."""
    packed = machine("packed")
    number = tensor_of(block(WINDOWS, HEADS, 2), "qkv")
    workload = block(WINDOWS, HEADS, 2, own=given({number: 6}))
    planner = Planner(workload, packed, make_flow(workload))
    chain = chain_of(planner, "qkv")
    parts = [Amounts(workload, packed, planner.flow, groups=(group,)) for group in (0, 1)]
    elements = POSITIONS * HEADS * 8
    by_group = [part.crossing_bits(chain, number) for part in parts]
    assert by_group == [4 * elements * 6, 2 * elements * 4]
    total = planner.amounts.tensor_bits(number)
    by_windows = parts[0].share(chain, total, ((8, 8), (4, 4)))
    assert by_windows != by_group[0]  # what the bits of the windows would have given


def test_rows_weigh_what_the_tensor_has(plain) -> None:
    runs = Run(0, 5, 8), Run(1, 3, 4)
    assert rows_weight(runs, ALIKE) == 8
    assert rows_weight(runs, ((8, 8), (4, 4))) == 52
    assert rows_weight(runs, ((8, 4), (4, 4))) == 32
    assert rows_weight(runs, ((8, 6), (4, 3))) == 39


def test_weights_of_other_bits_move_and_run_as_they_are(block, machine, plain) -> None:
    """A 6-bit weight takes the 8x8 mode on the packed array, and 6 bits of every element in memory."""
    packed, number = machine("packed", *ROOMY, ideal_memory=True), tensor_of(plain, "fc1", Operand.STATIONARY)
    assert plain.tensors[number, 0].variation is Variation.NONE
    six, eight = (block(WINDOWS, HEADS, 3, own=lambda n, b, w=w: w if n == number else b) for w in (6, 8))
    runs = [simulate(workload, packed) for workload in (six, eight)]
    assert pe_cycles(runs[0]) == pe_cycles(runs[1]) != pe_cycles(simulate(plain, packed))
    sizes = []
    for workload in (plain, six, eight):
        planner = Planner(workload, packed, make_flow(workload))
        sizes.append(planner.amounts.weight_bits(chain_of(planner, "fc1")))
    assert [size * 4 // sizes[0] for size in sizes] == [4, 6, 8]
    assert replace(plain.tensors[number, 0], bits=6) == six.tensors[number, 0]


def test_a_row_of_the_layers_says_bits_and_mode(block, machine, plain) -> None:
    workload = block(WINDOWS, HEADS, 3, own=given({tensor_of(plain, "qkv"): 6}))
    rows = {row["name"]: row for row in layer_rows([(simulate(workload, machine("packed")), 1)])}
    shown = [rows["qkv"][column] for column in ("groups", "operand_bits", "modes")]
    assert shown == ["8:1x27 4:1x27", "6x4 4x4", "8x4 4x4"]
    assert rows["qk"]["operand_bits"] == "8x8 4x4"
    assert rows["softmax"]["operand_bits"] == ""
