"""Conservation on GEMMs that ran: compulsory traffic, fewer bits, and what dividing a GEMM by rows adds."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixarray.accelerator.load import load_accelerator
from mixarray.cost.pe_time import IDLE, UNUSED
from mixarray.mapping.schedule import Action
from mixarray.result.run import run_result
from mixarray.result.totals import Totals
from mixarray.simulation import Simulation, simulate
from mixarray.trace.workload import RESULT_BITS, single_gemm

PLAIN, PACKED = load_accelerator("plain_int8_32x32"), load_accelerator("packed_w4_32x32")
READ, WRITTEN = Action("dram_channels.0", "read_bits"), Action("dram_channels.0", "write_bits")
BURST_BITS = PLAIN.memory.transfer_bits(1)


def totals(simulation: Simulation) -> Totals:
    return run_result([(simulation, 1)], source="test", trace_sha256=None, seed=None, speedup=None).totals


@settings(max_examples=15, deadline=None)
@given(m=st.integers(1, 200), n=st.integers(1, 120), k=st.integers(1, 200), packed=st.booleans())
def test_traffic_is_at_least_compulsory_and_fewer_bits_never_cost_more(m: int, n: int, k: int, packed: bool) -> None:
    """K in multiples of 64: a packed PE with one slot empty spends a two-lane cycle on one product."""
    machine, depth = (PACKED, -(-k // 64) * 64) if packed else (PLAIN, k)
    runs = {bits: simulate(single_gemm(m, n, depth, *bits), machine) for bits in ((8, 8), (8, 4), (4, 4))}
    for bits, run in runs.items():
        assert run.execution.actions[READ] >= m * depth * bits[0] + depth * n * bits[1]
        assert run.execution.actions[WRITTEN] >= m * n * RESULT_BITS
        assert totals(run).macs == m * n * depth
        pe_cycles = sum(item.count for item in run.energy.items if item.action.startswith("pe_cycle_"))
        assert pe_cycles == machine.arrays[0].pes * run.execution.total_cycles
    spent = [run.energy.total_pj for run in runs.values()]
    assert spent == sorted(spent, reverse=True)


@pytest.mark.parametrize("name", ["plain_int8_32x32", "packed_w4_32x32"])
def test_dividing_a_gemm_by_rows_adds_only_the_weights_read_again(name: str) -> None:
    """Two halves of 64 rows against 128: everything but weight traffic and waiting stays, to the last access."""
    accelerator = load_accelerator(name)
    n, k, bits = 64, 64, (8, 4)
    whole, half = (simulate(single_gemm(m, n, k, *bits), accelerator) for m in (128, 64))
    twice: Counter[Action] = Counter({action: 2 * n for action, n in half.execution.actions.items()})
    extra = {a: twice[a] - n for a, n in whole.execution.actions.items() if twice[a] != n}
    weights = {READ: k * n * bits[1], Action("buffers.weight", "write"): k * n * bits[1] // 256}
    assert extra[READ] == -(-weights[READ] // BURST_BITS) * BURST_BITS
    assert set(extra) == {READ, Action("buffers.weight", "write"), Action("buffers.weight", "read")}
    assert extra[Action("buffers.weight", "write")] == weights[Action("buffers.weight", "write")]
    each = {Action(i.component, i.action): i.pj / i.count for i in whole.energy.items if i.count}
    waiting = [
        sum(i.pj for i in run.energy.items if i.action in (IDLE, UNUSED)) * times
        for run, times in ((half, 2), (whole, 1))
    ]
    added = 2 * half.energy.total_pj - waiting[0] - (whole.energy.total_pj - waiting[1])
    assert added == pytest.approx(sum(each[action] * count for action, count in extra.items()))


def test_figures_of_merit_by_their_definitions() -> None:
    for table in ("45nm-horowitz", "7nm-jouppi"):
        found = totals(
            simulate(single_gemm(64, 64, 64, 8, 4), load_accelerator("packed_w4_32x32", [f"energy_table={table}"]))
        )
        operations = 2 * 64**3
        assert found.edp_uj_ms == found.energy_uj * found.latency_ms
        assert found.edp_low_uj_ms < found.edp_uj_ms < found.edp_high_uj_ms
        assert found.tops == pytest.approx(operations / (found.latency_ms * 1e-3) / 1e12)
        assert found.tops_per_watt == pytest.approx(found.tops / (found.energy_uj * 1e-6 / (found.latency_ms * 1e-3)))
        assert found.tops_per_watt_low < found.tops_per_watt < found.tops_per_watt_high
        if table == "7nm-jouppi":
            assert (found.area_mm2, found.tops_per_mm2) == (None, None)
        else:
            assert found.area_mm2 is not None
            assert found.area_low_mm2 is not None
            assert found.area_high_mm2 is not None
            assert found.tops_per_mm2 == found.tops / found.area_mm2
            assert found.tops_per_mm2_low == found.tops / found.area_high_mm2
            assert found.tops_per_mm2_high == found.tops / found.area_low_mm2
