"""Accesses of each buffer against closed forms of one GEMM, and what is said where one port could not serve them."""

from __future__ import annotations

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.result import ports
from mixarray.result.ports import words_on_ports
from mixarray.result.totals import Totals, totals_of
from mixarray.simulation import Simulation, simulate
from mixarray.trace.workload import WindowCount, build_workload, single_gemm
from mixarray_analysis.simulating import report_text, simulate_gemm
from mixarray_traces.record.shape import SwinShape
from mixarray_traces.record.topology import build_topology

SIDE = 32
"""Rows and columns of the array; a word of the operand buffers holds 32 codes, one of the accumulators 32 sums."""

TILE = 256
"""Rows whose sums fill a slot of the accumulators: 32 KiB, 32 sums of 4 bytes each."""


def run(m: int, n: int, k: int, name: str = "plain_int8_32x32", *overrides: str) -> Simulation:
    return simulate(single_gemm(m, n, k, 8, 8), load_accelerator(name, overrides))


def counted(totals: Totals, name: str) -> float:
    (use,) = [use for use in totals.buffers if use.buffer == f"buffers.{name}"]
    return use.accesses_per_cycle * totals.cycles


def by_hand(m: int, n: int, k: int) -> dict[str, int]:
    """Every code goes in and out once, and once more for each time that the array reads it; so do results.

    The array reads rows for each of its columns of N, weights for each tile of rows; a pass adds to 32 sums (the first
    one of a column only writes them), and requantization reads them.
    """
    columns, folds = n // SIDE, k // SIDE
    rows_in, results = m * folds, m * columns
    return {
        "weight": k * n // SIDE * (1 + -(-m // TILE)),
        "activation": rows_in + rows_in * columns + 2 * results,
        "accumulator": results * (2 * folds - 1) + results,
    }


@pytest.mark.parametrize("shape", [(100, 64, 128), (32, 32, 32), (7, 96, 64), (500, 32, 256)])
def test_one_gemm_by_closed_form(shape: tuple[int, int, int]) -> None:
    totals = totals_of([(run(*shape), 1)])
    assert {name: counted(totals, name) for name in by_hand(*shape)} == pytest.approx(by_hand(*shape))


def test_means_over_images() -> None:
    """Twice the rows in one of four images: (3 x 100 + 200) / 4 rows."""
    totals = totals_of([(run(100, 64, 128), 3), (run(200, 64, 128), 1)])
    assert counted(totals, "accumulator") == pytest.approx(by_hand(125, 64, 128)["accumulator"])


def test_every_array_has_accumulators_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    simulation, wanted = run(100, 64, 128, "decoupled_int8_int4"), by_hand(100, 64, 128)["accumulator"]
    assert counted(totals_of([(simulation, 1)]), "accumulator") == pytest.approx(wanted / 2)
    monkeypatch.setattr(ports, "copies", lambda accelerator, name: 1)
    assert counted(totals_of([(simulation, 1)]), "accumulator") != pytest.approx(wanted / 2)


def test_values_written_one_by_one() -> None:
    """K of 4 windows: 196 tokens of 32 channels, a word each; a job in each window may round its words up."""
    shape, counts = SwinShape("one", channels=(32,), depths=(1,), heads=(1,)), (WindowCount(8, 4, 4 * 49),)
    workload = build_workload("one", build_topology(shape, 56, 56, None), {(0, 0): counts}, 49)
    values = {}
    for transpose in ("in_buffer", "pass", "free"):
        accelerator = load_accelerator("packed_w4_32x32", [f"mapping.transpose={transpose}"])
        totals = totals_of([(simulate(workload, accelerator), 1)])
        values[transpose] = [round(use.value_writes_per_cycle * totals.cycles) for use in totals.buffers]
    single = values.pop("in_buffer")
    assert values == {"pass": [0, 0, 0], "free": [0, 0, 0]}
    assert single[1:] == [0, 0]
    assert 196 * 31 - 4 <= single[0] <= 196 * 31


def test_what_one_port_serves_is_not_mentioned() -> None:
    """With the array never waiting, rows are read while others arrive, and sums are read and written in every cycle."""
    report = [
        report_text(
            simulate_gemm(
                (m, 32, k),
                (8, 8),
                result_bits=None,
                accelerator="plain_int8_32x32",
                overrides=("dram_channels.0.bits_per_cycle=65536",),
                out=None,
                force=False,
            )
        )
        for m, k in ((2000, 1024), (1, 32))
    ]
    assert "  ports        buffers.activation 2.04, buffers.accumulator 1.98 accesses per cycle" in report[0]
    assert "ports" not in report[1]
    assert words_on_ports(totals_of([(run(1, 32, 32), 1)]).buffers) == ""
