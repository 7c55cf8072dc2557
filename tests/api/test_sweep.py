"""A sweep and single runs from Python say the same."""

from __future__ import annotations

from pathlib import Path

import pytest

import mixarray
from mixarray_analysis import Sweep, read_sweep, sweep

PACKED = "packed_w4_32x32"


@pytest.fixture(scope="module")
def found(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    spec = {
        "schema_version": "1.0",
        "models": [{"bundle": str(bundle)}],
        "accelerators": [PACKED],
        "grid": {"arrays.0.rows": [16, 32], "ratio": [0, 0.4]},
    }
    return sweep(spec, tmp_path_factory.mktemp("sweep") / "small")


@pytest.mark.parametrize("rows", [16, 32])
def test_a_point_is_the_run_of_its_machine(found: Sweep, bundle: Path, rows: int) -> None:
    points = found.to_pandas().query("ratio == 0.4").set_index("rows")
    run = mixarray.simulate(bundle, PACKED, overrides={"arrays.0.rows": rows})
    assert run.speedup is not None
    names = ["cycles", "latency_ms", "energy_uj", "utilization", "simulated_speedup", "bops_speedup"]
    expected = [
        run.cycles,
        run.latency_ms,
        run.energy_uj,
        run.utilization,
        run.speedup.simulated,
        run.speedup.bops_blocks,
    ]
    assert points.loc[rows, names].tolist() == pytest.approx(expected)
    assert points.loc[48 - rows, names].tolist() != pytest.approx(expected), "the other machine is told apart"


def test_a_sweep_is_opened_again_and_shows_itself(found: Sweep) -> None:
    again = read_sweep(found.directory)
    assert len(again) == len(again.to_pandas()) == 4
    assert repr(again) == repr(found) == f"Sweep({str(found.directory)!r}, 4 points, 0 failed, 0 refused)"
    assert "4 points" in again._repr_html_()
    assert list(again.to_pandas(["cycles"]).columns) == ["cycles"]


def test_a_bad_specification_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(mixarray.InputError, match="models"):
        sweep({"schema_version": "1.0", "accelerators": [PACKED]}, tmp_path / "none")
