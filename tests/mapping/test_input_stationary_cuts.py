"""Input-stationary: N is cut so that weights which do not fit their buffer are fetched as rarely as possible."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.load import load_accelerator
from mixarray.engine.event import run_event
from mixarray.mapping.build import build_schedule
from mixarray.mapping.cuts import Cuts
from mixarray.mapping.schedule import Action
from mixarray.mapping.tiles import Run, even_widths, largest_divisor
from mixarray.trace.workload import single_gemm

READ = Action("dram_channels.0", "read_bits")
PRESET = "plain_int8_32x32"
INPUT = "arrays.0.dataflow=input_stationary"
widths = Cuts.widths


def widest_only(self, columns, k, runs, weights):
    return widths(self, columns, k, runs, weights)[:1]


def run_of(size, machine, bits=(8, 8)):
    return run_event(build_schedule(single_gemm(*size, *bits), machine), 1)


@pytest.mark.parametrize(
    ("size", "times"),
    [
        ((196, 1152, 384), 1),  # 144 columns of N stay for all rows
        ((784, 1152, 384), 4),  # for 224 rows: an activation slot holds no more of them
        ((784, 384, 1536), 13),  # 42 columns, for 64 rows
        ((49, 3072, 768), 1),
        ((33, 1000, 700), 1),
        ((64, 577, 700), 1),  # a prime: pieces of 83 columns and a narrower last one
        ((49, 768, 3072), 2),  # one fold of rows fills an activation slot: nothing can be shared
    ],
)
def test_weights_are_fetched_once_for_as_many_rows_as_fit(size, times):
    m, n, k = size
    weights = run_of(size, load_accelerator(PRESET, [INPUT, "dram_channels.0.burst_bits=1"])).actions[READ] - m * k * 8
    assert weights == times * n * k * 8


@given(
    st.tuples(st.integers(1, 150), st.integers(1, 300), st.integers(1, 150)),
    st.tuples(st.sampled_from((4, 8, 16)), st.sampled_from((4, 8, 16))),
    st.sampled_from((1, 2, 4)),
    st.sampled_from((4, 8, 64)),
    st.sampled_from((1, 2, 3)),
    st.sampled_from((4, 8)),
)
@settings(max_examples=120)
def test_choosing_never_adds_traffic(size, edges, weight_kib, activation_kib, slots, weight_bits):
    machine = load_accelerator(
        PRESET,
        [
            INPUT,
            f"arrays.0.rows={edges[0]}",
            f"arrays.0.columns={edges[1]}",
            f"buffers.weight.capacity_kib={weight_kib}",
            f"buffers.weight.slots={slots}",
            f"buffers.activation.capacity_kib={activation_kib}",
            "buffers.accumulator.capacity_kib=8",
            "dram_channels.0.burst_bits=1",
        ],
    )
    found = run_of(size, machine, (8, weight_bits))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Cuts, "widths", widest_only)
        before = run_of(size, machine, (8, weight_bits))
    m, n, k = size
    assert found.macs == before.macs == m * n * k
    assert m * k * 8 + n * k * weight_bits <= found.actions[READ] <= before.actions[READ]


@given(st.sampled_from(Dataflow), st.integers(1, 2000), st.integers(1, 2000), st.sampled_from((1, 4, 32)))
def test_every_way_to_cut_covers_n_and_only_input_stationary_has_a_choice(dataflow, columns, k, kib):
    machine = load_accelerator(PRESET, [f"arrays.0.dataflow={dataflow}", f"buffers.weight.capacity_kib={kib}"])
    run = Run(0, 100, 8, machine.arrays[0].mode(8, 8), 8, 8)
    ways = Cuts(machine).widths(columns, k, [run], weights=True)
    assert {sum(way) for way in ways} == {columns}
    assert len(ways) == 1 or dataflow is Dataflow.INPUT_STATIONARY
    for way in ways[1:]:
        assert machine.arrays[0].rows <= way[0] < ways[0][0]
        assert way[0] * k * 8 <= machine.buffers.weight.slot_bits
    assert len(Cuts(machine).widths(columns, k, [run], weights=False)) == 1


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_largest_divisor_leaves_no_remainder(number, most):
    divisor = largest_divisor(number, most)
    assert not any(number % larger == 0 for larger in range(divisor + 1, min(number, most) + 1))
    assert set(even_widths(number, divisor)) == {divisor}
    assert divisor <= most
