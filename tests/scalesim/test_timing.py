"""SCALE-Sim's rule in closed form: numbers worked out by hand, and what holds for all sizes."""

from __future__ import annotations

from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixarray.accelerator.enums import Dataflow, WeightLoading
from mixarray.accelerator.load import load_accelerator
from mixarray.array.fold import RowRun
from mixarray.array.problem import Problem, expand
from mixarray.timing.scalesim import scalesim_timing

WS, OS, IS = Dataflow.WEIGHT_STATIONARY, Dataflow.OUTPUT_STATIONARY, Dataflow.INPUT_STATIONARY
SIZE = st.integers(1, 300)
SIDE = st.integers(1, 64)


@pytest.mark.parametrize(
    ("dataflow", "cycles", "counts"),
    [
        (WS, (2 * 8 + 4 + 10 - 2) * 3 * 2 - 1, (10 * 20 * 2, 20 * 7, 10 * 7 * 3)),
        (IS, (2 * 8 + 4 + 7 - 2) * 3 * 3 - 1, (10 * 20, 20 * 7 * 3, 10 * 7 * 3)),
        (OS, (8 + 4 + 20 - 2) * 2 * 2 - 1, (10 * 20 * 2, 20 * 7 * 2, 10 * 7 + 2 * 2 * (8 + 4))),
    ],
)
def test_a_layer_worked_out_by_hand(dataflow: Dataflow, cycles: int, counts: tuple[int, int, int]) -> None:
    """M 10, N 7, K 20 on 8 x 4."""
    found = scalesim_timing(dataflow, 8, 4, 10, 7, 20)
    assert found.compute_cycles == cycles
    assert (found.sram_ifmap_reads, found.sram_filter_reads, found.sram_ofmap_writes) == counts
    assert found.overall_util_percent == pytest.approx(100 * 10 * 7 * 20 / (cycles * 32))


@given(SIDE, SIDE, SIZE, SIZE, SIZE)
def test_input_stationary_is_weight_stationary_transposed(rows: int, columns: int, m: int, n: int, k: int) -> None:
    ours, other = scalesim_timing(IS, rows, columns, m, n, k), scalesim_timing(WS, rows, columns, n, m, k)
    assert ours.compute_cycles == other.compute_cycles
    assert (ours.sram_ifmap_reads, ours.sram_filter_reads) == (other.sram_filter_reads, other.sram_ifmap_reads)
    assert ours.sram_ofmap_writes == other.sram_ofmap_writes


@given(st.sampled_from(Dataflow), SIDE, SIDE, SIZE, SIZE, SIZE)
def test_utilisations_are_shares(dataflow: Dataflow, rows: int, columns: int, m: int, n: int, k: int) -> None:
    found = scalesim_timing(dataflow, rows, columns, m, n, k)
    assert found.compute_cycles * rows * columns >= (m * n * k if dataflow is not OS else 0)
    assert 0 < found.compute_util_percent <= found.mapping_efficiency_percent <= 100


@given(st.integers(1, 120), st.integers(1, 80), st.integers(1, 80))
def test_it_is_our_serial_policy_but_for_the_last_cycle(m: int, n: int, k: int) -> None:
    """Two accounts of the same array: SCALE-Sim gives the number of the last cycle, ours how many there are."""
    array = load_accelerator("plain_int8_32x32").arrays[0].model_copy(update={"weight_loading": WeightLoading.SERIAL})
    ours = expand(array, Problem((RowRun(m, array.mode(8, 8)),), n, k))
    assert scalesim_timing(WS, 32, 32, m, n, k).compute_cycles == ours.total_cycles - 1


def test_a_layer_of_no_cycles_has_no_utilisation() -> None:
    """Where SCALE-Sim divides by zero."""
    found = scalesim_timing(OS, 1, 1, 1, 1, 1)
    assert found.compute_cycles == 0
    assert isnan(found.overall_util_percent)
