"""Fused attention of two window-heads, worked out job by job; what cannot be fused is refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.engine.event import run_event
from mixarray.errors import InputError
from mixarray.mapping.build import build_schedule
from mixarray.mapping.fused import FusedLowering
from mixarray.mapping.schedule import JobKind
from mixarray.mapping.transfers import Transfers
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
from mixarray.trace.workload import build_workload, single_gemm
from mixarray_analysis.validation.checker import bounds

FUSED = "mapping.attention=fused", "mapping.mlp=fused"
MACHINE = (
    "arrays.0.rows=4", "arrays.0.columns=4", "arrays.0.weight_port_bits=32", "vector_units.0.lanes=4",
    "dram_channels.0.burst_bits=1", "dram_channels.0.bits_per_cycle=64", "dram_channels.0.latency_cycles=0",
)  # fmt: skip
SAME = Relation.SAME_WINDOW_HEAD

# Two window-heads of 4 x 4 x 4 at 8 bits. An operand of one is 128 bits: 2 cycles of the channel, 4 of the array's load
# port; a stream of 4 rows is ready 4 + 4 - 2 cycles after its last one. Softmax walks 3 times over 16 elements, 4 at a
# time, and is ready 8 cycles later; so is requantization, which walks once. (kind, operator, start, issued, ready):
BY_HAND = [
    ("dram_load_activation", "qk", 0, 2, 2),  # Q of window-head 0
    ("dram_load_activation", "qk", 2, 4, 4),  # its K
    ("dram_load_activation", "qk", 4, 6, 6),  # Q and K of 1
    ("dram_load_activation", "qk", 6, 8, 8),
    ("dram_load_activation", "av", 8, 10, 10),  # V of 0 and 1
    ("dram_load_activation", "av", 10, 12, 12),
    ("array_load", "qk", 4, 8, 8),  # K of 0, as soon as it is there
    ("stream", "qk", 8, 12, 18),
    ("softmax", "softmax", 18, 30, 38),
    ("array_load", "qk", 8, 12, 12),  # K of 1 while 0 streams
    ("stream", "qk", 12, 16, 22),  # QK^T of 1 stands before AV of 0
    ("softmax", "softmax", 30, 42, 50),  # the unit was busy with 0
    ("array_load", "av", 12, 16, 16),  # V of 0 does not wait for the softmax
    ("stream", "av", 38, 42, 48),  # its rows do
    ("requantize", "join", 48, 52, 60),
    ("dram_store", "join", 60, 62, 62),
    ("array_load", "av", 16, 20, 20),
    ("stream", "av", 50, 54, 60),  # softmax of 1
    ("requantize", "join", 60, 64, 72),
    ("dram_store", "join", 72, 74, 74),
]


def tensor(number, role, bits, pairs, size):
    shape = pairs, size, size
    return Tensor(number, f"t{number}", role, *shape, bits, True, 0, 1.0, Encoding.INT, Variation.NONE, 0)


def operator(number, kind, name, size, inputs, output):
    place = -1, -1, Grid.NONE
    return Operator(number, name, kind, *place, *size, Variation.NONE, RowsPer.WINDOW, False, inputs, output)


def attention(pairs=2, size=4, bits=(8, 8), spy=False, again=False):
    """QK^T, softmax, AV and what joins its results; Q, K and V come from outside.

    bits: of Q and K, and of attention and V. spy: somebody else reads the attention matrix too. again: so
    does what joins the results of AV.
    """
    roles = [Role.ACTIVATION] * 3 + [Role.STATE, Role.ACTIVATION, Role.STATE, Role.ACTIVATION, Role.ACTIVATION]
    widths = bits[0], bits[0], bits[1], 32, bits[1], 32, 8, 8
    forms = enumerate(zip(roles, widths, strict=True))
    tensors = tuple(tensor(i, role, width, pairs, size) for i, (role, width) in forms)

    def gemm(number, name, row, held, out):
        inputs = Input(row, Operand.STREAM, SAME), Input(held, Operand.STATIONARY, SAME)
        return operator(number, OperatorKind.GEMM, name, (pairs, size, size, size), inputs, out)

    def vector(number, kind, name, source, out, relation=SAME, *more):
        inputs = tuple(Input(tensor, Operand.VECTOR, relation) for tensor in (source, *more))
        return operator(number, kind, name, (pairs, size, size, 0), inputs, out)

    operators = [
        gemm(0, "qk", 0, 1, 3),
        vector(1, OperatorKind.SOFTMAX, "softmax", 3, 4),
        gemm(2, "av", 4, 2, 5),
        vector(3, OperatorKind.REQUANTIZE, "join", 5, 6, SAME, *([4] if again else [])),
        *([vector(4, OperatorKind.REQUANTIZE, "spy", 4, 7, Relation.ALL)] if spy else []),
    ]
    return build_workload("attention", Topology(tuple(operators), tensors), {}, 1)


def found_lines(workload, machine):
    time = run_event(build_schedule(workload, machine), len(workload.operators), with_timeline=True).timeline
    columns = time.kind, time.operator, time.start_cycles, time.issued_cycles, time.ready_cycles
    return [
        (time.kinds[kind].value, workload.operators[number].operator.name, *moments)
        for kind, number, *moments in zip(*columns, strict=True)
    ]


def test_fused_attention_job_by_job():
    assert found_lines(attention(), load_accelerator("plain_int8_32x32", [*MACHINE, *FUSED])) == BY_HAND


def test_rows_that_do_not_wait_for_their_softmax_are_noticed(monkeypatch):
    old = Transfers.arrived
    monkeypatch.setattr(Transfers, "arrived", lambda self, number: replace(old(self, number), made=()))
    assert found_lines(attention(), load_accelerator("plain_int8_32x32", [*MACHINE, *FUSED])) != BY_HAND


def waits_of_softmax(slots):
    """For the softmax of every window-head: what it names as its reasons to wait, as (kind, operator, window-head).

    Both products and the vector unit read a matrix: AV streams it, and what joins its results reads it once more.
    """
    workload = attention(pairs=6, again=True)
    quick = "vector_units.0.lanes=4096", "vector_units.0.latency_cycles=0", f"buffers.activation.slots={slots}"
    schedule = build_schedule(workload, load_accelerator("plain_int8_32x32", [*MACHINE, *FUSED, *quick]))
    time = run_event(schedule, len(workload.operators), with_timeline=True).timeline
    found, names, counts = [], [], Counter()
    for number, (job, waits) in enumerate(bounds(schedule, time)):
        name = job.kind.value, workload.operators[job.operator].operator.name
        names.append((*name, counts[name]))
        counts[name] += 1
        if job.kind is JobKind.SOFTMAX:
            assert all(time.start_cycles[number] >= wait.cycle for wait in waits)
            found.append({names[wait.job] for wait in waits if wait.why != "unit"})
    return found


def unguarded(slots):
    """Window-heads whose matrix goes into a slot without waiting for both of those who read what it held."""
    found = waits_of_softmax(slots)
    assert len(found) == 6
    return [
        number
        for number, names in enumerate(found[slots:])
        if not {("stream", "av", number), ("requantize", "join", number)} <= names
    ]


@pytest.mark.parametrize("slots", [1, 2])
def test_a_matrix_waits_for_all_readers_of_what_its_slot_held(slots):
    assert not unguarded(slots)


@pytest.mark.parametrize("readers", [slice(1, None), slice(1)], ids=["without the array", "the array alone"])
def test_a_slot_that_one_of_its_readers_frees_is_noticed(readers, monkeypatch):
    """A timeline does not tell: the array and the vector unit serve both chains in an order that is late enough."""
    old = FusedLowering._readers
    monkeypatch.setattr(FusedLowering, "_readers", lambda self, entry: old(self, entry)[readers])
    assert unguarded(2)


def test_layerwise_finishes_one_product_first():
    orders = []
    for fusion in ((), FUSED):
        lines = found_lines(attention(pairs=6), load_accelerator("plain_int8_32x32", [*MACHINE, *fusion]))
        orders.append("".join(name[0] for kind, name, *_ in lines if kind == "stream"))
    assert orders == ["qqqqqqaaaaaa", "qqaqaqaqaqaa"]


def test_what_is_no_pair_is_as_it_was():
    workload = single_gemm(60, 40, 30, 8, 8)
    schedules = [build_schedule(workload, load_accelerator("plain_int8_32x32", choice)) for choice in ((), FUSED)]
    assert schedules[0] == schedules[1]


def refused(workload, name, overrides):
    """The message and the field of what is refused if it is fused, and allowed if not."""
    assert build_schedule(workload, load_accelerator(name, overrides)).total_jobs
    with pytest.raises(InputError) as error:
        build_schedule(workload, load_accelerator(name, [*overrides, *FUSED]))
    return error.value.message, error.value.field


PLAIN = "plain_int8_32x32"
SHORT = "buffers.accumulator.capacity_kib=1", "buffers.accumulator.slots=4"
ONE_SLOT = "buffers.activation={capacity_kib: 1, port_bits: 256, slots: 1, banks: 1}"


@pytest.mark.parametrize(
    ("workload", "overrides", "field", "words"),
    [
        (
            attention(size=16),
            ("arrays.0.rows=8", "arrays.0.columns=8", *SHORT),
            "buffers.accumulator.capacity_kib",
            "fused attention needs whole rows of 'qk' in it, 16 sums each",
        ),
        (
            attention(size=16),
            (ONE_SLOT, "arrays.0.rows=8", "arrays.0.columns=8"),
            "buffers.activation.capacity_kib",
            "room for 8192 bits; fused attention needs 10240: 1 attention matrices of 'qk', 2048 each",
        ),
        (
            attention(spy=True),
            MACHINE,
            "mapping.attention",
            "'qk' cannot be fused with what reads it: others read the same",
        ),
    ],
    ids=["accumulator", "capacity", "others"],
)  # fmt: skip
def test_attention_that_cannot_be_fused_is_refused(workload, overrides, field, words):
    message, where = refused(workload, PLAIN, overrides)
    assert words in message
    assert where == field


def test_an_attention_matrix_larger_than_a_slot_is_refused(block):
    workload = block(2, 1, 0, positions=24, head_dim=4)
    small = "arrays.0.rows=4", "arrays.0.columns=4", "buffers.accumulator.capacity_kib=1"
    machine = load_accelerator(PLAIN, [*small, "buffers.activation.capacity_kib=1", *FUSED])
    with pytest.raises(InputError, match="the attention matrix of a window and head of 'qk' needs 4608") as error:
        build_schedule(workload, machine)
    assert error.value.field == "buffers.activation.capacity_kib"


def test_products_on_different_arrays_are_not_fused():
    message, field = refused(attention(bits=(8, 4)), "decoupled_int8_int4", ())
    assert "the products of a pair run on different arrays" in message
    assert field == "mapping"


def test_an_mlp_whose_hidden_codes_do_not_fit_is_refused(block):
    workload = block(2, 2, 0, positions=4, head_dim=32, hidden=8)
    message, field = refused(workload, PLAIN, ("buffers.activation.capacity_kib=1",))
    assert "one row of 'fc1' with its hidden codes" in message
    assert field == "buffers.activation.capacity_kib"
