"""Shares: those of whole windows, equal to what a run and a bundle count."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mixarray.trace.bundle import read_bundle
from mixarray_traces.evaluation import low_share, pruned_share
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.ratios import RatioChoice, Ratios
from mixarray_traces.record import random_bundle, shape_named
from mixarray_traces.record.recorder import shape_of
from mixarray_traces.studies.shares import share_rows, total_shares

SWIN_T = shape_named("swin_t")


def test_one_window_is_pruned_whole_at_any_ratio() -> None:
    rows = {(row.stage, row.block): row for row in share_rows(SWIN_T, 224, 224, [RatioChoice(300, 1)])}
    last = rows[3, 0]
    assert (last.windows, last.high, last.low, last.pruned) == (1, 0, 0, 1)
    assert rows[0, 0].pruned == 1
    assert rows[0, 0].pruned_actual == 1 / 64 > rows[0, 0].pruning / 1000


@pytest.mark.parametrize("ratios", [RatioChoice(400), RatioChoice(300, 200)])
def test_totals_are_those_of_a_bundle(tmp_path: Path, ratios: RatioChoice) -> None:
    rows = share_rows(SWIN_T, 224, 320, [ratios])
    bundle = read_bundle(random_bundle(SWIN_T, 224, 320, ratios, 0, tmp_path / "bundle"))
    assert total_shares(rows) == pytest.approx((bundle.ratio_actual, bundle.pruning_actual))
    fault = [replace(row, low=row.low + 1) if row.block == 0 else row for row in rows]
    assert total_shares(fault) != pytest.approx((bundle.ratio_actual, bundle.pruning_actual))


def test_totals_are_those_of_a_run(model: QuantizedDetector) -> None:
    ratios = Ratios(((300,), (200,), (0, 300, 100)), ((100,), (300,), (0, 200, 500)))
    rows = share_rows(shape_of(model.detector), 112, 160, [ratios])
    images = torch.randn(1, 3, 112, 160, generator=torch.Generator().manual_seed(0))
    run = model.run(images, model.plan(ratios, (ImageFacts(),)))
    assert total_shares(rows) == pytest.approx((low_share(run), pruned_share(run)))
    assert [(row.stage, row.block, row.pruned) for row in rows] == [
        (seen.stage, seen.block, int(seen.pruned.sum())) for seen in run.windows
    ]
