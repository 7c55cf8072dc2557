"""Bits per layer in a trace: which windows use an entry of a tensor is one thing, the bits of its codes another."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixarray.errors import InputError
from mixarray.trace.baseline import mean_weight_bits, ratio_zero_workload, uniform_workload
from mixarray.trace.bops import bops, weighted_bops
from mixarray.trace.bundle import Bundle, read_bundle, rehash
from mixarray.trace.inspect import LayerSummary, inspect_bundle
from mixarray.trace.model import Operand, OperatorKind, Role, Tensor, Topology, Variation
from mixarray.trace.tables import tensors_parquet
from mixarray.trace.workload import Assignment, WindowCount, Workload, build_workload
from mixarray_traces.quantization.allocation import Allocation, LayerBits, operands_of
from mixarray_traces.record.graph import Precision
from mixarray_traces.record.random_trace import random_bundle
from mixarray_traces.record.shape import SwinShape
from mixarray_traces.record.topology import block_grids, build_topology

Topologies = Callable[[], Topology]
OLD = Path(__file__).parents[1] / "golden" / "bundle_1_0"
SMALL = SwinShape("small", (32, 64), (2, 2), (1, 2))
SIDE = 112
PLAIN = build_topology(SMALL, SIDE, SIDE)
WEIGHTS = [t.name.removesuffix(".weight") for t in PLAIN.tensors if t.role is Role.WEIGHT]
ACTIVATIONS = operands_of(WEIGHTS)
QKV, FC1 = "stages.0.blocks.0.attn.qkv", "stages.1.blocks.1.mlp.fc1"
BITS = st.integers(2, 8)
ALLOCATIONS = st.builds(
    Allocation,
    st.dictionaries(st.sampled_from(WEIGHTS), BITS, max_size=6),
    st.dictionaries(st.sampled_from(ACTIVATIONS), BITS, max_size=12),
)


def made(path: Path, allocation: Allocation | None, ratio: int = 400) -> Bundle:
    precision = Precision(allocation=allocation)
    return read_bundle(random_bundle(SMALL, SIDE, SIDE, ratio, 1, path, precision=precision))


def windows_low(low_of: Callable[[int], int]) -> Assignment:
    """Every block with `low_of(windows)` low windows, which hold whole windows of tokens as far as there are any."""
    found = {}
    for place, grid in block_grids(SMALL, SIDE, SIDE).items():
        tokens, low = grid.window_tokens(), low_of(grid.windows)
        first, last = tokens[: grid.windows - low], tokens[grid.windows - low :]
        counts = WindowCount(8, len(first), sum(first)), WindowCount(4, len(last), sum(last))
        found[place] = tuple(count for count in counts if count.windows)
    return found


def resolved(allocation: Allocation | None, share: float) -> Workload:
    topology = build_topology(SMALL, SIDE, SIDE, precision=Precision(allocation=allocation))
    return build_workload("small", topology, windows_low(lambda windows: int(windows * share)), SMALL.window**2)


@settings(max_examples=25, deadline=None)
@given(ALLOCATIONS, st.floats(0, 1))
def test_every_group_runs_at_the_bits_of_its_tensors(allocation: Allocation, share: float) -> None:
    """MACs are those without an allocation; each operand of each group has the bits given for its branch."""
    workload, layers = resolved(allocation, share), LayerBits(4, (8, 4), 8, allocation)
    assert workload.macs == resolved(None, share).macs
    names = {tensor.tensor: tensor.name for tensor in workload.tensors.values()}
    for grouped in workload.operators:
        op = grouped.operator
        assert [group.bits for group in grouped.groups] in ([0], [8], [4], [8, 4])
        if op.kind is not OperatorKind.GEMM:
            continue
        operands = {entry.operand: names[entry.tensor] for entry in op.inputs}
        for group in grouped.groups:
            assert group.stream_bits == layers.activation(operands[Operand.STREAM])[group.bits or 8]
            held = operands[Operand.STATIONARY]
            weight = held.endswith(".weight")
            expected = layers.weight(op.name) if weight else layers.activation(held)[group.bits]
            assert group.stationary_bits == expected


def test_neutral_entries_change_no_byte(tmp_path: Path) -> None:
    layers = LayerBits(4, (8, 4), 8)
    neutral = Allocation({name: layers.weight(name) for name in WEIGHTS}, dict.fromkeys(ACTIVATIONS, 8))
    one = replace(neutral, activations={**neutral.activations, f"{QKV}.input": 7})
    plain, same, other = (made(tmp_path / n, a) for n, a in (("a", None), ("b", neutral), ("c", one)))
    assert plain.sha256 == same.sha256  # of the manifest, which holds the hash of every file
    assert same.manifest.allocation is None
    assert plain.sha256 != other.sha256
    assert other.manifest.allocation is not None
    assert other.manifest.allocation.activations == {f"{QKV}.input": 7}


def test_two_branches_of_equal_bits_stay_two(tmp_path: Path) -> None:
    bundle = made(tmp_path / "equal", Allocation({}, {f"{QKV}.input": 4}))
    entries = [tensor for tensor in bundle.topology.tensors if tensor.name == f"{QKV}.input"]
    assert [(entry.window_bits, entry.bits) for entry in entries] == [(8, 4), (4, 4)]
    (grouped,) = (one for one in bundle.workload(0).operators if one.operator.name == QKV)
    assert [(group.bits, group.stream_bits) for group in grouped.groups] == [(8, 4), (4, 4)]
    confused = tuple(replace(tensor, window_bits=min(tensor.window_bits, tensor.bits)) for tensor in entries)
    with_both = replace(bundle.topology, tensors=(*confused, *(t for t in bundle.topology.tensors if t not in entries)))
    (bundle.path / "tensors.parquet").write_bytes(tensors_parquet(with_both.tensors))
    rehash(bundle.path)
    with pytest.raises(InputError, match=r"window_bits: .*qkv\.input: listed twice for windows of 4 bits"):
        read_bundle(bundle.path)


def test_bit_operations_follow_what_streams(tmp_path: Path) -> None:
    """All windows high: an input at 6 of 8 bits takes a quarter off its operator's; published counts ignore weights."""
    plain, less = (
        made(tmp_path / "plain", None, 0),
        made(tmp_path / "less", Allocation({FC1: 2}, {f"{FC1}.input": 6}), 0),
    )
    (fc1,) = (one for one in plain.workload(0).operators if one.operator.name == FC1)
    assert bops(plain.workload(0)) - bops(less.workload(0)) == 2 * fc1.macs
    assert weighted_bops(plain.workload(0)) - weighted_bops(less.workload(0)) == (8 * 4 - 6 * 2) * fc1.macs
    by_branch = sum(g.batch * g.rows * g.bits * one.operator.n * one.operator.k
                    for one in less.workload(0).operators if one.operator.in_block for g in one.groups)  # fmt: skip
    assert by_branch == bops(plain.workload(0)) != bops(less.workload(0))


def test_ratio_zero_keeps_the_bits_of_layers_and_a_uniform_model_has_none(tmp_path: Path) -> None:
    allocation = Allocation({QKV: 6}, {f"{QKV}.input": 5, "patch_embed.input": 7})
    bundle, plain = made(tmp_path / "some", allocation), made(tmp_path / "plain", None)
    zero, uniform = ratio_zero_workload(bundle), uniform_workload(bundle, 8, 4)
    found = {one.operator.name: one.groups for one in zero.operators}
    assert [(g.bits, g.stream_bits, g.stationary_bits) for g in found[QKV]] == [(8, 5, 6)]
    assert {g.bits for groups in found.values() for g in groups} == {0, 8}
    assert bops(uniform) == bops(ratio_zero_workload(plain)) > bops(zero)
    same = {one.operator.name: one.groups for one in uniform.operators}
    assert [(g.bits, g.stream_bits, g.stationary_bits) for g in same[QKV]] == [(8, 8, 4)]
    assert same["patch_embed"][0].stream_bits == 7  # outside the blocks all keep theirs


def test_weights_of_several_widths_have_a_mean(tmp_path: Path) -> None:
    """One layer of all at 8 bits instead of 4: the mean rises by 4 times its part of the bits that weights multiply."""
    plain, wide = made(tmp_path / "plain", None), made(tmp_path / "wide", Allocation({FC1: 8}, {}))
    linear = [one for one in ratio_zero_workload(plain).operators if one.operator.name in WEIGHTS]
    part = Fraction(
        sum(one.macs for one in linear if one.operator.name == FC1),
        sum(one.macs for one in linear if one.operator.in_block),
    )
    assert mean_weight_bits(plain) == 4
    assert mean_weight_bits(wide) == 4 + 4 * part


def test_a_bundle_says_which_layers_differ(tmp_path: Path) -> None:
    bundle = made(tmp_path / "some", Allocation({QKV: 6}, {f"{QKV}.input": 5, "patch_embed.input": 3}))
    expected = ("patch_embed.input", (3,)), (f"{QKV}.input", (5, 4)), (f"{QKV}.weight", (6,))
    assert inspect_bundle(bundle).layers == tuple(LayerSummary(*one) for one in expected)
    assert inspect_bundle(made(tmp_path / "plain", None)).layers == ()


@pytest.mark.parametrize(
    ("weights", "activations", "named"),
    [
        ({"stages.9.blocks.0.attn.qkv": 4}, {}, r"weights\.stages\.9\.blocks\.0\.attn\.qkv: the model has no such"),
        ({}, {QKV: 4}, r"activations\.stages\.0\.blocks\.0\.attn\.qkv: the model has no such"),
        ({}, {"image": 4}, r"activations\.image: the model has no such"),
    ],
)
def test_unknown_layers_are_refused(
    weights: dict[str, int], activations: dict[str, int], named: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=named):
        made(tmp_path / "none", Allocation(weights, activations))
    assert not (tmp_path / "none").exists()


def test_a_bundle_of_the_first_schema_reads_as_ever(topology: Topology) -> None:
    """Written before there were bits per layer: the bits of its tensors are those of the windows."""
    bundle = read_bundle(OLD)
    assert bundle.manifest.schema_version == "1.0"
    assert bundle.topology == topology  # what today's code makes of the same network
    assert all((t.window_bits == 0) == (t.variation is Variation.NONE) for t in bundle.topology.tensors)


@pytest.mark.parametrize(("version", "field"), [("1.1", "column is missing"), ("1.0", "unknown column")])
def test_a_table_must_have_the_schema_that_its_manifest_says(
    version: str, field: str, make_bundle: Callable[..., Path], tmp_path: Path
) -> None:
    path = make_bundle()
    if version == "1.1":
        (path / "tensors.parquet").write_bytes((OLD / "tensors.parquet").read_bytes())
    described = json.loads((path / "manifest.json").read_text()) | {"schema_version": version}
    (path / "manifest.json").write_text(json.dumps(described))
    rehash(path)
    with pytest.raises(InputError, match=rf"tensors\.parquet: window_bits: {field}"):
        read_bundle(path)


def test_entries_without_windows_are_refused(topology: Topology) -> None:
    """An assignment may name a branch that a tensor has no entry for."""
    only_high = tuple(t for t in topology.tensors if t.window_bits in (0, 8))
    counts = {(0, block): (WindowCount(4, 4, 196),) for block in range(2)}
    with pytest.raises(InputError, match=r"has no form for 4-bit windows; it has \[8\]"):
        build_workload("toy", Topology(topology.operators, only_high), counts, 49)


def entry_names(tensors: tuple[Tensor, ...]) -> set[str]:
    return {tensor.name for tensor in tensors}


def test_every_name_of_an_allocation_is_a_tensor_of_the_trace() -> None:
    assert set(ACTIVATIONS) <= entry_names(PLAIN.tensors)
