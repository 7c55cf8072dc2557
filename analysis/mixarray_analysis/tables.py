"""Tables for the terminal, and the same rows as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement

from mixarray.digits import significant
from mixarray_analysis.plain_table import PlainTable
from mixarray_analysis.plan import uniform_name
from mixarray_traces.quantization.ratios import same_everywhere

if TYPE_CHECKING:
    from mixarray_analysis.experiment import Findings
    from mixarray_analysis.summary import SummaryRow
    from mixarray_traces.classification.evaluate import ClassificationRow
    from mixarray_traces.evaluation import EvaluationRow

    AnyAccuracy = EvaluationRow | ClassificationRow

EQUAL_NOTE = "= : the paired difference to ratio 0 is inside its 95 % bootstrap interval (it contains 0)"
NARROWEST_TABLE = 150
"""Columns of text that a table may use where the output is no terminal."""
WIDEST_TABLE = 1_000_000
"""Columns of text in which every table is measured."""
MACHINE_HEADINGS = ("BOPs x", "simulated x", "cycles", "ms", "µJ", "util %", "peak %")
"""One accelerator at one setting: speedups over ratio 0, then per image at batch 1."""


def show(table: RenderableType, piped_width: int = NARROWEST_TABLE) -> None:
    """Print a table on a terminal's width, or on `piped_width` where the output is no terminal.

    Nothing is cut off: a table that needs more gets more, and a terminal then wraps its lines.
    """
    given = Console(width=None if sys.stdout.isatty() else piped_width)
    needed = Measurement.get(given, given.options.update_width(WIDEST_TABLE), table).minimum
    Console(width=max(given.width, needed), height=given.height).print(table)  # a dumb terminal heeds only both


def make_table(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    title: str | None = None,
    folds: Collection[int] = (0,),
    left: Collection[int] = (0,),
) -> PlainTable:
    """A plain table: numbers to the right, columns in `left` to the left; cells mean nothing but their characters.

    Where it is too wide for its place headings wrap, and then the cells of the columns in `folds` fold.
    """
    return PlainTable(headings, tuple(rows), title, folds, left)


def accuracy_text(row: EvaluationRow) -> str:
    """AP50 with its interval; '=' where the paired difference to ratio 0 is inside its interval (contains 0)."""
    return f"{row.ap50:.3f} [{row.ap50_low:.3f}, {row.ap50_high:.3f}]{equal_mark(row)}"


def equal_mark(row: AnyAccuracy) -> str:
    """' =' where the bootstrap interval of the difference to ratio 0 contains 0; ratio 0 itself has no mark."""
    inside = (row.ratio or row.pruning) and row.difference_low <= 0 <= row.difference_high  # NaN compares false
    return " =" if inside else "  "


def summary_table(findings: Findings) -> Group:
    """The one table of a sweep, 80 columns wide: what all accelerators share by ratio, then each one's numbers."""
    parts: list[RenderableType] = [_shared_table(findings)]
    for name in findings.accelerators:
        cells = [_machine_cells(_setting_text(row), row) for row in findings.rows(name)]
        parts += ["", make_table(["low %", *MACHINE_HEADINGS], cells, title=name)]
    return Group(*parts)


def _shared_table(findings: Findings) -> PlainTable:
    cells, rows = [], findings.rows(findings.accelerators[0])
    pruned = any(row.pruning_actual for row in rows)
    for ratio, row in zip(findings.ratios, rows, strict=True):
        accuracy = findings.accuracy.get(ratio)
        text = accuracy_text(accuracy) if accuracy else "n/a"
        shares = _share_cells(_low_text(row), row.ratio_actual, row.pruning, row.pruning_actual, pruned)
        cells.append([*shares, text, str(row.n or "n/a")])
    headings = [*_share_headings(pruned), "AP50 [95 %]", "n"]
    return make_table(headings, cells, title="accuracy, the same on every accelerator")


def _share_headings(pruned: bool) -> list[str]:
    return ["low %", "actual %", *(["pruned %", "actual %"] if pruned else [])]


def _share_cells(low: str, low_actual: float, pruning: float, pruning_actual: float, pruned: bool) -> list[str]:
    """Nominal and counted shares; those of pruned windows only where a table has some."""
    more = [f"{100 * pruning:g}", f"{100 * pruning_actual:.1f}"] if pruned else []
    return [low, f"{100 * low_actual:.1f}", *more]


def _low_text(row: SummaryRow) -> str:
    """The nominal low share in per cent; the mean and the shares of all pairs where they differ."""
    typed = row.setting.split(" ")[0]
    return f"{100 * row.ratio:g}" + (f" ({typed})" if "/" in typed or "," in typed else "")


def _setting_text(row: SummaryRow) -> str:
    return _low_text(row) + (f", pruned {100 * row.pruning:g}" if row.pruning else "")


def _machine_cells(label: str, row: SummaryRow) -> list[str]:
    """One row below `label` and MACHINE_HEADINGS."""
    return [
        label,
        f"{row.bops_speedup:.3f}",
        f"{row.simulated_speedup:.3f}",
        f"{row.cycles:,.0f}",
        significant(row.latency_ms, 4),
        significant(row.energy_uj),
        f"{100 * row.utilization:.1f}",
        f"{100 * row.peak_mac_utilization:.1f}",
    ]


def uniform_table(findings: Findings) -> Group:
    """The uniform precisions beside: every window at the same bits, compared with ratio 0; one part per accelerator."""
    parts: list[RenderableType] = []
    for name in findings.accelerators:
        cells = [
            _machine_cells(uniform_name(bits), findings.uniform_row(name, bits))
            for machine, bits in findings.uniform
            if machine == name
        ]
        parts += [*([""] if parts else []), make_table(["uniform", *MACHINE_HEADINGS], cells, title=name)]
    return Group(*parts)


def accuracy_table(rows: Sequence[EvaluationRow]) -> PlainTable:
    """Accuracy by ratio; where the float model was evaluated too, a column says which row is of it."""
    from mixarray_traces.quantization.arithmetic import ArithmeticKind

    cells, pruned = [], any(row.pruning for row in rows)
    both = any(row.arithmetic is ArithmeticKind.FLOAT for row in rows)
    for row in rows:
        low = f"{row.ratio / 10:g}" + ("" if same_everywhere(row.pair_ratios) else f" ({row.pair_ratios})")
        shares = _share_cells(low, row.ratio_actual, row.pruning / 1000, row.pruning_actual, pruned)
        if row.arithmetic is ArithmeticKind.FLOAT:
            shares = ["-"] * len(shares)
        model = ["float" if row.arithmetic is ArithmeticKind.FLOAT else "quantized"] if both else []
        cells.append([*model, *shares, accuracy_text(row), f"{row.ap:.3f}", str(row.n)])
    headings = [*(["model"] if both else []), *_share_headings(pruned), "AP50 [95 %]", "AP50:95", "n"]
    return make_table(headings, cells)


def accuracy_json(rows: Sequence[AnyAccuracy]) -> str:
    """The rows as a JSON list; the ratio as a share, NaN as null."""
    return to_json([_accuracy_values(row) for row in rows])


def accuracy_csv(rows: Sequence[AnyAccuracy]) -> str:
    """The rows as CSV; NaN as an empty cell."""
    values = [_accuracy_values(row) for row in rows]
    file = io.StringIO()
    writer = csv.DictWriter(file, list(values[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(values)
    return file.getvalue()


def resamples_csv(rows: Sequence[EvaluationRow], labels: Sequence[str]) -> str:
    """A column of AP50 per row, under its label: a line per resample of the canvases, four decimals."""
    columns = ([f"{ap50:.4f}" for ap50 in row.samples] for row in rows)
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([labels, *zip(*columns, strict=True)])
    return file.getvalue()


def to_json(value: object) -> str:
    """JSON as people and programs read it."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)


def _accuracy_values(row: AnyAccuracy) -> dict[str, object]:
    shares = {"ratio": row.ratio / 1000, "pruning": row.pruning / 1000, "padding": row.padding.value}
    return {name: value for name, value in (without_nan(asdict(row)) | shares).items() if name != "samples"}


def without_nan(values: Mapping[str, object]) -> dict[str, object]:
    """The values with NaN as None, which JSON and CSV can say."""
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in values.items()}
