"""The studies of `mixarray study`: run one, show its rows as a table, CSV or JSON."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixarray.errors import InputError
from mixarray.trace.padding import Padding
from mixarray_analysis.models import choose_score, open_model
from mixarray_analysis.plain_table import PlainTable
from mixarray_analysis.progress import progress_bar
from mixarray_analysis.steps import SPLITS, check_source
from mixarray_analysis.summary import write_rows
from mixarray_analysis.tables import make_table, to_json, without_nan
from mixarray_traces.quantization.ratios import Asked, same_everywhere

if TYPE_CHECKING:
    from mixarray_traces.studies import RankingRow, ShareRow, SqnrRow

    Row = RankingRow | ShareRow | SqnrRow


@dataclass(frozen=True, slots=True)
class StudyRequest:
    """What a study runs on: a model's directory (None: the shipped one), canvases, and how windows are ranked."""

    ratios: tuple[Asked, ...]
    model: Path | None
    canvases: int
    size: int
    split: str
    score: str | None
    seed: int
    padding: Padding
    quiet: bool


def study_rankings(request: StudyRequest, rankings: Sequence[str]) -> list[RankingRow]:
    """The rankings named, all of them by default; InputError for an unknown one."""
    score, model = choose_score(request.score), open_model(request.model)
    from mixarray_traces.data import Split
    from mixarray_traces.studies import Ranking, compare_rankings

    known = [ranking.value for ranking in Ranking]
    for name in rankings:
        if name not in known:
            raise InputError("--rankings", f"{name!r} is no ranking; allowed: {', '.join(known)}")
    _check_split(request.split)
    chosen = [Ranking(name) for name in rankings]
    with progress_bar(f"{len(chosen)} rankings on {request.canvases} canvases", request.quiet) as report:
        return compare_rankings(
            model,
            request.ratios,
            request.canvases,
            request.size,
            Split[request.split.upper()],
            request.seed,
            score,
            chosen,
            request.padding,
            report,
        )


def study_sqnr(request: StudyRequest) -> list[SqnrRow]:
    """Per-window SQNR at one setting of the ratios."""
    score, model = choose_score(request.score), open_model(request.model)
    from mixarray_traces.data import Split
    from mixarray_traces.studies import sqnr_rows

    _check_split(request.split)
    (ratio,) = request.ratios
    with progress_bar(f"SQNR on {request.canvases} canvases", request.quiet) as report:
        return sqnr_rows(
            model,
            ratio,
            request.canvases,
            request.size,
            Split[request.split.upper()],
            request.seed,
            score,
            padding=request.padding,
            progress=report,
        )


def study_shares(ratios: Sequence[Asked], model: Path | str | None, input_size: tuple[int, int]) -> list[ShareRow]:
    """Shares at several settings: of a named shape (a string), a quantized model, or the shipped one (None)."""
    from mixarray_traces.record.shape import shape_named
    from mixarray_traces.studies import share_rows

    if isinstance(model, str):
        return share_rows(shape_named(model), *input_size, ratios)
    opened = open_model(model)
    from mixarray_traces.record.recorder import shape_of

    return share_rows(shape_of(opened.detector), *input_size, ratios)


def rankings_table(rows: Sequence[RankingRow]) -> PlainTable:
    """One line per setting and ranking; '=' where the difference to the true ranking is inside its interval."""
    cells = [
        [
            row.ranking.value,
            _share(row.compression, row.low_actual),
            _share(row.pruning, row.pruned_actual),
            f"{row.ap50:.3f} [{row.ap50_low:.3f}, {row.ap50_high:.3f}]",
            _difference(row),
            f"{row.ap:.3f}",
            str(row.n),
        ]
        for row in rows
    ]
    headings = ["ranking", "low % (actual)", "pruned % (actual)", "AP50 [95 %]", "minus true [95 %]", "AP50:95", "n"]
    return make_table(headings, cells)


def sqnr_table(rows: Sequence[SqnrRow]) -> PlainTable:
    """One line per reference, stage and branch."""
    cells = [
        [
            row.reference.value,
            str(row.stage),
            row.branch.value,
            _decibels(row.sqnr_db),
            _decibels(row.pooled_db),
            f"{row.windows:,}",
            f"{row.exact:,}",
            str(row.images),
        ]
        for row in rows
    ]
    headings = ["against", "stage", "branch", "mean dB", "pooled dB", "windows", "exact", "canvases"]
    return make_table(headings, cells, left=(0, 2))


def shares_table(rows: Sequence[ShareRow]) -> PlainTable:
    """One line per setting and block, a total behind each setting."""
    from mixarray_traces.studies import total_shares

    cells, blocks = [], len({(row.stage, row.block) for row in rows})
    for start in range(0, len(rows), blocks):
        part = rows[start : start + blocks]
        cells += [_share_cells(row) for row in part]
        low, pruned = total_shares(part)
        windows = f"{sum(row.windows for row in part):,}"
        cells.append(["all", "", "", windows, "", f"{100 * low:.2f}", "", f"{100 * pruned:.2f}"])
    return make_table(["stage", "block", "grid", "windows", "low %", "actual %", "pruned %", "actual %"], cells)


def rows_csv(rows: Sequence[Row]) -> str:
    """The rows as CSV; NaN as an empty cell."""
    values = [_plain(row) for row in rows]
    file = io.StringIO()
    write_rows(file, list(values[0]), (list(row.values()) for row in values))
    return file.getvalue()


def rows_json(rows: Sequence[Row]) -> str:
    """The rows as a JSON list; NaN as null, an infinite SQNR as the text `inf`."""
    return to_json([{name: _finite(value) for name, value in without_nan(_plain(row)).items()} for row in rows])


def _plain(row: Row) -> dict[str, Any]:
    return asdict(row)


def _finite(value: object) -> object:
    return "inf" if isinstance(value, float) and math.isinf(value) else value


def _check_split(split: str) -> None:
    from mixarray_traces.data import Split

    if split not in SPLITS:
        raise InputError("--split", f"{split!r} is no split; allowed: {', '.join(SPLITS)}")
    check_source(Split[split.upper()])


def _share(nominal: str, actual: float) -> str:
    """A nominal share beside the counted one, in per cent; the shares of all pairs where they differ."""
    first = re.split("[,/]", nominal)[0]
    text = f"{100 * float(first):g}" if same_everywhere(nominal) else nominal
    return f"{text} ({100 * actual:.1f})"


def _difference(row: RankingRow) -> str:
    if math.isnan(row.difference):
        return "n/a"
    inside = row.difference_low <= 0 <= row.difference_high and row.ranking.value != "true"
    return f"{row.difference:+.3f} [{row.difference_low:+.3f}, {row.difference_high:+.3f}]" + (" =" if inside else "  ")


def _decibels(value: float) -> str:
    return "exact" if math.isnan(value) or math.isinf(value) else f"{value:.2f}"


def _share_cells(row: ShareRow) -> list[str]:
    low = f"{row.compression / 10:g}", f"{100 * row.low_actual:.2f}"
    pruned = f"{row.pruning / 10:g}", f"{100 * row.pruned_actual:.2f}"
    return [str(row.stage), str(row.block), row.grid.value, f"{row.windows:,}", *low, *pruned]
