"""The table of docs/repq_vit.md is that of the committed result file."""

from __future__ import annotations

import csv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def cells(row: dict[str, str]) -> list[str]:
    """AP50 with its interval, and the difference, or = where its interval contains 0."""
    value, low, high = (float(row[key]) for key in ("ap50", "low", "high"))
    difference, least, most = (float(row[f"difference{key}"]) for key in ("", "_low", "_high"))
    told = "=" if least <= 0 <= most else f"{difference:+.3f} [{least:+.3f}, {most:+.3f}]"
    return [f"{value:.3f} [{low:.3f}, {high:.3f}]", "" if row["variant"] == "repq_vit" else told]


def test_the_table_is_the_measured_one() -> None:
    with (ROOT / "benchmarks/results/repq_vit_options.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    page = (ROOT / "docs/repq_vit.md").read_text(encoding="utf-8")
    found = [line for line in page.splitlines() if line.startswith("| ") and " [" in line]
    assert {row["n"] for row in rows} == {"100"}
    pairs = zip(rows[::2], rows[1::2], strict=True)
    assert found == ["| " + " | ".join([high["variant"], *cells(high), *cells(low)]) + " |" for high, low in pairs]
