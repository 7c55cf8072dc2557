"""The cost of a bundle: counted where it can be counted by hand, equal to a plain run, each mark in its own column."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

import mixarray
from mixarray.errors import InputError
from mixarray.trace.bundle import Bundle, read_bundle
from mixarray_analysis.method_comparison.cost import Cost, cost_of, read_costs, write_costs
from mixarray_analysis.method_comparison.subjects import MACHINES
from mixarray_analysis.method_comparison.transfer import transferred
from mixarray_traces.quantization.allocation import Allocation
from mixarray_traces.record.compensated import compensated
from mixarray_traces.record.graph import Precision
from mixarray_traces.record.method_marks import marks_of
from mixarray_traces.record.random_trace import random_bundle
from mixarray_traces.record.shape import SwinShape

TOY = SwinShape("toy", channels=(32, 64), depths=(2, 2), heads=(1, 2))
PACKED = MACHINES[0]


def bundle(place: Path, method: str = "uniform_affine", bits: tuple[int, int] = (8, 4), rank: int = 0) -> Bundle:
    precision, quantizers = Precision((bits[0], bits[0] - 1), bits[1]), marks_of(method)
    if rank:
        precision, quantizers = compensated(TOY, rank, 8, precision, quantizers)
    out = place / f"{method}_{bits}_{rank}"
    return read_bundle(random_bundle(TOY, 112, 112, 0, 0, out, precision=precision, quantizers=quantizers))


def cost(place: Path, method: str = "uniform_affine", bits: tuple[int, int] = (8, 4), rank: int = 0) -> Cost:
    return cost_of(bundle(place, method, bits, rank), mixarray.load_accelerator(PACKED))


def test_costs_are_those_of_a_plain_run(tmp_path: Path) -> None:
    recorded = bundle(tmp_path, "repq_vit")
    found, run = cost_of(recorded, mixarray.load_accelerator(PACKED)), mixarray.simulate(recorded, PACKED)
    assert (found.cycles, found.energy_uj, found.latency_ms) == (run.cycles, run.energy_uj, run.latency_ms)
    wide = mixarray.simulate(recorded, PACKED, uniform="W8A8")
    assert (found.widest_cycles, found.widest_energy_uj) == pytest.approx((wide.cycles, wide.energy_uj))
    assert found.trace_sha256 == recorded.sha256


def test_six_bits_are_promised_and_eight_are_run(tmp_path: Path) -> None:
    six, eight = cost(tmp_path, bits=(6, 6)), cost(tmp_path, bits=(8, 8))
    assert six.bops * 64 == six.widest_bops * 36
    assert six.mode_bops == six.widest_bops == eight.bops
    assert eight.mode_bops == eight.bops
    assert six.cycles == six.widest_cycles


def test_four_bits_are_run_as_promised(tmp_path: Path) -> None:
    four = cost(tmp_path, bits=(4, 4))
    assert four.mode_bops == four.bops
    assert four.bops * 4 == four.widest_bops
    assert four.cycles < four.widest_cycles


def test_each_method_fills_its_own_columns(tmp_path: Path) -> None:
    plain, repq, mptq = (cost(tmp_path, method) for method in ("uniform_affine", "repq_vit", "mptq_vit"))
    side = cost(tmp_path, "aiqvit", rank=8)
    assert [one.thin_gemm_uj > 0 for one in (plain, repq, mptq, side)] == [False, False, False, True]
    assert [one.shifts > 0 for one in (plain, repq, mptq, side)] == [False, False, True, False]
    assert repq.row_sum_uj > plain.row_sum_uj > mptq.row_sum_uj == 0
    assert plain.column_sum_uj > repq.column_sum_uj > 0
    assert plain.column_sum_uj > mptq.column_sum_uj > 0
    assert side.thin_gemm_cycles > 0


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    recorded = bundle(tmp_path)
    path = write_costs(recorded, MACHINES, tmp_path / "costs.csv")
    rows = read_costs(path)
    assert [asdict(row) for row in rows] == [
        asdict(cost_of(recorded, mixarray.load_accelerator(machine))) for machine in MACHINES
    ]


def test_bits_are_transferred_by_name_and_from_the_end() -> None:
    small = {f"stages.{stage}.blocks.{block}.mlp.fc1": 4 + stage + block for stage, block in ((0, 0), (1, 0), (1, 1))}
    found = transferred(Allocation(small, {}), (1, 2, 2)).weights
    assert {name: found[name] for name in small} == small
    assert found["stages.2.blocks.0.mlp.fc1"] == small["stages.1.blocks.0.mlp.fc1"]
    assert found["stages.2.blocks.1.mlp.fc1"] == small["stages.1.blocks.1.mlp.fc1"]


@pytest.mark.parametrize(("weights", "message"), [({}, "names no layer"), ({"head.fc1": 4}, "lies in no block")])
def test_nothing_to_transfer_is_refused(weights: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        transferred(Allocation(weights, {}), (2, 2))
