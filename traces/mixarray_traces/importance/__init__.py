"""Importance of windows: plug-in scores at stage entry, and how well they find object windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixarray.lazy import loader
from mixarray_traces.importance.default import DEFAULT_SCORE, PAPER_SCORE

if TYPE_CHECKING:
    from mixarray_traces.importance.auc import AucRow, auc_table
    from mixarray_traces.importance.registry import load_score, score_names

_HOMES = {"AucRow": "auc", "auc_table": "auc", "load_score": "registry", "score_names": "registry"}

__all__ = ["DEFAULT_SCORE", "PAPER_SCORE", "AucRow", "auc_table", "load_score", "score_names"]


__getattr__ = loader(__name__, _HOMES)
