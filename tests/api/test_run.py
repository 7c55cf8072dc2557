"""What a run from Python shows: totals, a row per layer, speedups over what was chosen, a line and a table."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

import mixarray
from mixarray.accelerator.load import list_accelerators, load_accelerator
from mixarray.accelerator.write import accelerator_sha256
from mixarray.result.glossary import LAYER_COLUMNS

PACKED = "packed_w4_32x32"


@pytest.fixture(scope="module")
def run(bundle: Path) -> mixarray.Run:
    return mixarray.simulate(bundle, PACKED)


def test_the_frame_is_the_table_of_layers_that_is_written(run: mixarray.Run, tmp_path: Path) -> None:
    frame = run.to_pandas()
    assert list(frame.columns) == list(LAYER_COLUMNS)
    written = pd.read_parquet(run.write(tmp_path / "run") / "layers.parquet")
    pd.testing.assert_frame_equal(frame, written)
    with pytest.raises(AssertionError):
        pd.testing.assert_frame_equal(frame.assign(macs=frame["macs"] + 1), written)


def test_the_rows_sum_to_the_totals(run: mixarray.Run) -> None:
    frame = run.to_pandas()
    assert frame["attributed_cycles"].sum() == run.cycles == run.totals.cycles
    assert frame["energy_pj"].sum() / 1e6 == pytest.approx(run.energy_uj)
    assert frame["macs"].sum() == run.totals.macs
    layers = frame[frame["operator"] >= 0]
    assert layers["energy_pj"].sum() / 1e6 != pytest.approx(run.energy_uj), "the machine's own energy has a row"


def test_totals_follow_from_each_other(run: mixarray.Run) -> None:
    assert run.latency_ms == run.cycles / (run.accelerator.clock_mhz * 1000)
    useful = run.to_pandas()["useful_pe_cycles"].sum()
    assert run.utilization == pytest.approx(useful / (32 * 32 * run.cycles))


def test_pandas_is_asked_for_only_when_a_frame_is(run: mixarray.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert "cycles" in repr(run)
    with pytest.raises(mixarray.InputError, match=r"^to_pandas: needs pandas"):
        run.to_pandas()


def test_the_default_baseline_is_ratio_zero(run: mixarray.Run, bundle: Path) -> None:
    zero = mixarray.simulate(bundle, PACKED, uniform="W4A8")
    over = mixarray.simulate(bundle, PACKED, baseline=zero).speedup
    assert run.speedup is not None
    assert over is not None
    assert over.model_copy(update={"baseline": run.speedup.baseline}) == run.speedup
    assert zero.speedup is not None
    assert zero.speedup.simulated == 1 != run.speedup.simulated


def test_a_speedup_names_the_run_that_it_is_over() -> None:
    gemm = mixarray.Gemm(196, 96, 128, 8, 4)
    slow = mixarray.simulate(gemm, PACKED, overrides={"arrays.0.rows": 16})
    fast = mixarray.simulate(mixarray.Gemm(196, 96, 128, 4, 4), PACKED, baseline=slow)
    assert slow.speedup is None
    assert fast.speedup is not None
    assert fast.speedup.baseline == "GEMM 196x96x128, 8x4 bits to 8 on packed_w4_32x32, arrays.0.rows=16"
    assert fast.speedup.simulated == slow.cycles / fast.cycles
    assert fast.speedup.bops_blocks == 2


@pytest.mark.parametrize("name", list_accelerators())
def test_overrides_resolve_to_the_machine_of_set(name: str) -> None:
    changes = {"clock_mhz": 650, "vector_units.0.lanes": 24}
    expected = load_accelerator(name, [f"{path}={value}" for path, value in changes.items()])
    machine: mixarray.Accelerator | str = name
    for path, value in changes.items():  # one after the other: what was changed can be changed again
        machine = mixarray.simulate(mixarray.Gemm(16, 16, 16, 8, 8), machine, overrides={path: value}).accelerator
        assert (machine == expected) is (path == list(changes)[-1])
    assert accelerator_sha256(machine) == accelerator_sha256(expected)


def test_a_machine_comes_from_a_name_a_file_or_memory(tmp_path: Path) -> None:
    gemm, machine = mixarray.Gemm(16, 16, 16, 8, 8), load_accelerator(PACKED)
    run = mixarray.simulate(gemm, machine)
    path = run.write(tmp_path / "run") / "accelerator.yaml"
    results = [mixarray.simulate(gemm, where).result for where in (PACKED, path, str(path))]
    assert results == [run.result] * 3


def test_a_bundle_is_a_path_or_was_read(bundle: Path, run: mixarray.Run) -> None:
    assert mixarray.simulate(mixarray.read_bundle(bundle), PACKED).result == run.result
    assert mixarray.simulate(str(bundle), PACKED).result == run.result


def test_a_run_is_one_line_and_a_small_table(run: mixarray.Run) -> None:
    text, table = repr(run), run._repr_html_()
    assert "\n" not in text
    assert text.startswith(f"Run(small <0.4> on {PACKED}: cycles {run.cycles:,}; latency ")
    for part in (" ms; energy ", " µJ; utilization ", " %; speedup ", "x over ratio 0 (BOPs of the blocks promise "):
        assert part in text
    assert "<b>Run</b> small &lt;0.4&gt; on" in table
    assert "<0.4>" not in table
    assert table.count("<tr>") == 5
