"""One GEMM through mapping, engine and cost on both presets: conservation, monotonicity, and errors before the run."""

from __future__ import annotations

import pytest

from mixarray.accelerator.load import list_accelerators, load_accelerator
from mixarray.cost.pe_time import IDLE, UNUSED
from mixarray.errors import InputError
from mixarray.result.layers import layer_rows
from mixarray.result.run import run_result
from mixarray.simulation import Simulation, simulate
from mixarray.trace.workload import RESULT_BITS, single_gemm

M, N, K = 196, 96, 192


def run(accelerator: str, stream_bits: int, stationary_bits: int) -> Simulation:
    return simulate(single_gemm(M, N, K, stream_bits, stationary_bits), load_accelerator(accelerator), timeline=True)


@pytest.mark.parametrize("accelerator", list_accelerators())
@pytest.mark.parametrize("bits", [(8, 8), (8, 4), (4, 4)])
def test_conservation(accelerator: str, bits: tuple[int, int]) -> None:
    simulation = run(accelerator, *bits)
    result = run_result([(simulation, 1)], source="test", trace_sha256=None, seed=None, speedup=None)
    totals, pes = result.totals, sum(array.pes for array in simulation.accelerator.arrays)
    assert totals.macs == M * N * K
    assert totals.dram_read_bits >= M * K * bits[0] + K * N * bits[1]
    assert totals.dram_write_bits >= M * N * RESULT_BITS
    assert 0 < totals.peak_mac_utilization <= totals.utilization <= 1
    pe_cycles = sum(entry.count for entry in result.energy if entry.action.startswith("pe_cycle_"))
    assert pe_cycles == pes * totals.cycles
    idle, unused = (sum(e.count for e in result.energy if e.action == name) for name in (IDLE, UNUSED))
    assert totals.utilization == pytest.approx(1 - (idle + unused) / pe_cycles)
    assert sum(entry.cycles for entry in result.attribution) == totals.cycles
    rows = layer_rows([(simulation, 1)])
    assert sum(float(row["energy_pj"] or 0) for row in rows) == pytest.approx(totals.energy_uj * 1e6)


@pytest.mark.parametrize("accelerator", list_accelerators())
def test_fewer_bits_never_cost_cycles_or_energy(accelerator: str) -> None:
    runs = [run(accelerator, *bits) for bits in ((8, 8), (8, 4), (4, 4))]
    cycles = [r.execution.total_cycles for r in runs]
    energies = [r.energy.total_pj for r in runs]
    assert cycles == sorted(cycles, reverse=True)
    assert energies == sorted(energies, reverse=True)


def test_two_bit_activations_gain_nothing_on_the_array_and_say_so() -> None:
    two, four = run("packed_w4_32x32", 2, 4), run("packed_w4_32x32", 4, 4)
    assert two.execution.useful_pe_cycles == four.execution.useful_pe_cycles
    result = run_result([(two, 1)], source="test", trace_sha256=None, seed=None, speedup=None)
    assert result.widened == ("2x4 in 4x4",)


def test_an_operand_wider_than_every_mode_is_refused_before_the_run() -> None:
    with pytest.raises(InputError, match="no mode serves 16 streaming by 4"):
        run("packed_w4_32x32", 16, 4)
