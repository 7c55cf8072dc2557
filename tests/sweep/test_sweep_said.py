"""What a sweep says: what it would do, what it came to, why points are refused or fail, and mistakes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mixarray_analysis.cli import main
from mixarray_analysis.progress import rate_text
from mixarray_analysis.sweeps.api import read_sweep
from mixarray_analysis.sweeps.running import run_sweep
from mixarray_analysis.sweeps.spec import SweepSpec

from .conftest import spec_file

Make = Callable[..., SweepSpec]


def test_points_that_fail_are_said_by_reason_with_the_first_of_them_and_where_they_are(
    make_spec: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    modes = {"arrays.0.modes": [[[8, 8], [8, 4], [4, 4]], [[8, 4]]], "ratio": [0, 0.5]}
    file, out = spec_file(make_spec(grid=modes), tmp_path / "spec.json"), tmp_path / "sweep"
    assert main(["sweep", file, "-o", str(out), "-j", "1"]) == 1
    reason = "array: arrays.0.modes: no mode serves 8 streaming by 8 stationary bits; it has (8,4)"
    first = "tiny 64x64 on packed_w4_32x32 arrays.0.modes=[[8,4]], ratio 0"
    assert capsys.readouterr().out.splitlines()[2:] == [
        f"failed 2: {reason}",
        f"  first: {first}",
        f"their rows have the status failed, in {out / 'points'}",
    ]
    reasons = [{"reason": reason, "points": 2, "example": reason, "point": first}]
    findings = read_sweep(out).findings
    assert findings is not None
    assert findings["failed"] == reasons
    assert main(["sweep", file, "-o", str(out), "-j", "1", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["failed_because"] == reasons


def test_failures_are_counted_over_all_row_groups(
    make_spec: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("store", "directory"):
        monkeypatch.setattr(f"mixarray_analysis.sweeps.{module}.GROUP_ROWS", 3)
    modes = {"arrays.0.modes": [[[8, 8], [8, 4], [4, 4]], [[8, 4]], [[4, 4]]], "ratio": [0, 0.25, 0.5, 0.75]}
    errors = run_sweep(make_spec(grid=modes), tmp_path / "sweep").findings.errors
    assert [(one.count, one.first, one.point[-7:], one.pattern[-6:]) for one in errors.values()] == [
        (8, 4, "ratio 0", " (#,4)")
    ]


def test_slow_rates_are_not_rounded_to_nothing() -> None:
    assert [rate_text(one) for one in (2345.6, 12.4, 3.21, 0.1834, 0)] == ["2,346", "12", "3.2", "0.18", "0"]


def test_points_asked_for_again_are_counted_once(
    make_spec: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two settings drawn a hundred times, in ranges that do not know of each other."""
    sample = {"method": "random", "points": 100, "axes": {"ratio": [0, 0.5]}}
    file = spec_file(make_spec(sample=sample), tmp_path / "spec.json")
    assert main(["sweep", file, "--dry-run", "-j", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "100 points: 2 to run, 0 refused, 98 asked for again"
    assert sorted(line[-3:] for line in lines[1:]) == ["0.5", "o 0"]
    assert main(["sweep", file, "-o", str(tmp_path / "sweep"), "-j", "1"]) == 0
    assert "2 computed now" in (said := capsys.readouterr().out)
    assert "0 were finished before" in said


def test_a_dry_run_counts_shows_and_explains(
    make_spec: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grid = {"arrays.0.rows": [16, 32], "arrays.0.columns": [16, 32], "ratio.pair": [0, 0.5]}
    constraints = {"relations": ["arrays.0.rows == arrays.0.columns"]}
    file = spec_file(make_spec(grid=grid, constraints=constraints), tmp_path / "spec.json")
    assert main(["sweep", file, "--dry-run", "-j", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "32 points: 12 to run, 20 refused"
    on = "tiny 64x64 on packed_w4_32x32"
    assert lines[1] == f"  {on} arrays.0.rows=16 arrays.0.columns=16, ratio 0"
    assert lines[6:] == [
        "  and 7 more",
        "refused 16: arrays.0.rows == arrays.0.columns does not hold",
        f"  first: {on} arrays.0.rows=16 arrays.0.columns=32 ratio.0.0=0 ratio.1.0=0 ratio.1.1=0",
        "refused 4: stage 1 pair 1: 0 after 0.5; ratios must not fall within a stage",
        f"  first: {on} arrays.0.rows=16 arrays.0.columns=16 ratio.0.0=0 ratio.1.0=0.5 ratio.1.1=0",
    ]
    assert main(["sweep", file, "--dry-run", "--json", "-j", "1"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["asked"], said["to_run"], sum(one["points"] for one in said["refused"])) == (32, 12, 20)
    assert [one.name for one in tmp_path.iterdir()] == ["spec.json"], "nothing is written"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"grid": {"arrays.0.row": [1]}}, "arrays.0.row: arrays.0 has no 'row'; allowed: name, rows"),
        ({"grid": {"ratio": [40]}}, "ratio: 40 is out of range"),
        ({"constraints": {"relations": ["rows == 3"]}}, "constraints.relations: 'rows == 3': the accelerator has no"),
        ({"constraints": {"equal": [{"quantity": "area_mm2", "to": "packed"}]}}, "constraints.equal.0.to: packed: no"),
        (
            {"grid": {"arrays.0.rows": [8, 16]}, "constraints": {"relations": ["arrays.0.rows == 12"]}},
            "all of its 2 points are refused: arrays.0.rows == 12 does not hold",
        ),
    ],
)
def test_mistakes_are_said_with_the_file_and_the_field(
    fields: dict[str, Any], message: str, make_spec: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = spec_file(make_spec(**fields), tmp_path / "spec.json")
    assert main(["sweep", file, "-o", str(tmp_path / "sweep"), "-j", "1"]) == 2
    assert capsys.readouterr().err.startswith(f"error: {file}: {message}")


def test_machines_refused_for_one_limit_are_said_once_with_one_of_their_numbers(
    make_spec: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    equal = {"quantity": "peak_macs_per_cycle", "to": 2048, "within": 0.05}
    file = spec_file(
        make_spec(grid={"arrays.0.rows": [8, 16, 32, 64]}, constraints={"equal": [equal]}), tmp_path / "spec.json"
    )
    assert main(["sweep", file, "--dry-run", "-j", "1"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert "refused 3: peak_macs_per_cycle # is not within 5.0% of 2048, e.g. 512" in said


def test_a_specification_that_is_not_there_is_named_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", str(tmp_path / "nope.yaml"), "--dry-run"]) == 2
    assert capsys.readouterr().err == f"error: {tmp_path}/nope.yaml: cannot be read: No such file or directory\n"


def test_each_form_refuses_what_belongs_to_the_other(
    make_spec: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = spec_file(make_spec(), tmp_path / "spec.json")
    out = ["-o", str(tmp_path / "out")]
    for arguments, named in (
        ([file, "--ratios", "0", *out], "--ratios"),
        ([file, "--set", "clock_mhz=1", *out], "--set"),
        ([file, "-a", "plain_int8_32x32", *out], "--accelerator"),
        ([file], "--out"),
        (["--dry-run", *out], "--dry-run"),
        ([], "--out"),
    ):
        assert main(["sweep", *arguments]) == 2
        assert capsys.readouterr().err.startswith(f"error: {named}: ")
    assert not (tmp_path / "out").exists()
    assert main(["sweep", "--schema"]) == 0
    assert "latin_hypercube" in capsys.readouterr().out
