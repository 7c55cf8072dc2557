"""Small topologies by hand, and accelerators made from the shipped presets by overrides."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import Accelerator
from mixarray.trace.model import (
    Encoding,
    Grid,
    Input,
    Operand,
    Operator,
    OperatorKind,
    Relation,
    Role,
    RowsPer,
    Tensor,
    Topology,
    Variation,
)
from mixarray.trace.workload import Assignment, WindowCount, Workload, build_workload

NONE, ROW, BATCH = Variation.NONE, Variation.ROW, Variation.BATCH
GEMM = OperatorKind.GEMM
OwnBits = Callable[[int, int], int]
IDEAL_MEMORY = ("dram_channels.0.bits_per_cycle=1000000", "dram_channels.0.latency_cycles=0")


class Net:
    """A topology under construction; tensors are named by number.

    own: the bits of a tensor in a branch, or of a weight (branch 4): those of the branch unless it says otherwise.
    """

    def __init__(self, own: OwnBits | None = None) -> None:
        self.own = own or (lambda number, branch: branch)
        self.operators: list[Operator] = []
        self.tensors: list[Tensor] = []
        self.count = 0

    def tensor(
        self, role: Role, shape: tuple[int, int, int], bits: tuple[int, ...], variation: Variation = NONE
    ) -> int:
        for width in bits:
            bits = width if role is Role.STATE else self.own(self.count, width)
            facts = role, *shape, bits, True, 0, 1.0, Encoding.INT, variation, 0 if variation is NONE else width
            self.tensors.append(Tensor(self.count, f"t{self.count}", *facts))
        self.count += 1
        return self.count - 1

    def operator(self, name, kind, size, inputs, output, variation=NONE) -> int:
        place = (-1, -1, Grid.NONE) if variation is NONE else (0, 0, Grid.REGULAR)
        entries = tuple(Input(*entry) for entry in inputs)
        self.operators.append(
            Operator(
                len(self.operators), name, kind, *place, *size, variation, RowsPer.WINDOW, kind is GEMM, entries, output
            )
        )
        return output

    def linear(self, name: str, codes: int, m: int, n: int, k: int, variation: Variation = ROW, bits: int = 4) -> int:
        weight = self.tensor(Role.WEIGHT, (1, k, n), (bits,))
        result = self.tensor(Role.STATE, (1, m, n), (32,))
        inputs = ((codes, Operand.STREAM, Relation.SAME_ROW), (weight, Operand.STATIONARY, Relation.ALL))
        return self.operator(name, GEMM, (1, m, n, k), inputs, result, variation)

    def vector(self, name, kind, size, sources, output, variation=ROW, relation=Relation.SAME_ROW) -> int:
        inputs = tuple((source, Operand.VECTOR, relation) for source in sources)
        return self.operator(name, kind, (*size, 0), inputs, output, variation)


def make_block(
    windows: int,
    heads: int,
    low: int,
    positions: int = 9,
    head_dim: int = 8,
    hidden: int = 2,
    own: OwnBits | None = None,
) -> Workload:
    """One Swin block of `windows` windows, `low` of them at 4 bits: gather, attention, MLP, scatter."""
    net, m, c = Net(own), windows * positions, heads * head_dim
    pairs, branch = windows * heads, (8, 4)

    def act(shape, variation=ROW):
        return net.tensor(Role.ACTIVATION, shape, branch, variation)

    def state(shape):
        return net.tensor(Role.STATE, shape, (16,))

    image = state((1, m, c))
    tokens = net.vector("gather", OperatorKind.GATHER, (1, m, c), [image], state((1, m, c)), relation=Relation.ALL)
    codes = net.vector("norm1", OperatorKind.LAYERNORM, (1, m, c), [tokens], act((1, m, c)))
    qkv = net.linear("qkv", codes, m, 3 * c, c)
    shape = (pairs, positions, head_dim)
    q, k, v = (
        net.vector(name, OperatorKind.REQUANTIZE, (1, m, c), [qkv], act(shape, BATCH)) for name in ("q", "k", "v")
    )

    def product(name, left, right, size):
        result = net.tensor(Role.STATE, (pairs, size[0], size[1]), (32,))
        inputs = (
            (left, Operand.STREAM, Relation.SAME_WINDOW_HEAD),
            (right, Operand.STATIONARY, Relation.SAME_WINDOW_HEAD),
        )
        return net.operator(name, GEMM, (pairs, *size), inputs, result, BATCH)

    logits = product("qk", q, k, (positions, positions, head_dim))
    square = (pairs, positions, positions)
    weights = net.vector("softmax", OperatorKind.SOFTMAX, square, [logits], act(square, BATCH), BATCH)
    mixed = product("av", weights, v, (positions, head_dim, positions))
    joined = net.vector("join", OperatorKind.REQUANTIZE, (1, m, c), [mixed], act((1, m, c)))
    branch_out = net.linear("proj", joined, m, c, c)
    middle = net.vector("residual1", OperatorKind.RESIDUAL, (1, m, c), [branch_out, tokens], state((1, m, c)))
    codes = net.vector("norm2", OperatorKind.LAYERNORM, (1, m, c), [middle], act((1, m, c)))
    wide = net.linear("fc1", codes, m, hidden * c, c)
    active = net.vector("gelu", OperatorKind.GELU, (1, m, hidden * c), [wide], act((1, m, hidden * c)))
    narrow = net.linear("fc2", active, m, c, hidden * c)
    total = net.vector("residual2", OperatorKind.RESIDUAL, (1, m, c), [narrow, middle], state((1, m, c)))
    net.vector("scatter", OperatorKind.SCATTER, (1, m, c), [total], state((1, m, c)))
    assignment = two_branches(windows, low, positions)
    return build_workload("block", Topology(tuple(net.operators), tuple(net.tensors)), assignment, positions)


def two_branches(windows: int, low: int, positions: int) -> Assignment:
    counts = (WindowCount(8, windows - low, (windows - low) * positions), WindowCount(4, low, low * positions))
    return {(0, 0): tuple(count for count in counts if count.windows)}


def make_mixed_gemm(rows: int, low: int, n: int, k: int) -> Workload:
    """One linear layer whose rows are windows of their own: `low` rows at 4 bits, the others at 8, weights 4 bits."""
    net = Net()
    net.linear("gemm", net.tensor(Role.ACTIVATION, (1, rows, k), (8, 4), ROW), rows, n, k)
    return build_workload("mixed", Topology(tuple(net.operators), tuple(net.tensors)), two_branches(rows, low, 1), 1)


def make_layers(count: int, m: int, width: int) -> Workload:
    """Linear layers of `width` columns and K behind one another, 8-bit codes by 4-bit weights."""
    net = Net()
    codes = net.tensor(Role.ACTIVATION, (1, m, width), (8,))
    for number in range(count):
        sums = net.linear(f"layer{number}", codes, m, width, width, NONE)
        codes = net.tensor(Role.ACTIVATION, (1, m, width), (8,))
        net.vector(f"codes{number}", OperatorKind.REQUANTIZE, (1, m, width), [sums], codes, NONE)
    return build_workload("layers", Topology(tuple(net.operators), tuple(net.tensors)), {}, 1)


@pytest.fixture(scope="session")
def block() -> Callable[..., Workload]:
    return make_block


@pytest.fixture(scope="session")
def mixed_gemm() -> Callable[[int, int, int, int], Workload]:
    return make_mixed_gemm


@pytest.fixture(scope="session")
def layers() -> Callable[[int, int, int], Workload]:
    return make_layers


@pytest.fixture(scope="session")
def machine() -> Callable[..., Accelerator]:
    """machine("packed" | "plain" | "bricks", *overrides, ideal_memory=False)."""

    def make(style: str, *overrides: str, ideal_memory: bool = False) -> Accelerator:
        name = {"packed": "packed_w4_32x32", "plain": "plain_int8_32x32", "bricks": "bricks16_16x32"}[style]
        return load_accelerator(name, [*(IDEAL_MEMORY if ideal_memory else ()), *overrides])

    return make
