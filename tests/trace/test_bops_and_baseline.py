"""BOPs as published, counted by hand, and the uniform baselines of a bundle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mixarray.errors import InputError
from mixarray.trace.baseline import ratio_zero_workload, uniform_workload
from mixarray.trace.bops import bops, bops_speedup
from mixarray.trace.bundle import read_bundle
from mixarray.trace.inspect import inspect_bundle
from mixarray_traces.record.random_trace import random_bundle
from mixarray_traces.record.shape import shape_named

Make = Callable[..., Path]
LINEAR = 49 * 96 * 64  # MACs of one window
ATTENTION = 3 * 49 * 49 * 32


def test_bops_are_linear_in_activation_bits_and_leave_the_head_out(make_bundle: Make) -> None:
    workload = read_bundle(make_bundle(low=1)).workload(0)
    assert bops(workload) == 2 * (LINEAR + ATTENTION) * (3 * 8 + 1 * 4)


@pytest.mark.parametrize(("low", "expected"), [(0, 1.0), (1, 8 / 7), (2, 4 / 3), (4, 2.0)])
def test_published_formula(make_bundle: Make, low: int, expected: float) -> None:
    bundle = read_bundle(make_bundle(low=low))
    assert bops_speedup(bundle.workload(0), ratio_zero_workload(bundle)) == pytest.approx(expected, rel=1e-12)


def test_ratio_zero_baseline_equals_a_bundle_without_low_windows(make_bundle: Make) -> None:
    mixed, plain = read_bundle(make_bundle("mixed", low=2)), read_bundle(make_bundle("plain", low=0))
    assert ratio_zero_workload(mixed).operators == plain.workload(0).operators


@pytest.mark.parametrize(("activation", "weight"), [(8, 8), (8, 4), (4, 4)])
def test_uniform_workloads(make_bundle: Make, activation: int, weight: int) -> None:
    bundle = read_bundle(make_bundle())
    workload = uniform_workload(bundle, activation, weight)
    linear, attention, *_, head = (grouped.groups for grouped in workload.operators if grouped.macs)
    assert [(g.stream_bits, g.stationary_bits, g.rows) for g in linear] == [(activation, weight, 196)]
    assert [(g.stream_bits, g.stationary_bits, g.batch) for g in attention] == [(activation, activation, 12)]
    assert [(g.stream_bits, g.stationary_bits) for g in head] == [(8, 8)]
    assert workload.macs == bundle.workload(0).macs


def test_impossible_baseline(make_bundle: Make) -> None:
    with pytest.raises(InputError, match="weight bits: 0"):
        uniform_workload(read_bundle(make_bundle()), 8, 0)


def test_inspect_counts_what_is_there(make_bundle: Make) -> None:
    summary = inspect_bundle(read_bundle(make_bundle(low=1)))
    assert summary.precision == "W4A8/W4A4"
    assert (summary.ratio, summary.ratio_actual) == (0.25, 0.25)
    assert summary.bops_speedup == pytest.approx(8 / 7)
    assert summary.stages[0].windows_by_bits == ((8, 12), (4, 4))
    assert (summary.stages[0].blocks, summary.stages[0].windows_per_block) == (2, 4)


def test_swin_t_at_the_paper_s_size(tmp_path: Path) -> None:
    """Blocks with attention-only padding at 800x1333 are 94.950 GMAC, and 1.25x is promised for 40 % low windows."""
    bundle = read_bundle(random_bundle(shape_named("swin_t"), 800, 1333, 400, 0, tmp_path / "swin_t"))
    reference = ratio_zero_workload(bundle)
    assert bops(reference) / 8 == pytest.approx(94.950e9, rel=1e-5)
    assert bops_speedup(bundle.workload(0), reference) == pytest.approx(1 / (1 - bundle.ratio_actual / 2), rel=3e-3)
