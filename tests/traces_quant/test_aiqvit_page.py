"""The table of docs/aiqvit.md is that of the committed result file."""

from __future__ import annotations

import csv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def line(row: dict[str, str]) -> str:
    """Error, AP50 with its interval, and the difference, or = where its interval contains 0."""
    error, value, low, high, difference, least, most = (
        float(row[key]) for key in ("error", "ap50", "low", "high", "difference", "difference_low", "difference_high")
    )
    told = "=" if least <= 0 <= most else f"{difference:+.3f} [{least:+.3f}, {most:+.3f}]"
    told = "" if row["quantizer"] == "log_sqrt2" else told
    return f"| {row['bits']} | {row['quantizer']} | {error:.3f} | {value:.3f} [{low:.3f}, {high:.3f}] | {told} |"


def test_the_table_is_the_measured_one() -> None:
    with (ROOT / "benchmarks/results/softmax_quantizers.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    page = (ROOT / "docs/aiqvit.md").read_text(encoding="utf-8")
    assert [text for text in page.splitlines() if text.startswith(("| 3 |", "| 4 |"))] == [line(row) for row in rows]
    (budget,) = {(row["n"], row["size"], row["calibration_canvases"], row["calibration_size"]) for row in rows}
    words = "{} test canvases of {} px, {} calibration\ncanvases of {} px"
    assert words.format(*budget) in page


def cells(row: dict[str, str]) -> str:
    """AP50 with its interval, and the difference, or = where its interval contains 0."""
    value, low, high, difference, least, most = (
        float(row[key]) for key in ("ap50", "low", "high", "difference", "difference_low", "difference_high")
    )
    told = "=" if least <= 0 <= most else f"{difference:+.3f} [{least:+.3f}, {most:+.3f}]"
    return f"{value:.3f} [{low:.3f}, {high:.3f}] | {'' if row['variant'] == 'repq_vit' else told}"


def test_the_options_are_those_measured() -> None:
    with (ROOT / "benchmarks/results/aiqvit_options.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    page = (ROOT / "docs/aiqvit.md").read_text(encoding="utf-8")
    names = tuple(f"| {row['variant']} |" for row in rows)
    pairs = zip(rows[::2], rows[1::2], strict=True)
    wanted = [f"| {a['variant']} | {a['rank_sum']} | {cells(a)} | {cells(b)} |" for a, b in pairs]
    assert [text for text in page.splitlines() if text.startswith(names)] == wanted
    assert {(row["n"], row["size"]) for row in rows} == {("40", "224")}
