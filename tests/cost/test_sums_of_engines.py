"""Both engines count the same actions, in different orders; energies are the same to the last digit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mixarray.result import layers
from mixarray_analysis.cli import main
from mixarray_traces.record.random_trace import random_bundle
from mixarray_traces.record.shape import SwinShape

FILES = ("layers.csv", "layers.parquet")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Swin of two stages on 112 x 112 with windows drawn at random."""
    shape = SwinShape("small", channels=(96, 192), depths=(2, 2), heads=(3, 6))
    return random_bundle(shape, 112, 112, 400, 1, tmp_path_factory.mktemp("sums") / "bundle")


def run_of(engine: str, bundle: Path, out: Path) -> Path:
    assert main(["simulate", str(bundle), "--engine", engine, "-q", "-o", str(out)]) == 0
    return out


def test_layers_and_totals_do_not_depend_on_the_engine(bundle: Path, tmp_path: Path) -> None:
    event, fast = (run_of(engine, bundle, tmp_path / engine) for engine in ("event", "fast"))
    for file in FILES:
        assert (event / file).read_bytes() == (fast / file).read_bytes()
    results = [json.loads((run / "run.json").read_text()) for run in (event, fast)]
    assert [result.pop("engine") for result in results] == ["event", "fast"]
    assert results[0] == results[1]


def test_sums_that_round_at_every_step_would_differ(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layers, "fsum", sum)
    event, fast = (run_of(engine, bundle, tmp_path / engine) for engine in ("event", "fast"))
    assert (event / "layers.csv").read_bytes() != (fast / "layers.csv").read_bytes()
