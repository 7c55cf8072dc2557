"""What a sweep came to, for its page: cards, sentences, and its points in a table, with uniform baselines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mixarray.digits import percent, significant
from mixarray_analysis.report.fronts import OBJECTIVES, Better
from mixarray_analysis.report.headline import arrival, best_row, machine_text, where_text
from mixarray_analysis.report.sweep_runs import SweepRun, totals_beside, uniform_rows
from mixarray_analysis.speedup import arrived_share

MOST_ROWS = 24
"""Points in the table; of more, those that are best in something."""
MOST_SENTENCES = 4
SENTENCES = "sentences.txt"
BITS_PER_MIB = 8 * 2**20
WORDS: Mapping[str, str] = {
    "latency_ms": "latency",
    "energy_uj": "energy",
    "edp_uj_ms": "energy x delay",
    "area_mm2": "area",
    "bops": "BOPs",
    "accuracy": "AP50",
    "bops_speedup": "promised speedup",
    "simulated_speedup": "simulated speedup",
    "utilization": "utilisation",
    "peak_mac_utilization": "share of peak MACs",
}
"""What a point is best in."""
Row = Mapping[str, Any]


def _number(row: Row, name: str) -> float | None:
    value = row.get(name)
    return None if value is None or pd.isna(value) else float(value)


def _text(name: str, write: Callable[[float], str]) -> Callable[[Row], str]:
    def cell(row: Row) -> str:
        value = _number(row, name)
        return "" if value is None else write(value)

    return cell


def _arrived(row: Row) -> str:
    promised, simulated = _number(row, "bops_speedup"), _number(row, "simulated_speedup")
    share = None if promised is None or simulated is None else arrived_share(promised, simulated)
    return "" if share is None else f"{100 * share:.1f} %"


def _accuracy(row: Row) -> str:
    value, low, high = (_number(row, f"accuracy{end}") for end in ("", "_low", "_high"))
    return "" if value is None or low is None or high is None else f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _energy(row: Row) -> str:
    value, low, high = (_number(row, f"energy{end}_uj") for end in ("", "_low", "_high"))
    said = "" if value is None else significant(value)
    return said if low is None or high is None else f"{said} [{significant(low)}, {significant(high)}]"


def _dram(row: Row) -> str:
    read, written = _number(row, "dram_read_bits"), _number(row, "dram_write_bits")
    return "" if read is None or written is None else f"{(read + written) / BITS_PER_MIB:,.2f}"


NAMED: Mapping[str, Callable[[Row], str]] = {
    "best in": lambda row: str(row.get("best", "")),
    "ratio": lambda row: str(row["setting"]),
}
"""Columns of texts, before those of numbers."""
COLUMNS: Mapping[str, Callable[[Row], str]] = {
    **NAMED,
    "promised by BOPs": _text("bops_speedup", "{:.3f}x".format),
    "simulated": _text("simulated_speedup", "{:.3f}x".format),
    "of the gain arrived": _arrived,
    "AP50 [95 %]": _accuracy,
    "cycles": _text("cycles", "{:,.0f}".format),
    "latency (ms)": _text("latency_ms", lambda value: significant(value, 4)),
    "energy (µJ) [low, high]": _energy,
    "utilisation": _text("utilization", percent),
    "DRAM traffic (MiB)": _dram,
}
"""Of the table: headings, and the cells of a row; a column without any cell is left out."""


def summary_data(
    path: Path, frame: pd.DataFrame, runs: Sequence[SweepRun], findings: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Cards as (value, what, note), sentences, and a table of `frame`, the points of the sweep in `path`.

    groups: rows of the table by machine. texts: how many of its columns are texts. findings: its `sweep.json`, if any.
    """
    rows = [{**totals_beside(runs, row), **row} for row in _shown(frame)]
    uniform = uniform_rows(runs)
    kept = [name for name, cell in COLUMNS.items() if any(cell(row) for row in [*rows, *uniform])]
    groups: dict[str, list[list[str]]] = {}
    for row in [*rows, *uniform]:
        groups.setdefault(machine_text(row), []).append([COLUMNS[name](row) for name in kept])
    return {
        "cards": _cards(frame),
        "sentences": _sentences(path, frame),
        "note": _note(frame, len(rows), bool(uniform), (findings or {}).get("counts", {})),
        "headings": kept,
        "texts": sum(name in NAMED for name in kept),
        "groups": list(groups.items()),
    }


def _shown(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """All points, or those that are best in something, with `best`: in what."""
    if len(frame) <= MOST_ROWS:
        return [dict(row) for _, row in frame.iterrows()]
    best: dict[int, list[str]] = {}
    for name, better in OBJECTIVES.items():
        if name in frame and frame[name].notna().any():
            best.setdefault(best_row(frame, name, better), []).append(WORDS[name])
    return [{**frame.iloc[place], "best": ", ".join(names)} for place, names in best.items()]


def _cards(frame: pd.DataFrame) -> list[tuple[str, str, str]]:
    machines, settings = frame["series"].nunique(), frame["setting"].nunique()
    cards = [(f"{len(frame):,}", "points", f"{_counted(machines, 'machine')}, {_counted(settings, 'setting')}")]
    for name, what, write in (
        ("bops_speedup", "largest promise of BOPs", "{:.3f}x".format),
        ("simulated_speedup", "largest simulated speedup", "{:.3f}x".format),
        ("latency_ms", "least latency", lambda value: f"{significant(value, 4)} ms"),
        ("energy_uj", "least energy", lambda value: f"{significant(value)} µJ"),
    ):
        if frame[name].notna().any():
            row = frame.iloc[best_row(frame, name, OBJECTIVES[name])]
            cards.append((write(row[name]), what, where_text(dict(row))))
    if "accuracy" in frame and frame["accuracy"].notna().any():
        ends = dict.fromkeys(f"{end:.3f}" for end in (frame["accuracy"].min(), frame["accuracy"].max()))
        cards.append((" to ".join(ends), "AP50", f"n = {_counts(frame)} canvases"))
    return cards


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _counts(frame: pd.DataFrame) -> str:
    return ", ".join(f"{count:g}" for count in sorted(set(frame.loc[frame["accuracy"].notna(), "n"])))


def _sentences(path: Path, frame: pd.DataFrame) -> list[str]:
    """Those that the demo wrote; else of each machine, if there are some, what arrived of the largest promise."""
    file = path / SENTENCES
    if file.is_file():
        return file.read_text(encoding="utf-8").splitlines()
    known = frame[frame["simulated_speedup"].notna() & frame["bops_speedup"].notna()].reset_index(drop=True)
    if not 1 < known["series"].nunique() <= MOST_SENTENCES:
        return []
    groups = (group for _, group in known.groupby("series", sort=False))
    most = [group.iloc[best_row(group, "bops_speedup", Better.HIGH)] for group in groups]
    return [f"{where_text(dict(row))}: {arrival(row['bops_speedup'], row['simulated_speedup'])}." for row in most]


def _note(frame: pd.DataFrame, rows: int, uniform: bool, counts: Mapping[str, int]) -> str:
    shown = "All points" if rows == len(frame) else f"The points that are best in something, of {len(frame):,}"
    beside = ", and the uniform precisions beside" if uniform else ""
    lacking = [f"{counts[name]:,} {name}" for name in ("failed", "refused") if counts.get(name)]
    left_out = f" Left out: {', '.join(lacking)}; the reasons are in the provenance." if lacking else ""
    speedups = "Speedups are over ratio 0 of the same model on the same machine."
    return f"{shown}{beside}; per image, batch 1. {speedups}{left_out}"
