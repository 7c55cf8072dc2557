"""Studies of a quantized model: rankings, per-window SQNR, shares of windows; each a function that returns tidy rows.

Names are loaded on first use: shares need no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixarray.lazy import loader

if TYPE_CHECKING:
    from mixarray_traces.studies.rankings import Ranking, RankingRow, compare_rankings
    from mixarray_traces.studies.shares import ShareRow, share_rows, total_shares
    from mixarray_traces.studies.sqnr import Reference, SqnrRow, sqnr_rows

_HOMES = {
    "Ranking": "rankings",
    "RankingRow": "rankings",
    "Reference": "sqnr",
    "ShareRow": "shares",
    "SqnrRow": "sqnr",
    "compare_rankings": "rankings",
    "share_rows": "shares",
    "sqnr_rows": "sqnr",
    "total_shares": "shares",
}

__all__ = [
    "Ranking",
    "RankingRow",
    "Reference",
    "ShareRow",
    "SqnrRow",
    "compare_rankings",
    "share_rows",
    "sqnr_rows",
    "total_shares",
]


__getattr__ = loader(__name__, _HOMES)
