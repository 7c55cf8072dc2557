"""Zero codes: counted as the array meets them, one PE-cycle at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mixarray.accelerator.enums import ZeroGating
from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import Accelerator
from mixarray.cost.pe_time import UNUSED
from mixarray.cost.tables import energy_table
from mixarray.cost.unit_energy import unit_energy
from mixarray.cost.zeros import Codes, image_codes, summed, zero_cycles, zero_pe_cycles
from mixarray.errors import InputError
from mixarray.mapping.schedule import Action
from mixarray.simulation import Simulation, simulate, with_codes
from mixarray.trace.bundle import read_bundle
from mixarray.trace.workload import single_gemm
from mixarray_traces.record.packing import pack_codes
from mixarray_traces.record.random_trace import random_bundle
from mixarray_traces.record.shape import shape_named

Integers = NDArray[np.int8]


def by_hand(zeros: NDArray[np.bool_], lanes: int, array_rows: int) -> int:
    """Every pass, PE row and streamed row in turn."""
    rows, depth = zeros.shape
    found = 0
    for start in range(0, depth, lanes * array_rows):
        for pe in range(array_rows):
            entering = list(range(start + pe, min(start + lanes * array_rows, depth), array_rows))
            if entering:
                found += sum(all(zeros[row, k] for k in entering) for row in range(rows))
    return found


@given(
    seed=st.integers(0, 10**6),
    rows=st.integers(1, 4),
    depth=st.integers(1, 30),
    lanes=st.integers(1, 4),
    array_rows=st.integers(1, 7),
)
def test_zero_cycles_equal_a_walk_over_all_pes(seed: int, rows: int, depth: int, lanes: int, array_rows: int) -> None:
    zeros = np.random.default_rng(seed).random((rows, depth)) < 0.6
    assert zero_cycles(zeros, lanes, array_rows) == by_hand(zeros, lanes, array_rows)


def test_two_lanes_hold_values_a_whole_array_apart() -> None:
    """Values 0 and 2 meet in PE row 0 of an array of 2 rows. Pairing neighbours would find a PE-cycle too many."""
    zeros = np.array([[True, True, False, False]])
    assert zero_cycles(zeros, lanes=2, array_rows=2) == 0
    assert zero_cycles(zeros, lanes=2, array_rows=1) == 1
    assert zero_cycles(zeros, lanes=1, array_rows=2) == 2


def codes_of(stream: Integers, stream_bits: int, weights: Integers, weight_bits: int) -> Codes:
    """Codes as a recorder writes them."""

    def part(name: str, values: Integers, bits: int) -> dict[str, NDArray[Any]]:
        return {f"{name}@{bits}": pack_codes(values, bits), f"{name}@{bits}.shape": np.array((1, *values.shape))}

    return Codes(part("stream", stream, stream_bits), part("stationary", weights, weight_bits), "here")


def draw(seed: int, m: int, n: int, k: int) -> tuple[Integers, Integers]:
    random = np.random.default_rng(seed)
    stream, weights = random.integers(-3, 4, (m, k)), random.integers(-2, 3, (k, n))
    return stream.astype(np.int8), weights.astype(np.int8)


def gated(preset: str, *sets: str) -> Accelerator:
    return load_accelerator(preset, ["zero_gating=operand", "arrays.0.rows=4", "arrays.0.columns=3", *sets])


def run(machine: Accelerator, bits: tuple[int, int], codes: Codes, m: int, n: int, k: int) -> Simulation:
    return simulate(single_gemm(m, n, k, *bits), machine, codes=codes)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    m=st.integers(1, 9),
    n=st.integers(1, 7),
    k=st.integers(1, 20),
    case=st.sampled_from(
        [
            ("packed_w4_32x32", (8, 4), "weight_stationary"),
            ("packed_w4_32x32", (4, 4), "weight_stationary"),
            ("packed_w4_32x32", (8, 8), "weight_stationary"),
            ("plain_int8_32x32", (8, 8), "weight_stationary"),
            ("plain_int8_32x32", (4, 8), "output_stationary"),
            ("plain_int8_32x32", (8, 4), "input_stationary"),
        ]
    ),
)
def test_zeros_of_a_gemm_are_those_of_its_streamed_codes(
    seed: int, m: int, n: int, k: int, case: tuple[str, tuple[int, int], str]
) -> None:
    preset, bits, dataflow = case
    machine = gated(preset, f"arrays.0.dataflow={dataflow}")
    stream, weights = draw(seed, m, n, k)
    simulation = run(machine, bits, codes_of(stream, bits[0], weights, bits[1]), m, n, k)
    mode = machine.arrays[0].mode(*machine.arrays[0].roles(*bits))
    if dataflow == "input_stationary":
        expected = int((weights == 0).sum()) * m
    else:
        expected = by_hand(stream == 0, mode.lanes, 4) * n * mode.slots_per_value
    counts = {item.action: item.count for item in simulation.energy.items if item.component == "arrays.0"}
    assert counts[f"{mode.action}_zero"] == expected
    assert counts[mode.action] + expected == simulation.execution.actions[Action("arrays.0", mode.action)]
    plain = simulate(simulation.workload, machine.model_copy(update={"zero_gating": ZeroGating.NONE}))
    assert simulation.execution.total_cycles == plain.execution.total_cycles
    assert simulation.energy.total_pj <= plain.energy.total_pj


def test_every_image_has_its_own_zeros_and_the_same_cycles() -> None:
    machine, (stream, weights) = gated("packed_w4_32x32"), draw(1, 6, 3, 8)
    first = run(machine, (8, 4), codes_of(stream, 8, weights, 4), 6, 3, 8)
    other = with_codes(first, codes_of(np.zeros_like(stream), 8, weights, 4))
    assert other.execution is first.execution
    found = {item.action: item for item in other.energy.items if item.component == "arrays.0"}
    assert (found["pe_cycle_8x4"].count, found["pe_cycle_8x4_zero"].count) == (0, 6 * 3 * 8)
    each = unit_energy(Action("arrays.0", UNUSED), machine, energy_table(machine.energy_table)).value
    assert found["pe_cycle_8x4_zero"].pj == pytest.approx(6 * 3 * 8 * each)


def test_codes_that_are_missing_or_of_another_size_are_refused() -> None:
    machine, (stream, weights) = gated("packed_w4_32x32"), draw(1, 6, 3, 8)
    workload = single_gemm(6, 3, 8, 8, 4)
    right = codes_of(stream, 8, weights, 4)
    operators = simulate(workload, machine, codes=right).execution.operators
    assert summed(zero_pe_cycles(right, workload, machine, operators))[Action("arrays.0", "pe_cycle_8x4")] > 0
    for wrong, message in (
        (codes_of(stream, 4, weights, 4), "stream@8: has no codes of this tensor"),
        (codes_of(stream[:5], 8, weights, 4), "codes are recorded where 48 run"),
    ):
        with pytest.raises(InputError, match=message):
            zero_pe_cycles(wrong, workload, machine, operators)
    with pytest.raises(InputError, match="zero_gating: operand needs the codes"):
        simulate(workload, machine)


def test_counts_that_are_not_of_these_codes_are_noticed() -> None:
    """Operators that ran other rows than the codes say: which code entered which PE cannot be told."""
    machine, (stream, weights) = gated("packed_w4_32x32"), draw(1, 6, 3, 8)
    codes = codes_of(stream, 8, weights, 4)
    other = simulate(single_gemm(6, 2, 8, 8, 4), machine.model_copy(update={"zero_gating": ZeroGating.NONE}))
    with pytest.raises(InputError, match="which codes enter which PEs in gemm cannot be told"):
        zero_pe_cycles(codes, single_gemm(6, 3, 8, 8, 4), machine, other.execution.operators)


def test_a_bundle_without_codes_says_how_to_record_them(tmp_path: Path) -> None:
    bundle = read_bundle(random_bundle(shape_named("swin_t"), 224, 224, 500, 0, tmp_path / "bundle"))
    with pytest.raises(InputError, match=r"holds no codes of image 0, .*--tensors all"):
        image_codes(bundle, 0)
