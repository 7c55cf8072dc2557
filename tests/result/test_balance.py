"""How two arrays share a run, against numbers worked out by hand."""

from __future__ import annotations

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.result.balance import balance_of
from mixarray.result.layers import layer_rows
from mixarray.simulation import Simulation, simulate
from mixarray.trace.workload import single_gemm
from mixarray_analysis.simulating import report_text, simulate_gemm

M, N, K = 100, 64, 128
"""2 columns of both arrays; 4 folds of K on the 32 rows of one, 2 on the 64 of the other."""


def run(bits: int) -> Simulation:
    return simulate(single_gemm(M, N, K, bits, bits), load_accelerator("decoupled_int8_int4"))


def test_one_array_does_everything() -> None:
    high = run(8)
    balance = balance_of([(high, 1)])
    assert [(one.array, one.name, one.stream_cycles) for one in balance.arrays] == [
        ("arrays.0", "int8", 2 * 4 * M),
        ("arrays.1", "int4", 0),
    ]
    assert balance.arrays[0].share == 2 * 4 * M / high.execution.total_cycles
    assert balance.imbalance == 2


def test_means_over_images() -> None:
    """One image of 8 bits and three of 4: 800 cycles on one array, 3 x 400 on the other, over four images."""
    high, low = run(8), run(4)
    balance = balance_of([(high, 1), (low, 3)])
    assert [one.stream_cycles for one in balance.arrays] == [200, 300]
    assert balance.imbalance == pytest.approx(300 / 250)
    cycles = (high.execution.total_cycles + 3 * low.execution.total_cycles) / 4
    assert [one.share for one in balance.arrays] == pytest.approx([200 / cycles, 300 / cycles])


def test_layers_say_which_array_ran_what() -> None:
    rows = [layer_rows([(simulation, 1)])[0] for simulation in (run(8), run(4))]
    assert [(row["arrays"], row["modes"]) for row in rows] == [("0", "8x8"), ("1", "4x4")]
    assert [row["array_busy_cycles_by_array"] for row in rows] == ["800 0", "0 400"]
    assert [row["array_busy_cycles"] for row in rows] == [800, 400]


def test_the_report_tells_of_two_arrays_and_not_of_one() -> None:
    reports = [
        report_text(
            simulate_gemm((M, N, K), (8, 8), result_bits=None, accelerator=name, overrides=(), out=None, force=False)
        )
        for name in ("decoupled_int8_int4", "plain_int8_32x32")
    ]
    assert "int8 streams" in reports[0]
    assert "the busiest 2.00 times their mean" in reports[0]
    assert "streams" not in reports[1].replace("streaming", "")
