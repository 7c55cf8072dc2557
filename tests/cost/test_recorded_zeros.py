"""Zero gating from a recorded bundle to the result, on the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from mixarray_analysis.cli import main

GATED = ("--set", "zero_gating=operand")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two canvases with all their codes, and the same with those of the first alone."""
    place = tmp_path_factory.mktemp("zeros")
    for mode in ("all", "sampled"):
        drawn = ["--ratio", "0.5", "--n", "2", "--size", "128", "--tensors", mode, "-o", str(place / mode), "-q"]
        assert main(["record", *drawn]) == 0
    return place


def array_counts(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, float]:
    assert main(["simulate", *arguments, "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)["energy"]
    return {entry["action"]: entry["count"] for entry in entries if entry["component"] == "arrays.0"}


def test_counts_are_exact_and_the_mean_over_images(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both, *each = (
        array_counts(capsys, str(place / "all"), *GATED, *chosen) for chosen in ((), ("--image", "0"), ("--image", "1"))
    )
    assert {"pe_cycle_8x4_zero", "pe_cycle_4x4_zero", "pe_cycle_8x8_zero"} <= set(both)
    assert both == {action: (each[0][action] + each[1][action]) / 2 for action in both}
    assert each[0] == array_counts(capsys, str(place / "sampled"), *GATED, "--image", "0")
    without = array_counts(capsys, str(place / "all"))
    for mode in ("pe_cycle_8x4", "pe_cycle_4x4", "pe_cycle_8x8"):
        assert both[f"{mode}_zero"] > 0
        assert both[mode] + both[f"{mode}_zero"] == without[mode]


def test_rows_of_layers_sum_to_the_total(place: Path, tmp_path: Path) -> None:
    assert main(["simulate", str(place / "all"), *GATED, "-o", str(tmp_path / "run"), "-q"]) == 0
    rows = list(csv.DictReader((tmp_path / "run" / "layers.csv").open(encoding="utf-8")))
    total = json.loads((tmp_path / "run" / "run.json").read_text())["totals"]["energy_uj"]
    assert {row["images"] for row in rows} == {"1"}
    assert sum(float(row["energy_pj"]) for row in rows) == pytest.approx(2 * total * 1e6)
    assert all(float(row["energy_pj"]) >= 0 for row in rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sampled",), "holds no codes of image 1"),
        (("all", "--uniform", "W4A8"), "zero_gating: operand needs the codes"),
    ],
)
def test_what_has_no_codes_is_refused(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    assert main(["simulate", str(place / arguments[0]), *arguments[1:], *GATED]) == 2
    assert message in capsys.readouterr().err
