"""MACs and bytes are conserved, and repeating iterations changes nothing."""

from __future__ import annotations

import itertools

import pytest

from mixarray.engine.event import run_event
from mixarray.mapping.build import build_schedule
from mixarray.mapping.emitter import Emitter
from mixarray.mapping.schedule import Action, JobKind
from mixarray.trace.model import Role
from mixarray.trace.workload import RESULT_BITS, single_gemm

READ, WRITE = Action("dram_channels.0", "read_bits"), Action("dram_channels.0", "write_bits")
ARRAYS = (
    (),
    ("arrays.0.rows=8", "arrays.0.columns=4"),
    ("arrays.0.rows=5", "arrays.0.columns=7", "arrays.0.weight_loading=serial"),
    ("arrays.0.rows=8", "arrays.0.columns=16", "arrays.0.weight_loading=single", "arrays.0.weight_load_rows=used"),
)
BUFFERS = (
    ("dram_channels.0.burst_bits=1",),
    ("dram_channels.0.burst_bits=1", "buffers.activation.capacity_kib=4", "buffers.weight.capacity_kib=1"),
    (
        "dram_channels.0.burst_bits=1",
        "buffers.activation.slots=1", "buffers.weight.slots=1", "buffers.accumulator.slots=1",
        "buffers.activation.capacity_kib=2", "buffers.weight.capacity_kib=1", "buffers.accumulator.capacity_kib=4",
    ),
    (
        "dram_channels.0.burst_bits=1",
        "buffers.activation.slots=3", "buffers.weight.slots=4", "buffers.accumulator.slots=3",
        "buffers.activation.capacity_kib=6", "buffers.weight.capacity_kib=2", "buffers.accumulator.capacity_kib=13",
    ),
)  # fmt: skip
CASES = list(itertools.product(("packed", "plain"), ARRAYS, BUFFERS))
SOME = [case for number, case in enumerate(CASES) if number % 3 == 0]


@pytest.mark.parametrize(("style", "array", "buffers"), CASES)
def test_block_conserves_macs_and_bytes_on_every_machine(style, array, buffers, machine, block):
    accelerator = machine(style, *array, *buffers)
    for workload in (block(6, 2, 2), block(6, 2, 0), block(6, 2, 6), block(1, 3, 0)):
        run = run_event(build_schedule(workload, accelerator), len(workload.operators))
        assert run.macs == workload.macs
        assert [c.macs for c in run.operators] == [g.macs for g in workload.operators]
        weights = sum(t.rows * t.columns * t.bits for t in workload.tensors.values() if t.role is Role.WEIGHT)
        state = workload.operators[0].operator.m * workload.operators[0].operator.n * 16
        assert run.actions[WRITE] >= state  # the result
        assert run.actions[READ] >= weights + state  # the input
        spilled = run.actions[WRITE] - state
        assert run.actions[READ] - weights - state >= spilled  # what goes out comes back


@pytest.mark.parametrize(("style", "array", "buffers"), SOME)
def test_repeating_settled_iterations_equals_walking_each(style, array, buffers, machine, block, monkeypatch):
    accelerator, workload = machine(style, *array, *buffers), block(24, 2, 9)
    quick = build_schedule(workload, accelerator)
    monkeypatch.setattr(Emitter, "settled", lambda self: False)
    slow = build_schedule(workload, accelerator)
    assert quick.total_jobs == slow.total_jobs
    runs = [run_event(schedule, len(workload.operators)) for schedule in (quick, slow)]
    assert runs[0] == runs[1]


def test_one_gemm_moves_exactly_its_operands(machine):
    accelerator = machine("plain", "dram_channels.0.burst_bits=1")
    run = run_event(build_schedule(single_gemm(300, 70, 90, 8, 8), accelerator), 1)
    assert run.actions[READ] == 300 * 90 * 8 + 90 * 70 * 8
    assert run.actions[WRITE] == 300 * 70 * RESULT_BITS


def test_weights_that_do_not_fit_are_read_once_per_tile(machine):
    small = machine("plain", "dram_channels.0.burst_bits=1", "buffers.weight.capacity_kib=8")
    run = run_event(build_schedule(single_gemm(600, 64, 128, 8, 8), small), 1)
    tiles = 3  # 600 rows, 256 of which an accumulator slot of 32 KiB holds
    assert run.actions[READ] == 600 * 128 * 8 + tiles * 128 * 64 * 8


def test_useful_pe_cycles_of_every_mode(machine):
    def useful(style, *bits):
        run = run_event(build_schedule(single_gemm(10, 40, 48, *bits), machine(style)), 1)
        return run.useful_pe_cycles, run.busy_cycles[0, JobKind.STREAM]

    # 40 columns are two array columns; K=48 is one packed fold of two slots, or two folds of 32 and 16
    assert useful("packed", 4, 4) == (10 * 40 * 32, 10 * 2 * 1)  # lanes 2: one pass, slot 1 used by 16 rows beside it
    assert useful("packed", 8, 4) == (10 * 40 * 48, 10 * 2 * 2)
    assert useful("packed", 8, 8) == (10 * 40 * 48 * 2, 10 * 2 * 2 * 2)
    assert useful("plain", 8, 8) == (10 * 40 * 48, 10 * 2 * 2)
    assert useful("plain", 4, 4) == useful("plain", 8, 8)
