"""Importance of windows: plug-in scores at stage entry, and how well they find object windows."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from mixarray_traces.importance.default import DEFAULT_SCORE, PAPER_SCORE

if TYPE_CHECKING:
    from mixarray_traces.importance.auc import AucRow, auc_table
    from mixarray_traces.importance.registry import load_score, score_names

_HOMES = {"AucRow": "auc", "auc_table": "auc", "load_score": "registry", "score_names": "registry"}

__all__ = ["DEFAULT_SCORE", "PAPER_SCORE", "AucRow", "auc_table", "load_score", "score_names"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
