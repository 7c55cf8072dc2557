"""The table of docs/mptq_vit.md is that of the committed result file."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from statistics import fmean

ROOT = Path(__file__).resolve().parents[2]
VARIANTS = {"bias": "SQ-b", "no bias": "SQ-b without the bias term", "no SQ-b": "as they are"}


def table() -> list[str]:
    """A line per bits and variant, from the file alone."""
    found: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    with (ROOT / "benchmarks/results/mptq_clamping.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            assert row["calibration"] == "32"
            found[row["activation_bits"], row["variant"]].append(row)
    lines = []
    for bits in ("8", "4"):
        for variant, words in VARIANTS.items():
            rows = found[bits, variant]
            assert len(rows) == 22
            means = [100 * fmean(float(row[name]) for row in rows) for name in ("clamped", "values", "output")]
            numbers = [*means, 100 * max(float(row["output"]) for row in rows)]
            lines.append(f"| {bits} bits | {words} | " + " | ".join(f"{number:.3g}" for number in numbers) + " |")
    return lines


def test_the_table_is_the_measured_one() -> None:
    page = (ROOT / "docs/mptq_vit.md").read_text(encoding="utf-8")
    assert [line for line in page.splitlines() if line.startswith(("| 8 bits", "| 4 bits"))] == table()
