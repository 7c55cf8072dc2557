from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from mixarray.errors import InputError
from mixarray_analysis.summary import COLUMNS, SummaryRow, read_summary, write_summary, write_tidy

ROW = SummaryRow(
    ratio=0.2,
    ratio_actual=0.203125,
    accuracy=1 / 3,
    accuracy_low=0.3,
    accuracy_high=0.4,
    n=100,
    bops_speedup=1.1,
    simulated_speedup=1.05,
    cycles=1234567,
    latency_ms=2.469134,
    energy_uj=321.5,
    utilization=0.6,
    peak_mac_utilization=0.4,
)


def test_the_columns_are_those_of_the_demo() -> None:
    assert ",".join(COLUMNS) == (
        "ratio,ratio_actual,accuracy,accuracy_low,accuracy_high,n,bops_speedup,simulated_speedup,cycles,latency_ms,"
        "energy_uj,utilization,peak_mac_utilization,pruning,pruning_actual,setting"
    )


def test_numbers_read_back_exactly(tmp_path: Path) -> None:
    write_summary([ROW], tmp_path / "summary.csv")
    frame = pd.read_csv(tmp_path / "summary.csv", dtype={"setting": str})
    assert list(frame.columns) == list(COLUMNS)
    assert SummaryRow(*frame.iloc[0].to_list()) == ROW


def test_an_accuracy_that_was_not_taken_is_an_empty_cell(tmp_path: Path) -> None:
    row = replace(ROW, accuracy=math.nan, accuracy_low=math.nan, accuracy_high=math.nan, n=0)
    write_summary([row], tmp_path / "summary.csv")
    assert ",,,,0," in (tmp_path / "summary.csv").read_text()


def test_a_demo_is_read_by_its_files(tmp_path: Path) -> None:
    for name in ("plain", "packed"):
        write_summary([ROW], tmp_path / f"summary_{name}.csv")
    write_summary([ROW], tmp_path / "summary.csv")
    assert list(read_summary(tmp_path)["accelerator"]) == ["packed", "plain"]


def test_a_sweep_is_read_by_its_column_and_parquet_holds_the_same(tmp_path: Path) -> None:
    write_tidy([("packed", ROW), ("plain", ROW)], tmp_path)
    frame = read_summary(tmp_path)
    assert list(frame["accelerator"]) == ["packed", "plain"]
    pd.testing.assert_frame_equal(frame, pd.read_parquet(tmp_path / "summary.parquet"), check_dtype=False)


def test_equal_sweeps_are_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_tidy([("packed", ROW)], tmp_path / name)
    for file in ("summary.csv", "summary.parquet"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "ratio\n0\n"])
def test_what_is_no_summary_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "summary.csv").write_text(text)
    with pytest.raises(InputError, match=r"summary\.csv"):
        read_summary(tmp_path)


def test_a_missing_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_summary(tmp_path / "nothing")
