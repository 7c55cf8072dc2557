"""Whole sweeps of a small model: rows equal direct simulations, nothing is computed twice, failures are rows."""

from __future__ import annotations

import json
import subprocess
import sys
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.errors import InputError
from mixarray.points import PointSimulator
from mixarray.result.totals import totals_of
from mixarray.simulation import simulate
from mixarray.trace.bops import bops
from mixarray.trace.bundle import read_bundle
from mixarray_analysis.cli import main
from mixarray_analysis.sweeps.api import read_sweep, sweep
from mixarray_analysis.sweeps.glossary import SWEEP_COLUMNS
from mixarray_analysis.sweeps.rows import SCHEMA
from mixarray_analysis.sweeps.running import run_sweep
from mixarray_analysis.sweeps.spec import SweepSpec
from mixarray_traces.quantization.ratios import RatioChoice
from mixarray_traces.record.random_trace import random_bundle
from mixarray_traces.record.shape import SwinShape

from .conftest import spec_file

Make = Callable[..., SweepSpec]
GRID = {"ratio": [0, 0.4], "clock_mhz": [500, 800]}


def sorted_bytes(directory: Path) -> tuple[bytes, bytes]:
    return (directory / "points" / "points.parquet").read_bytes(), (directory / "sweep.json").read_bytes()


def test_rows_equal_direct_simulations(make_spec: Make, tiny: Path, small: SwinShape, tmp_path: Path) -> None:
    """On two machines, ratios that differ by pair, pruning: every number of a row, from a bundle recorded at them."""
    pairs = {"ratio.0": 0.25, "ratio.1.0": 0.25, "ratio.1.1": 0.5, "pruning": 0.25}
    machines = ["packed_w4_32x32", "plain_int8_32x32"]
    found = sweep(make_spec(set=pairs, accelerators=machines), tmp_path / "sweep").to_pandas()
    choice = RatioChoice(((250,), (250, 500)), 250)
    bundle = read_bundle(random_bundle(small, 64, 64, choice, 0, tmp_path / "bundle"))
    zero = read_bundle(tiny)
    assert list(found["accelerator"]) == machines
    for (_, row), name in zip(found.iterrows(), machines, strict=True):
        accelerator = load_accelerator(name)
        run, reference = (simulate(one.workload(0), accelerator) for one in (bundle, zero))
        totals = totals_of([(run, 1)]).model_dump()
        shared = sorted(set(totals) & set(SWEEP_COLUMNS))
        assert len(shared) == 16
        assert {column: row[column] for column in shared} == {column: totals[column] for column in shared}
        assert row["bops"] == bops(run.workload)
        assert row["bops_speedup"] == bops(reference.workload) / bops(run.workload)
        assert row["simulated_speedup"] == reference.execution.total_cycles / run.execution.total_cycles
        assert (row["ratio_actual"], row["pruning_actual"]) == (bundle.ratio_actual, bundle.pruning_actual)
        assert (row["setting"], row["ratios_by_pair"]) == (choice.label, "0.25/0.25,0.5")
        assert (row["status"], row["error"], row["rows"], row["pes"]) == ("done", "", 32, 1024)


def test_results_handed_on_by_a_hash_that_forgets_group_sizes_would_show(
    make_spec: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = make_spec(grid={"ratio": [0, 0.5]})
    first, second = sweep(spec, tmp_path / "sound").to_pandas()["cycles"]
    assert first != second
    monkeypatch.setattr("mixarray_analysis.sweeps.points.array", lambda code, sizes: array(code))
    sweep(make_spec(grid={"ratio": [0]}), tmp_path / "faulty")
    first, second = sweep(spec, tmp_path / "faulty").to_pandas()["cycles"]
    assert first == second, "the planted fault"


@pytest.mark.full
def test_bytes_do_not_depend_on_the_number_of_processes(make_spec: Make, tmp_path: Path) -> None:
    spec = make_spec(grid=GRID)
    for jobs in (1, 2):
        run_sweep(spec, tmp_path / str(jobs), jobs)
    assert sorted_bytes(tmp_path / "1") == sorted_bytes(tmp_path / "2")


def test_an_extended_sweep_computes_what_is_new(
    make_spec: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    real = PointSimulator.totals

    def counted(self: PointSimulator, assignment: Any) -> Any:
        asked.append(assignment)
        return real(self, assignment)

    monkeypatch.setattr(PointSimulator, "totals", counted)
    short, longer = make_spec(grid={"ratio": [0, 0.5]}), make_spec(grid={"ratio": [0.25, 0, 0.5, 0.499]})
    assert run_sweep(short, tmp_path / "grown").computed == 2
    assert len(asked) == 2
    grown = run_sweep(longer, tmp_path / "grown")
    assert (grown.computed, grown.findings.done) == (2, 4)
    assert len(asked) == 2 + 2, "0.25 and its ratio 0; 0.499 are the windows of 0.5"
    assert run_sweep(longer, tmp_path / "grown").computed == 0
    assert len(asked) == 4
    run_sweep(longer, tmp_path / "fresh")
    assert sorted_bytes(tmp_path / "grown") == sorted_bytes(tmp_path / "fresh")
    assert run_sweep(short, tmp_path / "grown").computed == 0
    assert run_sweep(longer, tmp_path / "grown").computed == 0, "what a shorter sweep leaves out is kept"
    assert run_sweep(longer, tmp_path / "grown", force=True).computed == 4


def test_points_that_fail_are_rows_and_the_sweep_goes_on(
    make_spec: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    modes = [{"arrays.0.modes": [[4, 4], [8, 4]]}, {"arrays.0.modes": [[4, 4], [8, 4], [8, 8]]}]
    file = spec_file(make_spec(grid={"modes": modes}), tmp_path / "spec.json")
    assert main(["sweep", file, "-o", str(tmp_path / "sweep"), "--json", "-j", "1"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["done"], said["failed"], said["computed"]) == (1, 1, 2)
    failed, done = (row for _, row in read_sweep(tmp_path / "sweep").to_pandas().iterrows())
    assert (failed["status"], done["status"]) == ("failed", "done")
    assert "8" in failed["error"]
    assert "modes" in failed["overrides"]
    assert pd.isna(failed["cycles"])
    assert done["cycles"] > 0
    assert main(["sweep", file, "-o", str(tmp_path / "sweep"), "-q", "-j", "1"]) == 1


def test_a_defect_at_one_point_does_not_cost_the_others(
    make_spec: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = PointSimulator.totals

    def defective(self: PointSimulator, assignment: Any) -> Any:
        if any(len(counts) > 1 for counts in assignment.values()):
            raise ZeroDivisionError("planted")
        return real(self, assignment)

    monkeypatch.setattr(PointSimulator, "totals", defective)
    findings = run_sweep(make_spec(grid={"ratio": [0, 0.5]}), tmp_path / "sweep").findings
    assert (findings.done, findings.failed) == (1, 1)
    errors = read_sweep(tmp_path / "sweep").to_pandas()["error"]
    assert list(errors) == ["", "ZeroDivisionError: planted"]


@pytest.mark.parametrize("lack", [MemoryError, OSError])
def test_what_the_computer_lacks_is_no_result_of_a_point(
    lack: type[Exception], make_spec: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(self: PointSimulator, assignment: Any) -> Any:
        raise lack

    with monkeypatch.context() as patch:
        patch.setattr(PointSimulator, "totals", exhausted)
        with pytest.raises(lack):
            run_sweep(make_spec(), tmp_path / "sweep")
    findings = run_sweep(make_spec(), tmp_path / "sweep").findings
    assert (findings.done, findings.failed) == (1, 0)


def test_directories_that_are_not_ours_are_left_alone(
    make_spec: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, other = make_spec(), tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="is no sweep"):
        run_sweep(spec, other, force=True)
    assert (other / "thesis.tex").read_text() == "years of work"
    with pytest.raises(InputError, match="is no sweep"):
        read_sweep(other)
    run_sweep(spec, tmp_path / "sweep")
    monkeypatch.setattr("mixarray_analysis.sweeps.running.code_sha256", lambda: "edited")
    with pytest.raises(InputError, match="another version"):
        run_sweep(spec, tmp_path / "sweep")
    assert run_sweep(spec, tmp_path / "sweep", force=True).computed == 1


def test_the_glossary_is_that_of_the_writer_and_of_the_page(make_spec: Make, tmp_path: Path) -> None:
    found = sweep(make_spec(), tmp_path / "sweep").to_pandas()
    assert list(found.columns) == list(SWEEP_COLUMNS) == SCHEMA.names
    page = (Path(__file__).parents[2] / "docs" / "sweeps.md").read_text()
    for column, meaning in SWEEP_COLUMNS.items():
        assert f"| `{column}` | {meaning} |" in page


def test_a_sweep_in_a_notebook(make_spec: Make, tmp_path: Path) -> None:
    spec = make_spec(grid={"ratio": [0, 0.25, 0.5]})
    found = sweep(spec.to_data(), tmp_path / "sweep")
    assert len(found) == 3
    assert repr(found) == f"Sweep({str(tmp_path / 'sweep')!r}, 3 points, 0 failed, 0 refused)"
    page = found._repr_html_()
    assert "simulated_speedup" in page
    assert len(page) < 3000
    assert list(found.to_pandas(["setting"])["setting"]) == ["0", "0.25", "0.5"]
    (tmp_path / "sweep" / "sweep.json").unlink()
    assert "not finished, 3 rows so far" in repr(read_sweep(tmp_path / "sweep"))


def test_a_sweep_of_a_shape_loads_no_torch(tmp_path: Path) -> None:
    data = {
        "schema_version": "1.0",
        "models": [{"shape": "swin_t", "inputs": [224]}],
        "accelerators": ["packed_w4_32x32"],
    }
    (tmp_path / "spec.json").write_text(json.dumps(data))
    code = (
        "import sys\nfrom mixarray_analysis.cli import main\n"
        "assert main(['sweep', 'spec.json', '--dry-run', '-j', '1']) == 0\n"
        "assert not {'torch', 'matplotlib'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "1 points: 1 to run" in done.stdout
