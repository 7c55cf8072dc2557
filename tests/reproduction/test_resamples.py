"""Resamples that `mixarray evaluate` writes: columns of two evaluations make the paired interval."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np
import pytest

from mixarray.trace.padding import Padding
from mixarray_analysis.tables import resamples_csv
from mixarray_traces.detection.average_precision import (
    CanvasRecord,
    Resampled,
    average_precision,
    basic_interval,
    bootstrap_difference,
    match_canvas,
)
from mixarray_traces.evaluation import Collected, row_of
from mixarray_traces.quantization.arithmetic import ArithmeticKind
from mixarray_traces.quantization.ratios import Ratios

HOW = Padding.ATTENTION, ArithmeticKind.FAKE


def records(seed: int, canvases: int = 30) -> list[CanvasRecord]:
    """One class, two objects a canvas, four detections of which some hit."""
    rng = np.random.default_rng(seed)
    truth = np.array([[0, 0, 10, 10], [50, 50, 60, 60]])
    found = [np.concatenate([truth, truth + 5])[rng.integers(0, 4, 4)] for _ in range(canvases)]
    return [match_canvas(boxes, rng.random(4), [0] * 4, truth, [0, 0], num_classes=1) for boxes in found]


def columns(*found: Sequence[CanvasRecord]) -> np.ndarray:
    """What is written of these, read again."""
    setting = Ratios.uniform(0, (2, 2, 6))
    rows = [row_of(setting, Collected(list(one), [0.0], [0.0]), None, "l2", *HOW) for one in found]
    text = resamples_csv(rows, ["0.2/0.4/0.4,0.6,0.8", *map(str, range(len(rows) - 1))])
    headings, *lines = csv.reader(io.StringIO(text))
    assert headings[0] == "0.2/0.4/0.4,0.6,0.8"
    return np.array(lines, np.float64).T


def test_columns_of_two_evaluations_make_the_paired_interval() -> None:
    one, other = records(1), records(2)
    samples = columns(one)[0] - columns(other)[0]
    expected = bootstrap_difference(one, other)
    found = basic_interval(average_precision(one).ap50 - average_precision(other).ap50, samples)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=2e-4)


def test_resamples_of_other_canvases_would_not_do() -> None:
    one, other = records(1), records(2)
    value = average_precision(one).ap50 - average_precision(other).ap50
    unpaired = basic_interval(value, Resampled.of(one, seed=0).samples - Resampled.of(other, seed=1).samples)
    paired = bootstrap_difference(one, other)
    assert abs(unpaired.low - paired.low) > 1e-3
