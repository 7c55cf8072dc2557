"""A toy model recorded, simulated, swept and explained once, in seconds, and a sweep of invented numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mixarray.trace.bundle import read_bundle
from mixarray_analysis.cli import main
from mixarray_analysis.experiment import Findings, Shares, simulate_plan
from mixarray_analysis.plan import Layout, Plan
from mixarray_analysis.plots.frames import tornado
from mixarray_analysis.plots.frames.levers import variations
from mixarray_analysis.sweeping import write_tables
from mixarray_analysis.sweeps.api import sweep
from mixarray_traces.record.random_trace import random_bundle
from mixarray_traces.record.shape import SwinShape

SHAPE = SwinShape("small", (16, 32), (2, 2), (1, 2), window=4)
PACKED, PLAIN = "packed_w4_32x32", "plain_int8_32x32"
RATIOS = (0, 400, 800)


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """demo/ (as `mixarray demo` leaves it), packed/ and plain/ (runs), shapes/ (a sweep), explained/, photo.png.

    explained/ has the numbers of one accelerator twice, so that there are two panels.
    """
    place = tmp_path_factory.mktemp("plots")
    make_demo(place / "demo")
    bundle = place / "demo" / "bundles" / "ratio_0400"
    for name, accelerator in (("packed", PACKED), ("plain", PLAIN)):
        assert main(["simulate", str(bundle), "-a", accelerator, "-o", str(place / name), "-q"]) == 0
    assert main(["explain", str(bundle), "-a", PACKED, "-o", str(place / "explained"), "-q"]) == 0
    waterfall = pd.read_csv(place / "explained" / "waterfall.csv")
    pd.concat([waterfall, waterfall.assign(accelerator="another")]).to_csv(
        place / "explained" / "waterfall.csv", index=False
    )
    grid = {"ratio": [0, 0.4], "arrays.0.rows": [8, 16], "arrays.0.columns": [8, 16]}
    spec = {"models": [{"bundle": str(bundle)}], "accelerators": [PACKED], "grid": grid, "schema_version": "1.0"}
    sweep(spec, place / "shapes")
    Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(place / "photo.png")
    return place


def make_demo(root: Path) -> None:
    """Bundles of random ratios, their runs and the uniform ones, and summaries with invented accuracies."""
    plan = Plan(RATIOS, (PACKED, PLAIN), uniform=((8, 8), (8, 4), (4, 4)), jobs=1, quiet=True)
    layout = Layout(root)
    for ratio in RATIOS:
        random_bundle(SHAPE, 64, 64, ratio, 0, layout.bundle(ratio))
    runs, uniform = simulate_plan(plan, layout, (PACKED, PLAIN))
    bundles = {ratio: read_bundle(layout.bundle(ratio)) for ratio in RATIOS}
    shares = {ratio: Shares(bundle.ratio_actual, 0.0) for ratio, bundle in bundles.items()}
    write_tables(Findings((PACKED, PLAIN), {}, shares, runs, uniform), layout)
    for file in root.glob("summary*.csv"):
        summary = pd.read_csv(file)
        accuracy = 0.7 - 0.1 * summary["ratio"]
        measured = {"accuracy": accuracy, "accuracy_low": accuracy - 0.05, "accuracy_high": accuracy + 0.04, "n": 100}
        summary.assign(**measured).to_csv(file, index=False)
    (root / "sentences.txt").write_text("none\n")


FIELDS = (
    *("clock_mhz", "leakage", "zero_gating", "arrays.0.rows", "arrays.0.weight_loading", "buffers.activation.slots"),
    *("buffers.weight.port_bits", "buffers.weight.banks", "dram_channels.0.burst_bits", "mapping.transpose"),
)
"""Of every sort one or two: all of them take many times as long."""


@pytest.fixture(scope="session")
def turned(place: Path) -> pd.DataFrame:
    """The tornado of packed/, of FIELDS alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            tornado, "variations", lambda machine: [one for one in variations(machine) if one.field in FIELDS]
        )
        return tornado.tornado_frame(place / "packed")


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, which stays empty unless the test writes there."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
