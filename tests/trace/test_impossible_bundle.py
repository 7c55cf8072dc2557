"""An edited bundle whose hashes are right but whose content cannot be is refused with file and field."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mixarray.errors import InputError
from mixarray.trace.bundle import read_bundle, rehash
from mixarray.trace.model import Grid, Input, Operand, OperatorKind, Relation, Topology
from mixarray.trace.tables import operators_parquet, tensors_parquet, windows_parquet
from mixarray.trace.windows import WindowTable

Make = Callable[..., Path]
CODES, LINEAR, KEYS, PRODUCT = 0, 1, 3, 4  # operators of block 0


def with_operator(topology: Topology, number: int, **changes: Any) -> Topology:
    changed = replace(topology.operators[number], **changes)
    return replace(topology, operators=(*topology.operators[:number], changed, *topology.operators[number + 1 :]))


def with_tensor(topology: Topology, name: str, **changes: Any) -> Topology:
    return replace(topology, tensors=tuple(replace(t, **changes) if t.name == name else t for t in topology.tensors))


def inputs_of(topology: Topology, number: int) -> tuple[Input, ...]:
    return topology.operators[number].inputs


TENSOR_EDITS: list[tuple[str, dict[str, Any], str]] = [
    ("w", {"bits": 0}, r"tensors\.parquet: bits: w: 0 is no bit width; allowed: 1 to 32"),
    ("w", {"bits": 33}, r"tensors\.parquet: bits: w: 33"),
    ("out0", {"window_bits": 8}, r"tensors\.parquet: window_bits: out0: listed twice for windows of 8 bits"),
    ("out0", {"window_bits": 0}, r"tensors\.parquet: window_bits: out0: 0; allowed: 1 to 32"),
    ("w", {"window_bits": 4}, r"tensors\.parquet: window_bits: w: 4; allowed: 0, as its bits do not vary"),
    ("w", {"batch": 0}, r"tensors\.parquet: batch: w: 0 is no size"),
    ("w", {"rows": -1}, r"tensors\.parquet: rows: w: -1"),
    ("w", {"columns": 0}, r"tensors\.parquet: columns: w: 0"),
    ("w", {"columns": 2**40}, r"tensors\.parquet: columns: w: 1099511627776"),
    ("w", {"rows": 63}, r"operators\.parquet: m: gemm1: tensor 'w' is 1x63x96, its shape asks for 1x64x96"),
    ("w", {"step": 0.0}, r"tensors\.parquet: step: w: 0\.0 is no step"),
    ("out0", {"step": math.nan}, r"tensors\.parquet: step: out0: nan is no step"),
    ("out0", {"step": math.inf}, r"tensors\.parquet: step: out0: inf is no step"),
    ("out1", {"tensor": 0}, r"tensors\.parquet"),
]


@pytest.mark.parametrize(("name", "changes", "message"), TENSOR_EDITS)
def test_impossible_tensors(make_bundle: Make, name: str, changes: dict[str, Any], message: str) -> None:
    path = make_bundle()
    edited = with_tensor(read_bundle(path).topology, name, **changes)
    (path / "tensors.parquet").write_bytes(tensors_parquet(edited.tensors))
    rehash(path)
    with pytest.raises(InputError, match=message):
        read_bundle(path)


def _unstreamed(topology: Topology) -> Topology:
    return with_operator(topology, LINEAR, inputs=inputs_of(topology, LINEAR)[1:])


def _two_stationary(topology: Topology) -> Topology:
    stationary = inputs_of(topology, LINEAR)[1]
    return with_operator(topology, LINEAR, inputs=(stationary, stationary))


def _streaming_vector_operator(topology: Topology) -> Topology:
    (source,) = inputs_of(topology, CODES)
    return with_operator(topology, CODES, inputs=(replace(source, operand=Operand.STREAM),))


def _two_producers(topology: Topology) -> Topology:
    return with_operator(topology, KEYS, output=topology.operators[KEYS - 1].output)


def _read_too_early(topology: Topology) -> Topology:
    late = topology.operators[PRODUCT].output
    return with_operator(topology, CODES, inputs=(Input(late, Operand.VECTOR, Relation.ALL),))


def _no_blocks(topology: Topology) -> Topology:
    return replace(topology, operators=tuple(replace(op, in_block=False) for op in topology.operators))


OPERATOR_EDITS: list[tuple[Callable[[Topology], Topology], str]] = [
    (_unstreamed, "inputs: gemm1: has 0 streaming inputs, a gemm has 1"),
    (_two_stationary, "inputs: gemm1: has 0 streaming inputs"),
    (_streaming_vector_operator, "inputs: requantize0: has 1 streaming inputs, a requantize has 0"),
    (_two_producers, "output: requantize3: tensor .* is already the output of requantize2"),
    (_read_too_early, "inputs: requantize0: reads what gemm4 has not yet made"),
    (lambda t: with_operator(t, KEYS, kind=OperatorKind.TOKEN_MAP), "inputs: gemm4: cannot multiply what requantize3"),
    (_no_blocks, "in_block: holds no GEMM of a transformer block"),
    (lambda t: replace(t, operators=()), "in_block: holds no GEMM"),
    (lambda t: with_operator(t, LINEAR, k=0), "k: gemm1: 0 is no size"),
    (lambda t: with_operator(t, LINEAR, k=32), "m: gemm1: tensor 'out0' is 1x196x64, its shape asks for 1x196x32"),
    (lambda t: with_operator(t, LINEAR, n=64), "m: gemm1: tensor 'w'"),
    (lambda t: with_operator(t, PRODUCT, batch=4), "m: gemm4: tensor"),
    (lambda t: with_operator(t, CODES, k=3), "k: requantize0: 3 for an operator that is no GEMM"),
    (lambda t: with_operator(t, CODES, m=0), "m: requantize0: 0 is no size"),
    (lambda t: with_operator(t, CODES, in_block=True), "in_block: requantize0"),
    (lambda t: with_operator(t, LINEAR, kind=OperatorKind.GELU, k=0), "in_block: gemm1"),
    (lambda t: with_operator(t, CODES, grid=Grid.SHIFTED), "grid: gemm1: regular is not the grid of its block"),
    (lambda t: with_operator(t, CODES, operator=7), "operator: row 0 has number 7"),
    (lambda t: with_operator(t, CODES, output=99), "inputs: requantize0: tensor 99 does not exist"),
]


@pytest.mark.parametrize(("edit", "message"), OPERATOR_EDITS)
def test_impossible_operators(make_bundle: Make, edit: Callable[[Topology], Topology], message: str) -> None:
    path = make_bundle()
    (path / "operators.parquet").write_bytes(operators_parquet(edit(read_bundle(path).topology).operators))
    rehash(path)
    with pytest.raises(InputError, match=rf"operators\.parquet: {message}"):
        read_bundle(path)


def _more_tokens(windows: WindowTable) -> WindowTable:
    moved = np.where(windows.window == 0, 50, np.where(windows.window == 1, 48, windows.tokens))
    return replace(windows, tokens=moved)


WINDOW_EDITS: list[tuple[Callable[[WindowTable], WindowTable], str]] = [
    (lambda w: replace(w, bits=0 * w.bits), "bits: image 0: every window is pruned"),
    (lambda w: replace(w, grid=1 - w.grid), "grid: .*its operators are on the regular grid"),
    (lambda w: replace(w, stage=w.stage + 1), "windows: no windows for stage 0 block 0"),
    (_more_tokens, "tokens: row 0 has 50; a window holds at most 49"),
]


@pytest.mark.parametrize(("edit", "message"), WINDOW_EDITS)
def test_impossible_windows(make_bundle: Make, edit: Callable[[WindowTable], WindowTable], message: str) -> None:
    path = make_bundle()
    (path / "windows.parquet").write_bytes(windows_parquet(edit(read_bundle(path).windows)))
    rehash(path)
    with pytest.raises(InputError, match=rf"windows\.parquet: {message}"):
        read_bundle(path)


def test_a_pruned_window_may_stand_beside_the_ratio(make_bundle: Make) -> None:
    path = make_bundle()
    windows = read_bundle(path).windows
    bits = np.where(windows.window == 0, 0, windows.bits)
    (path / "windows.parquet").write_bytes(windows_parquet(replace(windows, bits=bits)))
    rehash(path)
    assert [(c.bits, c.windows) for c in read_bundle(path).assignment(0)[0, 0]] == [(8, 2), (4, 1), (0, 1)]
