"""Accuracy of any kind of model as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mixarray_analysis.plain_table import PlainTable
from mixarray_analysis.tables import accuracy_table, equal_mark, make_table

if TYPE_CHECKING:
    from mixarray_traces.classification.evaluate import ClassificationRow
    from mixarray_traces.evaluation import EvaluationRow


def accuracy_of_any(rows: list[EvaluationRow] | list[ClassificationRow]) -> PlainTable:
    """A detector's AP, or a classifier's top-1."""
    from mixarray_traces.classification.evaluate import ClassificationRow
    from mixarray_traces.evaluation import EvaluationRow

    tops = [row for row in rows if isinstance(row, ClassificationRow)]
    return top1_table(tops) if tops else accuracy_table([row for row in rows if isinstance(row, EvaluationRow)])


def top1_table(rows: Sequence[ClassificationRow]) -> PlainTable:
    """The float model first, then every setting; shares of pruned windows only where there are some."""
    pruned = any(row.pruning for row in rows)
    headings = ["model", "low %", "actual %", *(["pruned %", "actual %"] if pruned else []), "top-1 [95 %]", "n"]
    return make_table(headings, [_cells(row, pruned) for row in rows])


def _cells(row: ClassificationRow, pruned: bool) -> list[str]:
    from mixarray_traces.quantization.arithmetic import ArithmeticKind

    accuracy = f"{row.top1:.3f} [{row.top1_low:.3f}, {row.top1_high:.3f}]{equal_mark(row)}"
    if row.arithmetic is ArithmeticKind.FLOAT:
        return ["float", *["-"] * (4 if pruned else 2), accuracy, str(row.n)]
    shares = [f"{row.ratio / 10:g}", f"{100 * row.ratio_actual:.1f}"]
    shares += [f"{row.pruning / 10:g}", f"{100 * row.pruning_actual:.1f}"] if pruned else []
    return ["quantized", *shares, accuracy, str(row.n)]
