"""What the random cases of the packed W4 array reach, and that what is fed to it is what the folds say."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from mixarray.array.stationary import expand_stationary
from mixarray_analysis.validation.checks.rtl_packed_w4 import FAULTS
from mixarray_analysis.validation.rtl.bench import SHAPES
from mixarray_analysis.validation.rtl.difference import log_difference
from mixarray_analysis.validation.rtl.packed_w4 import ENTRIES, SOURCES, run
from mixarray_analysis.validation.rtl.packed_w4_cases import Case, draw_case
from mixarray_analysis.validation.rtl.packed_w4_directed import DEEPEST, deep, every_height, many_rows
from mixarray_analysis.validation.rtl.packed_w4_feed import make_feed, read_results

CASES = 200


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return [draw_case(0, number, SHAPES[number % len(SHAPES)]) for number in range(CASES)]


def test_cases_reach_every_policy_load_rows_port_width_and_mode(cases: list[Case]) -> None:
    arrays = Counter((c.array.weight_loading, c.array.weight_load_rows, c.array.row_load_cycles) for c in cases)
    assert len(arrays) == 3 * 2 * 3
    assert min(arrays.values()) >= 10
    modes = Counter(run.mode.action for case in cases for fold in case.folds for run in fold.runs)
    assert min(modes.values()) > 100
    assert len(modes) == 3


def test_half_of_the_cases_withhold_rows(cases: list[Case]) -> None:
    withheld = sum(any((*fold.load_gaps, *fold.row_gaps)) for case in cases for fold in case.folds[:1])
    assert 0.2 * CASES < withheld < 0.6 * CASES
    kinds = [(any(any(f.load_gaps) for f in case.folds), any(any(f.row_gaps) for f in case.folds)) for case in cases]
    assert all(kinds.count(kind) > 5 for kind in [(True, False), (False, True), (True, True), (False, False)])


def test_folds_mix_rows_of_one_and_of_two_passes_and_leave_slots_rows_and_columns_empty(cases: list[Case]) -> None:
    folds = [(case.array, fold) for case in cases for fold in case.folds]
    mixed = sum(len({run.mode.passes(fold.depth, array.rows) for run in fold.runs}) > 1 for array, fold in folds)
    half_filled = sum(array.rows < fold.depth < 2 * array.rows for array, fold in folds)
    shallow = sum(fold.depth < array.rows for array, fold in folds)
    narrow = sum(fold.width < array.columns for array, fold in folds)
    assert min(mixed, half_filled, shallow, narrow) > 50


def test_loads_wait_for_streams_and_streams_for_loads(cases: list[Case]) -> None:
    waits = Counter[str]()
    for case in cases:
        times = expand_stationary(case.array, case.folds).times
        for before, fold in pairwise(times):
            waits["load"] += fold.other_start_cycles > before.other_issued_cycles
            waits["stream"] += fold.stream_start_cycles > before.stream_issued_cycles
            waits["neither"] += fold.stream_start_cycles == before.stream_issued_cycles
    assert min(waits[kind] for kind in ("load", "stream", "neither")) > 100


def test_extreme_codes_occur_in_both_widths(cases: list[Case]) -> None:
    lowest = Counter(int(gemm.weights.min()) for case in cases for gemm in case.gemms)
    assert lowest[-8] > 50
    assert lowest[-128] > 20
    assert any(gemm.activations.min() == gemm.activations.max() == -128 for case in cases for gemm in case.gemms)


def test_a_case_is_repeatable() -> None:
    first, again = draw_case(3, 4, (8, 4)), draw_case(3, 4, (8, 4))
    assert first.folds == again.folds
    assert np.array_equal(first.gemms[0].activations, again.gemms[0].activations)
    assert first.describe() == again.describe()


def test_beats_bring_every_bit_of_a_row_once() -> None:
    case = draw_case(0, 2, (4, 4))
    feed, array = make_feed(case.array, case.gemms), case.array
    assert array.row_load_cycles == 3
    width = array.weight_port_bits
    bits = np.unpackbits(feed.beat_bytes, axis=1, bitorder="little")[:, :width].reshape(-1, 3 * width)
    rows = np.packbits(bits[:, :32], axis=1, bitorder="little").view(np.int8)
    gemm, fold = case.gemms[0], case.folds[0]
    assert fold.runs[0].mode.layout == (8, 2), "one byte is one weight"
    assert np.array_equal(rows[: fold.depth, : fold.width], gemm.weights[: fold.depth, : fold.width])
    assert not bits[:, 32:].any()


def test_accumulators_of_column_tiles_become_one_matrix() -> None:
    case = draw_case(0, 0, (4, 4))
    gemms = case.gemms
    entries = np.arange(make_feed(case.array, gemms).entries * 4, dtype=np.int32).reshape(-1, 4)
    results = list(read_results(case.array, gemms, entries))
    assert [result.shape for result in results] == [gemm.product().shape for gemm in gemms]
    wide = next(i for i, gemm in enumerate(gemms) if gemm.tiles(case.array) > 1)
    before = sum(gemm.tiles(case.array) * len(gemm.activations) for gemm in gemms[:wide])
    assert results[wide][0, 4] == entries[before + len(gemms[wide].activations), 0]


def test_a_line_too_many_or_too_few_is_a_difference() -> None:
    case = draw_case(0, 0, (4, 4))
    log = expand_stationary(case.array, case.folds).log
    assert log_difference(log, log) == ""
    assert "'nothing'" in log_difference(log, type(log)(*log.table()[:-1].T))
    assert f"line {len(log)} of" in log_difference(type(log)(*log.table()[:-1].T), log)


def test_every_fault_lies_in_this_array() -> None:
    assert {patch.file for fault in FAULTS.values() for patch in fault} <= set(SOURCES)


def test_sums_reach_both_ends_of_32_bits_and_no_further() -> None:
    (gemm,) = deep((16, 16), DEEPEST).gemms
    least, greatest = gemm.product().min(), gemm.product().max()
    assert 2**31 - 2**14 <= greatest < 2**31
    assert -(2**31) <= least < -(2**31) + 2**25


def test_the_small_deep_case_needs_more_than_24_bits_and_6_bits_of_fold_number() -> None:
    case = deep((4, 4), 1031)
    assert abs(case.gemms[0].product()).min() > 2**23
    assert len(case.folds) > 2**6


def test_many_rows_need_more_than_half_of_the_entries() -> None:
    case = many_rows((4, 4))
    assert ENTRIES / 2 < make_feed(case.array, case.gemms).entries <= ENTRIES


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_array_row_is_once_the_last_one_written(shape: tuple[int, int]) -> None:
    case = every_height(shape)
    assert [fold.load_rows(case.array) for fold in case.folds] == list(range(1, shape[0] + 1))
    assert case.array.row_load_cycles == 1
    times = expand_stationary(case.array, case.folds).times
    assert all(fold.stream_start_cycles == fold.other_issued_cycles for fold in times)


def test_random_tiles_are_often_lower_than_the_array(cases: list[Case]) -> None:
    heights = Counter(fold.depth for case in cases for fold in case.folds if case.array.rows == 16)
    assert len([height for height in heights if height < 16]) >= 8


def test_an_array_that_this_hardware_is_not_is_refused(tmp_path: Path) -> None:
    case = draw_case(0, 0, (4, 4))
    plain = case.array.model_copy(update={"pe_style": "plain"})
    with pytest.raises(ValueError, match="packed W4"):
        run(tmp_path / "none.so", plain, case.gemms)
