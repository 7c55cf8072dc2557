"""Editing a bundle, re-hashed, changes the simulation exactly as the rules of design 4 predict."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.mapping.schedule import JobKind
from mixarray.simulation import Simulation, simulate
from mixarray.trace.baseline import uniform_workload
from mixarray.trace.bundle import read_bundle, rehash

Make = Callable[..., Path]
PACKED, PLAIN = load_accelerator("packed_w4_32x32"), load_accelerator("plain_int8_32x32")


def set_bits(path: Path, block: int, low: int) -> None:
    """Give the `low` least important windows of one block 4 bits and the others 8."""
    table = pq.read_table(path / "windows.parquet")
    rows = table.to_pandas()
    here = rows["block"] == block
    rows.loc[here, "bits"] = np.where(rows["window"][here] >= 4 - low, 4, 8)
    bits = table.schema.get_field_index("bits")
    pq.write_table(table.set_column(bits, "bits", [rows["bits"].to_numpy()]), path / "windows.parquet")
    rehash(path)


def stream_cycles(simulation: Simulation) -> list[int]:
    """Cycles that each GEMM's streams occupy the array."""
    gemms = (o.busy_cycles for o in simulation.execution.operators if o.macs)
    return [sum(cycles for (_, kind), cycles in busy.items() if kind is JobKind.STREAM) for busy in gemms]


@pytest.mark.parametrize("low", [0, 1, 3, 4])
def test_stream_cycles_follow_the_edited_windows(make_bundle: Make, low: int) -> None:
    path = make_bundle(low=2)
    set_bits(path, block=1, low=low)
    simulation = simulate(read_bundle(path).workload(0), PACKED)
    linear = [49 * (2 * (4 - n) + n) * 3 for n in (2, low)]  # K=64: passes 2 and 1; N=96: 3 folds
    attention = [49 * 3 * (2 * (4 - n) + n) * 2 for n in (2, low)]  # nibble passes 2 and 1; N=49: 2 folds; 3 heads
    head = 64 * 2  # 8x8: two nibble passes
    assert stream_cycles(simulation) == [linear[0], attention[0], linear[1], attention[1], head]


def test_all_low_equals_the_uniform_model(make_bundle: Make) -> None:
    path = make_bundle(low=2)
    before = simulate(read_bundle(path).workload(0), PACKED)
    for block in (0, 1):
        set_bits(path, block, low=4)
    after = simulate(read_bundle(path).workload(0), PACKED)
    uniform = simulate(uniform_workload(read_bundle(path), 4, 4), PACKED)
    assert after.execution.total_cycles == uniform.execution.total_cycles < before.execution.total_cycles
    assert after.energy.total_pj == uniform.energy.total_pj


@pytest.mark.parametrize("low", [0, 2, 4])
def test_the_plain_array_streams_the_same_whatever_the_bits(make_bundle: Make, low: int) -> None:
    simulation = simulate(read_bundle(make_bundle(low=low)).workload(0), PLAIN)
    assert stream_cycles(simulation) == [196 * 2 * 3, 49 * 12 * 2, 196 * 2 * 3, 49 * 12 * 2, 64]


def test_macs_are_conserved_and_the_walk_covers_the_run(make_bundle: Make) -> None:
    workload = read_bundle(make_bundle(low=2)).workload(0)
    simulation = simulate(workload, PACKED, timeline=True)
    assert simulation.execution.macs == workload.macs
    assert simulation.attribution is not None
    assert sum(simulation.attribution.cycles.values()) == simulation.execution.total_cycles
    assert simulate(workload, PACKED).execution.total_cycles == simulation.execution.total_cycles
