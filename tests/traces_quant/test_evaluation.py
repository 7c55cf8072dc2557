"""Accuracy over ratios."""

from __future__ import annotations

import math

import pytest

from mixarray.errors import InputError
from mixarray_traces.evaluation import evaluate
from mixarray_traces.quantization.quantized import QuantizedDetector


def test_rows_carry_counts_intervals_and_the_paired_difference(model: QuantizedDetector) -> None:
    calls: list[tuple[int, int]] = []
    rows = evaluate(model, [0, 400], n=3, size=128, batch=2, progress=lambda *call: calls.append(call))
    assert [row.ratio for row in rows] == [0, 400]
    assert rows[0].ratio_actual == 0
    # 128 px: 25, 9 and 4 windows, of which 10, 4 and 2 run low, in 2, 2 and 6 blocks.
    assert rows[1].ratio_actual == pytest.approx((2 * 10 + 2 * 4 + 6 * 2) / (2 * 25 + 2 * 9 + 6 * 4))
    assert all(row.ap50_low <= row.ap50 <= row.ap50_high and row.n == 3 for row in rows)
    assert rows[0].difference_low == rows[0].difference_high == 0
    assert calls[-1] == (6, 6)


def test_without_ratio_zero_there_is_no_difference(model: QuantizedDetector) -> None:
    (row,) = evaluate(model, [1000], n=1, size=128)
    assert row.ratio_actual == 1
    assert math.isnan(row.difference_low)


def test_bad_input_is_refused(model: QuantizedDetector) -> None:
    for ratios, n, score in (([0], 0, "l2"), ([900], 1, "l2"), ([0], 1, "loud")):
        with pytest.raises(InputError):
            evaluate(model, ratios, n=n, size=128, score=score)
